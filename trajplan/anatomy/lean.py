"""Leaning in the sagittal plane of a vertebra: of a direction, and of the posterior wall of its body."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.endplates import Plane
from trajplan.geometry import Frame
from trajplan.geometry.arrays import Float32Array, FloatArray

WALL_HALF_MM = 5.0
WALL_MARGIN = 0.2


def lean_deg(frame: Frame, direction_lps: FloatArray) -> float:
    """How far a direction that points up leans backwards in the sagittal plane of `frame`, degrees."""
    return float(np.degrees(np.arctan2(direction_lps @ frame.v, direction_lps @ frame.w)))


def wall_lean_deg(
    share: Float32Array,
    canal_v_mm: FloatArray,
    middle_u_mm: float,
    axes_mm: tuple[FloatArray, FloatArray, FloatArray],
    front_mm: float,
    top: Plane,
    bottom: Plane,
) -> float | None:
    """Lean of the posterior wall near the midline against w, degrees, + backwards going up; None when it is too short.

    The wall is the last bone before the middle of the canal, over the middle 60 % of the body's height there.
    """
    u_mm, v_mm, w_mm = axes_mm
    high, low = top.at(middle_u_mm, front_mm), bottom.at(middle_u_mm, front_mm)
    margin = WALL_MARGIN * (high - low)
    rows = np.flatnonzero((w_mm > low + margin) & (w_mm < high - margin))
    columns = np.flatnonzero(np.abs(u_mm - middle_u_mm) < WALL_HALF_MM)
    if len(rows) < 4 or not len(columns):
        return None
    block = share[np.ix_(rows, np.arange(len(v_mm)), columns)]
    filled = (block > 0.5) & (v_mm[None, :] < canal_v_mm[rows][:, None])[:, :, None]
    last = len(v_mm) - 1 - filled[:, ::-1].argmax(axis=1)
    outside = np.minimum(last + 1, len(v_mm) - 1)
    a, b = (np.take_along_axis(block, index[:, None], axis=1)[:, 0].astype(float) for index in (last, outside))
    step = float(v_mm[1] - v_mm[0])
    sharp = filled.any(axis=1) & (b < 0.5)
    place = v_mm[last] + step * np.where(sharp, (a - 0.5) / np.where(sharp, a - b, 1.0), 0.5)
    k, i = np.nonzero(sharp)
    if len(k) < 20:
        return None
    w, v = w_mm[rows[k]], place[k, i]
    keep = np.ones(len(v), dtype=bool)
    line = np.zeros(2)
    for _ in range(5):
        line = np.polyfit(w[keep], v[keep], 1)
        off = np.abs(v - np.polyval(line, w))
        keep = off <= 2.5 * (1.4826 * float(np.median(off[keep])) + 0.3)
    return float(np.degrees(np.arctan(line[0])))
