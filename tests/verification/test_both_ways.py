"""Promises about the place of the tip, and about views and space that disagree."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case, case_of

from trajplan.fluoroscopy.carm import CArm
from trajplan.parts import Side
from trajplan.planning.instruments import instrument
from trajplan.planning.plan import Breach, Clearance, Trajectory, Verdict
from trajplan.verification.both_ways import BothWays, judge_both_ways
from trajplan.verification.place import WallMap, clock_words
from trajplan.verification.stages import check_stages
from trajplan_phantoms import PhantomSpec


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of(PhantomSpec(levels=("L1",), fracture="none", height_loss_percent=0.0))


def path(
    case: Case, side: Side, entry_uvw: tuple[float, ...], tip_uvw: tuple[float, ...], canal_mm: float
) -> Trajectory:
    ends = case.vertebra.frame.to_world(np.array([entry_uvw, tip_uvw]) * np.array([side.sign, 1.0, 1.0]))
    clearance = dataclasses.replace(
        Clearance(0, None, None, None, None, None, None, None, np.zeros((0, 2))), canal_mm=canal_mm
    )
    return Trajectory(
        side=side, approach="bipedicular", verdict=Verdict.UNKNOWN, reasons=(), instrument=instrument("11G"),
        skin_lps=None, entry_lps=ends[0], target_lps=ends[1],
        length_in_bone_mm=float(np.linalg.norm(ends[1] - ends[0])), length_from_skin_mm=None,
        convergence_deg=0.0, craniocaudal_deg=0.0, clearance=clearance, gertzbein_robbins="A",
        breach=Breach(0, 0, 0, 0, 0, 1, 0.75, 2.0), candidates_tried=1,
    )  # fmt: skip


def isthmus(case: Case, side: Side) -> tuple[float, float, float]:
    u, v, w = case.vertebra.frame.to_local(case.vertebra.pedicles[side].isthmus_center_lps)
    return abs(u), v, w


@pytest.mark.parametrize("side", list(Side))
def test_a_taught_path_agrees_both_ways_and_says_where_its_tip_is(case: Case, side: Side) -> None:
    u, v, w = isthmus(case, side)
    taught = path(case, side, (u + 5.0, v + 15.0, w + 1.5), (u - 9.0, v - 31.0, w - 3.0), 3.0)
    center = case.vertebra.frame.origin_lps
    views = CArm(0, 0, center), CArm(90, 0, center)
    both = judge_both_ways(taught, case.vertebra, *views)
    assert both.passed_as_seen
    assert both.passed_in_space
    assert both.disagreement() is None
    stages = check_stages(taught, case.vertebra, *views)
    docking, final = stages[0].place, stages[-1].place
    assert docking is not None
    assert final is not None
    # the lateral upper quadrant: 9 to 12 on the left, 12 to 3 on the right
    assert 8.5 < docking.clock_hours < 12 if side is Side.LEFT else 0 < docking.clock_hours < 3.5
    assert docking.third == "behind the body"
    assert docking.true_wall_mm < 0
    assert final.third == "anterior third"
    assert final.midline_mm == pytest.approx(u - 9.0, abs=1.5)
    assert "o'clock" in docking.sentence()


@pytest.mark.parametrize("side", list(Side))
def test_an_early_medial_path_clear_of_the_canal_is_said_to_look_wrong(case: Case, side: Side) -> None:
    u, v, w = isthmus(case, side)
    early = path(case, side, (u + 6.0, v + 14.0, w), (-4.0, v - 20.0, w), 0.4)
    center = case.vertebra.frame.origin_lps
    both = judge_both_ways(early, case.vertebra, CArm(0, 0, center), CArm(90, 0, center))
    assert not both.passed_as_seen
    assert "views will look wrong" in (both.disagreement() or "")


def test_a_hollow_wall_is_told_when_the_views_show_the_rule_kept() -> None:
    hollow = BothWays(medial_mm=18.0, line_mm=17.0, wall_mm=20.5, canal_mm=-0.3)
    assert hollow.passed_as_seen
    assert not hollow.passed_in_space
    assert "hollow" in (hollow.disagreement() or "")


def test_a_thick_instrument_in_the_canal_is_told_when_its_tip_keeps_the_rule() -> None:
    thick = BothWays(medial_mm=None, line_mm=17.0, wall_mm=17.5, canal_mm=-0.8)
    assert thick.passed_as_seen
    assert thick.passed_in_space
    assert "0.8 mm into the canal" in (thick.disagreement() or "")


def test_near_the_midline_the_wall_lies_further_forward_than_its_rims(case: Case) -> None:
    frame = case.vertebra.frame
    wall = WallMap(case.vertebra)
    middle, rim = wall.past_mm(frame.to_world([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
    assert middle < rim  # less bone behind the centre
    back = frame.to_world([[0.0, middle + 0.01, 0.0], [0.0, middle - 0.01, 0.0]])
    assert (np.sign(wall.past_mm(back)) == [-1, 1]).all()


@pytest.mark.parametrize(("hours", "words"), [(0.1, "12 o'clock"), (11.8, "12 o'clock"), (2.6, "2:30 o'clock")])
def test_clock_positions_are_said_to_the_half_hour(hours, words) -> None:
    assert clock_words(hours) == words
