"""A whole CT on the network's lattice, made once: crops of it are then cut out, not resampled."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.network_input import SPACING_MM
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.itk import to_sitk
from trajplan.geometry.resample import resample_image

_SLICES = 32


def work_volume(ct: Volume) -> Volume:
    """A canonical CT at the network's spacing, float32; blocks of finer voxels are averaged first (anti-aliasing)."""
    coarse = block_mean(ct, SPACING_MM)
    smooth = np.asarray(coarse.array, dtype=np.float32)
    for axis, spacing in enumerate(coarse.grid.spacing_zyx):
        if spacing < 0.8 * SPACING_MM:
            smooth = ndi.gaussian_filter1d(smooth, 0.35 * SPACING_MM / spacing, axis=axis, mode="nearest", truncate=3.0)
    corners = ct.grid.corners_lps()
    grid = Grid.isotropic(corners.min(axis=0), corners.max(axis=0) + 1e-3, SPACING_MM)
    return Volume(resample_image(to_sitk(smooth, coarse.grid), grid), grid)


def block_mean(ct: Volume, spacing_mm: float) -> Volume:
    """Means of blocks of whole voxels, none longer than `spacing_mm`; the rest at the far ends is dropped.

    Some slices at a time, since a scan may be a gigabyte.

    >>> block_mean(Volume(np.ones((4, 5, 6)), Grid((4, 5, 6), (0, 0, 0), (2.0, 0.7, 0.7))), 1.5).array.shape
    (4, 2, 3)
    """
    factor = np.maximum(1, np.floor(spacing_mm / ct.grid.spacing_zyx + 1e-6)).astype(int)
    factor = np.minimum(factor, ct.grid.shape_zyx)
    if (factor == 1).all():
        return ct
    shape = np.array(ct.grid.shape_zyx) // factor
    z, y, x = (int(v) for v in factor)
    out = np.empty(shape, dtype=np.float32)
    for k in range(0, int(shape[0]), _SLICES):
        end = min(k + _SLICES, int(shape[0]))
        part = ct.array[k * z : end * z, : shape[1] * y, : shape[2] * x]
        # one sum an axis, the slowest first: several times faster than a mean over three axes at once
        rows = np.add.reduce([part[i::z] for i in range(z)], dtype=np.float32)
        rows = np.add.reduce([rows[:, i::y] for i in range(y)], dtype=np.float32)
        out[k:end] = np.add.reduce([rows[:, :, i::x] for i in range(x)], dtype=np.float32) / (x * y * z)
    origin = ct.grid.index_to_world((factor - 1) / 2)
    return Volume(out, Grid(tuple(shape), origin, ct.grid.spacing_zyx * factor, ct.grid.direction))


def on_lattice(grid: Grid, point_lps: FloatArray) -> FloatArray:
    """The voxel centre next to a point: a crop about it needs no interpolation."""
    return grid.index_to_world(np.rint(grid.world_to_index(point_lps)))
