"""The trilinear projector: every slice sampled bilinearly on the virtual plane, nothing composed beforehand.

Joseph's method: where a ray crosses a slice the four voxels around are interpolated, times the path length per slice.
Seen from the source a slice differs from the virtual image by a scale and a shift that are separate along p and q (see
`slab`), so a row of a slice becomes a row of the image with one weight a voxel, for all rows the same weights. The only
step that is not Joseph's own is reading the virtual image between its samples, which lie a third of a voxel apart.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numba as nb
import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.lanes import LANES, fma, load, splat, store, subtract
from trajplan.fluoroscopy.layout import Layout, VirtualWindow, layout_of, window_of
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.slab_kernels import PAD, RELAXED, add_taps
from trajplan.fluoroscopy.voxel_rows import fill_row, fill_rows_across
from trajplan.fluoroscopy.warp import to_detector
from trajplan.geometry.arrays import AnyArray, Float32Array

_FINENESS: Final = 0.34  # of the virtual image, in voxels
_CHUNKS: Final = 8  # of slices, summed apart and in this order whatever the number of threads
_ROWS: Final = 4  # of the virtual image, made together
_SLICES: Final = 32  # turned together where slices lie side by side


def joseph_line_integral(prepared: PreparedVolume, carm: CArm) -> Float32Array:
    """Line integrals (rows, columns) float32, trilinear; see `layout.can_project` for when it may be called."""
    layout = layout_of(prepared, carm)
    window = window_of(layout, carm, _FINENESS)
    begin, end = layout.seen()
    parts = np.zeros((_CHUNKS, window.size[1], window.size[0]), dtype=np.float32)
    if end > begin:
        length = -(-(end - begin) // (_CHUNKS * _SLICES)) * _SLICES
        edges = np.minimum(begin + length * np.arange(_CHUNKS + 1), end)
        stride, count = layout.stride, layout.count
        _accumulate(
            prepared.hu, layout.across, stride[0], stride[2], stride[1], count[1], count[2], edges,
            *(_places(layout, window, axis) for axis in (0, 1)), prepared.curve.kernel, parts,
        )  # fmt: skip
    return to_detector(parts.sum(axis=0), layout, window, carm)


def _places(layout: Layout, window: VirtualWindow, axis: int) -> AnyArray:
    """Voxel, along p (axis 0) or q (axis 1), of the first virtual sample in every slice, and step; (slices, 2)."""
    source, origin, spacing = layout.source[1 + axis], layout.origin[1 + axis], layout.spacing[1 + axis]
    scale = layout.depth_mm / layout.reach_mm
    return np.stack(
        [(source + (window.start[axis] - source) * scale - origin) / spacing, window.pitch[axis] * scale / spacing],
        axis=1,
    )


@nb.njit(cache=True)
def _column_weights(at: float, step: float, taps: int, first: Any, table: Any) -> None:
    """Sixteen columns at a time: first voxel, and the weight of each of `taps` voxels."""
    table[:] = 0
    for b in range(first.size):
        first[b] = math.floor(at + step * (b * LANES))
        for i in range(LANES):
            x = at + step * (b * LANES + i)
            whole = math.floor(x)
            place = (b * taps + whole - first[b]) * LANES + i
            table[place] = np.float32(1.0 - (x - whole))
            table[place + LANES] = np.float32(x - whole)


@nb.njit(cache=True)
def _reach(places: Any, begin: int, end: int, samples: int, count: int) -> Any:
    """First and end voxel that `samples` of the virtual image may need of the slices `begin`..`end`."""
    low, high = np.int64(count), np.int64(0)
    for k in (begin, end - 1):  # the others lie between
        low = min(low, math.floor(places[k, 0]) - LANES)
        high = max(high, math.ceil(places[k, 0] + places[k, 1] * samples) + LANES)
    return max(low, 0), min(high, count)


@nb.njit(parallel=True, fastmath=RELAXED, cache=True)
def _accumulate(
    hu: Any, across: bool, stride_d: int, stride_q: int, stride_p: int, n_p: int, n_q: int, edges: Any,
    column_at: Any, row_at: Any, curve: Any, parts: Any
) -> None:  # fmt: skip
    """Sum of the slices ``edges[c]..edges[c + 1]`` on the virtual image ``parts[c]``; beyond the CT is nothing."""
    rows, width = parts.shape[1], parts.shape[2]
    blocks = width // LANES
    taps = math.ceil((LANES - 1) * column_at[:, 1].max()) + 3
    for chunk in nb.prange(edges.size - 1):
        out = parts[chunk].reshape(-1)
        pitch = n_p + 2 * LANES
        slab = np.zeros((n_q + 2) * _SLICES * pitch if across else (n_q + 2) * pitch, np.float32)
        length = n_p + 2 * PAD + taps
        line = np.zeros(_ROWS * length, np.float32)
        first = np.empty(blocks, np.int64)
        table = np.empty(blocks * taps * LANES, np.float32)
        for k in range(edges[chunk], edges[chunk + 1]):
            held = (k - edges[chunk]) % _SLICES if across else 0
            if across and held == 0:
                end = min(k + _SLICES, edges[chunk + 1])
                p_from, p_to = _reach(column_at, k, end, width, n_p)
                q_from, q_to = _reach(row_at, k, end, rows, n_q)
                for q in range(q_from, q_to):
                    fill_rows_across(
                        hu, k * stride_d + q * stride_q, end - k, stride_p, p_from, p_to, n_p, curve, slab,
                        (q + 1) * _SLICES * pitch + LANES, pitch, stride_q,
                    )  # fmt: skip
            p_from, p_to = _reach(column_at, k, k + 1, width, n_p)
            q_from, q_to = _reach(row_at, k, k + 1, rows, n_q)
            if p_to <= p_from or q_to <= q_from:
                continue
            if not across:
                for q in range(q_from, q_to):
                    fill_row(
                        hu, k * stride_d + q * stride_q, stride_p, p_from, p_to, n_p, curve, slab,
                        (q + 1) * pitch + LANES, stride_d,
                    )  # fmt: skip
            _column_weights(column_at[k, 0], column_at[k, 1], taps, first, table)
            step = _SLICES * pitch if across else pitch
            for j0 in range(0, rows, _ROWS):
                some = False
                for n in range(_ROWS):
                    y = row_at[k, 0] + row_at[k, 1] * (j0 + n)
                    whole = math.floor(y)
                    to = n * length + PAD
                    if whole < -1 or whole >= n_q or j0 + n >= rows:
                        line[to + p_from : to + p_to + LANES] = 0
                        continue
                    some = True
                    share = splat(np.float32(y - whole))
                    at = (whole + 1) * step + held * pitch + LANES
                    for i in range(p_from, p_to, LANES):
                        value = load(slab, at + i)
                        store(line, to + i, fma(share, subtract(load(slab, at + step + i), value), value))
                    for i in range(p_to, p_to + LANES):
                        line[to + i] = 0
                if not some:
                    continue
                for b in range(blocks):
                    here = first[b] + PAD
                    if here < 0 or here + taps > length:
                        continue
                    to = j0 * width + b * LANES
                    add_taps(line, here, length, table, b * taps * LANES, taps, out, to, width)
