"""How often each level is drawn: phantoms make up for levels that few real scans show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from training.segmenter.phantom_cases import PATIENT
from training.segmenter.target import Target

FLOOR = 1.0
"""Share of what a level would have if all were drawn alike. Without it a network that had learnt no real L3 to L5 left
the lowest part of an L5 out (Dice 0.74)."""


def balanced(targets: Sequence[Target]) -> list[Target]:
    """The targets, with the weights of phantoms raised where a level falls short.

    A level without phantoms stays as it is; nothing is ever drawn less often, but for the share the others gain.
    """
    total: dict[str, float] = defaultdict(float)
    made: dict[str, float] = defaultdict(float)
    for one in targets:
        total[level(one)] += one.weight
        made[level(one)] += one.weight if one.patient == PATIENT else 0.0
    floor = FLOOR * sum(total.values()) / max(1, len(total))
    factor = {name: 1.0 + max(0.0, floor - total[name]) / made[name] for name in made if made[name] > 0}
    return [replace(one, weight=one.weight * factor[level(one)]) if one.patient == PATIENT else one for one in targets]


def level(one: Target) -> str:
    """The last word of a target's name."""
    return one.name.rsplit(" ", 1)[-1]
