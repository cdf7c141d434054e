"""Heary-style grade: not how far the bone is left, but where, since a lateral breach is not a medial one."""

from __future__ import annotations

from trajplan.planning.plan import Clearance

DEFINITION = (
    "Heary-style, by direction (after Heary 2004, from recall, not verified): I inside the bone, II out laterally or "
    "on top, III out through the front or an end plate, IV out medially or below, V into the canal or a foramen"
)

_BY_WALL = (
    ("V", ("canal_mm", "foramen_mm")),
    ("IV", ("medial_mm", "inferior_mm")),
    ("III", ("anterior_mm", "endplate_mm")),
    ("II", ("lateral_mm", "superior_mm")),
)


def heary_grade(clearance: Clearance) -> str:
    """The worst of I to V over the walls that the instrument's surface crosses.

    >>> import numpy as np
    >>> heary_grade(Clearance(-0.5, 1.0, -0.5, 2.0, 2.0, 9.0, 6.0, 3.0, np.zeros((0, 2))))
    'II'
    """
    for grade, walls in _BY_WALL:
        if any((getattr(clearance, wall) or 0.0) < 0 for wall in walls):
            return grade
    return "I"


def nearest_wall(clearance: Clearance) -> tuple[str, float]:
    """Name of the wall that the instrument comes nearest to, and the clearance there, mm."""
    known = {
        wall: value
        for _, walls in _BY_WALL
        for wall in walls
        if (value := getattr(clearance, wall)) is not None
    }  # fmt: skip
    name = min(known, key=lambda wall: known[wall])
    return name.removesuffix("_mm"), float(known[name])
