"""Frame: a right-handed local coordinate system in the world (u, v, w rows of a rotation matrix)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import FloatArray, frozen


@dataclass(frozen=True, eq=False)
class Frame:
    """Origin and axes of a local frame. For a vertebra: u patient left, v posterior, w superior.

    Parameters
    ----------
    origin_lps : array_like, shape (3,)
        LPS mm.
    rotation : array_like, shape (3, 3)
        Rows are the LPS unit vectors u, v, w; determinant +1.

    Examples
    --------
    >>> f = Frame((10.0, 0.0, 0.0), np.eye(3))
    >>> f.to_local((12.0, 1.0, 0.0)).tolist()
    [2.0, 1.0, 0.0]
    """

    origin_lps: FloatArray
    rotation: FloatArray

    def __init__(self, origin_lps: ArrayLike, rotation: ArrayLike) -> None:
        axes = frozen(rotation, (3, 3))
        if np.abs(axes @ axes.T - np.eye(3)).max() > 1e-6 or np.linalg.det(axes) < 0:
            raise GeometryError("a frame needs a rotation matrix with determinant +1", code="not_a_rotation")
        object.__setattr__(self, "origin_lps", frozen(origin_lps, (3,)))
        object.__setattr__(self, "rotation", axes)

    @property
    def u(self) -> FloatArray:
        """First axis (patient left for a vertebra), LPS unit vector."""
        return np.asarray(self.rotation[0])

    @property
    def v(self) -> FloatArray:
        """Second axis (posterior for a vertebra), LPS unit vector."""
        return np.asarray(self.rotation[1])

    @property
    def w(self) -> FloatArray:
        """Third axis (superior for a vertebra), LPS unit vector."""
        return np.asarray(self.rotation[2])

    def to_local(self, points_lps: ArrayLike) -> FloatArray:
        """(..., 3) LPS mm -> (..., 3) (u, v, w) mm."""
        return np.asarray((np.asarray(points_lps, dtype=np.float64) - self.origin_lps) @ self.rotation.T)

    def to_world(self, points_uvw: ArrayLike) -> FloatArray:
        """(..., 3) (u, v, w) mm -> (..., 3) LPS mm."""
        return np.asarray(self.origin_lps + np.asarray(points_uvw, dtype=np.float64) @ self.rotation)

    def direction_to_local(self, vectors_lps: ArrayLike) -> FloatArray:
        """Rotate (..., 3) LPS vectors into (u, v, w), without moving the origin."""
        return np.asarray(np.asarray(vectors_lps, dtype=np.float64) @ self.rotation.T)

    def direction_to_world(self, vectors_uvw: ArrayLike) -> FloatArray:
        """Rotate (..., 3) (u, v, w) vectors into LPS, without moving the origin."""
        return np.asarray(np.asarray(vectors_uvw, dtype=np.float64) @ self.rotation)
