"""Compiled loops of the slab projector. What they mean and why they are split like this stands in `slab`.

Floating-point rules are relaxed for reordering and fused operations only: NaN and infinity keep their meaning.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from trajplan.fluoroscopy.lanes import LANES, add, fma, load, splat, store, subtract
from trajplan.fluoroscopy.voxel_rows import fill_row, fill_rows_across

RELAXED = {"contract", "nsz", "arcp", "reassoc", "afn"}
_SHARP = np.float32(0.6)
_NOTHING = np.float32(0)
_ROWS = 4
_ROWS_PER_TASK = 32
PAD = 64  # columns of nothing beside a slab row, more than the taps of one block of the virtual image


@nb.njit(inline="always")
def cubic(f: float) -> Any:
    """Catmull-Rom weights of the four samples around a position `f` after the second."""
    g = 1.0 - f
    return (
        np.float32(-0.5 * f * g * g),
        np.float32(1.0 + f * f * (1.5 * f - 2.5)),
        np.float32(1.0 + g * g * (1.5 * g - 2.5)),
        np.float32(-0.5 * g * f * f),
    )


@nb.njit(cache=True)
def _column_offsets(slab: Any, source_p: float, ratios: Any, offset: Any, share: Any) -> Any:
    """First voxel and share of the following one for each block of columns and slice; least and greatest voxel."""
    low, high = np.int64(1) << 40, -(np.int64(1) << 40)
    for k in range(offset.shape[1]):
        ratio = ratios[slab[0] + k]
        for b in range(offset.shape[0]):
            first = slab[2] + b * LANES
            middle = source_p + (first + 0.5 * (LANES - 1) - source_p) * ratio
            voxel = math.floor(middle - 0.5 * (LANES - 1))
            offset[b, k] = voxel
            share[b, k] = np.float32(source_p + (first - source_p) * ratio - voxel)
            low, high = min(low, voxel), max(high, voxel + LANES + 1)
    return low, high


@nb.njit(parallel=True, fastmath=RELAXED, cache=True)
def compose_slabs(
    hu: Any, across: bool, stride_d: int, stride_q: int, stride_p: int, n_p: int, n_q: int, slabs: Any, planes: int,
    source_p: float, source_q: float, ratios: Any, curve: Any, lane: Any, stack: Any
) -> None:  # fmt: skip
    """Sum the slices of every slab on its planes, by perspective from the source.

    hu: flat CT numbers, voxel (k, j, i) of axes (d, q, p) at ``k * stride_d + j * stride_q + i * stride_p``; across:
    whether slices lie side by side. slabs[s] = first slice, end slice, first grid p, first grid q, grid size p, grid
    size q. A slab has up to `planes` planes of 16 slices. source_p, source_q: in voxel units. ratios[k]: source
    distance of slice k over that of its plane. curve: `AttenuationCurve.kernel`. lane: 0..15. stack[plane, j, i]:
    result, flat rows as wide as a multiple of 16.
    """
    rows, width = stack.shape[1], stack.shape[2]
    flat = stack.reshape(-1)
    for s in nb.prange(slabs.shape[0]):
        k0, k1, _p0, q0, size_p, size_q = slabs[s]
        count, blocks = k1 - k0, (size_p + LANES - 1) // LANES
        offset = np.empty((blocks, count), np.int64)
        share = np.empty((blocks, count), np.float32)
        least, most = _column_offsets(slabs[s], source_p, ratios, offset, share)
        pitch = most - least + LANES  # rows are filled sixteen voxels at a time and may end a little late
        slope = np.empty(count, np.float32)
        spread = 0.0
        far = max(abs(q0 - source_q), abs(q0 + size_q - source_q))
        for k in range(count):
            slope[k] = np.float32(ratios[k0 + k] - 1.0)
            spread = max(spread, abs(ratios[k0 + k] - 1.0))
        ring = 4
        while ring < 2 * far * spread + 4:  # rows of voxels that one row of the grid may touch
            ring *= 2
        voxels = np.zeros(LANES + ring * count * pitch, np.float32)
        p_from, p_to = max(0, least), min(n_p, most)
        lower, upper = np.empty(count, np.int64), np.empty(count, np.int64)
        between = np.empty(count, np.float32)
        filled = -(np.int64(1) << 40)
        for j in range(size_q):
            top, low = -(np.int64(1) << 40), np.int64(1) << 40
            for k in range(count):
                y = source_q + (q0 + j - source_q) * ratios[k0 + k]
                whole = math.floor(y)
                between[k] = np.float32(y - whole)
                lower[k] = LANES + ((whole % ring) * count + k) * pitch - least
                upper[k] = LANES + (((whole + 1) % ring) * count + k) * pitch - least
                top, low = max(top, whole + 1), min(low, whole)
            filled = max(filled, low - 1)
            while filled < top:
                filled += 1
                to = LANES + (filled % ring) * count * pitch
                if filled < 0 or filled >= n_q or p_to <= p_from:
                    voxels[to : to + count * pitch] = 0
                    continue
                start = k0 * stride_d + filled * stride_q
                if across and n_p >= LANES:
                    fill_rows_across(
                        hu, start, count, stride_p, p_from, p_to, n_p, curve, voxels, to - least, pitch, stride_q
                    )
                else:
                    for k in range(count):
                        fill_row(
                            hu, start + k * stride_d, stride_p, p_from, p_to, n_p, curve, voxels,
                            to + k * pitch - least, stride_q,
                        )  # fmt: skip
            step = load(lane, 0)
            for plane in range((count + LANES - 1) // LANES):
                at = ((s * planes + plane) * rows + j) * width
                for b in range(blocks):
                    total = splat(_NOTHING)
                    for k in range(plane * LANES, min(count, (plane + 1) * LANES)):
                        below, above = lower[k] + offset[b, k], upper[k] + offset[b, k]
                        part = splat(between[k])
                        here, following = load(voxels, below), load(voxels, below + 1)
                        here = fma(part, subtract(load(voxels, above), here), here)
                        following = fma(part, subtract(load(voxels, above + 1), following), following)
                        weight = fma(splat(slope[k]), step, splat(share[b, k]))
                        total = add(total, fma(weight, subtract(following, here), here))
                    store(flat, at + b * LANES, total)


@nb.njit(inline="always")
def _between(f: float) -> Any:
    """Weights of four samples of a plane: `_SHARP` Catmull-Rom, the rest linear.

    Near the middle of the picture the slices of a plane bend at its own samples, where linear is exact and Catmull-Rom
    overshoots; further out they do not, and linear would blur. Half-way has the least error on sharp end plates.
    """
    c0, c1, c2, c3 = cubic(f)
    return (
        _SHARP * c0,
        _SHARP * c1 + (np.float32(1) - _SHARP) * np.float32(1.0 - f),
        _SHARP * c2 + (np.float32(1) - _SHARP) * np.float32(f),
        _SHARP * c3,
    )


@nb.njit(cache=True)
def _column_weights(at: float, step: float, taps: int, first: Any, table: Any) -> None:
    """Sixteen columns of the virtual image at a time: first slab column, and the weight of each of `taps` columns."""
    table[:] = 0
    for b in range(first.size):
        first[b] = math.floor(at + step * (b * LANES)) - 1
        for i in range(LANES):
            x = at + step * (b * LANES + i)
            whole = math.floor(x)
            weights = _between(x - whole)
            for t in range(4):
                table[(b * taps + whole - 1 - first[b] + t) * LANES + i] = weights[t]


@nb.njit(inline="always")
def add_taps(
    line: Any, at: int, length: int, table: Any, weights: int, taps: int, out: Any, to: int, width: int
) -> None:
    """Add to sixteen columns of four rows: `taps` numbers of each line, each times sixteen weights. No gathers."""
    sum_0, sum_1 = load(out, to), load(out, to + width)
    sum_2, sum_3 = load(out, to + 2 * width), load(out, to + 3 * width)
    for t in range(taps):
        weight = load(table, weights + t * LANES)
        sum_0 = fma(weight, splat(line[at + t]), sum_0)
        sum_1 = fma(weight, splat(line[at + t + length]), sum_1)
        sum_2 = fma(weight, splat(line[at + t + 2 * length]), sum_2)
        sum_3 = fma(weight, splat(line[at + t + 3 * length]), sum_3)
    store(out, to, sum_0)
    store(out, to + width, sum_1)
    store(out, to + 2 * width, sum_2)
    store(out, to + 3 * width, sum_3)


@nb.njit(parallel=True, fastmath=RELAXED, cache=True)
def merge_slabs(stack: Any, sizes: Any, column_at: Any, row_at: Any, out: Any) -> None:
    """Resample every plane onto the virtual image and add up.

    sizes[s] = columns and rows of plane s that hold something. column_at[s], row_at[s] = position on the plane of the
    first virtual column or row, and step. Each row adds the planes in the same order, whatever the number of threads.
    `out` has a multiple of 32 rows.
    """
    rows, width = out.shape
    flat = out.reshape(-1)
    blocks = width // LANES
    taps = math.ceil((LANES - 1) * column_at[:, 1].max()) + 5
    for task in nb.prange(rows // _ROWS_PER_TASK):
        length = stack.shape[2] + PAD + taps
        line = np.zeros(_ROWS * length, np.float32)
        first = np.empty(blocks, np.int64)
        table = np.empty(blocks * taps * LANES, np.float32)
        for s in range(sizes.shape[0]):
            size_p, size_q = sizes[s]
            if size_p < 1:
                continue
            _column_weights(column_at[s, 0], column_at[s, 1], taps, first, table)
            plane, pitch = stack[s].reshape(-1), stack.shape[2]
            line[:] = 0
            for j0 in range(task * _ROWS_PER_TASK, (task + 1) * _ROWS_PER_TASK, _ROWS):
                some = False
                for n in range(_ROWS):
                    y = row_at[s, 0] + row_at[s, 1] * (j0 + n)
                    k = math.floor(y)
                    to = n * length + PAD // 2
                    if k < 1 or k > size_q - 3:
                        line[to : to + pitch] = 0
                        continue
                    some = True
                    w0, w1, w2, w3 = _between(y - k)
                    for i in range(0, size_p, LANES):
                        at = (k - 1) * pitch + i
                        value = fma(splat(w0), load(plane, at), splat(_NOTHING))
                        value = fma(splat(w1), load(plane, at + pitch), value)
                        value = fma(splat(w2), load(plane, at + 2 * pitch), value)
                        store(line, to + i, fma(splat(w3), load(plane, at + 3 * pitch), value))
                if not some:
                    continue
                for b in range(blocks):
                    at = first[b] + PAD // 2
                    if at < 0 or at + taps > length:
                        continue
                    to = j0 * width + b * LANES
                    add_taps(line, at, length, table, b * taps * LANES, taps, flat, to, width)
