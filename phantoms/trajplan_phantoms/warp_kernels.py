"""Sampling kernels of the fracture warp: columns of piecewise-linear maps along w, pulled back voxel by voxel."""

from __future__ import annotations

import numba as nb
import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray


@nb.njit(cache=True, inline="always")
def _shift(
    u: float, v: float, w: float, start: FloatArray, step: float, given: FloatArray, wanted: FloatArray
) -> tuple[float, float]:
    """Shift along w at (u, v, w), mm, and the slope there; `given` and `wanted` are (V, U, K) knots."""
    a, b = (u - start[0]) / step, (v - start[1]) / step
    n_v, n_u, count = given.shape
    if a < 0.0 or b < 0.0 or a >= n_u - 1 or b >= n_v - 1:
        return 0.0, 1.0
    i, j = int(a), int(b)
    a, b = a - i, b - j
    w00, w01, w10, w11 = (1.0 - b) * (1.0 - a), (1.0 - b) * a, b * (1.0 - a), b * a
    g0 = f0 = 0.0
    for k in range(count):
        g1 = w00 * given[j, i, k] + w01 * given[j, i + 1, k] + w10 * given[j + 1, i, k] + w11 * given[j + 1, i + 1, k]
        f1 = (
            w00 * wanted[j, i, k]
            + w01 * wanted[j, i + 1, k]
            + w10 * wanted[j + 1, i, k]
            + w11 * wanted[j + 1, i + 1, k]
        )
        if w < g1:
            if k == 0:
                return f1 - g1, 1.0
            slope = (f1 - f0) / (g1 - g0)
            return f0 + slope * (w - g0) - w, slope
        g0, f0 = g1, f1
    return f0 - g0, 1.0


@nb.njit(cache=True)
def shift_points(
    points: FloatArray, start: FloatArray, step: float, given: FloatArray, wanted: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Shift along w (mm) and slope at (N, 3) points of the frame."""
    moved, slope = np.empty(len(points)), np.empty(len(points))
    for n in range(len(points)):
        moved[n], slope[n] = _shift(points[n, 0], points[n, 1], points[n, 2], start, step, given, wanted)
    return moved, slope


@nb.njit(cache=True, inline="always")
def _shift_of_voxel(
    z: int, y: int, x: int, linear: FloatArray, offset: FloatArray,
    start: FloatArray, step: float, given: FloatArray, wanted: FloatArray,
) -> float:  # fmt: skip
    """Shift along w of a voxel, mm."""
    u = offset[0] + linear[0, 0] * z + linear[0, 1] * y + linear[0, 2] * x
    v = offset[1] + linear[1, 0] * z + linear[1, 1] * y + linear[1, 2] * x
    w = offset[2] + linear[2, 0] * z + linear[2, 1] * y + linear[2, 2] * x
    move: float = _shift(u, v, w, start, step, given, wanted)[0]
    return move


@nb.njit(cache=True, inline="always")
def _outside(f: float, count: int) -> bool:
    """Whether an index lies beyond the voxels of an axis."""
    return f < -0.5 or f > count - 0.5


@nb.njit(cache=True, inline="always")
def _cell(f: float, count: int) -> tuple[int, float]:
    """The cell between voxel centres that holds an index, and the place 0..1 in it."""
    f = min(max(f, 0.0), count - 1.0)
    k = min(int(f), max(count - 2, 0))
    return k, f - k


@nb.njit(cache=True)
def pull_volume(
    source: AnyArray, out: AnyArray, linear: FloatArray, offset: FloatArray, along: FloatArray,
    start: FloatArray, step: float, given: FloatArray, wanted: FloatArray, fill: float, whole: bool,
) -> None:  # fmt: skip
    """Linear interpolation of `source` where the map says.

    (u, v, w) = offset + linear @ (z, y, x), `along` is one mm of w in index units, and `whole` rounds to whole
    numbers. Voxels that do not move are copied bit by bit.
    """
    n_z, n_y, n_x = source.shape
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                move = _shift_of_voxel(z, y, x, linear, offset, start, step, given, wanted)
                if move == 0.0:
                    out[z, y, x] = source[z, y, x]
                    continue
                fz, fy, fx = z + move * along[0], y + move * along[1], x + move * along[2]
                if _outside(fz, n_z) or _outside(fy, n_y) or _outside(fx, n_x):
                    out[z, y, x] = fill
                    continue
                (k, c), (j, b), (i, a) = _cell(fz, n_z), _cell(fy, n_y), _cell(fx, n_x)
                total = 0.0
                for dk in range(2 if c > 0.0 else 1):
                    for dj in range(2 if b > 0.0 else 1):
                        for di in range(2 if a > 0.0 else 1):
                            share = (c if dk else 1.0 - c) * (b if dj else 1.0 - b) * (a if di else 1.0 - a)
                            total += share * source[k + dk, j + dj, i + di]
                out[z, y, x] = np.rint(total) if whole else total


@nb.njit(cache=True)
def pull_labels(
    source: AnyArray, out: AnyArray, linear: FloatArray, offset: FloatArray, along: FloatArray,
    start: FloatArray, step: float, given: FloatArray, wanted: FloatArray,
) -> None:  # fmt: skip
    """The label with the largest linear share where the map says; 0 outside."""
    n_z, n_y, n_x = source.shape
    names, shares = np.zeros(8, np.int64), np.zeros(8)
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                move = _shift_of_voxel(z, y, x, linear, offset, start, step, given, wanted)
                if move == 0.0:
                    out[z, y, x] = source[z, y, x]
                    continue
                fz, fy, fx = z + move * along[0], y + move * along[1], x + move * along[2]
                if _outside(fz, n_z) or _outside(fy, n_y) or _outside(fx, n_x):
                    out[z, y, x] = 0
                    continue
                (k, c), (j, b), (i, a) = _cell(fz, n_z), _cell(fy, n_y), _cell(fx, n_x)
                count = 0
                for dk in range(2 if c > 0.0 else 1):
                    for dj in range(2 if b > 0.0 else 1):
                        for di in range(2 if a > 0.0 else 1):
                            share = (c if dk else 1.0 - c) * (b if dj else 1.0 - b) * (a if di else 1.0 - a)
                            value = source[k + dk, j + dj, i + di]
                            place = count
                            for m in range(count):
                                if names[m] == value:
                                    place = m
                            if place == count:
                                names[place], shares[place] = value, 0.0
                                count += 1
                            shares[place] += share
                best = 0
                for m in range(1, count):
                    if shares[m] > shares[best]:
                        best = m
                out[z, y, x] = names[best]
