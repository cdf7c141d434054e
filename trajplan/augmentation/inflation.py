"""Inflation: a balloon filled step by step, what it comes near to, and where and why it is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trajplan.augmentation.envelope import Envelope
from trajplan.parts import Side
from trajplan.planning.instruments import Balloon

WALLS = ("anterior", "lateral", "posterior", "superior end plate", "inferior end plate")
"""The walls that a balloon is watched against."""


@dataclass(frozen=True, eq=False)
class InflationStep:
    """The balloon at one filling volume.

    `nearest_mm` is the distance of its surface to each of `WALLS`, never over-stated, negative where it has gone past
    where an end plate stood before; `contact` are those it has come to, ``other balloon`` among them. `cavity_ml` is
    the volume of the envelope.
    """

    volume_ml: float
    envelope: Envelope
    diameter_mm: float
    length_mm: float
    cavity_ml: float
    nearest_mm: Mapping[str, float]
    contact: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Inflation:
    """One balloon, all its steps up to where it is stopped.

    `stop` is ``contact``, ``maximum volume``, ``cement bound``, ``height reached`` or ``no room``; `why` says it in a
    line. The last step is the one that is planned; a step that would break the rule is not taken. End plates are what a
    balloon bears on and do not stop it here; `strict_ml` is the volume at which a rule that counts them too would have
    stopped it (0 when with the first step), None when it never would.
    """

    side: Side
    balloon: Balloon
    steps: tuple[InflationStep, ...]
    stop: str
    why: str
    strict_ml: float | None = None

    @property
    def final(self) -> InflationStep:
        """The last step."""
        return self.steps[-1]
