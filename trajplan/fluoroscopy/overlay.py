"""Outlines to draw over a simulated X-ray: anatomy and tools as pixel polygons. Pure geometry, no drawing."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.measure import find_contours

from trajplan.anatomy.vertebra import Pedicle, Vertebra
from trajplan.errors import GeometryError
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import BoolArray, FloatArray, unit
from trajplan.geometry.grid import Grid
from trajplan.parts import Part

_CIRCLE = 72


def pedicle_outline_px(pedicle: Pedicle, carm: CArm) -> FloatArray:
    """The isthmus contour of a pedicle as (row, column) pixels, shape (N, 2), closed as the contour is."""
    return carm.project(pedicle.outline_lps)


def posterior_wall_px(vertebra: Vertebra, carm: CArm) -> FloatArray:
    """The outline points of the posterior wall as (row, column) pixels, shape (N, 2)."""
    return carm.project(vertebra.posterior_wall_lps)


def body_outline_px(vertebra: Vertebra, carm: CArm) -> FloatArray:
    """Silhouette of the vertebral body as a closed (row, column) polygon, shape (N, 2)."""
    return mask_outline_px(vertebra.parts.mask(Part.BODY), vertebra.parts.grid, carm)


def mask_outline_px(mask: BoolArray, grid: Grid, carm: CArm) -> FloatArray:
    """Longest silhouette contour of a voxel mask as a closed (row, column) polygon, good to about half a voxel.

    Raises
    ------
    GeometryError
        The mask is empty, or lies behind the source.
    """
    index = np.argwhere(mask)
    if not len(index):
        raise GeometryError("the mask is empty, there is nothing to outline", code="empty_mask")
    pixels = carm.project(grid.index_to_world(index))
    if not np.isfinite(pixels).all():
        raise GeometryError("the mask lies behind the X-ray source", code="behind_source")
    cell = float(grid.spacing_zyx.max()) * carm.magnification / carm.pixel_mm
    low = pixels.min(axis=0) - 4 * cell
    cells = np.rint((pixels - low) / cell).astype(int)
    shadow = np.zeros(tuple(cells.max(axis=0) + 5), dtype=bool)
    shadow[cells[:, 0], cells[:, 1]] = True
    solid = ndimage.binary_fill_holes(ndimage.binary_closing(shadow, np.ones((3, 3))))
    contours = find_contours(ndimage.gaussian_filter(solid.astype(np.float64), 0.8), 0.5)
    return np.asarray(low + max(contours, key=len) * cell)


def tool_outline_px(capsule: Capsule, carm: CArm) -> FloatArray:
    """Exact silhouette of a capsule as a (row, column) polygon, shape (N, 2); its convex hull, not closed.

    Raises
    ------
    GeometryError
        Part of the tool is not in front of the source.
    """
    rims = []
    for end in (capsule.start_lps, capsule.end_lps):
        away = end - carm.source_lps
        if not float(away @ carm.beam_lps) > capsule.radius_mm + 1.0:
            raise GeometryError("the tool reaches the X-ray source; there is no outline", code="behind_source")
        rims.append(_tangent_circle(carm.source_lps, end, capsule.radius_mm))
    pixels = carm.project(np.concatenate(rims))
    return np.asarray(pixels[ConvexHull(pixels).vertices])


def scale_bar(carm: CArm, length_mm: float = 20.0) -> float:
    """Length in pixels of `length_mm` across the beam at the depth of the isocentre."""
    return length_mm * carm.magnification / carm.pixel_mm


def _tangent_circle(eye: FloatArray, center: FloatArray, radius: float) -> FloatArray:
    """Points where the rays from `eye` touch a sphere, shape (N, 3)."""
    distance = float(np.linalg.norm(center - eye))
    axis = unit(center - eye)
    side = unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))
    angle = np.linspace(0.0, 2 * np.pi, _CIRCLE, endpoint=False)[:, None]
    ring = np.cos(angle) * side + np.sin(angle) * np.cross(axis, side)
    return np.asarray(center - radius**2 / distance * axis + radius * np.sqrt(1 - (radius / distance) ** 2) * ring)
