"""Exact line integrals through piecewise-constant voxels (Siddon 1985), float64, straight from the int16 CT numbers."""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from trajplan.fluoroscopy.attenuation import DEFAULT_ENERGY_KEV, attenuation_table
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.prepared import hounsfield_int16
from trajplan.fluoroscopy.rays import detector_rays, require_axis_aligned
from trajplan.geometry import Volume
from trajplan.geometry.arrays import AnyArray, FloatArray

_TILE = 16  # neighbouring rays share voxels: a tile of them stays in the cache
_PARALLEL = 1e-12


def siddon_line_integral(volume: Volume, carm: CArm, table: FloatArray | None = None) -> FloatArray:
    """Line integrals of attenuation from the source to every pixel.

    Parameters
    ----------
    volume : Volume
        Axis-aligned LPS, HU. It may lie anywhere, also partly or wholly beside the beam.
    table : ndarray, shape (65536,), optional
        Attenuation per mm of HU at index ``hu + 32768``; `attenuation_table` of the default energy if not given.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        Dimensionless; 0 for rays that miss the volume.

    Raises
    ------
    GeometryError
        The volume is not axis-aligned.
    """
    require_axis_aligned(volume.grid)
    rays = detector_rays(carm)
    out = np.zeros(carm.detector_px, dtype=np.float64)
    _walk(
        hounsfield_int16(volume),
        attenuation_table(DEFAULT_ENERGY_KEV) if table is None else table,
        np.array(volume.grid.origin_lps - volume.grid.spacing_xyz / 2),
        np.array(volume.grid.spacing_xyz),
        np.array(rays.source),
        np.array(rays.corner),
        np.array(rays.row_step),
        np.array(rays.column_step),
        out,
    )
    return out


@nb.njit(cache=True)
def _axis_limits(start: float, step: float, low: float, high: float) -> tuple[float, float]:
    """Ray parameters at which one coordinate passes from `low` to `high`."""
    if abs(step) < _PARALLEL:
        return (-np.inf, np.inf) if low <= start < high else (np.inf, -np.inf)
    first, second = (low - start) / step, (high - start) / step
    return (first, second) if first < second else (second, first)


@nb.njit(cache=True)
def _axis_start(
    start: float, step: float, low: float, size: float, count: int, t: float
) -> tuple[int, int, float, float]:
    """First voxel, index step, and a, b so that the ray leaves voxel i at parameter ``a + b * i``."""
    i = min(max(math.floor((start + t * step - low) / size), 0), count - 1)
    if abs(step) < _PARALLEL:
        return i, 0, np.inf, 0.0
    if step > 0:
        return i, 1, (low + size - start) / step, size / step
    return i, -1, (low - start) / step, size / step


@nb.njit(cache=True)
def _integral(hu: Any, table: Any, low: Any, size: Any, source: Any, dx: float, dy: float, dz: float) -> Any:
    nz, ny, nx = hu.shape
    ax, bx = _axis_limits(source[0], dx, low[0], low[0] + nx * size[0])
    ay, by = _axis_limits(source[1], dy, low[1], low[1] + ny * size[1])
    az, bz = _axis_limits(source[2], dz, low[2], low[2] + nz * size[2])
    t = max(0.0, max(ax, max(ay, az)))
    end = min(1.0, min(bx, min(by, bz)))
    if not end > t:
        return 0.0
    ix, sx, ax, bx = _axis_start(source[0], dx, low[0], size[0], nx, t)
    iy, sy, ay, by = _axis_start(source[1], dy, low[1], size[1], ny, t)
    iz, sz, az, bz = _axis_start(source[2], dz, low[2], size[2], nz, t)
    # plane positions come from the index each time: no error piles up over hundreds of steps
    tx = ax + bx * ix if sx != 0 else np.inf
    ty = ay + by * iy if sy != 0 else np.inf
    tz = az + bz * iz if sz != 0 else np.inf
    flat = hu.ravel()
    at = (iz * ny + iy) * nx + ix
    total = 0.0
    while True:
        mu = table[np.int64(flat[at]) + 32768]
        leave = min(tx, min(ty, tz))
        if leave >= end:
            return total + mu * (end - t)
        if leave > t:
            total += mu * (leave - t)
            t = leave
        if leave == tx:
            ix += sx
            at += sx
            if ix < 0 or ix >= nx:
                return total
            tx = ax + bx * ix
        elif leave == ty:
            iy += sy
            at += sy * nx
            if iy < 0 or iy >= ny:
                return total
            ty = ay + by * iy
        else:
            iz += sz
            at += sz * nx * ny
            if iz < 0 or iz >= nz:
                return total
            tz = az + bz * iz


@nb.njit(parallel=True, cache=True)
def _walk(
    hu: Any, table: Any, low: Any, size: Any, source: Any, corner: Any, row_step: Any, column_step: Any, out: Any
) -> None:
    rows, columns = out.shape
    tiles_across = (columns + _TILE - 1) // _TILE
    tiles_down = (rows + _TILE - 1) // _TILE
    for tile in nb.prange(tiles_down * tiles_across):
        r0, c0 = (tile // tiles_across) * _TILE, (tile % tiles_across) * _TILE
        for r in range(r0, min(r0 + _TILE, rows)):
            for c in range(c0, min(c0 + _TILE, columns)):
                dx = corner[0] + r * row_step[0] + c * column_step[0]
                dy = corner[1] + r * row_step[1] + c * column_step[1]
                dz = corner[2] + r * row_step[2] + c * column_step[2]
                length = math.sqrt(dx * dx + dy * dy + dz * dz)
                out[r, c] = length * _integral(hu, table, low, size, source, dx, dy, dz)
