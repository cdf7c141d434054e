"""CArm: one X-ray view as a pinhole camera, DICOM positioner angles, LPS mm, and points to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import FloatArray, frozen, unit


@dataclass(frozen=True, eq=False)
class CArm:
    """A cone-beam view aimed at an isocentre.

    Parameters
    ----------
    primary_deg, secondary_deg : float
        DICOM Positioner Primary (LAO +, RAO -) and Secondary (CRA +, CAU -) Angle of the *detector*, relative to the
        patient. (0, 0) has the detector anterior, (90, 0) on the patient's left.
    isocenter_lps : array_like, shape (3,)
    source_detector_mm, source_isocenter_mm : float
        1020 and 530 mm: Siemens Cios Fusion as in DeepDRR's MobileCArm (docs/coordinates.md).
    detector_px : tuple of int
        (rows, columns).
    pixel_mm : float
        Pixel pitch at the detector.
    collimation_mm : tuple of float, optional
        Height and width that the blades leave open, mm at the depth of the isocentre, about the middle of the detector
        (see `blades`); the whole detector if not given.

    Notes
    -----
    The image is what one sees standing at the source: column index grows to the right, row index down. In AP the
    patient's left is on the left of the image (the surgeon behind a prone patient), in the +90 deg lateral anterior
    is on the right.
    """

    primary_deg: float
    secondary_deg: float
    isocenter_lps: FloatArray
    source_detector_mm: float = 1020.0
    source_isocenter_mm: float = 530.0
    detector_px: tuple[int, int] = (512, 512)
    pixel_mm: float = 0.582
    collimation_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "isocenter_lps", frozen(self.isocenter_lps, (3,)))
        if not 0 < self.source_isocenter_mm < self.source_detector_mm:
            raise GeometryError(
                f"the isocentre must lie between source and detector, got {self.source_isocenter_mm} of "
                f"{self.source_detector_mm} mm",
                code="carm_invalid",
            )
        if abs(self.secondary_deg) >= 90:
            raise GeometryError("the secondary angle must be within +-90 deg", code="carm_invalid")
        if self.collimation_mm is not None and not min(self.collimation_mm) * self.magnification >= 2 * self.pixel_mm:
            raise GeometryError(
                f"the blades leave {self.collimation_mm[0]:g} x {self.collimation_mm[1]:g} mm open at the isocentre, "
                "less than two pixels; open them",
                code="carm_invalid",
            )

    @property
    def beam_lps(self) -> FloatArray:
        """Unit vector from the source to the detector centre."""
        p, s = np.radians(self.primary_deg), np.radians(self.secondary_deg)
        return np.array([np.sin(p) * np.cos(s), -np.cos(p) * np.cos(s), np.sin(s)])

    @property
    def column_lps(self) -> FloatArray:
        """Unit vector along which the column index grows (image right)."""
        p = np.radians(self.primary_deg)
        return np.array([-np.cos(p), -np.sin(p), 0.0])

    @property
    def row_lps(self) -> FloatArray:
        """Unit vector along which the row index grows (image down)."""
        return np.cross(self.beam_lps, self.column_lps)

    @property
    def source_lps(self) -> FloatArray:
        """Position of the focal spot."""
        return np.asarray(self.isocenter_lps - self.source_isocenter_mm * self.beam_lps)

    @property
    def detector_center_lps(self) -> FloatArray:
        """Position of the centre of the detector."""
        return np.asarray(self.source_lps + self.source_detector_mm * self.beam_lps)

    @property
    def magnification(self) -> float:
        """Detector size over object size at the isocentre."""
        return self.source_detector_mm / self.source_isocenter_mm

    def magnification_at(self, point_lps: ArrayLike) -> float:
        """Detector size over object size at the depth of a point.

        >>> round(CArm(0.0, 0.0, (0, 0, 0)).magnification_at((0, -100, 0)), 3)
        1.619
        """
        depth = float((np.asarray(point_lps, dtype=np.float64) - self.source_lps) @ self.beam_lps)
        if depth <= 0:
            raise GeometryError("the point lies behind the X-ray source", code="behind_source")
        return self.source_detector_mm / depth

    def project(self, points_lps: ArrayLike) -> FloatArray:
        """(..., 3) LPS mm -> (..., 2) fractional (row, column) of pixel centres; NaN for points behind the source."""
        ray = np.asarray(points_lps, dtype=np.float64) - self.source_lps
        depth = ray @ self.beam_lps
        scale = np.divide(
            self.source_detector_mm, depth, out=np.full(np.shape(depth), np.nan), where=np.asarray(depth) > 1e-6
        )
        rows, columns = self.detector_px
        return np.stack(
            [
                ray @ self.row_lps * scale / self.pixel_mm + (rows - 1) / 2,
                ray @ self.column_lps * scale / self.pixel_mm + (columns - 1) / 2,
            ],
            axis=-1,
        )

    def back_project(self, pixels: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """(..., 2) (row, column) -> the source (3,) and unit ray directions (..., 3), LPS."""
        px = np.asarray(pixels, dtype=np.float64)
        rows, columns = self.detector_px
        offset = (px - [(rows - 1) / 2, (columns - 1) / 2]) * self.pixel_mm
        ray = (
            self.source_detector_mm * self.beam_lps + offset[..., :1] * self.row_lps + offset[..., 1:] * self.column_lps
        )
        return self.source_lps, ray / np.linalg.norm(ray, axis=-1, keepdims=True)


def angles_of_beam(direction_lps: ArrayLike) -> tuple[float, float]:
    """(primary_deg, secondary_deg) of the view whose beam runs along +-`direction_lps`, detector on the anterior side.

    >>> angles_of_beam([0.0, 1.0, 0.0])
    (0.0, 0.0)
    """
    d = unit(direction_lps)
    if d[1] > 0 or (d[1] == 0 and d[0] < 0):
        d = -d
    primary = float(np.degrees(np.arctan2(d[0], -d[1])))
    secondary = float(np.degrees(np.arcsin(np.clip(d[2], -1, 1))))
    return primary + 0.0, secondary + 0.0
