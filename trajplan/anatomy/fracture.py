"""Expected height, height loss, Genant grade and shape of a body."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trajplan.anatomy.heights import BodyHeights
from trajplan.anatomy.vertebra import Fracture, Heights
from trajplan.levels import LEVEL_NAMES

GENANT_LIMITS_PERCENT = (20.0, 25.0, 40.0)
"""Grades 1, 2, 3 from these losses on (Genant semiquantitative classes)."""

CRUSH_SHARE = 0.5
SOUND_RATIO = 0.78
"""A neighbour whose least height is below this share of its greatest is itself deformed and no reference."""

_PLACES = ("anterior", "middle", "posterior")


def genant_grade(loss_percent: float) -> int:
    """Genant grade of a height loss.

    >>> [genant_grade(x) for x in (19.9, 20.0, 25.0, 40.0)]
    [0, 1, 2, 3]
    """
    return sum(loss_percent >= limit for limit in GENANT_LIMITS_PERCENT)


def sound(heights: BodyHeights) -> bool:
    """Whether a body is regular enough to serve as a reference for its neighbour."""
    values = (heights.ha_mm, heights.hm_mm, heights.hp_mm)
    return min(values) >= SOUND_RATIO * max(values)


def grade_fracture(own: BodyHeights, neighbours: Mapping[int, BodyHeights]) -> tuple[Heights, Fracture]:
    """Heights with their reference, and the fracture they amount to.

    The expected anterior, middle and posterior heights are the means of the same heights of the sound neighbours
    (`neighbours`: VerSe id -> heights); with none, the body's own posterior height stands for all three, and a loss
    of the posterior height itself cannot be seen. Loss is 1 - measured / expected at the place that lost most,
    never negative; `reference_mm` is the expected height at that place.

    Shape, from a loss of 20 % on: crush when the posterior height lost at least half as much as the place that
    lost most; else wedge when the anterior height lost at least as much as the middle; else biconcave.
    """
    measured = np.array([own.ha_mm, own.hm_mm, own.hp_mm])
    used = {i: h for i, h in sorted(neighbours.items()) if sound(h)}
    if used:
        expected = np.mean([[h.ha_mm, h.hm_mm, h.hp_mm] for h in used.values()], axis=0)
        names = " and ".join(LEVEL_NAMES.get(i, f"id {i}") for i in used)
        origin = f"{names}"
    else:
        expected = np.full(3, own.hp_mm)
        origin = "own posterior height"
    loss = 100 * (1 - measured / expected)
    worst = int(np.argmax(loss))
    percent = max(0.0, float(loss[worst]))
    grade = genant_grade(percent)
    if grade == 0:
        shape = "none"
    elif loss[2] >= CRUSH_SHARE * percent:
        shape = "crush"
    else:
        shape = "wedge" if loss[0] >= loss[1] else "biconcave"
    source = f"{_PLACES[worst]} height of {origin}" if used else origin
    heights = Heights(own.ha_mm, own.hm_mm, own.hp_mm, float(expected[worst]), source, percent)
    return heights, Fracture(shape, grade)
