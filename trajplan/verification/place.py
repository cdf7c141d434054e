"""Where the tip stands on the two views, in the words and numbers a team uses, and against the wall as it really is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import FloatArray, unit
from trajplan.parts import Part, Side
from trajplan.verification.landmarks import ApLandmarks, LateralLandmarks

_COLUMN_MM = 1.0


@dataclass(frozen=True)
class Place:
    """The tip at one depth; mm are in the patient (magnification removed), px on the picture.

    Parameters
    ----------
    clock_hours : float
        On the AP, around the centre of the pedicle outline, 0 to 12; 12 is towards the head.
    out_of_center : float
        Distance from that centre as a share of the outline's own radius in that direction: 1 is on the outline.
    medial_border_mm, medial_border_px : float
        On the AP: lateral of the medial pedicle border +.
    wall_line_mm, wall_line_px : float
        On the lateral: past the posterior wall line that the stages are judged by (its most anterior tenth) +.
    rims_mm : float
        On the lateral: past the posterior rims +, the line that is seen best and lies furthest back.
    true_wall_mm : float
        In space: past the posterior face of the body where the tip is +. Near the midline the wall is hollow: less than
        `rims_mm`.
    third : str
        On the lateral: ``behind the body``, ``posterior``, ``middle``, ``anterior third`` or ``in front of the body``.
    midline_mm : float
        On the AP: from the midline, towards the path's own side +.
    """

    clock_hours: float
    out_of_center: float
    medial_border_mm: float
    medial_border_px: float
    wall_line_mm: float
    wall_line_px: float
    rims_mm: float
    true_wall_mm: float
    third: str
    midline_mm: float

    def sentence(self) -> str:
        """One line for a terminal or a caption."""
        return (
            f"{clock_words(self.clock_hours)} of the pedicle, {self.medial_border_mm:+.1f} mm "
            f"({self.medial_border_px:+.0f} px) lateral of its medial border, {self.wall_line_mm:+.1f} mm "
            f"({self.wall_line_px:+.0f} px) past the posterior wall ({self.true_wall_mm:+.1f} mm in space), "
            f"{self.third}, {self.midline_mm:.1f} mm from the midline"
        )


def clock_words(hours: float) -> str:
    """A clock position to the nearest half hour.

    >>> clock_words(9.8), clock_words(11.9), clock_words(1.4)
    ("10 o'clock", "12 o'clock", "1:30 o'clock")
    """
    half = round(hours * 2) % 24
    hour = half // 2 or 12
    return f"{hour}:30 o'clock" if half % 2 else f"{hour} o'clock"


def place_of(
    tip_lps: FloatArray, vertebra: Vertebra, side: Side, ap: CArm, front: ApLandmarks, lateral: CArm,
    profile: LateralLandmarks, wall: WallMap
) -> Place:  # fmt: skip
    """The place of one tip on both views."""
    ap_px, lateral_px = ap.project(tip_lps), lateral.project(tip_lps)
    hours, share = _clock(ap_px, vertebra, side, ap)
    border, past = front.lateral_of_medial_border_mm(ap_px), profile.past_posterior_wall_mm(lateral_px)
    short = profile.short_of_anterior_wall_mm(lateral_px)
    rims = profile.past_rims_mm(lateral_px)
    return Place(
        clock_hours=hours,
        out_of_center=share,
        medial_border_mm=border,
        medial_border_px=border / front.mm_per_px,
        wall_line_mm=past,
        wall_line_px=past / profile.mm_per_px,
        rims_mm=rims,
        true_wall_mm=float(wall.past_mm(tip_lps[None])[0]),
        third=_third(past, short),
        midline_mm=front.from_midline_mm(ap_px),
    )


class WallMap:
    """The posterior face of the body, line by line along the vertebra's own v axis.

    Where the body has no voxel on a line (a tip in the pedicle's outer half), its nearest line counts.
    """

    def __init__(self, vertebra: Vertebra) -> None:
        index = np.argwhere(vertebra.parts.mask(Part.BODY))
        local = vertebra.frame.to_local(vertebra.parts.grid.index_to_world(index))
        cell = np.rint(local[:, [0, 2]] / _COLUMN_MM).astype(int)
        cells, which = np.unique(cell, axis=0, return_inverse=True)
        back = np.full(len(cells), -np.inf)
        np.maximum.at(back, which.ravel(), local[:, 1])
        self._frame = vertebra.frame
        self._at_mm = cells * _COLUMN_MM
        self._back_mm = back + 0.5 * float(vertebra.parts.grid.spacing_zyx.min())

    def past_mm(self, points_lps: FloatArray) -> FloatArray:
        """Anterior of the face +, (N,)."""
        local = self._frame.to_local(points_lps)
        away = ((local[:, None, [0, 2]] - self._at_mm[None]) ** 2).sum(axis=2)
        return np.asarray(self._back_mm[away.argmin(axis=1)] - local[:, 1])


def _clock(ap_px: FloatArray, vertebra: Vertebra, side: Side, ap: CArm) -> tuple[float, float]:
    outline = ap.project(vertebra.pedicles[side].outline_lps)
    center = (outline.min(axis=0) + outline.max(axis=0)) / 2
    foot, head = ap.project(vertebra.frame.to_world([[0.0, 0.0, 0.0], [0.0, 0.0, 10.0]]))
    up = unit(head - foot)  # (row, column); the midline leans on the picture when the spine does
    right = np.array([up[1], -up[0]]) if up[0] < 0 else np.array([-up[1], up[0]])
    if right[1] < 0:
        right = -right

    away = np.vstack([ap_px, outline]) - center
    angles = np.arctan2(away @ right, away @ up) % (2 * math.pi)
    distances = np.linalg.norm(away, axis=1)
    order = 1 + np.lexsort((distances[1:], angles[1:]))
    reach = float(np.interp(angles[0], angles[order], distances[order], period=2 * math.pi))
    return float(angles[0]) / (2 * math.pi) * 12, float(distances[0]) / max(reach, 1e-6)


def _third(past_mm: float, short_mm: float) -> str:
    if past_mm < 0:
        return "behind the body"
    if short_mm < 0:
        return "in front of the body"
    share = past_mm / max(past_mm + short_mm, 1e-6)
    return "posterior third" if share < 1 / 3 else "middle third" if share < 2 / 3 else "anterior third"
