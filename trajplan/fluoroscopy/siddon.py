"""Exact line integrals through piecewise-constant voxels (Siddon 1985), straight from the int16 CT numbers.

Sixteen neighbouring rays go through the CT together, slice by slice of the axis they run along most steeply (in
voxels); see `box_lanes`. Where they have no such axis in common, or source or detector stand inside the CT, each ray
walks by itself from face to face, in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from trajplan.fluoroscopy.attenuation import DEFAULT_ENERGY_KEV, AttenuationCurve, attenuation_curve
from trajplan.fluoroscopy.box_lanes import (
    beside_once,
    beside_twice,
    crossed_once,
    crossed_twice,
    faces_met,
    whole_slice,
)
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.lanes import LANES, add, fma, load, splat, store
from trajplan.fluoroscopy.prepared import hounsfield_int16
from trajplan.fluoroscopy.rays import detector_rays, ends_inside, require_axis_aligned
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray

_TILE = 16  # neighbouring rays share voxels: a tile of them stays in the cache
_PARALLEL = 1e-12
_FLUSH = 32  # slices after which float32 sums are put away, so that rounding does not add up
_LANE = np.arange(LANES, dtype=np.float32)


def siddon_line_integral(volume: Volume, carm: CArm, curve: AttenuationCurve | None = None) -> FloatArray:
    """Line integrals of attenuation from the source to every pixel.

    Parameters
    ----------
    volume : Volume
        Axis-aligned LPS, HU. It may lie anywhere, also partly or wholly beside the beam.
    curve : AttenuationCurve, optional
        `attenuation_curve` of the default energy if not given.

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
    ready = attenuation_curve(DEFAULT_ENERGY_KEV) if curve is None else curve
    hu = hounsfield_int16(volume)
    together = hu.size < 2**31 and hu.ctypes.data % 4 == 0 and not ends_inside(volume.grid, carm)
    out = np.zeros(carm.detector_px, dtype=np.float64)
    _project(
        hu, ready.at(np.arange(-32768, 32768)), ready.kernel, volume.grid.origin_lps - volume.grid.spacing_xyz / 2,
        np.array(volume.grid.spacing_xyz), rays.source, rays.corner, rays.row_step, rays.column_step, together, out,
    )  # fmt: skip
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


@nb.njit(cache=True)
def _common_axis(rays: Any, size: Any) -> int:
    """The axis along which sixteen rays (16, 3) all move at least as many voxels as along the others; -1 if none."""
    for axis in range(3):
        good = True
        for n in range(LANES):
            steps = abs(rays[n, axis]) / size[axis]
            for other in range(3):
                if abs(rays[n, other]) / size[other] > steps or rays[n, axis] * rays[0, axis] <= 0:
                    good = False
        if good:
            return axis
    return -1


@nb.njit(cache=True)
def _sixteen(
    hu: Any, shape: Any, curve: Any, low: Any, size: Any, source: Any, rays: Any, axis: int, work: Any
) -> None:
    """Integrals of sixteen rays over the slices of `axis`, per path across one slice, into ``work[0]``."""
    p, q = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    stride = (1, shape[2], shape[2] * shape[1])
    count = (shape[2], shape[1], shape[0])
    for n in range(LANES):
        begin = (low[axis] - source[axis]) / rays[n, axis]
        for m, other in enumerate((p, q)):
            work[2 + m, n] = (source[other] + begin * rays[n, other] - low[other]) / size[other]
            step = rays[n, other] / rays[n, axis] * size[axis] / size[other]
            work[4 + m, n] = step
            work[6 + m, n] = 1.0 / step if step != 0 else 0.0
        work[0, n] = 0
    flat, cells = hu.reshape(-1), work.reshape(-1)
    p_step, q_step = load(cells, 4 * LANES), load(cells, 5 * LANES)
    p_rate, q_rate = load(cells, 6 * LANES), load(cells, 7 * LANES)
    p_start, q_start = load(cells, 2 * LANES), load(cells, 3 * LANES)
    p0, q0 = p_start, q_start
    total, part = splat(np.float32(0)), splat(np.float32(0))
    for k in range(count[axis]):
        along = splat(np.float32(k + 1))
        p1, q1 = fma(p_step, along, p_start), fma(q_step, along, q_start)
        base = k * stride[axis]
        faces = faces_met(p0, q0, p1, q1)
        if faces == 0:
            value = whole_slice(flat, base, stride[p], stride[q], count[p], count[q], curve, p0, q0)
        elif stride[p] == 1 and count[p] > 1:
            if faces == 1:
                value = beside_once(
                    flat, base, stride[p], stride[q], count[p], count[q], curve, p0, q0, p1, q1, p_rate, q_rate
                )
            else:
                value = beside_twice(
                    flat, base, stride[p], stride[q], count[p], count[q], curve, p0, q0, p1, q1, p_rate, q_rate
                )
        elif faces < 4:
            value = crossed_once(
                flat, base, stride[p], stride[q], count[p], count[q], curve, p0, q0, p1, q1, p_rate, q_rate
            )
        else:
            value = crossed_twice(
                flat, base, stride[p], stride[q], count[p], count[q], curve, p0, q0, p1, q1, p_rate, q_rate
            )
        part = add(part, value)
        if k % _FLUSH == _FLUSH - 1:
            total, part = add(total, part), splat(np.float32(0))
        p0, q0 = p1, q1
    store(cells, 0, add(total, part))


@nb.njit(parallel=True, cache=True)
def _project(
    hu: Any, table: Any, curve: Any, low: Any, size: Any, source: Any, corner: Any, row_step: Any, column_step: Any,
    together: bool, out: Any
) -> None:  # fmt: skip
    rows, columns = out.shape
    tiles_across = (columns + _TILE - 1) // _TILE
    tiles_down = (rows + _TILE - 1) // _TILE
    for tile in nb.prange(tiles_down * tiles_across):
        r0, c0 = (tile // tiles_across) * _TILE, (tile % tiles_across) * _TILE
        rays, work = np.empty((LANES, 3)), np.empty((8, LANES), np.float32)
        for r in range(r0, min(r0 + _TILE, rows)):
            for n in range(LANES):
                rays[n] = corner + r * row_step + min(c0 + n, columns - 1) * column_step
            axis = _common_axis(rays, size) if together else -1
            if axis >= 0:
                _sixteen(hu, hu.shape, curve, low, size, source, rays, axis, work)
            for n in range(min(LANES, columns - c0)):
                dx, dy, dz = rays[n]
                length = math.sqrt(dx * dx + dy * dy + dz * dz)
                if axis >= 0:
                    out[r, c0 + n] = work[0, n] * size[axis] * length / abs(rays[n, axis])
                else:
                    out[r, c0 + n] = length * _integral(hu, table, low, size, source, dx, dy, dz)
