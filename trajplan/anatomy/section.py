"""A plane section through the bone: its outline, centroid, area, width and height, all sub-voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi
from skimage.draw import polygon2mask
from skimage.measure import find_contours

from trajplan.geometry import Grid
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray, unit

PLANE_STEP_MM = 0.4
PLANE_HALF_MM = 20.0
WIDTH_SLANT_DEG = 30.0
ROUND, ROUND_PASSAGE = 0.9, 0.15
WIDE_DEG = (5.0, 17.0)
BOXY = (0.90, 0.95)


@dataclass(frozen=True, eq=False)
class Section:
    """One connected section.

    Parameters
    ----------
    center_lps, axis_lps, across_lps, along_lps : ndarray, shape (3,)
        Centroid; plane normal; in-plane directions: across (to the patient's left) and along w.
    outline_mm : ndarray, shape (N, 2)
        Closed outline relative to the centroid: (across, along) in mm.
    """

    center_lps: FloatArray
    axis_lps: FloatArray
    across_lps: FloatArray
    along_lps: FloatArray
    outline_mm: FloatArray
    area_mm2: float
    width_mm: float
    height_mm: float

    @property
    def outline_lps(self) -> FloatArray:
        """The closed outline in LPS mm, shape (N, 3)."""
        x, y = self.outline_mm.T
        return np.asarray(self.center_lps + x[:, None] * self.across_lps + y[:, None] * self.along_lps)


def plane_axes(axis_lps: FloatArray, w_lps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(across, along) unit vectors normal to an axis that points anterior; across points to the patient's left."""
    along = unit(w_lps - (w_lps @ axis_lps) * axis_lps)
    return np.cross(along, axis_lps), along


def cut(
    share: Float32Array,
    grid: Grid,
    center_lps: FloatArray,
    axis_lps: FloatArray,
    w_lps: FloatArray,
    half_mm: float = PLANE_HALF_MM,
) -> Section | None:
    """The section of the 0.5 surface of `share` that holds, or lies nearest to, `center_lps`; None when none is near.

    The plane is normal to `axis_lps`. The area and the second moments are those of the outline polygon.
    """
    across, along = plane_axes(axis_lps, w_lps)
    plane, n = _sample(share, grid, center_lps, across, along, half_mm)
    contours = find_contours(np.pad(plane, 1), 0.5)
    best: FloatArray | None = None
    best_rank = (2.0, 0.0)
    for contour in contours:
        xy = (contour[:, ::-1] - (n + 1)) * PLANE_STEP_MM
        area, _, _ = polygon_moments(xy)
        if abs(area) < 4.0:
            continue
        gap = 0.0 if _holds_origin(xy) else float(np.linalg.norm(xy, axis=1).min())
        rank = (gap, -abs(area))
        if gap < 2.0 and rank < best_rank:
            best, best_rank = xy, rank
    if best is None:
        return None
    area, centroid, moments = polygon_moments(best)
    outline = best - centroid
    width, height = _width_and_height(outline, moments)
    middle = center_lps + centroid[0] * across + centroid[1] * along
    return Section(middle, axis_lps, across, along, outline, abs(area), width, height)


def clipped_centroid(
    share: Float32Array, grid: Grid, section: Section, s_mm: float, margin_mm: float = 0.0
) -> FloatArray:
    """Centroid (across, along), relative to the section's, of the bone at `s_mm` along its axis within its outline.

    The outline is widened by `margin_mm`: what a pedicle flares into beyond it has no say. (0, 0) when there is none.
    """
    half = float(np.abs(section.outline_mm).max()) + margin_mm + 1.0
    here = section.center_lps + s_mm * section.axis_lps
    plane, n = _sample(share, grid, here, section.across_lps, section.along_lps, half)
    ticks = PLANE_STEP_MM * np.arange(-n, n + 1)
    x, y = np.meshgrid(ticks, ticks)
    weight = np.clip(2 * plane - 0.5, 0.0, 1.0) * (outside_distance(section, x, y) <= margin_mm)
    total = float(weight.sum())
    if total <= 0:
        return np.zeros(2)
    return np.array([float((weight * x).sum()), float((weight * y).sum())]) / total


def polygon_moments(xy: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Signed area, centroid (2,) and covariance (2, 2) of a closed polygon (N, 2) whose last point is its first.

    >>> area, centroid, covariance = polygon_moments(np.array([[0, 0], [4, 0], [4, 2], [0, 2], [0, 0.0]]))
    >>> area, centroid.tolist(), np.round(covariance, 3).tolist()
    (8.0, [2.0, 1.0], [[1.333, 0.0], [0.0, 0.333]])
    """
    x0, y0 = xy[:-1].T
    x1, y1 = xy[1:].T
    cross = x0 * y1 - x1 * y0
    area = float(cross.sum() / 2)
    if abs(area) < 1e-9:
        return 0.0, xy.mean(axis=0), np.zeros((2, 2))
    centroid = np.array([((x0 + x1) * cross).sum(), ((y0 + y1) * cross).sum()]) / (6 * area)
    xx = ((x0**2 + x0 * x1 + x1**2) * cross).sum() / (12 * area)
    yy = ((y0**2 + y0 * y1 + y1**2) * cross).sum() / (12 * area)
    xy_ = ((x0 * y1 + 2 * x0 * y0 + 2 * x1 * y1 + x1 * y0) * cross).sum() / (24 * area)
    covariance = np.array([[xx, xy_], [xy_, yy]]) - np.outer(centroid, centroid)
    return area, centroid, covariance


def outside_distance(section: Section, x_mm: FloatArray, y_mm: FloatArray) -> FloatArray:
    """Distance (mm, 0 inside) of in-plane points, relative to the section's centroid, to the section."""
    step = PLANE_STEP_MM
    reach = float(np.abs(section.outline_mm).max()) + 14.0
    n = int(np.ceil(reach / step))
    inside: BoolArray = polygon2mask((2 * n + 1, 2 * n + 1), section.outline_mm[:, ::-1] / step + n)
    away = ndi.distance_transform_edt(~inside) * step
    index = np.array([np.ravel(y_mm), np.ravel(x_mm)]) / step + n
    return np.asarray(ndi.map_coordinates(away, index, order=1, mode="nearest")).reshape(np.shape(x_mm))


def _sample(
    share: Float32Array, grid: Grid, center: FloatArray, across: FloatArray, along: FloatArray, half_mm: float
) -> tuple[FloatArray, int]:
    """`share` on the square plane (2 n + 1) x (2 n + 1) about `center`, rows along, columns across; and n."""
    n = int(np.ceil(half_mm / PLANE_STEP_MM))
    ticks = PLANE_STEP_MM * np.arange(-n, n + 1)
    points = center + ticks[None, :, None] * across + ticks[:, None, None] * along
    index = np.moveaxis(grid.world_to_index(points), -1, 0)
    return np.asarray(ndi.map_coordinates(share, index, order=1, mode="constant", output=np.float64)), n


def _width_and_height(outline: FloatArray, covariance: FloatArray) -> tuple[float, float]:
    """Width: the extent along the narrow direction, at most 30 degrees from `across`; height: the extent square to it.

    A slanted pedicle is as narrow as its narrow direction, but what runs nearly along w is no width. A nearly round
    section, and one that is wider than high with its long axis across, are measured across and along w; with a smooth
    passage between.
    """
    spread = np.linalg.eigvalsh(covariance)
    roundness = float(np.sqrt(max(spread[0], 0.0) / max(spread[1], 1e-9)))
    long_axis = float(np.degrees(0.5 * np.arctan2(2 * covariance[0, 1], covariance[0, 0] - covariance[1, 1])))
    narrow = long_axis - 90.0 if long_axis > 0 else long_axis + 90.0
    turn = float(np.clip(narrow, -WIDTH_SLANT_DEG, WIDTH_SLANT_DEG))
    turn *= float(np.clip((ROUND - roundness) / ROUND_PASSAGE, 0.0, 1.0))
    turn *= float(np.clip((abs(long_axis) - WIDE_DEG[0]) / (WIDE_DEG[1] - WIDE_DEG[0]), 0.0, 1.0))
    a = np.radians(turn)
    width = _extent(outline, covariance, np.array([np.cos(a), np.sin(a)]))
    return width, _extent(outline, covariance, np.array([-np.sin(a), np.cos(a)]))


def _extent(outline: FloatArray, covariance: FloatArray, direction: FloatArray) -> float:
    """Extent of an outline along a direction: that of the ellipse with the same second moments, or the caliper.

    The ellipse is exact for an ellipse, hardly feels a spur or a voxel, and is 15 % too long for a box; the caliper is
    exact for both and feels every voxel. So the caliper counts where it is clearly (more than 10 %) the less.
    """
    ellipse = 4 * float(np.sqrt(max(float(direction @ covariance @ direction), 0.0)))
    caliper = float(np.ptp(outline @ direction))
    boxy = float(np.clip((BOXY[1] - caliper / max(ellipse, 1e-9)) / (BOXY[1] - BOXY[0]), 0.0, 1.0))
    return boxy * caliper + (1 - boxy) * ellipse


def _holds_origin(xy: FloatArray) -> bool:
    """Whether a closed polygon holds (0, 0): even-odd rule along +x."""
    x0, y0 = xy[:-1].T
    x1, y1 = xy[1:].T
    crosses = (y0 > 0) != (y1 > 0)
    at = x0[crosses] - y0[crosses] * (x1[crosses] - x0[crosses]) / (y1[crosses] - y0[crosses])
    return bool(np.count_nonzero(at > 0) % 2)
