"""Whether a mask is cut by the border of its scan."""

from __future__ import annotations

import numpy as np

from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.arrays import BoolArray, FloatArray

MIN_CUT_MM2 = 8.0
_NAMES = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))


def cut_sides(labels: LabelMap, target_id: int, ct: Grid) -> dict[str, float]:
    """Patient side -> area (mm2) of the target that lies within one voxel of the border of the labels or the CT.

    Both grids are axis-aligned LPS. A contact of less than 8 mm2 is the outline grazing the border, not a cut.
    """
    index = np.argwhere(labels.array == target_id)
    if not len(index):
        return {}
    spacing = labels.grid.spacing_zyx
    points = labels.grid.index_to_world(index)
    ct_low, ct_high = ct.corners_lps().min(axis=0), ct.corners_lps().max(axis=0)
    found: dict[str, float] = {}
    for axis in range(3):
        own = 2 - axis
        face_mm2 = float(np.prod(np.delete(spacing, own)))
        step = float(spacing[own])
        last = labels.grid.shape_zyx[own] - 1
        at_low = (index[:, own] == 0) | (points[:, axis] < ct_low[axis] + 0.5 * step)
        at_high = (index[:, own] == last) | (points[:, axis] > ct_high[axis] - 0.5 * step)
        for name, hit in zip(_NAMES[axis], (at_low, at_high), strict=True):
            # several layers may lie beyond the CT: count the columns, not the voxels
            area = len(np.unique(np.delete(index[hit], own, axis=1), axis=0)) * face_mm2
            if area > MIN_CUT_MM2:
                found[name] = area
    return found


def cut_area(part: BoolArray, grid: Grid, labels: Grid, ct: Grid, side: str) -> float:
    """Area (mm2) of a part (on its working grid) within 1.5 label voxels of the border on `side`."""
    axis, sign = next(
        (a, s) for a, pair in enumerate(_NAMES) for s, name in zip((-1, 1), pair, strict=True) if name == side
    )
    lower = np.maximum(labels.corners_lps().min(axis=0), ct.corners_lps().min(axis=0))
    upper = np.minimum(labels.corners_lps().max(axis=0), ct.corners_lps().max(axis=0))
    reach = 1.5 * float(labels.spacing_zyx[2 - axis])
    points = grid.index_to_world(np.argwhere(part))[:, axis]
    near = points < lower[axis] + reach if sign < 0 else points > upper[axis] - reach
    layers = max(1.0, reach / float(grid.spacing_zyx[0]))
    return _count(near) * float(grid.spacing_zyx[0]) ** 2 / layers


def _count(flags: FloatArray | BoolArray) -> float:
    return float(np.count_nonzero(flags))
