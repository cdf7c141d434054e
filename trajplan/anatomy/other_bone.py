"""Bone that is not the target: other labelled vertebrae, and unlabelled bone (ribs, facets) behind the body."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.working_grid import occupancy
from trajplan.geometry import Frame, Grid, LabelMap, Volume
from trajplan.geometry.arrays import BoolArray, Float32Array

BONE_HU = 250.0
GAP_MM = 1.5
"""Partial volume about the target is no other bone."""


def other_vertebrae(labels: LabelMap, target_id: int, grid: Grid) -> BoolArray:
    """Every label but the target, on `grid`."""
    found = np.zeros(grid.shape_zyx, dtype=bool)
    for other in labels.ids():
        if other != target_id:
            found |= occupancy(labels, other, grid) > 0.5
    return found


def other_bone(ct: Volume, target: BoolArray, vertebrae: BoolArray, frame: Frame) -> BoolArray:
    """Other vertebrae, and CT above 250 HU posterior of the body centre and more than 1.5 mm off the target.

    The half space anterior of the body centre is left out: a contrast-filled aorta is as bright as bone, and no
    transpedicular path begins there. All arrays are on the grid of `ct`.
    """
    step = float(ct.grid.spacing_zyx[0])
    near = ndi.distance_transform_edt(~target) * step <= GAP_MM
    behind = _v_map(ct.grid, frame) > 0
    return np.asarray((vertebrae | ((ct.array > BONE_HU) & behind)) & ~near | (vertebrae & ~target))


def _v_map(grid: Grid, frame: Frame) -> Float32Array:
    """v (mm) of every voxel of an axis-aligned grid."""
    n_z, n_y, n_x = grid.shape_zyx
    x = grid.origin_lps[0] + grid.spacing_zyx[2] * np.arange(n_x) - frame.origin_lps[0]
    y = grid.origin_lps[1] + grid.spacing_zyx[1] * np.arange(n_y) - frame.origin_lps[1]
    z = grid.origin_lps[2] + grid.spacing_zyx[0] * np.arange(n_z) - frame.origin_lps[2]
    v = frame.v
    return np.asarray(v[2] * z[:, None, None] + v[1] * y[:, None] + v[0] * x, dtype=np.float32)
