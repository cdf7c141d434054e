"""The lattice search against a naive Python oracle, and breach chance, skin and angles against closed forms."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case
from scipy.ndimage import map_coordinates

from trajplan.geometry import Frame, Grid, Volume
from trajplan.parts import Part, Side
from trajplan.planning.angles import trocar_angles
from trajplan.planning.breach import breach_probability
from trajplan.planning.evaluate import required_margin
from trajplan.planning.lattice import SPACING_MM, Lattice, make_lattice
from trajplan.planning.objective import score, sigma_at
from trajplan.planning.plan import PlanSettings
from trajplan.planning.routes import Route, lines_of
from trajplan.planning.search import Lines, search
from trajplan.planning.skin import way_from_skin
from trajplan.planning.walls import Wall, WallField, wall_field


@pytest.fixture(scope="module")
def field(wedge: Case) -> WallField:
    return wall_field(wedge.vertebra, Side.LEFT)


@pytest.fixture(scope="module")
def lattice(wedge: Case, field: WallField) -> Lattice:
    return make_lattice(wedge.vertebra, field)


def test_walls_lie_where_their_names_say(wedge: Case, field: WallField) -> None:
    pedicle = wedge.vertebra.pedicles[Side.LEFT]
    center, frame = pedicle.isthmus_center_lps, wedge.vertebra.frame
    at_center = field.point_clearance(center)
    towards = {Wall.MEDIAL: -frame.u, Wall.LATERAL: frame.u, Wall.SUPERIOR: frame.w, Wall.INFERIOR: -frame.w}
    for wall, direction in towards.items():
        nearer = field.point_clearance(center + 1.0 * direction)
        assert nearer[wall] < at_center[wall] - 0.5, wall.name
    assert at_center[Wall.MEDIAL] + at_center[Wall.LATERAL] == pytest.approx(pedicle.width_mm, abs=1.0)
    assert field.point_clearance(frame.to_world([0, 22, 0]))[Wall.CANAL] < 0


def test_a_point_out_of_the_bone_is_beyond_one_wall_only(wedge: Case, field: WallField) -> None:
    pedicle = wedge.vertebra.pedicles[Side.LEFT]
    lateral = pedicle.isthmus_center_lps + (pedicle.width_mm / 2 + 1.5) * wedge.vertebra.frame.u
    clearance = field.point_clearance(lateral)
    assert clearance[Wall.LATERAL] < -1.0
    assert (np.delete(clearance, Wall.LATERAL) > 0).all()


def _at(volume: np.ndarray, points: np.ndarray, lat: Lattice) -> np.ndarray:
    return map_coordinates(volume, ((points - lat.origin_uvw) / SPACING_MM).T, order=1, mode="nearest")


def _oracle(crossing: np.ndarray, along: np.ndarray, lines: Lines, lat: Lattice, settings: PlanSettings) -> float:
    """The best score of one line in plain Python: same definition, no shared code."""
    out = 0.0
    while _at(lat.bone, (crossing - out * along)[None], lat)[0] >= 0.5:
        out += 0.5
    best = -np.inf
    s = np.arange(-out, 70.0, 0.5)
    points = crossing + s[:, None] * along
    first = int(np.argmax(_at(lat.pedicle, points, lat) >= 0.5))
    walls = np.stack([_at(lat.walls[..., w], points, lat) for w in Wall], axis=1) - settings.instrument.radius_mm
    walls[:first, : Wall.CANAL] = np.inf
    slack = walls - required_margin(settings)
    for tip in range(first + 1, len(s)):
        miss = float(np.linalg.norm(points[tip] - lines.ideal_uvw))
        if points[tip, 1] <= lines.slope * points[tip, 2] + lines.offset:
            sigma = sigma_at(s[: tip + 1] + out, settings)
            best = max(best, score(slack[: tip + 1], sigma, miss))
    return best


def test_search_scores_agree_with_the_oracle(wedge: Case, lattice: Lattice) -> None:
    settings = PlanSettings()
    center = wedge.vertebra.frame.to_local(wedge.vertebra.pedicles[Side.LEFT].isthmus_center_lps)
    crossings = center + np.array([[0, 0, 0], [1.0, 0, 2.0], [-1.5, 0, -1.0]])
    ideal = np.array([8.0, -8.0, -1.0])
    directions = ideal + np.array([[0, 0, 0], [4.0, 2.0, -3.0], [-6.0, 0, 4.0]]) - center
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lines = Lines(crossings, directions, ideal, 0.0, -2.0)
    found = search(lattice, lines, required_margin(settings), settings, keep=9)
    assert found.tried == 9
    checked = 0
    for i, j in np.ndindex(3, 3):
        expected = _oracle(crossings[i], directions[j], lines, lattice, settings)
        if found.scores[i, j] > -5 and expected > -5:
            assert found.scores[i, j] == pytest.approx(expected, abs=0.08)
            checked += 1
    assert checked >= 5
    assert [c.score for c in found.best] == sorted((c.score for c in found.best), reverse=True)


def test_giving_up_on_hopeless_lines_changes_no_line_near_the_best(wedge: Case, lattice: Lattice) -> None:
    settings = PlanSettings()
    lines = lines_of(Route(Side.LEFT, "bipedicular"), wedge.vertebra, settings, 1.5, 3.0)
    margin = required_margin(settings)
    every = search(lattice, lines, margin, settings).scores
    floor = float(every.max()) - 0.5
    quick = search(lattice, lines, margin, settings, floor=floor).scores
    near = every >= floor
    assert near.sum() > 3
    np.testing.assert_array_equal(quick[near], every[near])
    assert (quick[~near] < floor).all()


def test_breach_chance_grows_with_the_error_and_vanishes_without(wedge: Case, lattice: Lattice) -> None:
    pedicle = wedge.vertebra.pedicles[Side.LEFT]
    entry = pedicle.isthmus_center_lps - 10 * pedicle.axis_lps
    target = pedicle.isthmus_center_lps + 18 * pedicle.axis_lps
    chances = []
    for entry_sigma, angle_sigma in ((1e-6, 1e-6), (0.75, 2.0), (2.0, 4.0)):
        settings = PlanSettings(entry_sigma_mm=entry_sigma, angle_sigma_deg=angle_sigma, breach_samples=1500)
        chances.append(breach_probability(lattice, wedge.vertebra, Side.LEFT, entry, target, settings))
    assert chances[0].any == 0.0
    assert chances[0].any <= chances[1].any < chances[2].any
    for chance in chances:
        parts = (chance.medial, chance.lateral, chance.superior, chance.inferior)
        assert max(parts) <= chance.any <= 1.0


def test_breach_chance_is_reproducible(wedge: Case, lattice: Lattice) -> None:
    pedicle = wedge.vertebra.pedicles[Side.LEFT]
    entry = pedicle.isthmus_center_lps - 10 * pedicle.axis_lps
    target = pedicle.isthmus_center_lps + 18 * pedicle.axis_lps
    settings = PlanSettings(breach_samples=300)
    first = breach_probability(lattice, wedge.vertebra, Side.LEFT, entry, target, settings)
    assert first == breach_probability(lattice, wedge.vertebra, Side.LEFT, entry, target, settings)
    other = dataclasses.replace(settings, seed=2)
    assert first.samples == breach_probability(lattice, wedge.vertebra, Side.LEFT, entry, target, other).samples == 300


def _slab(skin_y_mm: float) -> Volume:
    """Muscle from y = 0 to the skin, air behind it (patient posterior is +y)."""
    grid = Grid((12, 160, 12), (-6.0, 0.0, -6.0), (1.0, 1.0, 1.0))
    return Volume(np.where(grid.points_lps()[..., 1] < skin_y_mm, 50, -1000).astype(np.int16), grid)


def test_skin_is_found_where_tissue_ends() -> None:
    way = way_from_skin(_slab(80.0), np.array([0.0, 20.0, 0.0]), np.array([0.0, -1.0, 0.0]))
    assert way.skin_lps is not None
    assert way.skin_lps[1] == pytest.approx(79.5, abs=1.0)
    assert way.bone_mm == 0.0


def test_a_sheet_behind_the_back_is_not_the_skin_and_the_air_under_it_is_no_lung() -> None:
    slab = _slab(80.0)
    y = slab.grid.points_lps()[..., 1]
    covered = Volume(np.where((y >= 83.5) & (y < 85.5), -300, slab.array).astype(np.int16), slab.grid)
    way = way_from_skin(covered, np.array([0.0, 20.0, 0.0]), np.array([0.0, -1.0, 0.0]))
    assert way.skin_lps is not None
    assert way.skin_lps[1] == pytest.approx(79.5, abs=1.0)
    assert way.gas_mm == 0.0


def test_a_scan_that_ends_in_tissue_has_no_skin() -> None:
    way = way_from_skin(_slab(500.0), np.array([0.0, 20.0, 0.0]), np.array([0.0, -1.0, 0.0]))
    assert way.skin_lps is None
    assert way.seen_mm == pytest.approx(139, abs=1)


def test_bone_on_the_way_is_measured() -> None:
    slab = _slab(80.0)
    y = slab.grid.points_lps()[..., 1]
    rib = Volume(np.where((y > 40) & (y < 50), 700, slab.array).astype(np.int16), slab.grid)
    way = way_from_skin(rib, np.array([0.0, 20.0, 0.0]), np.array([0.0, -1.0, 0.0]))
    assert way.bone_mm == pytest.approx(9.5, abs=1.5)


@pytest.mark.parametrize("side", list(Side))
def test_angles_are_those_of_the_side_and_caudal_forward_is_positive(side: Side) -> None:
    frame = Frame((0, 0, 0), np.eye(3))
    convergence, craniocaudal = trocar_angles([-side.sign * np.sin(0.2), -np.cos(0.2), 0.0], frame, side)
    assert convergence == pytest.approx(np.degrees(0.2))
    assert craniocaudal == pytest.approx(0.0)
    _, down = trocar_angles([0.0, -1.0, -0.1], frame, side)
    assert down == pytest.approx(np.degrees(np.arctan(0.1)))


def test_parts_ids_of_the_planner_are_those_of_the_label_map() -> None:
    assert Side.LEFT.pedicle == Part.PEDICLE_LEFT
    assert Side.RIGHT.pedicle == Part.PEDICLE_RIGHT
