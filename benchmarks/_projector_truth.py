"""Slow float64 references for `benchmarks/projector.py`: trilinear by the midpoint rule, and voxels as boxes."""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.rays import detector_rays
from trajplan.geometry import Grid


def reference(mu: np.ndarray, grid: Grid, carm: CArm, step_mm: float = 0.0) -> np.ndarray:
    """Float64 line integrals of `mu` (z, y, x): trilinear with `step_mm` along the ray, boxes when it is 0."""
    rays = detector_rays(carm)
    out = np.zeros(carm.detector_px)
    pose = (grid.origin_lps, grid.spacing_xyz, rays.source, rays.corner, rays.row_step, rays.column_step)
    if step_mm:
        _trilinear(mu, *pose, step_mm, out)
    else:
        _boxes(mu, *pose, out)
    return out


@nb.njit
def _clip(source, ray, low, high):
    begin, end = 0.0, 1.0
    for a in range(3):
        if abs(ray[a]) < 1e-12:
            if not low[a] <= source[a] <= high[a]:
                return 1.0, 0.0
            continue
        first, second = (low[a] - source[a]) / ray[a], (high[a] - source[a]) / ray[a]
        begin, end = max(begin, min(first, second)), min(end, max(first, second))
    return begin, end


@nb.njit(parallel=True)
def _trilinear(mu, origin, spacing, source, corner, row_step, column_step, step_mm, out):
    """The outermost half voxel across the beam counts as the voxel, as it does along the beam."""
    count = np.array(mu.shape[::-1])
    for r in nb.prange(out.shape[0]):
        for c in range(out.shape[1]):
            ray = corner + r * row_step + c * column_step
            length = math.sqrt((ray**2).sum())
            begin, end = _clip(source, ray, origin - spacing / 2, origin + (count - 0.5) * spacing)
            if end <= begin:
                continue
            steps = math.ceil((end - begin) * length / step_mm)
            total = 0.0
            for n in range(steps):
                at = (source + (begin + (n + 0.5) / steps * (end - begin)) * ray - origin) / spacing
                at = np.minimum(np.maximum(at, 0.0), count - 1.0)
                x, y, z = at[0], at[1], at[2]
                i, j, k = min(int(x), count[0] - 2), min(int(y), count[1] - 2), min(int(z), count[2] - 2)
                x, y, z = x - i, y - j, z - k
                for dz in range(2):
                    for dy in range(2):
                        row = (z if dz else 1 - z) * (y if dy else 1 - y)
                        total += row * ((1 - x) * mu[k + dz, j + dy, i] + x * mu[k + dz, j + dy, i + 1])
            out[r, c] = total * (end - begin) * length / steps


@nb.njit(parallel=True)
def _boxes(mu, origin, spacing, source, corner, row_step, column_step, out):
    """Every crossing of a voxel face sorted along the ray, the voxel looked up at the middle of each piece."""
    count = np.array(mu.shape[::-1])
    low = origin - spacing / 2
    for r in nb.prange(out.shape[0]):
        for c in range(out.shape[1]):
            ray = corner + r * row_step + c * column_step
            begin, end = _clip(source, ray, low, low + count * spacing)
            if end <= begin:
                continue
            cuts = np.empty(count.sum() + 5)
            cuts[0], cuts[1] = begin, end
            n = 2
            for a in range(3):
                if abs(ray[a]) < 1e-12:
                    continue
                for i in range(count[a] + 1):
                    t = (low[a] + i * spacing[a] - source[a]) / ray[a]
                    if begin < t < end:
                        cuts[n] = t
                        n += 1
            cuts = np.sort(cuts[:n])
            total = 0.0
            for m in range(n - 1):
                middle = source + 0.5 * (cuts[m] + cuts[m + 1]) * ray
                at = np.floor((middle - low) / spacing)
                at = np.minimum(np.maximum(at, 0.0), count - 1.0)
                i, j, k = int(at[0]), int(at[1]), int(at[2])
                total += mu[k, j, i] * (cuts[m + 1] - cuts[m])
            out[r, c] = total * math.sqrt((ray**2).sum())
