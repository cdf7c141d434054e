"""Margins, scores, grades and breach chance in closed form, on walls that are planes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from planning_cases import Case

from trajplan.geometry import Capsule, Frame
from trajplan.parts import Side
from trajplan.planning.breach import breach_probability
from trajplan.planning.evaluate import (
    PathClearance,
    gertzbein_robbins,
    path_clearance,
    required_margin,
    summarise,
)
from trajplan.planning.instruments import instrument
from trajplan.planning.lattice import Lattice
from trajplan.planning.objective import score, sigma_at, wall_weight
from trajplan.planning.plan import PlanSettings
from trajplan.planning.search import Lines, search, worst_slack
from trajplan.planning.target import docking_u_mm, target_zone
from trajplan.planning.walls import Wall, WallField, wall_field

SETTINGS = PlanSettings()
RADIUS_MM = 1.524


def test_each_wall_is_asked_its_own_margin_and_a_doubtful_mask_more() -> None:
    settings = PlanSettings(wall_margin_mm=1.1, canal_margin_mm=2.2, anterior_margin_mm=3.3, endplate_margin_mm=4.4)
    asked = required_margin(settings)
    assert {wall.name: asked[wall] for wall in Wall} == {
        "MEDIAL": 1.1, "LATERAL": 1.1, "SUPERIOR": 1.1, "INFERIOR": 1.1, "ANTERIOR": 3.3, "ENDPLATE": 4.4, "CANAL": 2.2,
        "FORAMEN": 1.1,
    }  # fmt: skip
    np.testing.assert_allclose(required_margin(settings, 0.7), asked + 0.7)


def test_the_radius_is_half_the_diameter_of_the_gauge() -> None:
    assert instrument("11G").radius_mm == pytest.approx(RADIUS_MM)
    assert instrument("8G").radius_mm == pytest.approx(4.191 / 2)


def test_the_error_of_the_axis_is_entry_and_angle_error_together() -> None:
    settings = PlanSettings(entry_sigma_mm=3.0, angle_sigma_deg=math.degrees(0.1))
    np.testing.assert_allclose(sigma_at(np.array([0.0, 40.0]), settings), [3.0, 5.0])


def test_the_score_is_the_worst_wall_in_sigmas_less_the_miss_of_the_target() -> None:
    slack = np.full((2, len(Wall)), 30.0)
    slack[1, Wall.CANAL] = 1.0
    assert score(slack, np.array([1.0, 2.0]), 0.0) == pytest.approx(0.5)
    assert score(slack, np.array([1.0, 2.0]), 6.0) == pytest.approx(-0.5)
    assert score(slack + 100, np.array([1.0, 2.0]), 0.0) == pytest.approx(2.5)
    assert wall_weight()[[Wall.MEDIAL, Wall.INFERIOR, Wall.CANAL]].max() == 1.0, "nerves weigh most"


@pytest.mark.parametrize(
    ("deepest_mm", "grade"),
    [(0.5, "A"), (0.0, "A"), (-0.01, "B"), (-1.99, "B"), (-2.0, "C"), (-3.9, "C"), (-4.0, "D"), (-6.0, "E")],
)
@pytest.mark.parametrize("wall", [Wall.MEDIAL, Wall.CANAL])
def test_the_grade_is_that_of_the_deepest_crossing(deepest_mm: float, grade: str, wall: Wall) -> None:
    walls = np.full((4, len(Wall)), 8.0)
    walls[2, wall] = deepest_mm
    path = PathClearance(np.arange(4.0), walls)
    assert gertzbein_robbins(path) == grade
    found = summarise(path)
    assert found.min_mm == deepest_mm
    assert found.profile[:, 1].min() == deepest_mm


@pytest.fixture(scope="module")
def field(wedge: Case) -> WallField:
    return wall_field(wedge.vertebra, Side.LEFT)


def test_the_front_and_the_end_plates_are_walls_of_their_own(wedge: Case, field: WallField) -> None:
    frame = wedge.vertebra.frame
    center = field.point_clearance(frame.origin_lps)
    for wall, direction in ((Wall.ANTERIOR, -frame.v), (Wall.ENDPLATE, frame.w), (Wall.ENDPLATE, -frame.w)):
        assert 3 < center[wall] < 25, wall.name
        nearer = field.point_clearance(frame.origin_lps + 4.0 * direction)
        assert nearer[wall] < center[wall] - 0.3, wall.name


def test_the_instrument_and_not_its_axis_is_measured(wedge: Case, field: WallField) -> None:
    pedicle = wedge.vertebra.pedicles[Side.LEFT]
    ends = [pedicle.isthmus_center_lps + s * pedicle.axis_lps for s in (-4.0, 4.0)]
    thin, thick = (path_clearance(field, Capsule(*ends, radius)).smallest() for radius in (0.5, 1.5))
    seen = np.isfinite(thin)
    np.testing.assert_allclose(thin[seen] - thick[seen], 1.0)


def test_the_canal_counts_before_the_pedicle_is_reached(wedge: Case, field: WallField) -> None:
    """In through the back of the canal and then out into the pedicle."""
    frame, pedicle = wedge.vertebra.frame, wedge.vertebra.pedicles[Side.LEFT]
    through = path_clearance(field, Capsule(frame.to_world([0, 24, 0]), pedicle.isthmus_center_lps, RADIUS_MM))
    assert through.smallest()[Wall.CANAL] < -2.0
    assert gertzbein_robbins(through) != "A"


def test_a_path_that_never_meets_the_pedicle_is_as_bad_as_can_be(wedge: Case, field: WallField) -> None:
    frame = wedge.vertebra.frame
    aside = path_clearance(field, Capsule(frame.to_world([0, -2, 0]), frame.to_world([0, -10, 0]), RADIUS_MM))
    assert aside.smallest()[Wall.MEDIAL] == -np.inf


@pytest.mark.parametrize("side", list(Side))
def test_the_ideal_tip_is_on_its_side_in_the_anterior_third(wedge: Case, side: Side) -> None:
    vertebra = wedge.vertebra
    zone = target_zone(vertebra, side, SETTINGS, unipedicular=False)
    u, v, w = vertebra.frame.to_local(zone.ideal_lps)
    isthmus = vertebra.frame.to_local(vertebra.pedicles[side].isthmus_center_lps)
    assert u == pytest.approx(isthmus[0] / 2, abs=0.01)
    back = float(vertebra.frame.to_local(vertebra.posterior_wall_lps)[:, 1].mean())
    front = float(vertebra.frame.to_local(vertebra.anterior_wall_lps)[:, 1].mean())
    assert front < v < front + (back - front) / 3
    third = -float(zone.behind_third_mm(0.0, w)) + 1.0  # a reserve of 1 mm is kept from the border
    assert third == pytest.approx(front + (back - front) / 3, abs=1.0)
    assert docking_u_mm(vertebra, side) == pytest.approx(abs(isthmus[0]), abs=0.6)


def _flat_lattice(wall: Wall | None, wall_w_mm: float, pedicle: bool = True) -> Lattice:
    """All bone and pedicle; one flat wall at w = `wall_w_mm`, the others far away."""
    shape, origin = (40, 80, 60), np.array([-10.0, -40.0, -30.0])
    w = origin[2] + np.arange(shape[2])
    walls = np.full((*shape, len(Wall)), 100.0, dtype=np.float32)
    if wall is not None:
        walls[..., wall] = (wall_w_mm - w)[None, None, :]
    one = np.ones(shape, dtype=np.float32)
    return Lattice(origin, walls, one, np.zeros_like(one), one if pedicle else np.zeros_like(one))


def _chance(wedge: Case, lattice: Lattice, settings: PlanSettings, length_mm: float = 30.0) -> object:
    upright = dataclasses.replace(wedge.vertebra, frame=Frame((0, 0, 0), np.eye(3)))
    settings = dataclasses.replace(settings, breach_samples=20000)
    ends = np.array([5.0, 20.0, 0.0]), np.array([5.0, 20.0 - length_mm, 0.0])
    return breach_probability(lattice, upright, Side.LEFT, *ends, settings)


@pytest.mark.parametrize(
    ("wall", "name"),
    [(Wall.MEDIAL, "medial"), (Wall.CANAL, "medial"), (Wall.LATERAL, "lateral"), (Wall.INFERIOR, "inferior")],
)
def test_the_chance_of_crossing_a_flat_wall_is_that_of_the_normal_distribution(
    wedge: Case, wall: Wall, name: str
) -> None:
    """An axis displaced by a Gaussian of 2 mm, a wall 3 mm beyond the instrument's surface: 1.5 sigma, 6.7 %."""
    settings = PlanSettings(entry_sigma_mm=2.0, angle_sigma_deg=1e-9)
    found = _chance(wedge, _flat_lattice(wall, 3.0 + RADIUS_MM), settings)
    expected = 0.5 * math.erfc(1.5 / math.sqrt(2))
    assert getattr(found, name) == pytest.approx(expected, abs=0.006)  # three standard errors of 20000 samples
    assert found.any == getattr(found, name)  # type: ignore[attr-defined]


def test_the_angle_error_is_in_degrees_and_grows_along_the_path(wedge: Case) -> None:
    """Turned by a Gaussian of 4 deg, the tip 30 mm in is displaced by 2.1 mm: the same 1.5 sigma."""
    settings = PlanSettings(entry_sigma_mm=1e-9, angle_sigma_deg=4.0)
    reach = 1.5 * 30 * math.tan(math.radians(4.0))
    found = _chance(wedge, _flat_lattice(Wall.SUPERIOR, reach + RADIUS_MM), settings)
    assert found.superior == pytest.approx(0.5 * math.erfc(1.5 / math.sqrt(2)), abs=0.008)  # type: ignore[attr-defined]


def test_a_path_that_misses_the_pedicle_counts_as_crossing(wedge: Case) -> None:
    assert _chance(wedge, _flat_lattice(None, 0.0, pedicle=False), SETTINGS).any == 1.0  # type: ignore[attr-defined]


def _tried(lattice: Lattice, dock_u_mm: float = -np.inf) -> tuple[int, int]:
    crossings, targets = np.array([[5.0, 5.0, 0.0]]), np.array([[5.0, -10.0, 0.0], [3.0, -10.0, 0.0]])
    directions = (targets - crossings) / np.linalg.norm(targets - crossings, axis=1, keepdims=True)
    lines = Lines(crossings, directions, targets[0], 0.0, 0.0, dock_u_mm=dock_u_mm)
    found = search(lattice, lines, worst_slack(lattice, required_margin(SETTINGS), SETTINGS), SETTINGS)
    return len(found.best), found.blocked


def test_bone_behind_the_entry_and_docking_too_near_the_midline_rule_a_line_out() -> None:
    open_back = _flat_lattice(None, 0.0)
    open_back.bone[:, 60:] = 0.0  # the bone ends 20 mm behind the origin
    assert _tried(open_back) == (1, 0)
    assert _tried(open_back, dock_u_mm=4.0) == (1, 0)
    assert _tried(open_back, dock_u_mm=12.0) == (0, 2)
    rib = dataclasses.replace(open_back, obstacle=np.zeros_like(open_back.bone))
    rib.obstacle[:, 70:72] = 1.0
    assert _tried(rib) == (0, 2)
