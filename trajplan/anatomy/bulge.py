"""How far the posterior wall of a body bulges into the canal."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.vertebra import Bulge
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray

HALF_WIDTH_MM = 6.0
END_MM = 2.5
"""The corners are read over this length at either end of the wall; the very rims, rounded, are left out."""

RIM_MM = 1.5
CORNERS_AGREE_MM = 1.5
"""Corners that stand apart by more: the hinder one is pushed out and has no say."""


def measure_bulge(
    share: Float32Array,
    hole: BoolArray,
    curve_uv_mm: FloatArray,
    axes_mm: tuple[FloatArray, FloatArray, FloatArray],
    body_w_mm: tuple[float, float],
) -> Bulge | None:
    """The greatest distance of the posterior wall, near the midline, behind the line that joins its two corners.

    Where one corner is itself pushed out, the line is the one along w through the other: an intact wall is straight
    or hollow and measures 0, to the error of the frame (a degree is 0.4 mm over a body). None when the wall is
    shorter than 8 mm.

    Parameters
    ----------
    share : ndarray, shape (w, v, u)
        Occupancy of the vertebra on its frame grid; the wall is its last bone before the middle of the canal.
    hole : ndarray of bool, shape (w, v, u)
        The canal within the bony ring.
    curve_uv_mm : ndarray, shape (W, 2)
        Centre of the canal at every w.
    body_w_mm : (float, float)
        Lower and upper end of the body at its posterior wall.
    """
    u_mm, v_mm, w_mm = axes_mm
    step = float(w_mm[1] - w_mm[0])
    rows = np.flatnonzero((w_mm > body_w_mm[0] + RIM_MM) & (w_mm < body_w_mm[1] - RIM_MM))
    if len(rows) * step < 8.0:
        return None
    wall, back = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for n, k in enumerate(rows):
        near = np.flatnonzero(np.abs(u_mm - curve_uv_mm[k, 0]) <= HALF_WIDTH_MM)
        block = share[k][:, near] > 0.5
        before = v_mm < curve_uv_mm[k, 1]
        reached = np.where(block & before[:, None], v_mm[:, None], -np.inf).max(axis=0)
        if np.isfinite(reached).any():
            wall[n] = _edge(share[k][:, near], v_mm, reached)
        free = hole[k][:, near]
        if free.any():
            back[n] = np.median(v_mm[len(v_mm) - 1 - free[::-1].argmax(axis=0)][free.any(axis=0)])
    seen = np.isfinite(wall)
    if np.count_nonzero(seen) * step < 8.0:
        return None
    w = w_mm[rows]
    wall = ndi.gaussian_filter1d(np.interp(w, w[seen], wall[seen]), 0.8 / step, mode="nearest")
    ends = w - w[0] <= END_MM, w[-1] - w <= END_MM
    low, high = (float(np.median(wall[end])) for end in ends)
    line = np.interp(w, [w[0] + END_MM / 2, w[-1] - END_MM / 2], [low, high])
    if abs(high - low) > CORNERS_AGREE_MM:
        line = np.full(len(w), min(low, high))
    depth = float(np.nanmedian(back - line)) if np.isfinite(back).any() else float("nan")
    return Bulge(max(0.0, float((wall - line).max())), depth)


def _edge(columns: Float32Array, v_mm: FloatArray, reached_mm: FloatArray) -> float:
    """The hindmost fifth of the columns' walls (v, mm), at the 0.5 crossing of their occupancy."""
    step = float(v_mm[1] - v_mm[0])
    edges = []
    for i in np.flatnonzero(np.isfinite(reached_mm)):
        j = round((float(reached_mm[i]) - float(v_mm[0])) / step)
        a, b = float(columns[j, i]), float(columns[min(j + 1, len(v_mm) - 1), i])
        edges.append(v_mm[j] + step * ((a - 0.5) / (a - b) if b < 0.5 else 0.5))
    return float(np.percentile(edges, 80))
