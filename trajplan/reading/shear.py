"""Slices stacked at an angle (gantry tilt): resampled once, straight onto axis-aligned LPS."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import SimpleITK as sitk

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.resample import AIR_HU
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
    image = sitk.GetImageFromArray(np.asarray(array, dtype=np.float32))  # identity geometry: world = index
    inverse = np.linalg.inv(matrix)
    world_to_index = sitk.AffineTransform(3)
    world_to_index.SetMatrix([float(v) for v in inverse.ravel()])
    world_to_index.SetTranslation([float(v) for v in -inverse @ origin_lps])
    resampled = sitk.Resample(
        image,
        [int(n) for n in grid.shape_zyx[::-1]],
        world_to_index,
        sitk.sitkLinear,
        [float(v) for v in grid.origin_lps],
        [float(v) for v in grid.spacing_xyz],
        [float(v) for v in grid.direction.ravel()],
        AIR_HU,
        sitk.sitkFloat32,
    )
    return Volume(np.rint(sitk.GetArrayFromImage(resampled)).astype(np.int16), grid)


def _target_grid(corners_lps: FloatArray, matrix: FloatArray) -> Grid:
    """Each world axis takes the spacing of the index axis nearest to it; slices count by their true distance."""
    steps = np.linalg.norm(matrix, axis=0)
    cosines = np.abs(matrix / steps)
    owner = max(permutations(range(3)), key=lambda p: sum(cosines[world, p[world]] for world in range(3)))
    steps[2] = abs(np.linalg.det(matrix)) / (steps[0] * steps[1])
    spacing_xyz = steps[list(owner)]
    lower, upper = corners_lps.min(axis=0), corners_lps.max(axis=0)
    count = np.ceil((upper - lower) / spacing_xyz - 1e-6).astype(int) + 1
    origin = (lower + upper) / 2 - (count - 1) / 2 * spacing_xyz
    return Grid(tuple(int(n) for n in count[::-1]), origin, spacing_xyz[::-1])
