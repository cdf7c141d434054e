"""Undoing a phantom fracture: between fractured and true heights, monotone in volume, clear of the neighbours."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.ndimage as ndi
from augmentation_case import Broken, broken, planned

from trajplan.augmentation.augment import augment
from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.body_block import body_block
from trajplan.augmentation.inflate import inflate
from trajplan.augmentation.kept_height import KEPT
from trajplan.augmentation.lift import Lift, lifted_body, no_lift
from trajplan.augmentation.missing_height import DOUBT_MM, Missing, missing_height
from trajplan.augmentation.restoration import Restoration
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.geometry.resample import resample_mask
from trajplan.planning.plan import PlanSettings
from trajplan_phantoms import PhantomSpec, Pose


def _true_mm(case: Broken) -> np.ndarray:
    h = case.phantom.truth.heights
    return np.array([h.ha_before_mm, h.hm_before_mm, h.hp_before_mm])


def _restoration(a: Augmentation) -> Restoration:
    assert a.restoration is not None
    return a.restoration


def _hold(case: Broken) -> None:
    """What every undone fracture must hold, as planned and pushed on."""
    vertebra = case.result.vertebra
    assert vertebra is not None
    for a in (case.planned, case.pushed):
        r = _restoration(a)
        before, after = r.before.heights_mm, r.predicted.heights_mm
        assert (after >= before - 1e-9).all()
        assert (after <= np.maximum(_true_mm(case), before) + 1e-9).all()
        heights = np.array([s.heights_mm for s in r.steps])
        assert (np.diff(heights, axis=0) >= -1e-9).all()
        assert (np.diff([s.lifted_ml for s in r.steps]) >= -1e-9).all()
        assert r.steps[-1].lifted_ml <= sum(i.final.volume_ml for i in a.inflations)
        other = resample_mask(vertebra.other_bone, vertebra.parts.grid, r.grid) > 0.5
        moved = r.body & ((r.lift_top_mm > 0.05) | (r.lift_bottom_mm > 0.05))[None]
        away_mm = ndi.distance_transform_edt(~other) * r.grid.spacing_zyx[0]
        assert not (r.body & other).any()
        assert not moved.any() or away_mm[moved].min() > 1.3


def test_a_wedge_is_undone_in_front_and_never_beyond_what_it_was(wedge: Broken) -> None:
    _hold(wedge)
    r = _restoration(wedge.pushed)
    assert r.failed == "superior"
    assert r.gain_mm[0] > 1.5
    assert r.gain_mm[0] > r.gain_mm[2]
    assert r.predicted.wedge_deg < r.before.wedge_deg - 2
    assert r.gain_mm[0] < 0.9 * (_true_mm(wedge)[0] - r.before.heights_mm[0])  # never "restored to normal"


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "target", "levels", "worst"),
    [
        ("biconcave", "L2", ("L1", "L2", "L3"), 1),
        ("crush", "T12", ("T11", "T12", "L1"), 1),
        ("wedge", "T11", ("T10", "T11", "T12"), 0),
    ],
)
def test_other_kinds_and_levels_are_undone_within_their_limits(kind, target, levels, worst) -> None:
    case = broken(kind, 35.0, target, levels)
    _hold(case)
    assert _restoration(case.pushed).gain_mm[worst] > 0.5


@pytest.mark.long
def test_a_mirrored_patient_has_the_same_heights_with_the_same_balloons() -> None:
    spec = PhantomSpec(pedicle_width_mm_left=7.5, pedicle_width_mm_right=10.0)
    same = AugmentationSettings(balloon="15 mm", max_volume_ml=2.5, past_contact=True)
    found = []
    for pose in (Pose(), Pose(np.eye(3), np.zeros(3), True)):
        case = planned(dataclasses.replace(spec, pose=pose))
        result = case.result
        assert result.vertebra is not None
        a = augment(case.phantom.ct, result.vertebra, result.trajectories, result.request.settings, same)
        found.append(_restoration(a).predicted.heights_mm)
    assert found[1] == pytest.approx(found[0], abs=0.5)


def test_more_volume_never_gives_less_height_as_planned_or_pushed_on(wedge: Broken) -> None:
    less, more = _restoration(wedge.planned), _restoration(wedge.pushed)
    assert (more.predicted.heights_mm >= less.predicted.heights_mm - 1e-6).all()


def test_what_is_published_of_kept_height_stands_beside_every_prediction(wedge: Broken) -> None:
    assert _restoration(wedge.planned).kept == KEPT
    assert any("not maintained" in p.text for p in KEPT)
    assert any("upper bound" in note for note in wedge.planned.notes)


def test_a_map_of_lift_moves_the_body_by_exactly_its_volume(wedge: Broken) -> None:
    vertebra = wedge.result.vertebra
    assert vertebra is not None
    block = body_block(wedge.phantom.ct, vertebra)
    rise = np.where(np.isfinite(block.columns.top_mm), 3.0, 3.0)
    before, after = lifted_body(block, no_lift(block)), lifted_body(block, Lift(rise, np.zeros_like(rise)))
    voxel_ml = block.spacing_mm**3 / 1000
    foot = block.columns.footprint
    grown = float((after & foot[None]).sum() - (before & foot[None]).sum()) * voxel_ml
    assert grown == pytest.approx(3.0 * foot.sum() * block.spacing_mm**2 / 1000, rel=0.03)
    assert (before == (block.body > 0.5)).all()


def test_a_missing_height_is_less_than_what_the_neighbours_suggest_and_ends_before_the_neighbour(wedge: Broken) -> None:
    vertebra = wedge.result.vertebra
    assert vertebra is not None
    assert vertebra.heights.expected_mm is not None
    block = body_block(wedge.phantom.ct, vertebra)
    missing = missing_height(block, vertebra)
    assert isinstance(missing, Missing)
    lost = vertebra.heights.expected_mm[0] - vertebra.heights.ha_mm
    assert 0.5 * lost < (missing.top_mm + missing.bottom_mm)[block.inner].max() < lost - DOUBT_MM + 1.0


def test_without_neighbours_or_without_a_loss_nothing_is_predicted_and_that_is_said(wedge: Broken) -> None:
    vertebra = wedge.result.vertebra
    assert vertebra is not None
    settings = PlanSettings(breach_samples=100)
    alone = dataclasses.replace(vertebra, heights=dataclasses.replace(vertebra.heights, expected_mm=None))
    found = augment(wedge.phantom.ct, alone, (), settings)
    assert found.restoration is None
    assert "no neighbour" in found.notes[-1]
    h = vertebra.heights
    healthy = dataclasses.replace(
        vertebra, heights=dataclasses.replace(h, expected_mm=(h.ha_mm + 1, h.hm_mm + 1, h.hp_mm + 1))
    )
    found = augment(wedge.phantom.ct, healthy, (), settings)
    assert found.restoration is None
    assert "less than 2 mm" in found.notes[-1]


def test_the_same_case_gives_the_same_numbers(wedge: Broken) -> None:
    result = wedge.result
    assert result.vertebra is not None
    again = augment(wedge.phantom.ct, result.vertebra, result.trajectories, result.request.settings)
    assert (_restoration(again).predicted.heights_mm == _restoration(wedge.planned).predicted.heights_mm).all()
    for a, b in zip(again.inflations, wedge.planned.inflations, strict=True):
        assert (a.final.envelope.radius_mm == b.final.envelope.radius_mm).all()


def test_no_balloon_no_lift(wedge: Broken) -> None:
    vertebra = wedge.result.vertebra
    assert vertebra is not None
    block = body_block(wedge.phantom.ct, vertebra)
    found = inflate(block, missing_height(block, vertebra), (), wedge.planned.settings)
    assert found.inflations == ()
    assert found.lifts[-1].volume_ml(block) == 0
