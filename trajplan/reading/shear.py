"""Slices stacked at an angle (gantry tilt): resampled once, straight onto axis-aligned LPS."""

from __future__ import annotations

from itertools import product

import numpy as np
import SimpleITK as sitk

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.resample import nearest_axes, resample_image
from trajplan.geometry.volume import Volume


def straighten(array: AnyArray, matrix: FloatArray, origin_lps: FloatArray) -> Volume:
    """A sheared stack on the right-angled LPS grid that holds all of it; what was not scanned becomes air.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        HU as stored.
    matrix : ndarray, shape (3, 3)
        Columns are the LPS mm steps of one index along x, y and z; not at right angles.
    origin_lps : ndarray, shape (3,)
        Centre of voxel (0, 0, 0).
    """
    size_xyz = np.array(array.shape[::-1])
    corners = np.array(list(product((0, 1), repeat=3))) * (size_xyz - 1) @ matrix.T + origin_lps
    grid = _target_grid(corners, matrix)
    image = sitk.GetImageFromArray(array)  # identity geometry: world = index
    inverse = np.linalg.inv(matrix)
    world_to_index = sitk.AffineTransform(3)
    world_to_index.SetMatrix([float(v) for v in inverse.ravel()])
    world_to_index.SetTranslation([float(v) for v in -inverse @ origin_lps])
    return Volume(resample_image(image, grid, world_to_index), grid)


def _target_grid(corners_lps: FloatArray, matrix: FloatArray) -> Grid:
    """Each world axis takes the spacing of the index axis nearest to it; slices count by their true distance."""
    steps = np.linalg.norm(matrix, axis=0)
    steps[2] = abs(np.linalg.det(matrix)) / (steps[0] * steps[1])
    spacing_xyz = steps[nearest_axes(matrix)]
    lower, upper = corners_lps.min(axis=0), corners_lps.max(axis=0)
    count = np.ceil((upper - lower) / spacing_xyz - 1e-6).astype(int) + 1
    origin = (lower + upper) / 2 - (count - 1) / 2 * spacing_xyz
    return Grid(tuple(int(n) for n in count[::-1]), origin, spacing_xyz[::-1])
