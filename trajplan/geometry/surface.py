"""Sub-voxel surfaces of masks, and distances to them that never flatter.

A voxel distance transform over-states a clearance by up to a voxel. Here a mask is smoothed by half a millimetre, its
0.5 iso-surface is sampled where it crosses the edges of the voxel grid, and distances are taken to those samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import AnyArray, BoolArray, Float32Array, FloatArray
from trajplan.geometry.grid import Grid

SMOOTHING_MM = 0.5
"""Gaussian sigma that takes the stair steps off a mask; it moves a wall of radius R by about sigma^2/(2R)."""

GUARD_OF_SPACING = 0.3
"""Share of a voxel subtracted from every distance for what is left of the stair steps.

Measured in tests/geometry/test_surface.py on cylinders, spheres and oblique planes at random sub-voxel places.
"""


@dataclass(frozen=True, eq=False)
class Surface:
    """Samples of an iso-surface.

    Parameters
    ----------
    points_lps, normals_lps : ndarray, shape (N, 3)
        Sample points (LPS mm) and unit normals pointing out of the mask.
    inside_zyx : ndarray of int, shape (N, 3)
        Index of the voxel on the inner side of each sample: tells which part the wall belongs to.
    spacing_mm : float
        Largest voxel spacing of the grid it was taken from.
    """

    points_lps: FloatArray
    normals_lps: FloatArray
    inside_zyx: AnyArray
    spacing_mm: float

    def subset(self, keep: BoolArray) -> Surface:
        """The samples where `keep` is True."""
        return Surface(self.points_lps[keep], self.normals_lps[keep], self.inside_zyx[keep], self.spacing_mm)

    def __len__(self) -> int:
        return len(self.points_lps)


def occupancy(mask: BoolArray, grid: Grid, sigma_mm: float = SMOOTHING_MM) -> Float32Array:
    """The mask as a smooth field 0..1 whose 0.5 level is its surface."""
    return np.asarray(gaussian_filter(mask.astype(np.float32), sigma_mm / grid.spacing_zyx, mode="nearest"))


def surface_of(field: Float32Array, grid: Grid, level: float = 0.5) -> Surface:
    """Sample the `level` iso-surface of `field` where it crosses the edges between neighbouring voxels.

    Returns
    -------
    Surface
        About four samples per voxel face of surface; empty when the field does not cross the level.
    """
    above = field >= level
    indices, insides = [], []
    for axis in range(3):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        crosses = above[low] != above[high]
        # as np.argwhere, which takes ten times longer
        at = np.stack(np.unravel_index(np.flatnonzero(crosses), crosses.shape), axis=-1)
        if not len(at):
            continue
        a = field[low][tuple(at.T)].astype(np.float64)
        b = field[high][tuple(at.T)].astype(np.float64)
        index = at.astype(np.float64)
        index[:, axis] += (level - a) / (b - a)
        inside = at.copy()
        inside[:, axis] += (b > a).astype(int)
        indices.append(index)
        insides.append(inside)
    if not indices:
        empty = np.zeros((0, 3))
        return Surface(empty, empty, np.zeros((0, 3), dtype=int), float(grid.spacing_zyx.max()))
    index, inside = np.concatenate(indices), np.concatenate(insides)
    gradient = np.stack(
        [_sample(field, index + step) - _sample(field, index - step) for step in np.eye(3)], axis=-1
    )  # (N, zyx) per voxel
    outward = -(gradient / grid.spacing_zyx)[:, ::-1] @ grid.direction.T
    length = np.linalg.norm(outward, axis=1, keepdims=True)
    return Surface(
        grid.index_to_world(index), outward / np.maximum(length, 1e-9), inside, float(grid.spacing_zyx.max())
    )


def _sample(field: Float32Array, index_zyx: FloatArray) -> FloatArray:
    return np.asarray(map_coordinates(field, index_zyx.T, order=1, mode="nearest"))


class WallDistance:
    """Distance from points to a sampled wall, a lower bound of the true one.

    Samples lie within `reach_mm` of every point of the wall, so the wall can be nearer than the nearest sample by at
    most ``d - sqrt(d^2 - reach^2)``; that, and the guard for stair steps, are subtracted.
    """

    def __init__(self, wall: Surface) -> None:
        self._tree = cKDTree(wall.points_lps) if len(wall) else None
        self._wall = wall
        self.reach_mm = 0.6 * wall.spacing_mm
        self.guard_mm = GUARD_OF_SPACING * wall.spacing_mm

    @property
    def exists(self) -> bool:
        """Whether there is any wall at all."""
        return self._tree is not None

    def nearest(self, points_lps: ArrayLike) -> AnyArray:
        """Index of the sample nearest to each LPS point (...,)."""
        if self._tree is None:
            raise GeometryError("a surface without samples has no nearest one", code="surface_empty")
        return np.asarray(self._tree.query(np.asarray(points_lps, dtype=np.float64))[1])

    def signed(self, points_lps: ArrayLike, is_inside: BoolArray | bool, within_mm: float = np.inf) -> FloatArray:
        """Distance (...,) from LPS points to the wall, mm, never over-stated; `inf` when there is no wall.

        Parameters
        ----------
        points_lps : array_like, shape (..., 3)
        is_inside : ndarray of bool, shape (...,), or bool
            Whether each point is on the allowed side of the wall (+) or beyond it (-).
        within_mm : float
            Points farther than this from the wall may be given as far away (`inf` with its sign) without looking.
        """
        points = np.asarray(points_lps, dtype=np.float64)
        if self._tree is None:
            return np.full(points.shape[:-1], np.inf)
        distance, _ = self._tree.query(points, distance_upper_bound=within_mm + self.reach_mm + self.guard_mm)
        nearer = np.sqrt(np.maximum(distance**2 - self.reach_mm**2, 0.0))
        return np.asarray(np.where(is_inside, nearer, -distance) - self.guard_mm)


def inside(field: Float32Array, grid: Grid, points_lps: ArrayLike, level: float = 0.5) -> BoolArray:
    """Whether LPS points (..., 3) lie where the field is at or above `level`; outside the grid is outside."""
    index = grid.world_to_index(points_lps)
    flat = index.reshape(-1, 3).T
    value = map_coordinates(field, flat, order=1, mode="constant", cval=0.0)
    return np.asarray(value.reshape(index.shape[:-1]) >= level)
