"""Compiled: rows of attenuation out of the CT's own int16 numbers, wherever they lie in memory. No copy of the CT.

A projector wants rows along p (16 neighbours in one register) for a group of slices along d. For beams along y or z
the CT's rows are such rows. For beams along x the slices are what is contiguous: 16 x 16 blocks are turned on the way.
"""

from __future__ import annotations

from typing import Any, Final

import numba as nb
import numpy as np

from trajplan.fluoroscopy.lanes import LANES, attenuation, attenuation_across, prefetch, store

_BLOCK: Final = LANES


@nb.njit(inline="always")
def _one(hu: Any, curve: Any) -> Any:
    value = min(max(np.float32(hu), curve[0]), curve[1])
    total = value * curve[4] + curve[3]
    total += max(value, np.float32(0)) * curve[5]
    total += max(value, curve[2]) * curve[6]
    return np.float32(total) if value > curve[0] else np.float32(0)


@nb.njit(cache=True, inline="never")
def fill_row(
    hu: Any, start: int, pitch: int, p_from: int, p_to: int, n_p: int, curve: Any, out: Any, to: int, ahead: int
) -> None:
    """Attenuation of the voxels `p_from`..`p_to` of one row, into ``out[to + p]``; a few neighbours come with them.

    Voxel p of the row lies at ``start + p * pitch`` of the flat array `hu`.
    """
    if pitch == 1 and n_p >= _BLOCK:
        p = p_from
        while p < p_to:
            p = min(p, n_p - _BLOCK)
            prefetch(hu, start + p + ahead)
            store(out, to + p, attenuation(hu, start + p, curve))
            p += _BLOCK
        return
    for p in range(p_from, p_to):
        out[to + p] = _one(hu[start + p * pitch], curve)


@nb.njit(cache=True, inline="never")
def fill_rows_across(
    hu: Any, start: int, rows: int, pitch: int, p_from: int, p_to: int, n_p: int, curve: Any, out: Any, to: int,
    out_pitch: int, ahead: int
) -> None:  # fmt: skip
    """Several rows at once whose voxels lie side by side: row k into ``out[to + k * out_pitch + p]``.

    What lies `ahead` elements further on is fetched meanwhile: every line of the cache holds one voxel of 32 rows.
    """
    blocks = -(-rows // _BLOCK) if rows >= _BLOCK else 0
    p = p_from
    while p < p_to:
        p = min(p, n_p - _BLOCK)
        for k in range(_BLOCK):
            prefetch(hu, start + (p + k) * pitch + ahead)
        for n in range(blocks):
            k = min(n * _BLOCK, rows - _BLOCK)
            attenuation_across(hu, start + p * pitch + k, pitch, curve, out, to + k * out_pitch + p, out_pitch)
        for i in range(p, p + _BLOCK if blocks == 0 else p):
            for k in range(rows):
                out[to + k * out_pitch + i] = _one(hu[start + i * pitch + k], curve)
        p += _BLOCK
