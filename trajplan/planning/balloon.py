"""Which balloon fits in front of the cannula on a planned path, and how far it may be inflated."""

from __future__ import annotations

import math

import numpy as np

from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.instruments import Balloon
from trajplan.planning.plan import BalloonFit
from trajplan.planning.walls import Wall, WallField

MARGIN_MM = 2.0
"""Kept between the inflated envelope and every cortex (proposed; no source)."""

_WALLS = (Wall.MEDIAL, Wall.LATERAL, Wall.ANTERIOR, Wall.ENDPLATE, Wall.CANAL)
_STEP_MM = 0.5


def fit_balloons(
    field: WallField,
    path: Capsule,
    balloons: tuple[Balloon, ...],
    two_thirds_v: float,
    v_of: FloatArray,
    origin_lps: FloatArray,
) -> tuple[BalloonFit, ...]:
    """Every balloon that fits folded with its margin, largest volume first.

    The balloon's front end is at the tip; it is inflated about its middle and reaches half of its growth in length
    beyond either end, where walls are watched too.

    Parameters
    ----------
    two_thirds_v : float
        v (mm) of the border between the anterior two thirds of the body and the rest.
    v_of, origin_lps : ndarray, shape (3,)
        The posterior axis and the origin of the vertebra frame.
    """
    fits = [_fit(field, path, b, two_thirds_v, v_of, origin_lps) for b in balloons]
    return tuple(sorted((f for f in fits if f is not None), key=lambda f: (-f.volume_ml, f.balloon.length_mm)))


def _fit(
    field: WallField, path: Capsule, balloon: Balloon, two_thirds_v: float, v_of: FloatArray, origin_lps: FloatArray
) -> BalloonFit | None:
    axis = path.direction_lps
    center = path.end_lps - 0.5 * balloon.length_mm * axis
    full, longest = balloon.inflated_diameter_mm / 2, balloon.inflated_length_mm / 2
    along = np.arange(-longest, longest + 1e-9, _STEP_MM)
    points = center + along[:, None] * axis
    room = field.point_clearance(points)[:, list(_WALLS)] - MARGIN_MM
    best, limit = 0.0, ""
    # inflated evenly: its length grows with its diameter from the label's to the largest
    for radius in np.arange(balloon.folded_diameter_mm / 2, full + 1e-9, 0.1):
        share = (radius - balloon.folded_diameter_mm / 2) / max(full - balloon.folded_diameter_mm / 2, 1e-9)
        half = balloon.length_mm / 2 + share * (longest - balloon.length_mm / 2)
        outline = radius * np.sqrt(np.clip(1 - (along / half) ** 2, 0.0, None))
        within = np.abs(along) <= half
        short = room[within] - outline[within, None]
        if short.min() < 0:
            limit = _WALLS[int(np.unravel_index(int(np.argmin(short)), short.shape)[1])].name.lower()
            break
        best, length = float(radius), 2 * half
    if best == 0.0:
        return None
    v = (points - origin_lps) @ v_of
    in_length = np.abs(along) <= length / 2
    return BalloonFit(
        balloon, center, axis, 2 * best, float(length), math.pi / 6 * (2 * best) ** 2 * float(length) / 1000, MARGIN_MM,
        limit, float((v[in_length] <= two_thirds_v).mean()),
    )  # fmt: skip
