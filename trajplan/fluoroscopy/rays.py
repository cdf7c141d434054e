"""The rays of a C-arm as plain vectors, and where they enter and leave a box; what the projectors share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry import Grid
from trajplan.geometry.arrays import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class DetectorRays:
    """The ray of pixel (r, c) runs from `source` to ``source + corner + r * row_step + c * column_step``, LPS mm."""

    source: FloatArray
    corner: FloatArray
    row_step: FloatArray
    column_step: FloatArray

    def of(self, row: FloatArray, column: FloatArray) -> FloatArray:
        """Vectors (..., 3) from the source to pixels, LPS mm (not normalised: length 1 in the ray is the detector)."""
        return np.asarray(self.corner + row[..., None] * self.row_step + column[..., None] * self.column_step)


def detector_rays(carm: CArm) -> DetectorRays:
    """Pose of the detector pixels of `carm`."""
    rows, columns = carm.detector_px
    row_step, column_step = carm.pixel_mm * carm.row_lps, carm.pixel_mm * carm.column_lps
    corner = carm.detector_center_lps - (rows - 1) / 2 * row_step - (columns - 1) / 2 * column_step - carm.source_lps
    return DetectorRays(carm.source_lps, np.asarray(corner), np.asarray(row_step), np.asarray(column_step))


def require_axis_aligned(grid: Grid) -> None:
    """Raise GeometryError unless index axes x, y, z run along +L, +P, +S."""
    if not grid.is_axis_aligned:
        worst = float(np.degrees(np.arccos(np.clip(np.diag(grid.direction), -1, 1))).max())
        raise GeometryError(
            f"a projection needs an axis-aligned LPS volume, this one is turned by {worst:.1f} deg; "
            "pass it through trajplan.geometry.resample.canonical first",
            code="not_axis_aligned",
            numbers={"turned_deg": worst},
        )


def box_interval(
    grid: Grid, source: FloatArray, rays: FloatArray, margin_mm: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Where rays enter and leave the box of the voxels (their outer faces), in units of the ray vector.

    Parameters
    ----------
    rays : ndarray, shape (..., 3)
        Directions from `source`, LPS mm.

    Returns
    -------
    enter, leave : ndarray, shape (...)
        ``leave <= enter`` where the ray misses the box.
    """
    half = grid.spacing_xyz / 2 + margin_mm
    low = grid.origin_lps - half
    high = grid.origin_lps + (np.array(grid.shape_zyx[::-1]) - 1) * grid.spacing_xyz + half
    parallel = np.abs(rays) < 1e-12
    safe = np.where(parallel, 1.0, rays)
    first, second = (low - source) / safe, (high - source) / safe
    between = (source > low) & (source < high)
    enter = np.where(parallel, np.where(between, -np.inf, np.inf), np.minimum(first, second)).max(axis=-1)
    leave = np.where(parallel, np.where(between, np.inf, -np.inf), np.maximum(first, second)).min(axis=-1)
    return np.asarray(enter), np.asarray(leave)


def ends_inside(grid: Grid, carm: CArm, margin_mm: float = 10.0) -> bool:
    """Whether the source or the detector stands within (or within `margin_mm` of) the volume as seen by the cone.

    Judged on 9 x 9 rays across the detector.
    """
    rays = detector_rays(carm)
    row, column = (np.linspace(0, n - 1, 9) for n in carm.detector_px)
    vectors = rays.of(row[:, None] + 0 * column, column + 0 * row[:, None])
    enter, leave = box_interval(grid, rays.source, vectors, margin_mm)
    hit: BoolArray = (leave > enter) & (leave > 0)
    return bool((hit & ((enter < 0) | (leave > 1))).any())
