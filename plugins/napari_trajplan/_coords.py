"""The one place where patient LPS millimetres become napari world axes (S, P, L), and back: the order is reversed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError
from trajplan.geometry import Grid
from trajplan.geometry.arrays import FloatArray

AXIS_LABELS = ("S", "P", "L")
UNITS = ("mm", "mm", "mm")


def to_napari(points_lps: ArrayLike) -> FloatArray:
    """(..., 3) LPS mm -> (..., 3) napari world coordinates (S, P, L), mm.

    >>> to_napari([1.0, 2.0, 3.0]).tolist()
    [3.0, 2.0, 1.0]
    """
    return np.array(np.asarray(points_lps, dtype=np.float64)[..., ::-1])


def to_lps(points_napari: ArrayLike) -> FloatArray:
    """(..., 3) napari world coordinates (S, P, L), mm -> (..., 3) LPS mm."""
    return np.array(np.asarray(points_napari, dtype=np.float64)[..., ::-1])


def placement(grid: Grid) -> dict[str, Any]:
    """The keyword arguments that put a (z, y, x) array of `grid` at its place in the napari world.

    Parameters
    ----------
    grid : Grid
        Axis-aligned LPS (`trajplan.geometry.resample.canonical` makes it so).

    Returns
    -------
    dict
        ``scale`` and ``translate`` (z, y, x), mm; ``units``; ``axis_labels``.

    Raises
    ------
    GeometryError
        The grid is oblique or flipped: napari drops the out-of-slice part of such a rotation in 2-D, and would
        show voxels in the wrong place.
    """
    if not grid.is_axis_aligned:
        raise GeometryError(
            "napari shows only axis-aligned LPS volumes in the right place; resample this one with "
            "trajplan.geometry.resample.canonical first",
            code="not_axis_aligned",
        )
    return {
        "scale": tuple(float(v) for v in grid.spacing_zyx),
        "translate": tuple(float(v) for v in to_napari(grid.origin_lps)),
        "units": UNITS,
        "axis_labels": AXIS_LABELS,
    }


def grid_of(shape_zyx: tuple[int, ...], scale: ArrayLike, translate: ArrayLike) -> Grid:
    """The Grid of a napari layer that was placed by `placement`."""
    return Grid(tuple(int(n) for n in shape_zyx), to_lps(translate), np.asarray(scale, dtype=np.float64))
