"""The smallest depth of a segment inside bone, from the function and a dense mesh where it matters."""

from __future__ import annotations

import numpy as np

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.grid import Grid
from trajplan_phantoms.surface import ZeroSurface

COARSE_STEP_MM = 0.1
FINE_STEP_MM = 0.01
SEED_STEP_MM = 0.25
SEED_STEP_SHARE = 0.08
"""A wall further away needs no denser seeds than this share of its distance."""
_SLACK_MM = 0.3
"""Points of the segment within this of the smallest coarse depth are looked at again; more than the coarse error."""
_PIECE_MM = 8.0
_STARTS = 4


def smallest_depth(surface: ZeroSurface, start: FloatArray, end: FloatArray) -> float:
    """The smallest depth below `surface` of the points of a segment, mm; negative where it is outside.

    Parameters
    ----------
    surface : ZeroSurface
        Coarsely seeded; it tells where to look.
    start, end : ndarray, shape (3,)
        In the frame of the surface, mm.

    Notes
    -----
    The coarse seeds choose the part of the segment that matters. There the surface is seeded again every 0.25 mm
    (0.08 of the distance where that is more) inside a box that holds the nearest wall, each point slides along the
    surface from its nearest seeds, and the best place of the segment is refined to 0.01 mm. The wall found lies on the
    surface, so a depth inside can only be too large, by what the sliding left: with seeds s apart, below
    s**2 / (8 depth) before it starts and about 1e-3 mm after.
    """
    length = float(np.linalg.norm(end - start))
    count = max(2, int(np.ceil(length / COARSE_STEP_MM)) + 1)
    t = np.linspace(0.0, 1.0, count)
    coarse = -surface.distance(start + t[:, None] * (end - start))
    chosen = np.flatnonzero(coarse <= coarse.min() + _SLACK_MM)
    best, best_t, best_dense = np.inf, 0.0, surface
    for piece in _pieces(chosen, max(1, int(_PIECE_MM / COARSE_STEP_MM))):
        points = start + t[piece][:, None] * (end - start)
        dense = _seeded_near(surface, points, np.abs(coarse[piece]))
        depth = -dense.distance(points, rounds=3, starts=_STARTS)
        if depth.min() < best:
            best, best_t, best_dense = float(depth.min()), float(t[piece][int(depth.argmin())]), dense
    around = COARSE_STEP_MM / max(length, COARSE_STEP_MM)
    fine = np.clip(np.linspace(best_t - around, best_t + around, 2 * round(COARSE_STEP_MM / FINE_STEP_MM) + 1), 0, 1)
    depth = -best_dense.distance(start + fine[:, None] * (end - start), rounds=5, starts=_STARTS)
    return float(min(best, depth.min()))


def _pieces(index: np.ndarray, longest: int) -> list[np.ndarray]:
    """Runs of consecutive indices, none longer than `longest`."""
    runs = np.split(index, np.flatnonzero(np.diff(index) > 1) + 1)
    return [run[k : k + longest] for run in runs for k in range(0, len(run), longest)]


def _seeded_near(surface: ZeroSurface, points: FloatArray, reach_mm: FloatArray) -> ZeroSurface:
    """The same surface seeded densely in a box that holds everything within the largest reach of the points."""
    step = max(SEED_STEP_MM, SEED_STEP_SHARE * float(reach_mm.min()))
    margin = float(reach_mm.max()) + 2.0 * step
    lower, upper = points.min(axis=0) - margin, points.max(axis=0) + margin
    grid = Grid.isotropic(lower, upper, step)
    samples = surface.value(grid.points_lps().reshape(-1, 3)).reshape(grid.shape_zyx)
    try:
        return ZeroSurface.build(surface.value, samples, grid)
    except GeometryError:  # the coarse distance was to a wall that only touches the box: keep the coarse seeds
        return surface
