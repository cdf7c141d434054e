"""Hounsfield units along a path: how hard the bone is that the instrument meets."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from trajplan.geometry import Capsule, Volume
from trajplan.geometry.arrays import FloatArray

STEP_MM = 0.5


def hu_along(ct: Volume, path: Capsule) -> FloatArray:
    """(depth from the entry in mm, HU) along the axis of a path, shape (N, 2); NaN outside the scan."""
    depth, points = path.points_along(STEP_MM)
    index = ct.grid.world_to_index(points).T
    hu = map_coordinates(ct.array, index, order=1, mode="constant", cval=np.nan, output=np.float64)
    return np.stack([depth, hu], axis=1)
