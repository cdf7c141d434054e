"""What a surgeon reads off the AP and lateral view, as numbers in patient millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side


@dataclass(frozen=True, eq=False)
class ApLandmarks:
    """Pedicle borders on the AP view, as columns (px), and the patient millimetres of one pixel at the pedicle."""

    medial_column: float
    lateral_column: float
    superior_row: float
    inferior_row: float
    midline_column: float
    mm_per_px: float
    lateral_sign: float

    def lateral_of_medial_border_mm(self, ap_px: FloatArray) -> float:
        """How far a point is on the lateral side of the medial pedicle border (+), in the patient."""
        return float((ap_px[1] - self.medial_column) * self.lateral_sign * self.mm_per_px)

    def from_midline_mm(self, ap_px: FloatArray) -> float:
        """How far a point is from the midline towards this side, in the patient."""
        return float((ap_px[1] - self.midline_column) * self.lateral_sign * self.mm_per_px)


@dataclass(frozen=True, eq=False)
class LateralLandmarks:
    """Posterior wall, its rims and anterior wall on the lateral: column = slope * row + offset, and mm per pixel."""

    posterior_line: tuple[float, float]
    rims_line: tuple[float, float]
    anterior_line: tuple[float, float]
    mm_per_px: float
    anterior_sign: float

    def past_posterior_wall_mm(self, lateral_px: FloatArray) -> float:
        """How far a point is anterior of the posterior wall line (+), in the patient."""
        slope, offset = self.posterior_line
        return float((lateral_px[1] - slope * lateral_px[0] - offset) * self.anterior_sign * self.mm_per_px)

    def past_rims_mm(self, lateral_px: FloatArray) -> float:
        """How far a point is anterior of the posterior rims (+), the line that the view shows best."""
        slope, offset = self.rims_line
        return float((lateral_px[1] - slope * lateral_px[0] - offset) * self.anterior_sign * self.mm_per_px)

    def short_of_anterior_wall_mm(self, lateral_px: FloatArray) -> float:
        """How far a point is posterior of the anterior wall line (+), in the patient."""
        slope, offset = self.anterior_line
        return float((slope * lateral_px[0] + offset - lateral_px[1]) * self.anterior_sign * self.mm_per_px)


def _mm_per_px(carm: CArm, point_lps: FloatArray) -> float:
    depth = float((point_lps - carm.source_lps) @ carm.beam_lps)
    return carm.pixel_mm * depth / carm.source_detector_mm


def ap_landmarks(vertebra: Vertebra, side: Side, ap: CArm) -> ApLandmarks:
    """The pedicle's projected outline and the midline on the AP view."""
    pedicle = vertebra.pedicles[side]
    outline = ap.project(pedicle.outline_lps)
    lateral_lps = vertebra.frame.u * side.sign
    step = ap.project(pedicle.isthmus_center_lps + lateral_lps) - ap.project(pedicle.isthmus_center_lps)
    sign = 1.0 if step[1] > 0 else -1.0
    columns = outline[:, 1] * sign
    midline = ap.project(vertebra.frame.origin_lps)
    return ApLandmarks(
        medial_column=float(columns.min() * sign),
        lateral_column=float(columns.max() * sign),
        superior_row=float(outline[:, 0].min()),
        inferior_row=float(outline[:, 0].max()),
        midline_column=float(midline[1]),
        mm_per_px=_mm_per_px(ap, pedicle.isthmus_center_lps),
        lateral_sign=sign,
    )


def lateral_landmarks(vertebra: Vertebra, lateral: CArm) -> LateralLandmarks:
    """Front line, and posterior wall line moved to its most anterior tenth: a concave wall is not passed too early."""
    forward = lateral.project(vertebra.frame.origin_lps - vertebra.frame.v) - lateral.project(vertebra.frame.origin_lps)
    sign = 1.0 if forward[1] > 0 else -1.0
    wall = lateral.project(vertebra.posterior_wall_lps)
    front = lateral.project(vertebra.anterior_wall_lps)
    return LateralLandmarks(
        posterior_line=_line(wall, sign, 90.0),
        rims_line=_line(wall, sign, 10.0),
        anterior_line=_line(front, sign, 10.0),
        mm_per_px=_mm_per_px(lateral, vertebra.frame.origin_lps),
        anterior_sign=sign,
    )


def _line(pixels: FloatArray, sign: float, percentile: float) -> tuple[float, float]:
    """column = slope * row + offset through points, shifted so that `percentile` of them lie behind it (anterior +)."""
    rows, columns = pixels[:, 0], pixels[:, 1]
    slope = float(np.polyfit(rows, columns, 1)[0]) if np.ptp(rows) > 1 else 0.0
    residual = (columns - slope * rows) * sign
    return slope, float(np.percentile(residual, percentile) * sign)
