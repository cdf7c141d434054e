"""Planes through the CT: where they lie and what is sampled on them. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from trajplan.geometry import Capsule, Grid, LabelMap, Volume
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray, unit
from trajplan.geometry.resample import AIR_HU

STEP_MM = 0.3
_PARALLEL = 0.05
"""Sine of the angle below which an axis runs along a direction of the patient."""


@dataclass(frozen=True, eq=False)
class Plane:
    """A rectangle in space that is shown as a picture.

    `right_lps` and `down_lps` are orthogonal unit vectors along which the picture's x and y (mm from the centre) grow;
    samples are about `step_mm` apart.
    """

    center_lps: FloatArray
    right_lps: FloatArray
    down_lps: FloatArray
    half_width_mm: float
    half_height_mm: float
    step_mm: float = STEP_MM

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """(left, right, bottom, top) mm for a picture whose y runs down."""
        return (-self.half_width_mm, self.half_width_mm, self.half_height_mm, -self.half_height_mm)

    def axes_mm(self) -> tuple[FloatArray, FloatArray]:
        """Positions of the sampled columns and rows, mm from the centre."""
        columns = max(2, round(2 * self.half_width_mm / self.step_mm))
        rows = max(2, round(2 * self.half_height_mm / self.step_mm))
        x = (np.arange(columns) + 0.5) * (2 * self.half_width_mm / columns) - self.half_width_mm
        y = (np.arange(rows) + 0.5) * (2 * self.half_height_mm / rows) - self.half_height_mm
        return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)

    def points_lps(self) -> FloatArray:
        """World position of every sample, shape (rows, columns, 3)."""
        x, y = self.axes_mm()
        return np.asarray(self.center_lps + x[None, :, None] * self.right_lps + y[:, None, None] * self.down_lps)

    def project(self, points_lps: ArrayLike) -> FloatArray:
        """(..., 3) LPS -> (..., 3): x and y in the picture and the distance off the plane, mm."""
        offset = np.asarray(points_lps, dtype=np.float64) - self.center_lps
        axes = np.stack([self.right_lps, self.down_lps, np.cross(self.right_lps, self.down_lps)])
        return np.asarray(offset @ axes.T)


def axial(center_lps: ArrayLike, half_mm: float = 45.0) -> Plane:
    """Seen from the feet: patient right on the left, anterior up."""
    return _plane(center_lps, (1, 0, 0), (0, 1, 0), half_mm)


def sagittal(center_lps: ArrayLike, half_mm: float = 45.0) -> Plane:
    """Anterior on the left, superior up."""
    return _plane(center_lps, (0, 1, 0), (0, 0, -1), half_mm)


def coronal(center_lps: ArrayLike, half_mm: float = 45.0) -> Plane:
    """Seen from the front: patient right on the left, superior up."""
    return _plane(center_lps, (1, 0, 0), (0, 0, -1), half_mm)


def along_path(capsule: Capsule, half_mm: float = 45.0) -> Plane:
    """The oblique plane that holds the axis, depth growing to the right; patient left below, as seen from the feet."""
    d = capsule.direction_lps
    across = np.array([1.0, 0.0, 0.0]) if abs(d[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    down = unit(across - (across @ d) * d)
    return Plane((capsule.start_lps + capsule.end_lps) / 2, d, down, half_mm, 0.72 * half_mm)


def tilted_axial(capsule: Capsule, half_mm: float = 45.0) -> Plane:
    """The axial plane tilted about left-right until it holds the axis: patient right on the left, anterior up."""
    return _holding(capsule, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), half_mm)


def turned_sagittal(capsule: Capsule, half_mm: float = 45.0) -> Plane:
    """The sagittal plane turned about the head-foot line until it holds the axis: anterior on the left, superior up."""
    turned = _holding(capsule, (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), half_mm)
    return replace(turned, right_lps=turned.down_lps, down_lps=turned.right_lps)


def across_path(capsule: Capsule, depth_mm: float, half_mm: float = 30.0) -> Plane:
    """The plane square to the axis at `depth_mm` from its start: patient right on the left, superior up."""
    d = capsule.direction_lps
    up = np.array([0.0, 0.0, 1.0]) if abs(d[2]) < 0.9 else np.array([0.0, -1.0, 0.0])
    down = -unit(up - (up @ d) * d)
    right = np.cross(d, down)
    if right[0] < 0:
        right = -right
    return Plane(capsule.start_lps + depth_mm * d, right, down, half_mm, half_mm)


def sample_ct(volume: Volume, plane: Plane) -> Float32Array:
    """HU on the plane, linear; air outside the scan."""
    return _sample(volume.array, volume.grid, plane, AIR_HU)


def sample_tool(capsule: Capsule, plane: Plane) -> FloatArray:
    """Signed distance (mm) of every sample to the instrument's surface: its zero line is the true outline."""
    return capsule.distance(plane.points_lps())


class PartMasks:
    """The parts of a label map, each cropped to its box once, for many planes."""

    def __init__(self, labels: LabelMap) -> None:
        self._parts: dict[int, tuple[Float32Array, Grid]] = {}
        for part, box in enumerate(ndimage.find_objects(labels.array.astype(np.int32)), start=1):
            if box is None:
                continue
            start = np.array([max(0, s.start - 2) for s in box])
            stop = np.minimum([s.stop + 2 for s in box], labels.array.shape)
            crop = labels.cropped(start, stop)
            self._parts[part] = ((crop.array == part).astype(np.float32), crop.grid)

    def sample(self, plane: Plane) -> dict[int, Float32Array]:
        """Occupancy 0..1 of each part that the plane meets."""
        found = {part: _sample(mask, grid, plane, 0.0) for part, (mask, grid) in self._parts.items()}
        return {part: image for part, image in found.items() if image.max() > 0.5}


def _plane(center_lps: ArrayLike, right: ArrayLike, down: ArrayLike, half_mm: float) -> Plane:
    return Plane(
        np.asarray(center_lps, dtype=np.float64),
        np.asarray(right, dtype=np.float64),
        np.asarray(down, dtype=np.float64),
        half_mm,
        half_mm,
    )


def _holding(capsule: Capsule, kept: ArrayLike, other: ArrayLike, half_mm: float) -> Plane:
    """The plane of the axis and the direction `kept` (to the right), its down as near to `other` as it can be."""
    across, towards = np.array(kept, dtype=np.float64), np.asarray(other, dtype=np.float64)
    along = capsule.direction_lps - (capsule.direction_lps @ across) * across
    if float(np.linalg.norm(along)) < _PARALLEL:  # the axis runs along `kept`: any plane about it holds it
        along = towards
    down = unit(along) if float(along @ towards) >= 0 else -unit(along)
    return Plane((capsule.start_lps + capsule.end_lps) / 2, across, down, half_mm, half_mm)


def _sample(array: AnyArray, grid: Grid, plane: Plane, outside: float) -> Float32Array:
    x, y = plane.axes_mm()
    corner = plane.center_lps + x[0] * plane.right_lps + y[0] * plane.down_lps
    steps = np.stack([(y[1] - y[0]) * plane.down_lps, (x[1] - x[0]) * plane.right_lps])
    start = grid.world_to_index(corner)
    to_index = np.column_stack([*(grid.world_to_index(corner + steps) - start), np.zeros(3)])
    values = ndimage.affine_transform(
        array, to_index, start, (len(y), len(x), 1), np.float32, order=1, mode="constant", cval=outside
    )
    return np.asarray(values[..., 0], dtype=np.float32)
