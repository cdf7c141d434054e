"""Approaches: what ``auto`` offers, the way beside the pedicle, foramina and facets, balloons and the safety map."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case, case_of

from trajplan.geometry import Capsule
from trajplan.parts import Side
from trajplan.planning.advice import options_of
from trajplan.planning.evaluate import path_clearance
from trajplan.planning.facets import facet_clearance
from trajplan.planning.grade import BESIDE_UNPROVED
from trajplan.planning.plan import Approach, PlanSettings, Refusal, Trajectory, Verdict
from trajplan.planning.planner import PlanSet, offer, plan_approaches
from trajplan.planning.routes import Route
from trajplan.planning.walls import BESIDE_PEDICLE, Wall, beside_pedicle, wall_field
from trajplan_phantoms import PhantomSpec


@pytest.fixture(scope="module")
def every(wedge: Case) -> PlanSet:
    return plan_approaches(wedge.phantom.ct, wedge.vertebra, PlanSettings(), automatic_mask=False)


@pytest.fixture(scope="module")
def narrow() -> tuple[Case, PlanSet]:
    spec = PhantomSpec(target="T8", pedicle_width_mm_left=4.2, pedicle_width_mm_right=4.2, surroundings="plain")
    case = case_of(spec)
    return case, plan_approaches(case.phantom.ct, case.vertebra, PlanSettings(), automatic_mask=False)


def _results(found: PlanSet) -> dict[Route, Trajectory | Refusal]:
    return {
        Route(o.side, o.approach): o.path or Refusal(o.side, o.approach, o.code or "no_margin", "None fits.", {})
        for o in found.options
    }


def _unsafe(path: Trajectory | Refusal) -> Trajectory:
    assert isinstance(path, Trajectory)
    return dataclasses.replace(path, verdict=Verdict.UNSAFE)


def test_every_option_is_told_with_its_numbers(every: PlanSet) -> None:
    assert {(o.side, o.approach) for o in every.options} == {
        (side, name) for side in Side for name in ("bipedicular", "unipedicular")
    }
    for o in every.options:
        if o.path is not None:
            assert o.clearance_mm == o.path.clearance.min_mm
            assert o.midline_mm is not None
            assert (o.midline_mm <= 4.0) == (o.approach == "unipedicular")
    assert any("26 %" in o.published for o in every.options if o.approach == "unipedicular")


def test_one_unsafe_side_makes_auto_offer_the_other_side_alone(every: PlanSet, wedge: Case) -> None:
    results = _results(every)
    results[Route(Side.LEFT, "bipedicular")] = _unsafe(results[Route(Side.LEFT, "bipedicular")])
    results[Route(Side.LEFT, "unipedicular")] = _unsafe(results[Route(Side.LEFT, "bipedicular")])
    found = offer(results, wedge.vertebra)
    assert [(t.side, t.approach) for t in found.trajectories] == [(Side.RIGHT, "unipedicular")]


def test_nothing_but_unsafe_paths_are_shown_as_what_they_are(every: PlanSet, wedge: Case) -> None:
    results = {r: _unsafe(t) if isinstance(t, Trajectory) else t for r, t in _results(every).items()}
    found = offer(results, wedge.vertebra)
    assert [t.approach for t in found.trajectories] == ["bipedicular", "bipedicular"]
    assert all(t.verdict is Verdict.UNSAFE for t in found.trajectories)
    assert [o.verdict for o in options_of(results, wedge.vertebra)].count("unsafe") >= 2


def test_narrow_thoracic_pedicles_are_refused_and_the_way_beside_them_is_tried(narrow: tuple[Case, PlanSet]) -> None:
    case, found = narrow
    through = [o for o in found.options if o.approach != "extrapedicular"]
    assert {o.code for o in through} == {"pedicle_too_narrow"}
    beside = [o for o in found.options if o.approach == "extrapedicular"]
    assert len(beside) == 2
    for path in (o.path for o in beside if o.path is not None):
        outline = case.vertebra.frame.to_local(case.vertebra.pedicles[path.side].outline_lps)[:, 0] * path.side.sign
        entry = case.vertebra.frame.to_local(path.entry_lps)[0] * path.side.sign
        assert entry >= outline.max() - 1e-6, "it enters lateral of the pedicle"
        _, points = path.capsule.points_along(0.25)
        canal = case.phantom.truth.canal_value(points).min() - path.capsule.radius_mm
        assert path.clearance.canal_mm is not None
        assert path.clearance.canal_mm <= canal + 0.1
        assert canal >= 0.9
        assert path.verdict is not Verdict.SAFE, "nothing proves it a second time"
        assert path.reasons[0] == BESIDE_UNPROVED


def test_beside_a_lumbar_pedicle_nothing_is_planned(wedge: Case) -> None:
    settings = PlanSettings(approach=Approach.EXTRAPEDICULAR_LEFT)
    found = plan_approaches(wedge.phantom.ct, wedge.vertebra, settings, automatic_mask=False)
    assert found.trajectories == ()
    assert [(r.code, r.side) for r in found.refusals] == [("not_thoracic", Side.LEFT)]
    assert "L1" in found.refusals[0].message


def test_a_needle_through_the_foramen_is_found_before_the_pedicle_is_reached(wedge: Case) -> None:
    """From behind and below, under the pedicle, and up into it: outside bone, in front of the articular process."""
    frame, pedicle = wedge.vertebra.frame, wedge.vertebra.pedicles[Side.LEFT]
    field = wall_field(wedge.vertebra, Side.LEFT)
    center = frame.to_local(pedicle.isthmus_center_lps)
    below = frame.to_world(center + np.array([0.0, 22.0, -22.0]))
    found = path_clearance(field, Capsule(below, pedicle.isthmus_center_lps, 1.5))
    assert found.smallest()[Wall.FORAMEN] < 1.0
    straight = Capsule(pedicle.isthmus_center_lps - 12 * pedicle.axis_lps, pedicle.isthmus_center_lps, 1.5)
    assert path_clearance(field, straight).smallest()[Wall.FORAMEN] > 2.0


def test_the_lateral_wall_counts_late_beside_the_pedicle(wedge: Case) -> None:
    field = wall_field(wedge.vertebra, Side.LEFT)
    beside = beside_pedicle(field, wedge.vertebra)
    assert beside.play == BESIDE_PEDICLE
    frame = wedge.vertebra.frame
    path = Capsule(frame.to_world([34.0, 10.0, 0.0]), frame.to_world([2.0, -6.0, 0.0]), 1.5)
    walls = path_clearance(beside, path).walls_mm
    first = int(np.argmax(beside.in_zone(path.points_along(0.25)[1])))
    assert np.isinf(walls[first, Wall.LATERAL])
    assert np.isfinite(walls[first + 40, Wall.LATERAL])
    assert np.isfinite(walls[0, Wall.MEDIAL])


def test_the_distance_to_other_bone_is_that_of_the_instruments_surface(wedge: Case) -> None:
    frame = wedge.vertebra.frame
    path = Capsule(frame.to_world([10.0, 30.0, 0.0]), frame.to_world([10.0, 0.0, 0.0]), 1.5)
    beside = np.array([[14.0, 40.0, 3.0]])  # 5 mm from the axis, 10 mm behind the entry
    assert facet_clearance(beside, wedge.vertebra, Side.LEFT, path) == pytest.approx(3.5)
    assert facet_clearance(np.zeros((0, 3)), wedge.vertebra, Side.LEFT, path) is None


def test_balloons_keep_their_margin_from_every_cortex(every: PlanSet, wedge: Case) -> None:
    for path in every.trajectories:
        assert path.balloons
        assert [b.volume_ml for b in path.balloons] == sorted((b.volume_ml for b in path.balloons), reverse=True)
        for fit in path.balloons:
            t = np.linspace(-0.5, 0.5, 21)
            radius = fit.diameter_mm / 2 * np.sqrt(np.clip(1 - (2 * t) ** 2, 0, None))
            points = fit.center_lps + (t * fit.length_mm)[:, None] * fit.axis_lps
            room = -wedge.phantom.truth.surface_distance(points) - radius
            assert room.min() >= fit.margin_mm - 0.15
            assert fit.diameter_mm <= fit.balloon.inflated_diameter_mm + 1e-9


def test_the_safety_map_is_best_where_the_plan_is(every: PlanSet) -> None:
    for path in every.trajectories:
        safety = path.safety
        assert safety is not None
        near = np.linalg.norm(safety.entry_lps - path.entry_lps, axis=1) < 3.0
        assert near.any()
        assert safety.entry_mm[near].max() >= path.clearance.min_mm - 0.5
        assert safety.entry_mm.min() < 0 < safety.entry_mm.max()
        row = int(np.argmin(np.abs(safety.craniocaudal_deg - path.craniocaudal_deg)))
        column = int(np.argmin(np.abs(safety.convergence_deg - path.convergence_deg)))
        assert safety.window_mm[row, column] >= path.clearance.min_mm - 0.5
