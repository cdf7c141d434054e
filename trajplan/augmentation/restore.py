"""Restore: heights, wedge and kyphosis that follow from a lift of the end plates."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.endplates import robust_plane
from trajplan.anatomy.vertebra import Measures, Vertebra
from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.kept_height import KEPT
from trajplan.augmentation.lift import Lift, lifted_body
from trajplan.augmentation.missing_height import Missing
from trajplan.augmentation.restoration import Restoration, RestorationStep, Shape
from trajplan.geometry.arrays import FloatArray


def restore(
    block: BodyBlock,
    vertebra: Vertebra,
    measures: Measures,
    missing: Missing,
    lifts: tuple[Lift, ...],
    volumes_ml: tuple[float, ...],
) -> Restoration:
    """The heights that each lift gives, at the six points that the measured heights stand on.

    The local angle changes with the wedge where the neighbours follow their end plates, and not at all where the discs
    take it up; the first is given.
    """
    h = vertebra.heights
    before = Shape(np.array([h.ha_mm, h.hm_mm, h.hp_mm]), measures.kyphosis.wedge_deg, measures.kyphosis.local_deg)
    six = vertebra.frame.to_local(measures.six_points_lps)
    flat = _wedge_deg(block, lifts[0])
    steps = []
    for lift, volume in zip(lifts, volumes_ml, strict=True):
        gain = block.map_at(lift.top_mm, six[0::2, 0], six[0::2, 1])
        gain = gain + block.map_at(lift.bottom_mm, six[1::2, 0], six[1::2, 1])
        wedge = before.wedge_deg + _wedge_deg(block, lift) - flat
        steps.append(RestorationStep(volume, before.heights_mm + gain, wedge, lift.volume_ml(block)))
    last = steps[-1]
    local = before.local_kyphosis_deg
    after = Shape(last.heights_mm, last.wedge_deg, None if local is None else local + last.wedge_deg - before.wedge_deg)
    return Restoration(
        before=before,
        predicted=after,
        expected_mm=np.array(h.expected_mm),
        failed=missing.failed,
        steps=tuple(steps),
        grid=block.grid,
        top_mm=block.columns.top_mm,
        bottom_mm=block.columns.bottom_mm,
        lift_top_mm=lifts[-1].top_mm,
        lift_bottom_mm=lifts[-1].bottom_mm,
        body=lifted_body(block, lifts[-1]),
        kept=KEPT,
    )


def _wedge_deg(block: BodyBlock, lift: Lift) -> float:
    """Angle between planes through both lifted end plates in the sagittal plane, + when the front is lower."""
    slopes: list[FloatArray | float] = []
    for height in (block.columns.top_mm + lift.top_mm, block.columns.bottom_mm - lift.bottom_mm):
        plane = robust_plane(height, block.inner, block.u_mm, block.v_mm)
        slopes.append(0.0 if plane is None else plane.slope_v)
    return float(np.degrees(np.arctan(slopes[0]) - np.arctan(slopes[1])))
