"""Capsule: all points within a radius of a segment; the conservative model of a round instrument."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import FloatArray, frozen, unit


@dataclass(frozen=True, eq=False)
class Capsule:
    """A cylinder of `radius_mm` around start..end with hemispherical ends.

    Parameters
    ----------
    start_lps, end_lps : array_like, shape (3,)
        Ends of the axis, LPS mm; for an instrument the start is outside and the end is the tip.
    radius_mm : float

    Examples
    --------
    >>> float(Capsule((0, 0, 0), (10, 0, 0), 2.0).distance([5.0, 5.0, 0.0]))
    3.0
    """

    start_lps: FloatArray
    end_lps: FloatArray
    radius_mm: float

    def __init__(self, start_lps: ArrayLike, end_lps: ArrayLike, radius_mm: float) -> None:
        if not radius_mm > 0:
            raise GeometryError(f"a capsule needs a positive radius, got {radius_mm} mm", code="radius_invalid")
        object.__setattr__(self, "start_lps", frozen(start_lps, (3,)))
        object.__setattr__(self, "end_lps", frozen(end_lps, (3,)))
        object.__setattr__(self, "radius_mm", float(radius_mm))

    @property
    def length_mm(self) -> float:
        """Length of the axis, without the end caps."""
        return float(np.linalg.norm(self.end_lps - self.start_lps))

    @property
    def direction_lps(self) -> FloatArray:
        """Unit vector from start to end."""
        return unit(self.end_lps - self.start_lps)

    def points_along(self, step_mm: float) -> tuple[FloatArray, FloatArray]:
        """Depths (N,) from the start and axis points (N, 3) at most `step_mm` apart, both ends included."""
        count = max(2, int(np.ceil(self.length_mm / step_mm)) + 1)
        depth = np.linspace(0.0, self.length_mm, count)
        return depth, self.start_lps + depth[:, None] * self.direction_lps

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """Signed distance (...,) of LPS points to the surface, mm; negative inside."""
        p = np.asarray(points_lps, dtype=np.float64) - self.start_lps
        axis = self.end_lps - self.start_lps
        along = np.clip(p @ axis / max(float(axis @ axis), 1e-12), 0.0, 1.0)
        return np.asarray(np.linalg.norm(p - along[..., None] * axis, axis=-1) - self.radius_mm)
