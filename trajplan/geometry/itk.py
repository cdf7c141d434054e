"""The one bridge between Volume / LabelMap and SimpleITK images. Both are LPS; only the axis order differs."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from trajplan.geometry.arrays import AnyArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.volume import LabelMap, Volume


def grid_of(image: sitk.Image) -> Grid:
    """The Grid of a 3-D SimpleITK image (x, y, z order) in (z, y, x) array order."""
    return Grid(
        tuple(image.GetSize()[::-1]),
        image.GetOrigin(),
        image.GetSpacing()[::-1],
        np.array(image.GetDirection()).reshape(3, 3),
    )


def to_sitk(array: AnyArray, grid: Grid) -> sitk.Image:
    """A (z, y, x) array on a grid as a SimpleITK image; booleans become uint8."""
    a = array.astype(np.uint8) if array.dtype == bool else array
    image = sitk.GetImageFromArray(np.ascontiguousarray(a))
    image.SetOrigin([float(v) for v in grid.origin_lps])
    image.SetSpacing([float(v) for v in grid.spacing_xyz])
    image.SetDirection([float(v) for v in grid.direction.ravel()])
    return image


def volume_from_sitk(image: sitk.Image) -> Volume:
    """A 3-D scalar SimpleITK image as a Volume, same voxels and place."""
    return Volume(sitk.GetArrayFromImage(image), grid_of(image))


def labels_from_sitk(image: sitk.Image, names: dict[int, str] | None = None) -> LabelMap:
    """A 3-D integer SimpleITK image as a LabelMap."""
    return LabelMap(sitk.GetArrayFromImage(image), grid_of(image), names or {})
