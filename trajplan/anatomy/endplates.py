"""End plates of a body on a [w, v, u] frame grid: sub-voxel height maps and robust planes through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray, unit
from trajplan.geometry.pieces import largest

RIM_MM = 4.0
"""Width of the rim that is left out of the planes: the ring apophysis and osteophytes sit there."""


@dataclass(frozen=True, eq=False)
class Plane:
    """w = slope_u u + slope_v v + offset_mm in the frame; `rms_mm` over all columns, outliers included."""

    slope_u: float
    slope_v: float
    offset_mm: float
    rms_mm: float

    def at(self, u_mm: float, v_mm: float) -> float:
        """Height w (mm) of the plane above (u, v)."""
        return self.slope_u * u_mm + self.slope_v * v_mm + self.offset_mm

    @property
    def normal_uvw(self) -> FloatArray:
        """Unit normal, pointing superior."""
        return unit([-self.slope_u, -self.slope_v, 1.0])


@dataclass(frozen=True, eq=False)
class BodyColumns:
    """Top and bottom (w, mm) of the body above each (v, u), NaN outside the `footprint`."""

    footprint: BoolArray
    top_mm: FloatArray
    bottom_mm: FloatArray


def body_of(solid: BoolArray, front_mm: float, v_mm: FloatArray) -> BoolArray:
    """What lies anterior of `front_mm`, freed of osteophytes and pedicle stumps by an opening of 2 mm."""
    spacing = float(v_mm[1] - v_mm[0])
    block = solid & (v_mm < front_mm)[None, :, None]
    steps = max(1, round(2.0 / spacing))
    return largest(ndi.binary_opening(block, iterations=steps))


def footprint_of(body: BoolArray) -> BoolArray:
    """(v, u) columns covered in more than 60 % of the slices that belong to the body."""
    area = body.sum(axis=(1, 2)).astype(float)
    if not area.any():
        return np.zeros(body.shape[1:], dtype=bool)
    core = area > 0.5 * np.percentile(area[area > 0], 80)
    return np.asarray(body[core].mean(axis=0) > 0.6)


def column_ends(body: BoolArray, share: Float32Array, w_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Top and bottom (w, mm) of every column of `body`, at the 0.5 crossing of the occupancy `share`; NaN if empty."""
    spacing = float(w_mm[1] - w_mm[0])
    last = body.shape[0] - 1
    filled = body.any(axis=0)
    high = np.where(filled, last - body[::-1].argmax(axis=0), 0)
    low = np.where(filled, body.argmax(axis=0), 0)
    top = w_mm[high] + spacing * _crossing(share, high, np.minimum(high + 1, last))
    bottom = w_mm[low] - spacing * _crossing(share, low, np.maximum(low - 1, 0))
    return np.where(filled, top, np.nan), np.where(filled, bottom, np.nan)


def body_columns(body: BoolArray, share: Float32Array, w_mm: FloatArray) -> BodyColumns:
    """Footprint and sub-voxel end-plate height maps of a body."""
    foot = footprint_of(body)
    top, bottom = column_ends(body, share, w_mm)
    return BodyColumns(foot, np.where(foot, top, np.nan), np.where(foot, bottom, np.nan))


def inner(footprint: BoolArray, spacing_mm: float) -> BoolArray:
    """The footprint without its rim; less rim on a body too small for it."""
    distance = ndi.distance_transform_edt(np.pad(footprint, 1))[1:-1, 1:-1] * spacing_mm
    return np.asarray(distance > min(RIM_MM, 0.4 * float(distance.max())))


def robust_plane(
    height_mm: FloatArray, where: BoolArray, u_mm: FloatArray, v_mm: FloatArray, rounds: int = 10
) -> Plane | None:
    """Iteratively reweighted plane through a height map (v, u); None with fewer than 20 columns."""
    j, i = np.nonzero(where & np.isfinite(height_mm))
    if len(j) < 20:
        return None
    z = height_mm[j, i]
    terms = np.column_stack([u_mm[i], v_mm[j], np.ones(len(i))])
    weight = np.ones(len(i))
    plane: FloatArray = np.zeros(3)
    residual: FloatArray = z
    for _ in range(rounds):
        plane = np.asarray(np.linalg.lstsq(terms * weight[:, None], z * weight, rcond=None)[0], dtype=np.float64)
        residual = z - terms @ plane
        scale = 1.4826 * float(np.median(np.abs(residual))) + 0.3
        weight = 1 / np.sqrt(1 + (residual / scale) ** 2)
    return Plane(float(plane[0]), float(plane[1]), float(plane[2]), float(np.sqrt(np.mean(residual**2))))


def _crossing(share: Float32Array, inside: np.ndarray, outside: np.ndarray) -> FloatArray:
    """Fraction 0..1 of the step from the voxel `inside` to `outside` at which the occupancy falls to 0.5."""
    a = np.take_along_axis(share, inside[None], axis=0)[0].astype(np.float64)
    b = np.take_along_axis(share, outside[None], axis=0)[0].astype(np.float64)
    ok = (a > 0.5) & (b < 0.5)
    return np.where(ok, (a - 0.5) / np.where(ok, a - b, 1.0), 0.5)
