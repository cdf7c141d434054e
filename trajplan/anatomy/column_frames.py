"""A frame for every vertebra of a column, from what one look shows: end plates, canal, and the column's own course."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.network_input import NetworkClass
from trajplan.geometry import Frame
from trajplan.geometry.arrays import FloatArray, unit

MAX_LEAN_DEG = 35.0
"""End plates that lean further from the column's course were not seen: the course is taken. A straight line through
two neighbours misses the lordosis of the lowest by 20 to 25 degrees."""

MAX_WEDGE_DEG = 25.0
"""Between both end plates; a body wedged further has no axis of its own."""

_NEAR_CANAL_MM, _CELL_MM, _FOOTPRINT_SHARE = 8.0, 3.0, 0.7


def column_frames(vertebrae: Sequence[FoundVertebra]) -> tuple[Frame, ...]:
    """Frames (u left, v posterior, w superior; origin at the body's centre) of vertebrae from top to bottom.

    They serve to look around a vertebra and to list it; what is planned on is measured anew
    (`trajplan.anatomy.measure`).
    """
    return tuple(_frame(one, along) for one, along in zip(vertebrae, course(vertebrae), strict=True))


def course(vertebrae: Sequence[FoundVertebra]) -> FloatArray:
    """Unit vectors along the column, superior, at each body's centre, shape (N, 3)."""
    centers = np.array([one.center_lps for one in vertebrae])
    if len(centers) < 2:
        return np.array([[0.0, 0.0, 1.0]] * len(centers))
    ends = np.concatenate([2 * centers[:1] - centers[1:2], centers, 2 * centers[-1:] - centers[-2:-1]])
    return np.array([unit(above - below) for above, below in zip(ends[:-2], ends[2:], strict=True)])


def _frame(one: FoundVertebra, along: FloatArray) -> Frame:
    points = one.seen.grid.index_to_world(np.argwhere(one.body)) - one.center_lps
    behind = _canal(one, along)
    w = along
    for _ in range(2):
        v = unit(behind - (behind @ w) * w)
        turned = _plate_normal(points, np.stack([np.cross(v, w), v, w], axis=1))
        if turned is None or turned @ along < np.cos(np.radians(MAX_LEAN_DEG)):
            w = along
            break
        w = turned
    v = unit(behind - (behind @ w) * w)
    return Frame(one.center_lps, np.stack([np.cross(v, w), v, w]))


def _canal(one: FoundVertebra, along: FloatArray) -> FloatArray:
    """From the body's centre to the middle of the canal beside it; straight back where none is seen."""
    canal = one.seen.grid.index_to_world(np.argwhere(one.seen.share[NetworkClass.CANAL] > 0.5)) - one.center_lps
    beside = canal[np.abs(canal @ along) < _NEAR_CANAL_MM]
    middle = beside.mean(axis=0) if len(beside) else np.zeros(3)
    sideways = middle - (middle @ along) * along
    return np.asarray(sideways if np.linalg.norm(sideways) > 5.0 else np.array([0.0, 1.0, 0.0]))


def _plate_normal(points: FloatArray, axes: FloatArray) -> FloatArray | None:
    """Mean normal of the planes through both end plates; None when too little of them is seen."""
    u, v, w = (points @ axes).T
    half_u, half_v = (_FOOTPRINT_SHARE * np.quantile(np.abs(x), 0.98) for x in (u, v))
    cell = np.stack([np.rint(u / _CELL_MM), np.rint(v / _CELL_MM)], axis=1).astype(int)
    inside = (np.abs(cell[:, 0]) * _CELL_MM < half_u) & (np.abs(cell[:, 1]) * _CELL_MM < half_v)
    cells, which = np.unique(cell[inside], axis=0, return_inverse=True)
    if len(cells) < 12:
        return None
    normals = []
    for sign in (1.0, -1.0):
        edge = np.full(len(cells), -np.inf)
        np.maximum.at(edge, which.ravel(), sign * w[inside])
        slope = _plane(cells * _CELL_MM, sign * edge)
        normals.append(unit(np.array([-slope[0], -slope[1], 1.0])))
    if normals[0] @ normals[1] < np.cos(np.radians(MAX_WEDGE_DEG)):
        return None
    return unit(axes @ (normals[0] + normals[1]))


def _plane(at: FloatArray, height: FloatArray) -> FloatArray:
    """Slopes of the plane through heights, without those more than 2.5 mm off it."""
    keep = np.ones(len(at), dtype=bool)
    solved: FloatArray = np.zeros(3)
    for _ in range(3):
        basis = np.c_[at[keep], np.ones(np.count_nonzero(keep))]
        solved = np.asarray(np.linalg.lstsq(basis, height[keep], rcond=None)[0], dtype=np.float64)
        near = np.abs(height - np.c_[at, np.ones(len(at))] @ solved) < 2.5
        if near.sum() < 8:
            break
        keep = near
    return np.asarray(solved[:2])
