"""The trilinear projector: every slice sampled bilinearly on the virtual plane, nothing composed beforehand.

Joseph's method: where a ray crosses a slice the four voxels around are interpolated, times the path length per slice.
That is the trapezoidal rule; where rays run steeply across the voxels it is made Simpson's, which is exact for
trilinear interpolation within a cell: a slice is then sampled where the ray is half a slice before it, at it, and half
a slice behind, and the mean taken, along p and along q apart.
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
from trajplan.fluoroscopy.lanes import LANES, fma, load, splat, store
from trajplan.fluoroscopy.layout import Layout, VirtualWindow, layout_of, window_of
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.slab_kernels import PAD, RELAXED, add_taps
from trajplan.fluoroscopy.voxel_rows import fill_row, fill_rows_across
from trajplan.fluoroscopy.warp import to_detector
from trajplan.geometry.arrays import AnyArray, Float32Array

_FINENESS: Final = 0.34  # of the virtual image, in voxels
_CHUNKS: Final = 8  # of slices, summed apart and in this order whatever the number of threads
_ROWS: Final = 4  # of the virtual image, made together
_DEPTHS: Final = (-0.5, 0.0, 0.5)  # of a slice, in slices
_STRAIGHT: Final = 0.35  # voxels: rays that move less between the depths are sampled at the middle one only
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
        (columns, spread), (rows, _) = (_places(layout, window, axis, begin, end) for axis in (0, 1))
        taps = math.ceil((LANES - 1) * columns[begin:end, :, 1].max() + spread) + 3
        _accumulate(
            prepared.hu, layout.across, stride[0], stride[2], stride[1], count[1], count[2], edges, columns, rows,
            taps, prepared.curve.kernel, parts,
        )  # fmt: skip
    return to_detector(parts.sum(axis=0), layout, window, carm)


def _places(layout: Layout, window: VirtualWindow, axis: int, begin: int, end: int) -> tuple[AnyArray, float]:
    """Voxel, along p (axis 0) or q (axis 1), of the first virtual sample at the depths of every slice, and step.

    Shape (slices, depths, 2); and how many voxels a ray moves at most between the depths of a slice.
    """
    source, origin, spacing = layout.source[1 + axis], layout.origin[1 + axis], layout.spacing[1 + axis]
    scale = (layout.depth_mm[:, None] + np.array(_DEPTHS) * layout.spacing[0]) / layout.reach_mm
    at = (source + (window.start[axis] - source) * scale - origin) / spacing
    step = window.pitch[axis] * scale / spacing
    last = at + step * window.size[axis]
    spread = float(max(np.ptp(ends[begin:end], axis=1).max() for ends in (at, last)))
    places = np.stack([at, step], axis=2)
    return (places, spread) if spread > _STRAIGHT else (np.ascontiguousarray(places[:, 1:2]), 0.0)


@nb.njit(cache=True)
def _column_weights(places: Any, taps: int, first: Any, table: Any) -> None:
    """Sixteen columns at a time: first voxel, and the weight of each of `taps` voxels, the mean over the depths."""
    table[:] = 0
    share = np.float32(1.0 / places.shape[0])
    for b in range(first.size):
        least = places[0, 0] + places[0, 1] * (b * LANES)
        for m in range(1, places.shape[0]):
            least = min(least, places[m, 0] + places[m, 1] * (b * LANES))
        first[b] = math.floor(least)
        for m in range(places.shape[0]):
            for i in range(LANES):
                x = places[m, 0] + places[m, 1] * (b * LANES + i)
                whole = math.floor(x)
                place = (b * taps + whole - first[b]) * LANES + i
                part = share * np.float32(x - whole)
                table[place] += share - part
                table[place + LANES] += part


@nb.njit(cache=True)
def _reach(places: Any, begin: int, end: int, samples: int, count: int) -> Any:
    """First and end voxel that `samples` of the virtual image may need of the slices `begin`..`end`."""
    low, high = np.int64(count), np.int64(0)
    middle = places.shape[1] // 2
    for k in (begin, end - 1):  # the others lie between
        low = min(low, math.floor(places[k, middle, 0]) - LANES)
        high = max(high, math.ceil(places[k, middle, 0] + places[k, middle, 1] * samples) + LANES)
    return max(low, 0), min(high, count)


@nb.njit(inline="always")
def _add_rows(
    line: Any, to: int, slab: Any, at: int, step: int, p_from: int, p_to: int, here: Any, above: Any, fresh: bool
) -> None:
    """``line = here * row + above * next row``, or added to it when it is not fresh."""
    low, high = splat(here), splat(above)
    if fresh:
        for i in range(p_from, p_to, LANES):
            value = fma(high, load(slab, at + step + i), splat(np.float32(0)))
            store(line, to + i, fma(low, load(slab, at + i), value))
        return
    for i in range(p_from, p_to, LANES):
        value = fma(high, load(slab, at + step + i), load(line, to + i))
        store(line, to + i, fma(low, load(slab, at + i), value))


@nb.njit(parallel=True, fastmath=RELAXED, cache=True)
def _accumulate(
    hu: Any, across: bool, stride_d: int, stride_q: int, stride_p: int, n_p: int, n_q: int, edges: Any,
    column_at: Any, row_at: Any, taps: int, curve: Any, parts: Any
) -> None:  # fmt: skip
    """Sum of the slices ``edges[c]..edges[c + 1]`` on the virtual image ``parts[c]``; beyond the CT is nothing."""
    rows, width = parts.shape[1], parts.shape[2]
    blocks = width // LANES
    part = np.float32(1.0 / row_at.shape[1])
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
            _column_weights(column_at[k], taps, first, table)
            step = _SLICES * pitch if across else pitch
            for j0 in range(0, rows, _ROWS):
                some = False
                for n in range(_ROWS):
                    to, fresh = n * length + PAD, True
                    for m in range(row_at.shape[1]):
                        y = row_at[k, m, 0] + row_at[k, m, 1] * (j0 + n)
                        whole = math.floor(y)
                        if whole < -1 or whole >= n_q or j0 + n >= rows:
                            continue
                        above = part * np.float32(y - whole)
                        _add_rows(line, to, slab, (whole + 1) * step + held * pitch + LANES, step, p_from, p_to,
                                 part - above, above, fresh)  # fmt: skip
                        some, fresh = True, False
                    if fresh:
                        line[to + p_from : to + p_to + LANES] = 0
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
