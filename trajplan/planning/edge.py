"""The edge of the cortex in the CT: where a wall lies between the voxels of a mask.

A mask on 1 mm voxels places a wall to 0.2 mm (one sigma), 0.5 mm at worst. The CT behind it knows better: each sample
of the wall is moved along its normal to where the Hounsfield units have fallen half-way from the cortex to what lies
outside, next to where they fall most steeply. (The steepest place itself depends on where the voxels lie: on phantoms
its error is a third larger at its worst.)
"""

from __future__ import annotations

import numba as nb
import numpy as np
from scipy.ndimage import spline_filter
from scipy.spatial import cKDTree

from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.geometry.surface import Surface
from trajplan.threads import in_slices

MOST_INWARDS_MM, MOST_OUTWARDS_MM = 0.9, 0.35
"""A wall is moved this far at most; less outwards, so that a mask drawn small on purpose stays small."""

STEEP_HU_MM = 150.0
"""An edge less steep than this is none: bone against bone, or metal's shadow."""

KNOWN_TO_MM = 0.04
"""Taken off every shift: what is left between this edge and the truth of phantoms is 0.06 to 0.11 mm (one sigma), and
of the walls along a path the one that looks nearest decides. With 0.05 mm nothing was told nearer to the truth than
0.03 mm below it (benchmarks/planning.py)."""

NO_EDGE_MM = 0.2
"""Taken off where the CT shows no edge and the mask alone tells: one sigma of its walls."""

FAINT_HU, FAINT_MM_PER_HU, FAINT_MOST_MM = 650.0, 0.0008, 0.25
"""A cortex thinner than the blur of the scanner has a lower peak and its edge appears farther out. Measured on phantoms
T6 to L5 at 1 mm: 0.08 mm for every 100 HU below 650; taken off, up to 0.25 mm."""

_ALIKE_MM = 0.7
"""Shifts of samples this near to one another are averaged."""

_ROOM = 6
"""Voxels about the samples that are looked at."""

_STEP_MM, _STEPS_IN, _STEPS_OUT = 0.2, 8, 7

_OUTSIDE = 4
"""Steps beyond the steepest fall in which the least value counts as that of what lies outside."""


def moved_to_edge(surface: Surface, ct: Volume, where: BoolArray) -> Surface:
    """The surface with the samples `where` is True moved to the edge in the CT; the others as they are."""
    moved = np.flatnonzero(where)
    if not len(moved):
        return surface
    points, normals = surface.points_lps[moved], surface.normals_lps[moved]
    around = ct.grid.world_to_index(np.array([points.min(axis=0), points.max(axis=0)]))
    # clipped so that a mask beside the scan has a box too; nothing is found in it
    low = np.clip(np.floor(around.min(axis=0)).astype(int) - _ROOM, 0, np.array(ct.grid.shape_zyx) - 1)
    box = ct.cropped(low, np.maximum(np.ceil(around.max(axis=0)).astype(int) + _ROOM, low + 1))
    spline = spline_filter(box.array.astype(np.float32), order=3, output=np.float32)
    index = box.grid.world_to_index(points)
    step = box.grid.world_to_index(points + normals) - index
    index, step = np.ascontiguousarray(index), np.ascontiguousarray(step * _STEP_MM)
    edge, peak = in_slices(lambda part: _edges(spline, index[part], step[part]), len(index))
    shift = _averaged(edge, points)
    faint = np.clip((FAINT_HU - peak) * FAINT_MM_PER_HU, 0.0, FAINT_MOST_MM)
    shift = np.where(
        np.isfinite(shift), np.clip(shift - faint - KNOWN_TO_MM, -MOST_INWARDS_MM, MOST_OUTWARDS_MM), -NO_EDGE_MM
    )
    places = surface.points_lps.copy()
    places[moved] += shift[:, None] * normals
    return Surface(places, surface.normals_lps, surface.inside_zyx, surface.spacing_mm)


def _averaged(edge: FloatArray, points: FloatArray) -> FloatArray:
    """Mean of the finite values nearby; NaN where fewer than half of them are finite."""
    pairs = cKDTree(points).query_pairs(_ALIKE_MM, output_type="ndarray")
    known = np.isfinite(edge)
    value = np.where(known, edge, 0.0)
    count = np.ones(len(edge)) + np.bincount(pairs.ravel(), minlength=len(edge))
    told, total = known.astype(float), value.copy()
    for a, b in ((0, 1), (1, 0)):
        told += np.bincount(pairs[:, a], weights=known[pairs[:, b]], minlength=len(edge))
        total += np.bincount(pairs[:, a], weights=value[pairs[:, b]], minlength=len(edge))
    return np.asarray(np.where(told >= 0.5 * count, total / np.maximum(told, 1.0), np.nan))


@nb.njit(cache=True, inline="always")
def _weights(t, out):  # type: ignore[no-untyped-def]
    """Cubic B-spline."""
    one = 1.0 - t
    out[0] = one * one * one / 6.0
    out[1] = 2.0 / 3.0 - 0.5 * t * t * (2.0 - t)
    out[2] = 2.0 / 3.0 - 0.5 * one * one * (2.0 - one)
    out[3] = t * t * t / 6.0


@nb.njit(cache=True)
def _value(volume, x, y, z, wx, wy, wz):  # type: ignore[no-untyped-def]
    nx, ny, nz = volume.shape
    i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    if i < 1 or j < 1 or k < 1 or i > nx - 3 or j > ny - 3 or k > nz - 3:
        return np.nan
    _weights(x - i, wx)
    _weights(y - j, wy)
    _weights(z - k, wz)
    total = 0.0
    for a in range(4):
        for b in range(4):
            row = 0.0
            for c in range(4):
                row += wz[c] * volume[i - 1 + a, j - 1 + b, k - 1 + c]
            total += wx[a] * wy[b] * row
    return total


@nb.njit(cache=True)
def _edge_of(hu):  # type: ignore[no-untyped-def]
    """(edge, peak) of one profile: mm from the sample to the edge, NaN without one; greatest HU inside of it."""
    # sums and extremes are taken one by one: numpy's take seconds to compile
    best = 3
    for s in range(3, len(hu) - 2):
        if hu[s] - hu[s + 1] > hu[best] - hu[best + 1]:
            best = s
    peak, outside = hu[0], hu[best + 1]
    for s in range(1, best + 1):
        peak = max(peak, hu[s])
    for s in range(best + 2, min(best + 1 + _OUTSIDE, len(hu))):
        outside = min(outside, hu[s])
    if not 3 < best < len(hu) - 3 or hu[best] - hu[best + 1] < STEEP_HU_MM * _STEP_MM:
        return np.nan, peak
    # the step down through half the height that is next to the steepest one
    half, s = 0.5 * (peak + outside), best
    while s > 0 and hu[s] < half:
        s -= 1
    while s < len(hu) - 2 and hu[s + 1] >= half:
        s += 1
    return (s + (hu[s] - half) / (hu[s] - hu[s + 1]) - _STEPS_IN) * _STEP_MM, peak


@nb.njit(cache=True, nogil=True)
def _edges(volume, index, step):  # type: ignore[no-untyped-def]
    """`_edge_of` the profile along each normal, from 1.6 mm inside to 1.4 mm outside; NaN and 650 beyond the CT."""
    edge, peak = np.full(len(index), np.nan), np.full(len(index), FAINT_HU)
    wx, wy, wz = np.empty(4), np.empty(4), np.empty(4)
    hu = np.empty(_STEPS_IN + _STEPS_OUT + 1)
    for n in range(len(index)):
        known = True
        for s in range(len(hu)):
            t = s - _STEPS_IN
            hu[s] = _value(
                volume, index[n, 0] + t * step[n, 0], index[n, 1] + t * step[n, 1], index[n, 2] + t * step[n, 2],
                wx, wy, wz,
            )  # fmt: skip
            known = known and not np.isnan(hu[s])
        if known:
            edge[n], peak[n] = _edge_of(hu)
    return edge, peak
