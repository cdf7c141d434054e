"""Vertebral compression fractures: how far the end plates of a body come towards each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trajplan.geometry.arrays import AnyArray

FractureKind = Literal["none", "wedge", "biconcave", "crush"]
FRACTURE_KINDS: tuple[str, ...] = ("none", "wedge", "biconcave", "crush")

ANTERIOR_COLUMN = -0.40
MIDDLE_COLUMN = 0.0
POSTERIOR_COLUMN = 0.40
"""Where the three heights are measured: fractions of the body depth before (-) and behind the body centre."""

CRUSH_POSTERIOR_SHARE = 0.6
"""In a crush fracture the posterior height loses this share of what the front and middle lose."""


@dataclass(frozen=True)
class Fracture:
    """Kind and size of a body deformation.

    wedge: the superior end plate comes down in front, the loss being that of the anterior column; the posterior
    column keeps its height. biconcave: both end plates cave in around the centre, half each, the loss being that of the
    middle column; the rims keep theirs. crush: the superior end plate comes down everywhere, anterior and middle by the
    loss, posterior by 0.6 of it. The posterior wall stays where it is (no retropulsion).
    """

    kind: FractureKind = "none"
    height_loss_percent: float = 0.0

    def drops(
        self,
        u: AnyArray,
        v: AnyArray,
        height: AnyArray,
        half_width_mm: float,
        depth_mm: float,
        anterior_mm: float,
        middle_mm: float,
    ) -> tuple[AnyArray | float, AnyArray | float]:
        """How far the superior end plate comes down and the inferior one comes up, mm.

        Parameters
        ----------
        u, v : ndarray
            Points of the end plate, mm to the left of and behind the body centre.
        height : ndarray
            Intact height between the end plates at the points, mm.
        half_width_mm, depth_mm : float
            Half width and depth of the body.
        anterior_mm, middle_mm : float
            Intact midsagittal heights of the anterior and the middle column.
        """
        loss = self.height_loss_percent / 100.0
        if self.kind == "none" or loss == 0.0:
            return 0.0, 0.0
        front, back = ANTERIOR_COLUMN * depth_mm, POSTERIOR_COLUMN * depth_mm
        if self.kind == "wedge":
            share = np.clip((back - v) * (1.0 / (back - front)), 0.0, 1.1)
            return share**1.2 * (loss * anterior_mm), 0.0
        if self.kind == "biconcave":
            radius2 = np.square(u * (1.0 / (0.88 * half_width_mm))) + np.square(v * (1.0 / back))
            bump = np.square(np.maximum(1.0 - radius2, 0.0)) * (0.5 * loss * middle_mm)
            return bump, bump
        share = np.clip(v * (1.0 / back), 0.0, 1.0)
        share = share * share * (3.0 - 2.0 * share)
        return height * ((1.0 - (1.0 - CRUSH_POSTERIOR_SHARE) * share) * loss), 0.0


INTACT = Fracture()
"""No fracture."""


def genant_grade(loss_percent: float) -> int:
    """Genant semiquantitative grade: 0 below 20 %, 1 from 20, 2 from 25, 3 from 40 % loss of height.

    >>> [genant_grade(x) for x in (0.0, 19.9, 20.0, 25.0, 40.0)]
    [0, 0, 1, 2, 3]
    """
    return sum(loss_percent >= limit - 1e-6 for limit in (20.0, 25.0, 40.0))
