"""The place that a file states for its voxels, as a right-angled grid or a refusal."""

from __future__ import annotations

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.grid import Grid
from trajplan.reading.datafile import check_spacing

SQUARE_MM = 0.05
"""How far a corner may lie off a right-angled grid: rounding in a header, and no more."""


def grid_of_affine(
    name: str, size_xyz: tuple[int, int, int], steps: FloatArray, origin_lps: FloatArray, slack_mm: float = SQUARE_MM
) -> Grid:
    """The grid of an affine as a header states it.

    Parameters
    ----------
    name : str
        For messages.
    size_xyz : tuple of int
    steps : ndarray, shape (3, 3)
        Columns are the LPS mm steps of one index along x, y and z.
    origin_lps : ndarray, shape (3,)
    slack_mm : float
        How far a corner may lie off right angles.

    Raises
    ------
    InputError
        ``orientation_invalid`` when the axes are not finite or not at right angles, ``spacing_invalid``,
        ``spacing_range``.
    """
    if not (np.isfinite(steps).all() and np.isfinite(origin_lps).all()):
        raise InputError(f"{name} has an orientation or origin that is not finite", code="orientation_invalid")
    lengths = np.linalg.norm(steps, axis=0)
    check_spacing(name, [float(v) for v in lengths])
    left, sizes, right = np.linalg.svd(steps / lengths)
    square = left @ right if np.abs(sizes - 1.0).max() > 1e-12 else steps / lengths
    last = np.array(size_xyz) - 1
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * last
    error_mm = float(np.linalg.norm(corners @ (steps - square * lengths).T, axis=1).max())
    if not error_mm <= slack_mm:
        raise InputError(
            f"{name} has axes that are not at right angles (a sheared orientation matrix: a corner lies "
            f"{error_mm:.2f} mm off, limit {slack_mm:.2f} mm); resample it, or export it again from the DICOM series",
            code="orientation_invalid",
            numbers={"corner_error_mm": error_mm},
        )
    return Grid(size_xyz[::-1], origin_lps, lengths[::-1], square)
