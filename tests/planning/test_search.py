"""The lattice search against a naive Python oracle, and breach chance, skin and angles against closed forms."""

from __future__ import annotations

import dataclasses

import numba as nb
import numpy as np
import pytest
from planning_cases import Case
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from trajplan.geometry import Frame, Grid, Volume
from trajplan.parts import Part, Side
from trajplan.planning.angles import trocar_angles
from trajplan.planning.breach import breach_probability, least_clearance
from trajplan.planning.climb import _HOPELESS, climb
from trajplan.planning.evaluate import required_margin
from trajplan.planning.kernels import margins
from trajplan.planning.lattice import SPACING_MM, Lattice, make_lattice
from trajplan.planning.objective import score, sigma_at
from trajplan.planning.plan import PlanSettings
from trajplan.planning.refine import problem_of
from trajplan.planning.routes import Route, lines_of
from trajplan.planning.search import Lines, search, worst_slack, worth_beating
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
    found = search(lattice, lines, worst_slack(lattice, required_margin(settings), settings), settings, keep=9)
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
    every = search(lattice, lines, worst_slack(lattice, margin, settings), settings).scores
    floor = float(every.max()) - 0.5
    quick = search(lattice, lines, worst_slack(lattice, margin, settings), settings, floor=floor).scores
    near = every >= floor
    assert near.sum() > 3
    np.testing.assert_array_equal(quick[near], every[near])
    assert (quick[~near] < floor).all()


@pytest.mark.parametrize("margin_mm", [1.0, 6.0])
def test_the_quick_look_finds_the_best_line_of_its_net(wedge: Case, lattice: Lattice, margin_mm: float) -> None:
    settings = PlanSettings(wall_margin_mm=margin_mm, canal_margin_mm=margin_mm)
    lines = lines_of(Route(Side.LEFT, "bipedicular"), wedge.vertebra, settings, 1.5, 3.0)
    margin = required_margin(settings)
    every = search(lattice, lines, worst_slack(lattice, margin, settings), settings)
    quick = search(lattice, lines, worst_slack(lattice, margin, settings), settings, keep=1, best_only=True)
    assert (every.best[0].score > 0) == (margin_mm < 2)
    assert quick.best[0].score == every.best[0].score
    np.testing.assert_array_equal(quick.best[0].target_uvw, every.best[0].target_uvw)
    # and what it says is worth beating loses no candidate of the full search, also where no margin is kept
    asked = search(lattice, lines, worst_slack(lattice, margin, settings), settings, floor=worth_beating(quick))
    near = every.scores >= worth_beating(quick)
    np.testing.assert_array_equal(asked.scores[near], every.scores[near])
    assert asked.best[0].score == every.best[0].score


def test_the_lattice_knows_the_nearest_sample_of_every_wall(field: WallField, lattice: Lattice) -> None:
    nodes = np.stack(np.meshgrid(*(np.arange(n) for n in lattice.bone.shape), indexing="ij"), axis=-1)
    inside = np.argwhere(lattice.bone >= 0.9)[::37]
    # no tip goes farther across the midline, where the lattice ends before the other flank of the body
    inside = inside[inside[:, 0] + lattice.origin_uvw[0] > -4.0]
    points = nodes[tuple(inside.T)] + lattice.origin_uvw
    for wall in Wall:
        distance = cKDTree(field.samples_uvw[field.kinds == wall]).query(points)[0]
        expected = np.sqrt(np.maximum(distance**2 - field.distances[wall].reach_mm ** 2, 0.0)) - lattice.guard_mm
        told = lattice.walls[tuple(inside.T)][:, wall]
        positive = expected > 0
        far = np.minimum(told[positive], 6.0) - np.minimum(expected[positive], 6.0)
        assert np.abs(far).max(initial=0.0) < 0.4
        assert (np.abs(far) > 0.05).mean() < 0.06
        assert np.abs(far).mean() < 0.01


def test_boxes_left_out_change_no_margin(field: WallField, wedge: Case) -> None:
    settings = PlanSettings()
    lines = lines_of(Route(Side.LEFT, "bipedicular"), wedge.vertebra, settings, 1.5, 3.0)
    p = problem_of(wedge.vertebra, field, np.zeros((0, 3)), lines, required_margin(settings), settings)
    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(40):
        entry = lines.crossings_uvw.mean(axis=0) + np.r_[rng.normal(0, 3), 15.0, rng.normal(0, 3)]
        tip = lines.ideal_uvw + rng.normal(0, 4, 3)
        length = float(np.linalg.norm(tip - entry))
        along = (tip - entry) / length
        starts = np.r_[rng.uniform(0, 12, len(Wall)), -40.0]
        found = margins(
            p.samples, p.at, p.kinds, p.balls, entry, along, length, starts, p.taken, p.weight, p.entry_sigma,
            p.angle_sigma, p.reach,
        )  # fmt: skip
        kind = np.repeat(p.kinds, np.diff(p.at))
        t = np.minimum(np.maximum((p.samples - entry) @ along, starts[kind]), length)
        d2 = ((p.samples - entry - t[:, None] * along) ** 2).sum(axis=1) - p.reach**2
        sigma = np.hypot(p.entry_sigma, p.angle_sigma * np.maximum(t, 0))
        slack = np.where(d2 > 14.0**2, np.inf, (np.sqrt(np.maximum(d2, 0)) - p.taken[kind]) / sigma)
        assert found[0] == pytest.approx((slack / p.weight[kind]).min(), abs=1e-9)
        upright = (kind == Wall.SUPERIOR) | (kind == Wall.INFERIOR)
        if np.isfinite(slack[upright]).any():
            assert found[1] == pytest.approx(slack[upright].min(), abs=1e-9)
            seen += 1
    assert seen > 20


def test_steps_left_out_change_no_least_clearance(lattice: Lattice, wedge: Case) -> None:
    rng = np.random.default_rng(5)
    center = wedge.vertebra.frame.to_local(wedge.vertebra.pedicles[Side.LEFT].isthmus_center_lps)
    starts = center + np.array([4.0, 14.0, 2.0]) + rng.normal(0, 2, (200, 3))
    aims = np.array([9.0, -8.0, 0.0]) + rng.normal(0, 5, (200, 3)) - starts
    along = aims / np.linalg.norm(aims, axis=1, keepdims=True)
    every = least_clearance(lattice, starts, along, 34.0, 1.5)
    some = least_clearance(lattice, starts, along, 34.0, 1.5, below_mm=0.25)
    low = every < 0.25
    assert low.any()
    np.testing.assert_array_equal(some[low], every[low])
    assert (some[~low] >= 0.25).all()
    one = least_clearance(lattice, starts, along, 34.0, 1.5, nearest_only=True)
    np.testing.assert_array_equal(one.min(axis=1), every.min(axis=1))


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


def test_a_climb_does_not_depend_on_how_its_starts_are_shared(
    field: WallField, wedge: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good start beside hopeless ones: these climb on because of it, also in a thread of their own."""
    settings = PlanSettings()
    lines = lines_of(Route(Side.LEFT, "bipedicular"), wedge.vertebra, settings, 1.5, 3.0)
    p = problem_of(wedge.vertebra, field, np.zeros((0, 3)), lines, required_margin(settings), settings)
    crossing = lines.crossings_uvw.mean(axis=0)
    good = np.array([crossing[0], crossing[2], *lines.ideal_uvw])
    off = np.array([9.0, 0.0, 12.0, 0.0, 0.0])
    starts = np.stack([good, good + off, good - off])
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(nb, "get_num_threads", lambda threads=threads: threads)
        found.append(climb(starts, p, 20))
    assert found[0][1].min() < _HOPELESS < found[0][1].max(), "the case is one that could depend on it"
    for places, losses in found[1:]:
        assert places.tobytes() == found[0][0].tobytes()
        assert losses.tobytes() == found[0][1].tobytes()
