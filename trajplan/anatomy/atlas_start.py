"""Where an atlas vertebra is put before it is registered: frame on frame, then what fits better near by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from trajplan.anatomy.atlas import Atlas
from trajplan.anatomy.seed_frame import SeedFrame

SHIFT_COST = 0.004
"""Per mm along w, off the fit: the neighbours look alike."""


@dataclass(frozen=True)
class Start:
    """How the atlas is put on the seed's frame: shift along w, turns about u and w, factors of depth and height."""

    shift_mm: float = 0.0
    pitch_deg: float = 0.0
    yaw_deg: float = 0.0
    deep: float = 1.0
    tall: float = 1.0

    def affine(self, seed: SeedFrame, atlas: Atlas) -> sitk.AffineTransform:
        """Target to atlas: body on body, scaled by depth and height."""
        tall = self.tall * float(np.clip(atlas.height_mm / seed.height_mm, 0.6, 1.6))
        deep = self.deep * float(np.clip(atlas.depth_mm / seed.depth_mm, 0.7, 1.45))
        turn = Rotation.from_euler("XZ", [self.pitch_deg, self.yaw_deg], degrees=True).as_matrix()
        matrix = atlas.frame.rotation.T @ np.diag([deep, deep, tall]) @ turn @ seed.frame.rotation
        affine = sitk.AffineTransform(3)
        affine.SetMatrix([float(v) for v in matrix.ravel()])
        affine.SetCenter([float(v) for v in seed.frame.origin_lps])
        to = atlas.frame.origin_lps + self.shift_mm * atlas.frame.w - seed.frame.origin_lps
        affine.SetTranslation([float(v) for v in to])
        return affine


STAGES: tuple[tuple[dict[str, float], ...], ...] = (
    tuple(
        {"shift_mm": shift, "pitch_deg": pitch}
        for shift in (-5.0, -2.5, 0.0, 2.5, 5.0)
        for pitch in (-16.0, -8.0, 0.0, 8.0, 16.0)
    ),
    tuple({"yaw_deg": yaw} for yaw in (-8.0, 8.0)),
    tuple({"deep": factor} for factor in (0.9, 1.1)),
    tuple({"tall": factor} for factor in (0.85, 1.15)),
)
"""What is tried one after the other, each from the best so far. The tilt of a seed's frame is off by up to 15 degrees
where discs are worn, its height by a fifth."""


def find_start(
    fit: Callable[[sitk.AffineTransform], float], seed: SeedFrame, atlas: Atlas
) -> tuple[float, sitk.AffineTransform]:
    """The best of the starts of `STAGES` and its fit, less the cost of its shift.

    Parameters
    ----------
    fit : callable
        How well the atlas fits under a transform target -> atlas (world mm); larger is better.
    """

    def value_of(start: Start) -> float:
        return fit(start.affine(seed, atlas)) - SHIFT_COST * abs(start.shift_mm)

    best = Start()
    value = value_of(best)
    for stage in STAGES:
        tried = [replace(best, **change) for change in stage]
        values = [value_of(one) for one in tried]
        k = int(np.argmax(values))
        if values[k] > value:
            best, value = tried[k], values[k]
    return value, best.affine(seed, atlas)
