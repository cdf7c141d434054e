"""A point in space from its pixels in two views."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import FloatArray

_LEAST_ANGLE_DEG = 1.0


def triangulate(view_a: CArm, pixel_a: ArrayLike, view_b: CArm, pixel_b: ArrayLike) -> tuple[FloatArray, float]:
    """The point nearest to the rays of two pixels, in the least-squares sense.

    Parameters
    ----------
    view_a, view_b : CArm
    pixel_a, pixel_b : array_like, shape (2,)
        (row, column).

    Returns
    -------
    point_lps : ndarray, shape (3,)
    residual_mm : float
        Distance between the two rays where they pass closest; large when the pixels are not of one point.

    Raises
    ------
    GeometryError
        The rays are within 1 deg of parallel.
    """
    (start_a, ray_a), (start_b, ray_b) = view_a.back_project(pixel_a), view_b.back_project(pixel_b)
    angle = float(np.degrees(np.arcsin(np.clip(np.linalg.norm(np.cross(ray_a, ray_b)), 0.0, 1.0))))
    if angle < _LEAST_ANGLE_DEG:
        raise GeometryError(
            f"the two rays are only {angle:.2f} deg apart; use views at least {_LEAST_ANGLE_DEG:g} deg apart",
            code="rays_parallel",
            numbers={"angle_deg": angle},
        )
    across_a, across_b = np.eye(3) - np.outer(ray_a, ray_a), np.eye(3) - np.outer(ray_b, ray_b)
    point = np.linalg.solve(across_a + across_b, across_a @ start_a + across_b @ start_b)
    normal = np.cross(ray_a, ray_b)
    residual = abs(float((start_b - start_a) @ normal)) / float(np.linalg.norm(normal))
    return np.asarray(point), residual
