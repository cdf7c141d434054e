"""Expected heights, height loss, Genant grade and shape of a body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.heights import PLACES, BodyHeights
from trajplan.anatomy.neighbours import Neighbour, flanking, weight_above
from trajplan.anatomy.vertebra import Fracture, Heights
from trajplan.geometry.arrays import FloatArray
from trajplan.levels import LEVEL_NAMES

GENANT_LIMITS_PERCENT = (20.0, 25.0, 40.0)
"""Grades 1, 2, 3 from these losses on (Genant semiquantitative classes as coded in practice; Wang QIMS 2019)."""

OWN_POSTERIOR = "own posterior height"
CRUSH_SHARE = 0.45
"""A fracture is a crush when the posterior height lost this share of what the worst place lost; in a wedge or a
biconcave fracture it keeps its height."""

TYPICAL_POSTERIOR_MM: dict[int, float] = {
    8: 14.1, 9: 15.6, 10: 15.7, 11: 16.2, 12: 16.2, 13: 17.4, 14: 18.2, 15: 18.7, 16: 19.3, 17: 20.2, 18: 21.3,
    19: 22.7, 20: 23.8, 21: 24.3, 22: 23.8, 23: 24.1, 24: 22.9,
}  # fmt: skip
"""Posterior body height by level, as commonly quoted from Panjabi 1991/1992 (unverified). Only the ratio of two levels
is used, and only where neighbours stand on one side alone."""


@dataclass(frozen=True, eq=False)
class Expected:
    """Expected anterior, middle and posterior height, shape (3,) mm, and where they come from."""

    heights_mm: FloatArray
    origin: str
    own: bool


def genant_grade(loss_percent: float) -> int:
    """Genant grade of a height loss.

    >>> [genant_grade(x) for x in (19.9, 20.0, 25.0, 40.0)]
    [0, 1, 2, 3]
    """
    return sum(loss_percent >= limit for limit in GENANT_LIMITS_PERCENT)


def expected_heights(own: BodyHeights, target_id: int, neighbours: Sequence[Neighbour]) -> Expected:
    """What the three heights were before a fracture.

    Between a sound neighbour above and one below: interpolated by levels, each height for itself. With neighbours on
    one side alone: the nearest's, times the usual ratio of the two levels. With none: the body's own posterior height
    for all three; a loss of the posterior height itself cannot be seen then.
    """
    above, below = flanking(neighbours)
    if above is not None and below is not None:
        share = weight_above(above, below)
        heights = share * above.heights.values_mm + (1 - share) * below.heights.values_mm
        return Expected(heights, f"{_name(above)} and {_name(below)}", False)
    one = above or below
    if one is None:
        return Expected(np.full(3, own.hp_mm), OWN_POSTERIOR, True)
    typical = TYPICAL_POSTERIOR_MM
    known = target_id in typical and one.level_id in typical
    ratio = typical[target_id] / typical[one.level_id] if known else 1.0
    return Expected(one.heights.values_mm * ratio, _name(one), False)


def grade_fracture(own: BodyHeights, expected: Expected) -> tuple[Heights, Fracture]:
    """Heights with their losses, and the fracture they amount to.

    Loss is 1 - measured / expected at each place; the one number is that of the place that lost most, never negative,
    and `reference_mm` is the expected height there.

    Shape, from a loss of 20 % on: crush when the posterior height lost at least 45 % of what the worst place lost;
    else wedge when the anterior height lost at least as much as the middle; else biconcave.
    """
    loss = 100 * (1 - own.values_mm / expected.heights_mm)
    worst = int(np.argmax(loss))
    percent = max(0.0, float(loss[worst]))
    grade = genant_grade(percent)
    if grade == 0:
        shape = "none"
    elif loss[2] >= CRUSH_SHARE * percent:
        shape = "crush"
    else:
        shape = "wedge" if loss[0] >= loss[1] else "biconcave"
    source = expected.origin if expected.own else f"{PLACES[worst]} height of {expected.origin}"
    heights = Heights(
        own.ha_mm,
        own.hm_mm,
        own.hp_mm,
        float(expected.heights_mm[worst]),
        source,
        percent,
        _three(expected.heights_mm),
        _three(loss),
    )
    return heights, Fracture(shape, grade)


def _three(values: FloatArray) -> tuple[float, float, float]:
    a, b, c = (float(x) for x in values)
    return a, b, c


def _name(one: Neighbour) -> str:
    return LEVEL_NAMES.get(one.level_id, f"id {one.level_id}")
