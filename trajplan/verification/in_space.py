"""The rule of each stage in the vertebra's own axes: no view, no perspective, the posterior wall as hollow as it is."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.verification.place import WallMap

UNIPEDICULAR_MIDLINE_MM = 5.0
"""A unipedicular tip ends within this of the midline (clinical rule 14, marked unverified in the reference)."""


class InSpace:
    """Borders of one pedicle and walls of the body in (u, v, w), to judge tips by."""

    def __init__(self, vertebra: Vertebra, side: Side, wall: WallMap) -> None:
        self._frame, self._sign, self._wall = vertebra.frame, float(side.sign), wall
        across = self._frame.to_local(vertebra.pedicles[side].outline_lps)[:, 0] * self._sign
        self._medial_mm, self._lateral_mm = float(across.min()), float(across.max())
        front = self._frame.to_local(vertebra.anterior_wall_lps)
        slope, offset = np.polyfit(front[:, 2], front[:, 1], 1) if len(front) > 2 else (0.0, front[:, 1].mean())
        # like the views: the tenth of the front wall that lies furthest back counts
        self._front = float(slope), float(offset + np.percentile(front[:, 1] - slope * front[:, 2] - offset, 90.0))

    def margin_mm(self, stage: str, tip_lps: FloatArray, approach: str) -> float:
        """How far a tip is on the right side of the rule of a stage, mm; negative when broken."""
        u, v, w = self._frame.to_local(tip_lps)
        across = float(u) * self._sign
        if stage == "docking":
            return across - (self._medial_mm + self._lateral_mm) / 2
        if stage in ("mid-pedicle", "posterior wall"):
            return across - self._medial_mm
        past = float(self._wall.past_mm(np.asarray(tip_lps)[None])[0])
        if stage == "past the wall":
            return past
        short = float(v - self._front[0] * w - self._front[1])
        midline = UNIPEDICULAR_MIDLINE_MM - abs(across) if approach == "unipedicular" else across
        return min((short + past) / 3 - short, short, midline)
