"""Envelope: the surface of a balloon about the axis of its path, as radii on a polar grid, and its volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray, frozen, unit


@dataclass(frozen=True, eq=False)
class Envelope:
    """A surface star-shaped about an axis, LPS mm.

    Parameters
    ----------
    center_lps : ndarray, shape (3,)
        Middle of the balloon's markers, on the axis.
    axes_lps : ndarray, shape (3, 3)
        Rows: two unit vectors across the axis, then the axis itself, pointing to the tip.
    z_mm : ndarray, shape (N,)
        Middles of the N slices along the axis, evenly spaced, from `center_lps`.
    radius_mm : ndarray, shape (N, M)
        Radius in each slice at the angles ``2 pi k / M`` from the first vector to the second; 0 where there is none.
    """

    center_lps: FloatArray
    axes_lps: FloatArray
    z_mm: FloatArray
    radius_mm: FloatArray

    @property
    def step_mm(self) -> float:
        """Thickness of a slice."""
        return float(self.z_mm[1] - self.z_mm[0])

    @property
    def angles_rad(self) -> FloatArray:
        """The angles of the columns of `radius_mm`, (M,)."""
        count = self.radius_mm.shape[1]
        return np.asarray(2 * np.pi * np.arange(count) / count)

    @property
    def volume_ml(self) -> float:
        """Enclosed volume, from the radii alone: the integral of r squared over angle and length, halved."""
        return float(0.5 * (self.radius_mm**2).mean() * 2 * np.pi * self.step_mm * len(self.z_mm)) / 1000.0

    @property
    def length_mm(self) -> float:
        """Extent along the axis."""
        return float(np.count_nonzero(self.radius_mm.max(axis=1) > 0)) * self.step_mm

    @property
    def diameter_mm(self) -> float:
        """Largest diameter across the axis, through it."""
        half = self.radius_mm.shape[1] // 2
        return float((self.radius_mm + np.roll(self.radius_mm, half, axis=1)).max())

    def surface_lps(self) -> FloatArray:
        """Points of the surface, shape (N, M, 3)."""
        turn = self.angles_rad
        across = np.cos(turn)[:, None] * self.axes_lps[0] + np.sin(turn)[:, None] * self.axes_lps[1]
        along = self.center_lps + self.z_mm[:, None] * self.axes_lps[2]
        return np.asarray(along[:, None, :] + self.radius_mm[..., None] * across[None])

    def contains(self, points_lps: ArrayLike, beyond_mm: float = 0.0) -> BoolArray:
        """Whether LPS points (..., 3) lie inside, or radially within `beyond_mm` of it where it has a radius."""
        return np.asarray(self.height_above(points_lps) <= beyond_mm)

    def height_above(self, points_lps: ArrayLike) -> FloatArray:
        """Radial distance (...,) of LPS points from the surface, mm; negative inside, `inf` beyond its ends."""
        local = (np.asarray(points_lps, dtype=np.float64) - self.center_lps) @ self.axes_lps.T
        rho = np.hypot(local[..., 0], local[..., 1])
        count = self.radius_mm.shape[1]
        turn = np.mod(np.arctan2(local[..., 1], local[..., 0]), 2 * np.pi) * count / (2 * np.pi)
        row = (local[..., 2] - self.z_mm[0]) / self.step_mm
        low, first = np.floor(row).astype(int), np.floor(turn).astype(int)
        a, b = row - low, turn - first
        total = np.zeros(rho.shape)
        padded = np.pad(self.radius_mm, ((1, 1), (0, 0)))
        for i, along in ((0, 1 - a), (1, a)):
            k = np.clip(low + i + 1, 0, len(padded) - 1)
            for j, around in ((0, 1 - b), (1, b)):
                total += along * around * padded[k, (first + j) % count]
        return np.where(total > 0, rho - total, np.inf)

    def mesh(self) -> tuple[FloatArray, AnyArray]:
        """Vertices (V, 3) LPS mm and faces (F, 3), watertight, normals outwards; empty for an empty envelope."""
        rows = np.flatnonzero(self.radius_mm.max(axis=1) > 0)
        if not len(rows):
            return np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64)
        first, last = int(rows[0]), int(rows[-1])
        ring = self.surface_lps()[first : last + 1]
        n, m = ring.shape[:2]
        ends = self.center_lps + np.outer(
            [self.z_mm[first] - self.step_mm / 2, self.z_mm[last] + self.step_mm / 2], self.axes_lps[2]
        )
        at = np.arange(n * m).reshape(n, m)
        here, there = at, np.roll(at, -1, axis=1)
        a, b, c, d = here[:-1].ravel(), there[:-1].ravel(), here[1:].ravel(), there[1:].ravel()
        sides = np.concatenate([np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)])
        back = np.stack([np.full(m, n * m), there[0], here[0]], axis=1)
        front = np.stack([np.full(m, n * m + 1), here[-1], there[-1]], axis=1)
        return np.concatenate([ring.reshape(-1, 3), ends]), np.concatenate([sides, back, front])


def across_axis(axis_lps: ArrayLike) -> FloatArray:
    """Rows of a right-handed frame (3, 3) whose last one is the unit vector along `axis_lps`."""
    axis = unit(axis_lps)
    first = unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))
    return frozen([first, np.cross(axis, first), axis], (3, 3))
