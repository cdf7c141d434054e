"""Signed distance to the zero surface of an implicit function, by refined nearest zero crossing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.grid import Grid

Value = Callable[[FloatArray], FloatArray]
_DIFFERENCE_MM = 1e-3


@dataclass(frozen=True, eq=False)
class ZeroSurface:
    """Points on the zero surface of `value`, and distances to it.

    The seeds are marching-cubes vertices pulled onto the surface by Newton steps; a query starts at its nearest seeds
    and slides along the surface until it stops coming closer. The distance found is that to a point *on* the
    surface, so it can only be too large, by far less than 0.1 mm where the seeds are denser than the features.
    """

    value: Value
    points: FloatArray
    tree: cKDTree

    @staticmethod
    def build(value: Value, samples: AnyArray, grid: Grid) -> ZeroSurface:
        """Seed the surface of `value`, which takes (n, 3) points, from its `samples` (z, y, x) on a grid."""
        if not (samples.min() < 0 < samples.max()):
            raise GeometryError("the function has no zero surface in its box", code="surface_missing")
        vertices = marching_cubes(samples, 0.0, allow_degenerate=False)[0]
        points = _onto(value, grid.index_to_world(vertices), 1)
        return ZeroSurface(value, points, cKDTree(points))

    def distance(self, points: ArrayLike, rounds: int = 3, starts: int = 1) -> FloatArray:
        """Signed distance (n,) of (n, 3) points, mm; negative where `value` is negative.

        `starts` is how many of the nearest seeds each point slides from.
        """
        wanted = np.atleast_2d(np.asarray(points, dtype=np.float64))
        starts = min(starts, len(self.points))
        nearest, index = self.tree.query(wanted, k=[*range(1, starts + 1)])
        p = np.repeat(wanted, starts, axis=0)
        best = np.asarray(nearest, dtype=np.float64).ravel()
        q = self.points[np.asarray(index).ravel()]
        for _ in range(rounds):
            normal = _gradient(self.value, q)
            normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
            slide = p - q
            slide -= (slide * normal).sum(axis=1, keepdims=True) * normal
            length = np.linalg.norm(slide, axis=1, keepdims=True)
            moved = _onto(self.value, q + slide * np.minimum(1.0, 0.5 / (length + 1e-12)), 2)
            found = np.linalg.norm(p - moved, axis=1)
            # a point Newton could not bring onto the surface must not count
            good = (found < best) & (np.abs(self.value(moved)) < 1e-3)
            q = np.where(good[:, None], moved, q)
            best = np.where(good, found, best)
        best = best.reshape(-1, starts).min(axis=1)
        return np.asarray(np.where(self.value(wanted) < 0, -best, best))


def _gradient(value: Value, p: FloatArray) -> FloatArray:
    # one call for all six neighbours: the functions of a vertebra cost more per call than per point
    steps = np.concatenate([np.eye(3), -np.eye(3)]) * _DIFFERENCE_MM
    around = value((p[None] + steps[:, None]).reshape(-1, 3)).reshape(6, -1)
    return np.asarray((around[:3] - around[3:]).T / (2.0 * _DIFFERENCE_MM))


def _onto(value: Value, p: FloatArray, steps: int) -> FloatArray:
    for _ in range(steps):
        slope = _gradient(value, p)
        size = (slope * slope).sum(axis=1)
        move = value(p) / np.maximum(size, 0.05)
        p = p - np.clip(move, -0.5, 0.5)[:, None] * slope
    return p
