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

    def distance(self, points: ArrayLike, rounds: int = 3) -> FloatArray:
        """Signed distance (n,) of (n, 3) points, mm; negative where `value` is negative."""
        p = np.atleast_2d(np.asarray(points, dtype=np.float64))
        nearest, index = self.tree.query(p)
        best = np.asarray(nearest, dtype=np.float64)
        q = self.points[index]
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
        return np.asarray(np.where(self.value(p) < 0, -best, best))


def _gradient(value: Value, p: FloatArray) -> FloatArray:
    out = np.empty_like(p)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = _DIFFERENCE_MM
        out[:, axis] = (value(p + step) - value(p - step)) / (2.0 * _DIFFERENCE_MM)
    return out


def _onto(value: Value, p: FloatArray, steps: int) -> FloatArray:
    for _ in range(steps):
        slope = _gradient(value, p)
        size = (slope * slope).sum(axis=1)
        move = value(p) / np.maximum(size, 0.05)
        p = p - np.clip(move, -0.5, 0.5)[:, None] * slope
    return p
