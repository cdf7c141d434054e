"""The last step of the projectors that work in slices: from the virtual image to the pixels of the detector."""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.layout import Layout, VirtualWindow
from trajplan.fluoroscopy.rays import detector_rays
from trajplan.fluoroscopy.slab_kernels import RELAXED, cubic
from trajplan.geometry.arrays import AnyArray, Float32Array


def to_detector(virtual: AnyArray, layout: Layout, window: VirtualWindow, carm: CArm) -> Float32Array:
    """Line integrals of the pixels, (rows, columns), from sums over slices on the virtual plane."""
    rays, turn = detector_rays(carm), list(layout.order)
    out = np.empty(carm.detector_px, dtype=np.float32)
    _warp(
        virtual, layout.source, rays.corner[turn], rays.row_step[turn], rays.column_step[turn], layout.plane,
        window.start, window.pitch, float(layout.spacing[0]), out,
    )  # fmt: skip
    return out


@nb.njit(parallel=True, fastmath=RELAXED, cache=True)
def _warp(
    virtual: Any, source: Any, corner: Any, row_step: Any, column_step: Any, plane_d: float, start: Any, pitch: Any,
    slice_mm: float, out: Any
) -> None:  # fmt: skip
    """Read the virtual image where each ray crosses its plane, times the path length per slice; (d, p, q) order, mm."""
    rows, columns = out.shape
    width = virtual.shape[1]
    high_q, high_p = virtual.shape[0] - 3, width - 3
    flat = virtual.reshape(-1)
    depth = plane_d - source[0]
    for r in nb.prange(rows):
        for c in range(columns):
            gd = corner[0] + r * row_step[0] + c * column_step[0]
            gp = corner[1] + r * row_step[1] + c * column_step[1]
            gq = corner[2] + r * row_step[2] + c * column_step[2]
            t = depth / gd
            x = (source[1] + gp * t - start[0]) / pitch[0]
            y = (source[2] + gq * t - start[1]) / pitch[1]
            i = min(max(int(x), 1), high_p)
            j = min(max(int(y), 1), high_q)
            a0, a1, a2, a3 = cubic(x - i)
            b0, b1, b2, b3 = cubic(y - j)
            k = np.uint64((j - 1) * width + i - 1)
            w = np.uint64(width)
            value = b0 * (
                a0 * flat[k] + a1 * flat[k + np.uint64(1)] + a2 * flat[k + np.uint64(2)] + a3 * flat[k + np.uint64(3)]
            )
            k += w
            value += b1 * (
                a0 * flat[k] + a1 * flat[k + np.uint64(1)] + a2 * flat[k + np.uint64(2)] + a3 * flat[k + np.uint64(3)]
            )
            k += w
            value += b2 * (
                a0 * flat[k] + a1 * flat[k + np.uint64(1)] + a2 * flat[k + np.uint64(2)] + a3 * flat[k + np.uint64(3)]
            )
            k += w
            value += b3 * (
                a0 * flat[k] + a1 * flat[k + np.uint64(1)] + a2 * flat[k + np.uint64(2)] + a3 * flat[k + np.uint64(3)]
            )
            path = slice_mm * math.sqrt(gd * gd + gp * gp + gq * gq) / abs(gd)
            out[r, c] = max(value, np.float32(0)) * np.float32(path)
