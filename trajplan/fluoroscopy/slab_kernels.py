"""Compiled loops of the slab projector. What they mean and why they are split like this stands in `slab`.

The row functions get slices, so their indices count from 0 and the compiler drops the negative-index test and
vectorises; they are kept as separate functions for the same reason. Floating-point rules are relaxed for reordering
and fused operations only: NaN and infinity keep their meaning.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

_RELAXED = {"contract", "nsz", "arcp", "reassoc", "afn"}
_ROWS_PER_TASK = 32


@nb.njit(fastmath=_RELAXED, inline="never", cache=True)
def _between_rows(out: Any, lower: Any, upper: Any, share: Any) -> None:
    keep = np.float32(1) - share
    for i in range(out.size):
        out[i] = keep * np.float32(lower[i]) + share * np.float32(upper[i])


@nb.njit(fastmath=_RELAXED, inline="never", cache=True)
def _add_between(total: Any, here: Any, following: Any, share: Any) -> None:
    for i in range(total.size):
        total[i] += here[i] + share[i] * (following[i] - here[i])


@nb.njit(fastmath=_RELAXED, inline="never", cache=True)
def _weigh_rows(out: Any, r0: Any, r1: Any, r2: Any, r3: Any, w: Any) -> None:
    w0, w1, w2, w3 = w
    for i in range(out.size):
        out[i] = w0 * r0[i] + w1 * r1[i] + w2 * r2[i] + w3 * r3[i]


@nb.njit(fastmath=_RELAXED, inline="never", cache=True)
def _add_taps(total: Any, row: Any, first: Any, w0: Any, w1: Any, w2: Any, w3: Any) -> None:
    for i in range(total.size):
        k = first[i]  # unsigned, so no wrap-around test here either
        total[i] += (
            w0[i] * row[k]
            + w1[i] * row[k + np.uint32(1)]
            + w2[i] * row[k + np.uint32(2)]
            + w3[i] * row[k + np.uint32(3)]
        )


@nb.njit(fastmath=_RELAXED, cache=True)
def _cubic(f: float) -> Any:
    """Catmull-Rom weights of the four samples around a position `f` after the second."""
    g = 1.0 - f
    return (
        np.float32(-0.5 * f * g * g),
        np.float32(1.0 + f * f * (1.5 * f - 2.5)),
        np.float32(1.0 + g * g * (1.5 * g - 2.5)),
        np.float32(-0.5 * g * f * f),
    )


@nb.njit(cache=True)
def _find_runs(source_p: float, p0: int, ratio: float, n_p: int, share: Any, runs: Any) -> Any:
    """Runs of grid columns whose voxel is a constant number of columns away, and the share of the following voxel."""
    count = 0
    for i in range(share.size):
        x = source_p + (p0 + i - source_p) * ratio
        if x < -0.5 or x > n_p - 0.5:
            continue
        x = min(max(x, 0.0), n_p - 1.0)
        whole = min(int(x), n_p - 2)
        share[i] = np.float32(x - whole)
        if count == 0 or whole - i != runs[count - 1, 2]:
            runs[count, 0], runs[count, 2] = i, whole - i
            count += 1
        runs[count - 1, 1] = i + 1
    return count


@nb.njit(parallel=True, fastmath=_RELAXED, cache=True)
def compose_slabs(
    voxels: Any, stride_d: int, stride_q: int, n_p: int, n_q: int, slabs: Any, source_p: float, source_q: float,
    ratios: Any, stack: Any
) -> None:  # fmt: skip
    """Sum the slices of every slab on its own plane, by perspective from the source.

    voxels: flat counts, voxel (k, j, i) of axes (d, q, p) at ``k * stride_d + j * stride_q + i``. slabs[s] = first
    slice, end slice, first grid p, first grid q, grid size p, grid size q. source_p, source_q: in voxel units.
    ratios[k]: source distance of slice k over that of its slab plane. stack[s, j, i]: result.
    """
    for s in nb.prange(slabs.shape[0]):
        k0, k1, p0, q0, size_p, size_q = slabs[s]
        image = stack[s]
        row = np.zeros(n_p, np.float32)
        share = np.zeros((k1 - k0, size_p), np.float32)
        runs = np.zeros((k1 - k0, size_p, 3), np.int32)  # first and end grid column, voxel less grid column
        run_count = np.zeros(k1 - k0, np.int64)
        for k in range(k0, k1):
            run_count[k - k0] = _find_runs(source_p, p0, ratios[k], n_p, share[k - k0], runs[k - k0])
        # rows outside, slices inside: neighbouring slices of a row are neighbours in memory for beams along y
        for j in range(size_q):
            image[j, :size_p] = 0
            for k in range(k0, k1):
                count = run_count[k - k0]
                y = source_q + (q0 + j - source_q) * ratios[k]
                if count == 0 or y < -0.5 or y > n_q - 0.5:
                    continue
                y = min(max(y, 0.0), n_q - 1.0)
                whole = min(int(y), n_q - 2)
                run, weight = runs[k - k0], share[k - k0]
                low = run[0, 0] + run[0, 2]
                high = run[count - 1, 1] + run[count - 1, 2] + 1
                at = k * stride_d + whole * stride_q
                _between_rows(
                    row[low:high],
                    voxels[at + low : at + high],
                    voxels[at + stride_q + low : at + stride_q + high],
                    np.float32(y - whole),
                )
                for n in range(count):
                    a, b, c = run[n, 0], run[n, 1], run[n, 2]
                    _add_between(image[j, a:b], row[a + c : b + c], row[a + c + 1 : b + c + 1], weight[a:b])


@nb.njit(parallel=True, fastmath=_RELAXED, cache=True)
def merge_slabs(stack: Any, slabs: Any, first: Any, taps: Any, row_at: Any, out: Any) -> None:
    """Resample every slab plane onto the virtual image and add up.

    first[s, i], taps[s, 0..3, i]: the four columns of slab s that make column i, and their weights. row_at[s, j]:
    slab row of virtual row j. Rows outside the slab count as zero. Each row adds the slabs in the same
    order, whatever the number of threads.
    """
    rows = out.shape[0]
    for task in nb.prange((rows + _ROWS_PER_TASK - 1) // _ROWS_PER_TASK):
        row = np.zeros(stack.shape[2], np.float32)
        for s in range(slabs.shape[0]):
            size_p, size_q = slabs[s, 4], slabs[s, 5]
            if size_p < 4 or size_q < 4:
                continue
            for j in range(task * _ROWS_PER_TASK, min(rows, (task + 1) * _ROWS_PER_TASK)):
                y = row_at[s, j]
                k = math.floor(y)
                if k < 1 or k > size_q - 3:
                    continue
                _weigh_rows(
                    row[:size_p],
                    stack[s, k - 1, :size_p],
                    stack[s, k, :size_p],
                    stack[s, k + 1, :size_p],
                    stack[s, k + 2, :size_p],
                    _cubic(y - k),
                )
                _add_taps(out[j], row, first[s], taps[s, 0], taps[s, 1], taps[s, 2], taps[s, 3])


@nb.njit(parallel=True, fastmath=_RELAXED, cache=True)
def warp_to_detector(
    virtual: Any, source: Any, corner: Any, row_step: Any, column_step: Any, plane_d: float,
    start_p: float, pitch_p: float, start_q: float, pitch_q: float, scale: float, out: Any
) -> None:  # fmt: skip
    """Read the virtual image where each detector ray crosses its plane, times the path length per slice.

    Vectors are in (d, p, q) order, mm. scale: counts to attenuation, times the slice distance in mm.
    """
    rows, columns = out.shape
    high_q, high_p = virtual.shape[0] - 3, virtual.shape[1] - 3
    for r in nb.prange(rows):
        for c in range(columns):
            gd = corner[0] + r * row_step[0] + c * column_step[0]
            gp = corner[1] + r * row_step[1] + c * column_step[1]
            gq = corner[2] + r * row_step[2] + c * column_step[2]
            t = (plane_d - source[0]) / gd
            x = (source[1] + gp * t - start_p) / pitch_p
            y = (source[2] + gq * t - start_q) / pitch_q
            i = min(max(math.floor(x), 1), high_p)
            j = min(max(math.floor(y), 1), high_q)
            a0, a1, a2, a3 = _cubic(x - i)
            b = _cubic(y - j)
            value = np.float32(0)
            for k in range(4):
                line = virtual[j - 1 + k]
                value += b[k] * (a0 * line[i - 1] + a1 * line[i] + a2 * line[i + 1] + a3 * line[i + 2])
            path = scale * math.sqrt(gd * gd + gp * gp + gq * gq) / abs(gd)
            out[r, c] = max(value, np.float32(0)) * np.float32(path)
