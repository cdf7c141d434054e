"""A drawn path is graded by the planner's own code; what cannot be graded says what and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from planning_cases import Case

from trajplan.errors import InputError
from trajplan.parts import Side
from trajplan.planning.edit import Editor, docked
from trajplan.planning.grade import mask_doubt
from trajplan.planning.instruments import instrument
from trajplan.planning.plan import Approach, PlanSettings, Trajectory, Verdict
from trajplan.planning.planner import plan_approaches
from trajplan.planning.routes import Route

SETTINGS = PlanSettings(approach=Approach.UNIPEDICULAR_LEFT)
LEFT = Route(Side.LEFT, "unipedicular")


@pytest.fixture(scope="module")
def planned(wedge: Case) -> Trajectory:
    found = plan_approaches(wedge.phantom.ct, wedge.vertebra, SETTINGS, automatic_mask=False)
    return found.trajectories[0]


@pytest.fixture(scope="module")
def editor(wedge: Case) -> Editor:
    return Editor(wedge.phantom.ct, wedge.vertebra, SETTINGS, LEFT, mask_doubt(False, None))


def test_the_planned_path_drawn_again_gets_the_same_grade(planned: Trajectory, editor: Editor) -> None:
    again = editor.grade(planned.entry_lps, planned.target_lps, live=False)
    assert isinstance(again, Trajectory)
    assert again.verdict is planned.verdict
    assert again.reasons == planned.reasons
    assert again.clearance.min_mm == planned.clearance.min_mm
    assert again.breach == planned.breach
    assert again.cone is not None
    assert planned.cone is not None
    np.testing.assert_array_equal(again.cone.angle_deg, planned.cone.angle_deg)


def test_the_safety_map_that_is_kept_is_the_one_that_would_be_made_for_any_path(
    planned: Trajectory, wedge: Case
) -> None:
    fresh = Editor(wedge.phantom.ct, wedge.vertebra, SETTINGS, LEFT, mask_doubt(False, None))
    moved = fresh.grade(planned.entry_lps, planned.target_lps + np.array([0.0, 0.0, 1.0]), live=False)
    assert isinstance(moved, Trajectory)
    assert moved.safety is not None
    assert planned.safety is not None
    for name in ("entry_lps", "entry_mm", "convergence_deg", "craniocaudal_deg", "window_mm"):
        np.testing.assert_array_equal(getattr(moved.safety, name), getattr(planned.safety, name))
    told = Editor(wedge.phantom.ct, wedge.vertebra, SETTINGS, LEFT, mask_doubt(False, None), planned.safety)
    again = told.grade(planned.entry_lps, planned.target_lps, live=False)
    assert isinstance(again, Trajectory)
    assert again.safety is planned.safety


def test_a_path_moved_into_a_wall_is_unsafe_and_names_the_wall(
    planned: Trajectory, editor: Editor, wedge: Case
) -> None:
    lateral = 7.0 * wedge.vertebra.frame.u
    moved = editor.grade(planned.entry_lps + lateral, planned.target_lps + lateral)
    assert isinstance(moved, Trajectory)
    assert moved.verdict is Verdict.UNSAFE
    assert any("lateral wall" in r and "mm are required" in r for r in moved.reasons)
    assert moved.breach.any > planned.breach.any


@pytest.mark.parametrize(
    ("entry", "target", "code"),
    [
        (lambda c, p: p.entry_lps, lambda c, p: c.vertebra.frame.to_world([0.0, -70.0, 0.0]), "target_outside_body"),
        (lambda c, p: c.vertebra.frame.to_world([0.0, 22.0, 0.0]), lambda c, p: p.target_lps, "entry_in_canal"),
        (lambda c, p: p.target_lps + 0.5, lambda c, p: p.target_lps, "path_too_short"),
        (lambda c, p: np.array([np.nan, 0.0, 0.0]), lambda c, p: p.target_lps, "point_invalid"),
    ],
)
def test_what_cannot_be_graded_says_why(
    wedge: Case,
    planned: Trajectory,
    editor: Editor,
    entry: Callable[[Case, Trajectory], np.ndarray],
    target: Callable[[Case, Trajectory], np.ndarray],
    code: str,
) -> None:
    with pytest.raises(InputError) as refused:
        editor.grade(entry(wedge, planned), target(wedge, planned))
    assert refused.value.code == code


def test_a_handle_in_the_muscle_snaps_to_the_bone(planned: Trajectory, editor: Editor) -> None:
    behind = planned.entry_lps - 12.0 * planned.direction_lps
    assert np.linalg.norm(docked(behind, planned.target_lps, editor) - planned.entry_lps) < 0.5


def test_a_thicker_instrument_never_has_more_clearance_on_the_same_path(wedge: Case, planned: Trajectory) -> None:
    found = []
    for name in ("13G", "11G", "10G", "8G"):
        settings = dataclasses.replace(SETTINGS, instrument=instrument(name))
        made = Editor(wedge.phantom.ct, wedge.vertebra, settings, LEFT, mask_doubt(False, None))
        graded = made.grade(planned.entry_lps, planned.target_lps)
        assert isinstance(graded, Trajectory)
        found.append((instrument(name).outer_diameter_mm, graded.clearance.min_mm))
    thickness, clearance = np.array(sorted(found)).T
    np.testing.assert_allclose(np.diff(clearance), -np.diff(thickness) / 2, atol=1e-9)
