"""What a surgeon reads off the AP and lateral view, as numbers in patient millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import FloatArray, unit
from trajplan.parts import Side


@dataclass(frozen=True, eq=False)
class ApLandmarks:
    """One pedicle's borders and the midline on the AP view, and the patient millimetres of one pixel at the pedicle.

    The midline leans on the picture when the spine does: `across` is the unit (row, column) at right angles to it,
    towards the pedicle's side, and the borders are counted along it from `midline_px`, a point of the midline.
    """

    midline_px: FloatArray
    across: FloatArray
    medial_px: float
    lateral_px: float
    mm_per_px: float

    def from_midline_mm(self, ap_px: FloatArray) -> float:
        """How far a point is from the midline towards this side, in the patient."""
        return float((ap_px - self.midline_px) @ self.across) * self.mm_per_px

    def lateral_of_medial_border_mm(self, ap_px: FloatArray) -> float:
        """How far a point is on the lateral side of the medial pedicle border (+), in the patient."""
        return self.from_midline_mm(ap_px) - self.medial_px * self.mm_per_px

    def lateral_of_middle_mm(self, ap_px: FloatArray) -> float:
        """How far a point is on the lateral side of the middle of the pedicle (+), in the patient."""
        return self.from_midline_mm(ap_px) - (self.medial_px + self.lateral_px) / 2 * self.mm_per_px


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
        return self._anterior_mm(self.posterior_line, lateral_px)

    def past_rims_mm(self, lateral_px: FloatArray) -> float:
        """How far a point is anterior of the posterior rims (+), the line that the view shows best."""
        return self._anterior_mm(self.rims_line, lateral_px)

    def short_of_anterior_wall_mm(self, lateral_px: FloatArray) -> float:
        """How far a point is posterior of the anterior wall line (+), in the patient."""
        return -self._anterior_mm(self.anterior_line, lateral_px)

    def _anterior_mm(self, line: tuple[float, float], px: FloatArray) -> float:
        """At right angles to the line: along a row it would be too much by what the spine leans."""
        slope, offset = line
        off = float(px[1] - slope * px[0] - offset) / float(np.hypot(1.0, slope))
        return off * self.anterior_sign * self.mm_per_px


def _mm_per_px(carm: CArm, point_lps: FloatArray) -> float:
    depth = float((point_lps - carm.source_lps) @ carm.beam_lps)
    return carm.pixel_mm * depth / carm.source_detector_mm


def ap_landmarks(vertebra: Vertebra, side: Side, ap: CArm) -> ApLandmarks:
    """The pedicle's projected outline and the midline on the AP view."""
    pedicle = vertebra.pedicles[side]
    foot, middle, head = ap.project(vertebra.frame.to_world([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    across = unit([foot[1] - head[1], head[0] - foot[0]])
    center, beside = ap.project(pedicle.isthmus_center_lps + np.array([[0.0], [1.0]]) * vertebra.frame.u * side.sign)
    if float((beside - center) @ across) < 0:
        across = -across
    borders = (ap.project(pedicle.outline_lps) - middle) @ across
    return ApLandmarks(
        midline_px=middle,
        across=across,
        medial_px=float(borders.min()),
        lateral_px=float(borders.max()),
        mm_per_px=_mm_per_px(ap, pedicle.isthmus_center_lps),
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
