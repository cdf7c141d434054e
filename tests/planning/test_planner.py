"""The planner against the exact truth of phantoms."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case, case_of

from trajplan.parts import Side
from trajplan.planning.instruments import instrument
from trajplan.planning.plan import Approach, PlanSettings, Refusal, Trajectory, Verdict
from trajplan.planning.planner import plan_vertebra
from trajplan_phantoms import PhantomSpec

Outcome = tuple[tuple[Trajectory, ...], tuple[Refusal, ...]]


LEFT_ONLY = PlanSettings(approach=Approach.UNIPEDICULAR_LEFT)


@pytest.fixture(scope="module")
def planned(wedge: Case) -> Outcome:
    return plan_vertebra(wedge.phantom.ct, wedge.vertebra, PlanSettings(), automatic_mask=False)


def test_both_sides_of_the_fractured_phantom_are_safe(planned: Outcome) -> None:
    trajectories, refusals = planned
    assert refusals == ()
    assert {t.side for t in trajectories} == {Side.LEFT, Side.RIGHT}
    assert all(t.verdict is Verdict.SAFE for t in trajectories)
    assert all(t.approach == "bipedicular" for t in trajectories)


def test_no_breach_against_the_exact_truth(planned: Outcome, wedge: Case) -> None:
    for t in planned[0]:
        start = _pedicle_depth(t, wedge)
        assert wedge.phantom.truth.breach_mm(t.capsule, from_depth_mm=start) == 0.0
        assert t.gertzbein_robbins == "A"


def test_reported_clearance_never_exceeds_the_true_one(planned: Outcome, wedge: Case) -> None:
    for t in planned[0]:
        true = wedge.phantom.truth.true_clearance(t.capsule, from_depth_mm=_pedicle_depth(t, wedge))
        assert t.clearance.min_mm <= true + 0.05
        assert t.clearance.min_mm >= true - 1.0


def test_margins_asked_for_are_kept(planned: Outcome) -> None:
    settings = PlanSettings()
    for t in planned[0]:
        c = t.clearance
        assert (
            min(c.medial_mm or 0, c.lateral_mm or 0, c.superior_mm or 0, c.inferior_mm or 0) >= settings.wall_margin_mm
        )
        assert (c.canal_mm or 0) >= settings.canal_margin_mm
        assert (c.anterior_mm or 0) >= settings.anterior_margin_mm
        assert (c.endplate_mm or 0) >= settings.endplate_margin_mm
        assert c.min_mm == pytest.approx(min(c.profile[:, 1]), abs=0.1)


def test_the_two_sides_of_a_symmetric_phantom_are_mirror_images(planned: Outcome, wedge: Case) -> None:
    left, right = planned[0]
    mirror = np.array([-1.0, 1.0, 1.0])
    to_local = wedge.vertebra.frame.to_local
    np.testing.assert_allclose(to_local(left.target_lps), to_local(right.target_lps) * mirror, atol=0.3)
    np.testing.assert_allclose(to_local(left.entry_lps), to_local(right.entry_lps) * mirror, atol=0.4)
    assert left.convergence_deg == pytest.approx(right.convergence_deg, abs=0.7)


def test_each_path_stays_on_its_side_and_converges(planned: Outcome, wedge: Case) -> None:
    for t in planned[0]:
        assert wedge.vertebra.frame.to_local(t.entry_lps)[0] * t.side.sign > 8
        assert wedge.vertebra.frame.to_local(t.target_lps)[0] * t.side.sign > 0
        assert t.convergence_deg > 0


def test_skin_point_lies_on_the_path_and_outside_the_bone(planned: Outcome) -> None:
    for t in planned[0]:
        assert t.skin_lps is not None
        assert t.length_from_skin_mm is not None
        assert t.length_from_skin_mm > t.length_in_bone_mm + 15
        assert t.instrument.length_mm >= t.length_from_skin_mm
        assert t.length_from_skin_mm == pytest.approx(float(np.linalg.norm(t.target_lps - t.skin_lps)))
        along = (t.skin_lps - t.entry_lps) @ t.direction_lps
        np.testing.assert_allclose(t.entry_lps + along * t.direction_lps, t.skin_lps, atol=1e-6)


def test_planning_twice_gives_the_same_plan(planned: Outcome, wedge: Case) -> None:
    again = plan_vertebra(wedge.phantom.ct, wedge.vertebra, PlanSettings(), automatic_mask=False)[0]
    for a, b in zip(planned[0], again, strict=True):
        np.testing.assert_array_equal(a.entry_lps, b.entry_lps)
        np.testing.assert_array_equal(a.target_lps, b.target_lps)
        assert a.breach == b.breach


def test_a_thinner_instrument_has_no_less_clearance(planned: Outcome, wedge: Case) -> None:
    settings = PlanSettings(instrument=instrument("13G"), approach=Approach.BIPEDICULAR)
    thin, _ = plan_vertebra(wedge.phantom.ct, wedge.vertebra, settings, automatic_mask=False)
    assert len(thin) == 2
    for a, b in zip(thin, planned[0], strict=True):
        assert a.clearance.min_mm >= b.clearance.min_mm - 0.15


def test_narrow_pedicles_are_refused_with_width_diameter_margin_and_a_remedy() -> None:
    case = case_of(PhantomSpec(pedicle_width_mm_left=4.0, pedicle_width_mm_right=4.2, levels=("L1",)))
    trajectories, refusals = plan_vertebra(case.phantom.ct, case.vertebra, PlanSettings(), automatic_mask=False)
    assert trajectories == ()
    assert {r.side for r in refusals} == {Side.LEFT, Side.RIGHT}
    for r in refusals:
        assert r.code == "pedicle_too_narrow"
        assert r.numbers["width_mm"] == pytest.approx(case.phantom.truth.pedicles[r.side].width_mm, abs=0.01)
        assert r.numbers["diameter_mm"] == 3.048
        assert r.numbers["margin_mm"] == 1.0
        assert r.numbers["needed_mm"] == pytest.approx(5.048)
        assert "extrapedicular" in r.message or "thinner" in r.message


def test_a_missing_pedicle_is_refused_on_its_side_only(wedge: Case) -> None:
    one = dataclasses.replace(wedge.vertebra, pedicles={Side.LEFT: wedge.vertebra.pedicles[Side.LEFT]})
    settings = PlanSettings(approach=Approach.BIPEDICULAR)
    trajectories, refusals = plan_vertebra(wedge.phantom.ct, one, settings, automatic_mask=False)
    assert [t.side for t in trajectories] == [Side.LEFT]
    assert [(r.side, r.code) for r in refusals] == [(Side.RIGHT, "no_pedicle")]


def test_no_canal_means_no_plan(wedge: Case) -> None:
    parts = wedge.vertebra.parts
    blind = dataclasses.replace(
        wedge.vertebra, parts=dataclasses.replace(parts, array=np.where(parts.array == 5, 0, parts.array))
    )
    trajectories, refusals = plan_vertebra(wedge.phantom.ct, blind, PlanSettings(), automatic_mask=False)
    assert trajectories == ()
    assert {r.code for r in refusals} == {"no_canal"}


def test_a_needle_too_short_for_the_patient_is_refused(wedge: Case) -> None:
    short = dataclasses.replace(instrument("11G"), lengths_mm=(60.0,))
    settings = dataclasses.replace(LEFT_ONLY, instrument=short)
    trajectories, refusals = plan_vertebra(wedge.phantom.ct, wedge.vertebra, settings, automatic_mask=False)
    assert trajectories == ()
    assert {r.code for r in refusals} == {"too_long"}
    assert all(r.numbers["needed_mm"] > 60 for r in refusals)


def _pedicle_depth(t: Trajectory, case: Case) -> float:
    """Depth at which the path enters the pedicle part (voxel look-up, independent of the planner)."""
    depth, points = t.capsule.points_along(0.25)
    grid = case.vertebra.parts.grid
    label = case.vertebra.parts.array[tuple(np.rint(grid.world_to_index(points)).astype(int).T)]
    return float(depth[int(np.argmax(label == t.side.pedicle))])
