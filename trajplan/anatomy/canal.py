"""The spinal canal of one vertebra: the holes of its bony ring, carried on along the canal above and below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.geometry.pieces import largest

CLOSINGS_MM = (
    (0.0, 0.0),
    (1.0, 0.0),
    (0.0, 3.0),
    (1.0, 3.0),
    (2.0, 0.0),
    (0.0, 5.0),
    (1.0, 5.0),
    (3.0, 0.0),
    (4.5, 0.0),
)
"""How a ring is closed, in turn: (in its plane, along w), mm. Along w, because in the thoracic spine the pedicles sit
high and the laminae low, and no plane need hold them all."""

MIN_AREA_MM2 = 60.0
MIN_RING_MM = 3.0
MAX_SLOPE = 0.35
"""Largest tilt of the canal against w, as a tangent (19 degrees): a few ring slices must not throw the ends off."""

SLOPE_PRIOR_MM2 = 20.0
"""Draws the canal towards w: the ring's centroids lean, as its upper slices end on pedicles, its lower on lamina."""


@dataclass(frozen=True, eq=False)
class Ring:
    """The enclosed holes of the vertebral ring on a [w, v, u] frame grid.

    Parameters
    ----------
    hole : ndarray of bool, shape (w, v, u)
    closing_mm : float
        By how much the bone had to be closed in its plane for the ring to hold; 0 when it is closed by itself.
    """

    hole: BoolArray
    closing_mm: float


def disk(radius_mm: float, spacing_mm: float) -> BoolArray:
    """A flat in-plane disk, shape (1, n, n), for [w, v, u] arrays."""
    r = int(np.floor(radius_mm / spacing_mm + 1e-6))
    b, a = np.mgrid[-r : r + 1, -r : r + 1]
    return np.asarray((a**2 + b**2) * spacing_mm**2 <= radius_mm**2 + 1e-9)[None]


def enclosed(solid: BoolArray) -> BoolArray:
    """What is enclosed by `solid` within each slice of the first axis."""
    plane = np.zeros((3, 3, 3), dtype=bool)
    plane[1] = ndi.generate_binary_structure(2, 1)
    found, _ = ndi.label(np.pad(~solid, ((0, 0), (1, 1), (1, 1)), constant_values=True), structure=plane)
    outside = np.unique(found[:, 0, 0])
    closed = ~np.isin(found, outside) & (found > 0)
    return np.asarray(closed[:, 1:-1, 1:-1])


def find_ring(
    solid: BoolArray, u_mm: FloatArray, v_mm: FloatArray, behind_mm: float, half_width_mm: float = 20.0
) -> Ring | None:
    """The largest hole more than `behind_mm` posterior of the frame origin; None when no ring closes.

    A ring that is open by a few millimetres (thin lamina, thick slices) is closed step by step, and the step told.
    """
    spacing = float(u_mm[1] - u_mm[0])
    zone = (v_mm[:, None] > behind_mm) & (np.abs(u_mm)[None, :] < half_width_mm)
    for closing, along in CLOSINGS_MM:
        ring = solid
        if along > 0:
            ring = ndi.maximum_filter1d(solid, 2 * round(along / spacing) + 1, axis=0, mode="constant")
        if closing > 0:
            reach = int(np.ceil(closing / spacing)) + 1
            padded = np.pad(ring, ((0, 0), (reach, reach), (reach, reach)))
            closed = ndi.binary_closing(padded, disk(closing, spacing))
            ring = closed[:, reach:-reach, reach:-reach]
        hole = enclosed(ring) & ~solid & zone
        hole = largest(ndi.binary_opening(hole, disk(2.5, spacing)))
        wide = hole.sum(axis=(1, 2)) * spacing**2 > MIN_AREA_MM2
        if np.count_nonzero(wide) * spacing >= MIN_RING_MM:
            return Ring(hole & wide[:, None, None], closing)
    return None


def canal_curve(hole: BoolArray, u_mm: FloatArray, v_mm: FloatArray, w_mm: FloatArray) -> FloatArray:
    """Centre (u, v) of the canal at every w of the grid, shape (W, 2): the ring's centroids and the line through them.

    A line, not a parabola: over one vertebra the curve is within 1 mm of straight and does not run away at the ends.
    """
    rows = np.flatnonzero(hole.any(axis=(1, 2)))
    area = hole[rows].sum(axis=(1, 2))
    middle_u = (hole[rows].sum(axis=1) * u_mm).sum(axis=1) / area
    middle_v = (hole[rows].sum(axis=2) * v_mm).sum(axis=1) / area
    curve = np.empty((len(w_mm), 2))
    for column, values in enumerate((middle_u, middle_v)):
        at, level = float(np.average(w_mm[rows], weights=area)), float(np.average(values, weights=area))
        spread = float(np.average((w_mm[rows] - at) ** 2, weights=area))
        slope = float(np.average((w_mm[rows] - at) * (values - level), weights=area)) / (spread + SLOPE_PRIOR_MM2)
        curve[:, column] = level + np.clip(slope, -MAX_SLOPE, MAX_SLOPE) * (w_mm - at)
    return curve


def extruded_canal(
    hole: BoolArray,
    u_mm: FloatArray,
    v_mm: FloatArray,
    w_mm: FloatArray,
    bone: BoolArray,
    lower_w_mm: float,
    upper_w_mm: float,
) -> BoolArray:
    """The canal from `lower_w_mm` to `upper_w_mm` on the grid of `hole`, shape (w, v, u).

    Where the ring is closed it is the hole itself; elsewhere the typical section of the ring (where more than half
    of the ring slices, centred on the curve, are open) placed on the canal curve; bone is never canal.
    """
    spacing = float(u_mm[1] - u_mm[0])
    curve = canal_curve(hole, u_mm, v_mm, w_mm)
    rows = np.flatnonzero(hole.any(axis=(1, 2)))
    middle = curve[rows].mean(axis=0)
    centred = [
        ndi.shift(hole[k].astype(np.float32), (middle - curve[k])[::-1] / spacing, order=1, prefilter=False)
        for k in rows
    ]
    typical = np.mean(centred, axis=0)
    # the foramina open beside the pedicles: a hole must not run out into them
    allowed = ndi.binary_dilation(typical > 0.5, disk(2.5, spacing)[0])
    out = np.zeros_like(hole)
    for k in np.flatnonzero((w_mm >= lower_w_mm) & (w_mm <= upper_w_mm)):
        move = (curve[k] - middle)[::-1] / spacing
        if hole[k].any():
            out[k] = hole[k] & (ndi.shift(allowed.astype(np.float32), move, order=1, prefilter=False) > 0.25)
        else:
            out[k] = ndi.shift(typical, move, order=1, prefilter=False) > 0.5
    return np.asarray(largest(out & ~bone))
