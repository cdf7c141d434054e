"""What must never slip through: paths outside the limits, lung on the way, coarse labels, an unseen tip."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError, InputError
from trajplan.geometry import Capsule, Grid, Volume
from trajplan.parts import Part, Side
from trajplan.planning.breach import breach_probability
from trajplan.planning.evaluate import PathClearance, path_clearance, required_margin, summarise
from trajplan.planning.grade import mask_doubt
from trajplan.planning.lattice import Lattice, make_lattice
from trajplan.planning.objective import score, sigma_at
from trajplan.planning.plan import Breach, PlanSettings, Refusal, Verdict
from trajplan.planning.planner import plan_vertebra
from trajplan.planning.refine import problem_of, refine
from trajplan.planning.refusals import only_half_way
from trajplan.planning.search import Candidate, Lines
from trajplan.planning.skin import SkinWay, through_other_bone, way_from_skin
from trajplan.planning.target import target_zone, tip_limits_u_mm
from trajplan.planning.verdict import judge
from trajplan.planning.walls import NECK_BEHIND_MM, Wall, wall_field
from trajplan.reading.scan import Scan
from trajplan.target import find_target

FORWARD = np.array([0.0, -1.0, 0.0])
RARE = Breach(0.01, 0.01, 0.0, 0.0, 0.0, 100, 0.75, 2.0)


def test_slack_towards_the_nerves_counts_for_less_than_the_same_slack_elsewhere() -> None:
    """A path is pushed away from the medial and inferior walls rather than from the lateral and superior ones."""
    scores = {}
    for wall in Wall:
        slack = np.full((1, len(Wall)), np.inf)
        slack[0, wall] = 1.0
        scores[wall] = score(slack, sigma_at(np.array([20.0]), PlanSettings()), 0.0)
    for near, far in ((Wall.MEDIAL, Wall.LATERAL), (Wall.INFERIOR, Wall.SUPERIOR), (Wall.CANAL, Wall.ENDPLATE)):
        assert scores[near] < scores[far]


@pytest.mark.parametrize("name", ["posterior_wall_lps", "anterior_wall_lps"])
def test_a_body_whose_walls_were_not_found_is_refused_by_name(wedge: Case, name: str) -> None:
    blind: Vertebra = dataclasses.replace(wedge.vertebra, **{name: np.zeros((0, 3))})  # type: ignore[arg-type]
    with pytest.raises(AnatomyError, match="0 points") as refused:
        target_zone(blind, Side.LEFT, PlanSettings(), unipedicular=False)
    assert refused.value.code == "no_wall_line"


def _layers(*layers: tuple[float, float]) -> Volume:
    """Layers along +y from y = 0, each (thickness_mm, HU)."""
    grid = Grid((12, 200, 12), (-6.0, 0.0, -6.0), (1.0, 1.0, 1.0))
    y = grid.points_lps()[..., 1]
    hu, start = np.full(y.shape, -1000.0), 0.0
    noise = np.random.default_rng(1).normal(size=y.shape) * 8
    for thickness, value in layers:
        hu[(y >= start) & (y < start + thickness)] = value
        start += thickness
    return Volume((hu + noise).astype(np.int16), grid)


def test_lung_is_not_the_outside_of_the_body() -> None:
    way = way_from_skin(_layers((40, 50), (30, -850), (25, 40)), np.array([0.0, 20.0, 0.0]), FORWARD)
    assert way.skin_lps is not None
    assert way.skin_lps[1] == pytest.approx(94.5, abs=1.0)
    assert way.gas_mm == pytest.approx(30.0, abs=1.5)


def test_a_table_top_behind_the_patient_is_not_taken_for_the_body() -> None:
    way = way_from_skin(_layers((80, 50), (15, -1000), (4, 0), (20, -900), (4, 0)), np.array([0.0, 20.0, 0.0]), FORWARD)
    assert way.skin_lps is not None
    assert way.skin_lps[1] == pytest.approx(79.5, abs=1.0)
    assert way.gas_mm == 0.0
    assert not way.border


def test_a_mat_on_the_table_is_no_tissue_and_the_air_before_it_no_gas() -> None:
    """Thick slices blur a mat's cover to -360 HU: lighter than any tissue, heavier than air."""
    layers = ((80, 50), (6, -750), (6, -360), (30, -950))
    way = way_from_skin(_layers(*layers), np.array([0.0, 20.0, 0.0]), FORWARD)
    assert way.skin_lps is not None
    assert way.skin_lps[1] == pytest.approx(79.5, abs=1.0)
    assert way.gas_mm == 0.0


def test_a_constant_value_behind_the_skin_is_told() -> None:
    grid = Grid((12, 200, 12), (-6.0, 0.0, -6.0), (1.0, 1.0, 1.0))
    filled = Volume(np.where(grid.points_lps()[..., 1] < 60, 50, -1024).astype(np.int16), grid)
    assert way_from_skin(filled, np.array([0.0, 20.0, 0.0]), FORWARD).border


def test_an_entry_outside_the_scan_knows_no_skin() -> None:
    way = way_from_skin(_layers((80, 50)), np.array([0.0, -20.0, 0.0]), FORWARD)
    assert way.skin_lps is None
    assert way.seen_mm == 0.0


def test_other_bone_beside_the_axis_is_grazed_and_on_the_axis_is_crossed() -> None:
    grid = Grid((40, 80, 40), (-10.0, 0.0, -10.0), (0.5, 0.5, 0.5))
    points = grid.points_lps()
    beside = (points[..., 0] > 1.0) & (points[..., 1] > 20) & (points[..., 1] < 30)
    crossed, grazed = through_other_bone(beside, grid, np.array([0.0, 10.0, 0.0]), FORWARD, 1.5)
    assert crossed == 0.0
    assert grazed == pytest.approx(10.0, abs=1.0)
    crossed, grazed = through_other_bone(beside, grid, np.array([2.0, 10.0, 0.0]), FORWARD, 1.5)
    assert crossed == grazed == pytest.approx(10.0, abs=1.0)
    assert through_other_bone(beside, grid, np.array([0.0, 10.0, 0.0]), FORWARD, 0.5) == (0.0, 0.0)


def test_gas_on_the_way_is_unsafe_and_a_grazed_joint_or_a_scan_border_is_said(wedge: Case) -> None:
    skin = wedge.vertebra.frame.to_world([30.0, 90.0, 0.0])
    lung, reasons = judge(wedge.vertebra, PlanSettings(), SkinWay(skin, 0.0, 60.0, gas_mm=12.0), 2.0, 0.0, RARE)
    assert lung is Verdict.UNSAFE
    assert "12 mm of lung" in reasons[0]
    doubtful = SkinWay(skin, 0.0, 60.0, grazed_mm=4.0, border=True)
    verdict, reasons = judge(wedge.vertebra, PlanSettings(), doubtful, 2.0, 0.0, RARE)
    assert verdict is Verdict.SAFE
    assert any("4 mm" in r for r in reasons)
    assert any("field of view" in r for r in reasons)


@pytest.mark.parametrize(("spacing_mm", "extra_mm"), [(None, 0.0), (0.8, 0.0), (1.0, 0.0), (2.0, 0.3), (3.0, 0.6)])
def test_more_margin_is_asked_the_coarser_the_labels(spacing_mm: float | None, extra_mm: float) -> None:
    assert mask_doubt(False, spacing_mm).extra_mm == pytest.approx(extra_mm)
    assert mask_doubt(True, spacing_mm).extra_mm == 1.0
    assert mask_doubt(True, 5.0).extra_mm == pytest.approx(1.2)


def test_thick_slices_leave_a_small_margin_unknown_and_say_why(wedge: Case) -> None:
    way = SkinWay(wedge.vertebra.frame.to_world([30.0, 90.0, 0.0]), 0.0, 60.0)
    doubt = mask_doubt(False, 3.0)
    verdict, reasons = judge(wedge.vertebra, PlanSettings(), way, 0.4, doubt.extra_mm, RARE, doubt.why)
    assert verdict is Verdict.UNKNOWN
    assert "3.0 mm" in reasons[0]
    assert judge(wedge.vertebra, PlanSettings(), way, 0.7, doubt.extra_mm, RARE, doubt.why)[0] is Verdict.SAFE


def test_a_path_that_cannot_keep_the_angle_limits_is_not_allowed(wedge: Case) -> None:
    settings = dataclasses.replace(PlanSettings(), min_craniocaudal_deg=80.0, max_craniocaudal_deg=85.0)
    zone = target_zone(wedge.vertebra, Side.LEFT, settings, unipedicular=False)
    frame = wedge.vertebra.frame
    center = frame.to_local(wedge.vertebra.pedicles[Side.LEFT].isthmus_center_lps)
    ideal = frame.to_local(zone.ideal_lps)
    field = wall_field(wedge.vertebra, Side.LEFT)
    lines = Lines(center[None], np.zeros((0, 3)), ideal, zone.slope, zone.offset, dock_u_mm=0.0)
    for asked, allowed in ((settings, False), (PlanSettings(), True)):
        problem = problem_of(wedge.vertebra, field, np.zeros((0, 3)), lines, required_margin(asked), asked)
        (found,) = refine((Candidate(center, ideal, 0.0),), wedge.vertebra, field, problem, 1.5)
        assert found.allowed is allowed


@pytest.mark.parametrize(
    "change",
    [
        {"wall_margin_mm": float("nan")},
        {"canal_margin_mm": -1.0},
        {"max_convergence_deg": float("inf")},
        {"breach_samples": 0},
    ],
)
def test_settings_that_would_make_any_path_pass_are_refused(wedge: Case, change: dict[str, float]) -> None:
    settings = dataclasses.replace(PlanSettings(), **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=next(iter(change))) as refused:
        plan_vertebra(wedge.phantom.ct, wedge.vertebra, settings, automatic_mask=False)
    assert refused.value.code == "settings_invalid"


def test_a_one_sided_refusal_says_that_a_half_way_tip_was_possible() -> None:
    refusal = Refusal(Side.LEFT, "unipedicular", "no_margin", "No left path keeps its margins.", {"tried": 3.0})
    told = only_half_way(refusal)
    assert (told.side, told.code, told.numbers) == (refusal.side, refusal.code, refusal.numbers)
    assert told.message.startswith(refusal.message)
    assert "half-way" in told.message


def test_tips_stay_where_the_staged_rule_lets_them() -> None:
    assert tip_limits_u_mm(unipedicular=False)[0] > 0
    low, high = tip_limits_u_mm(unipedicular=True)
    assert -5.0 < low < 0 < high < 5.0


def test_the_chance_of_a_breach_looks_at_the_very_tip(wedge: Case) -> None:
    shape = (30, 60, 30)
    origin = np.array([-15.0, -30.0, -15.0])
    v = (origin[1] + np.arange(60.0))[None, :, None] * np.ones(shape)
    walls = np.full((*shape, len(Wall)), 10.0, dtype=np.float32)
    walls[..., Wall.ANTERIOR] = v + 11.8  # the front wall, 1.3 mm beyond the tip's axis
    one, none = np.ones(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    settings = PlanSettings(entry_sigma_mm=1e-6, angle_sigma_deg=1e-6, breach_samples=20)
    ends = wedge.vertebra.frame.to_world(np.array([[0.0, 20.0, 0.0], [0.0, -10.5, 0.0]]))
    lattice = Lattice(origin, walls, one, none, one)
    assert breach_probability(lattice, wedge.vertebra, Side.LEFT, ends[0], ends[1], settings).any == 1.0


def test_the_profile_shows_the_smallest_clearance() -> None:
    walls = np.full((9, len(Wall)), 5.0)
    walls[3, Wall.MEDIAL] = 1.25
    walls[:2, : Wall.CANAL] = np.inf
    found = summarise(PathClearance(np.arange(9) * 0.25, walls))
    assert found.min_mm == 1.25
    assert found.profile[:, 1].min() == 1.25


def test_a_seed_and_a_level_that_name_two_vertebrae_are_refused(wedge: Case) -> None:
    scan = Scan.of_volume(wedge.phantom.ct, path_name="phantom", kind="phantom")
    labels = wedge.phantom.labels
    at = np.argwhere(labels.array == 21)
    inside_l2 = labels.grid.index_to_world(at[np.argmin(np.linalg.norm(at - at.mean(axis=0), axis=1))])
    with pytest.raises(InputError, match=r"L2.*L1") as refused:
        find_target(scan, "L1", inside_l2, labels, "labels", lambda _f, _w: None)
    assert refused.value.code == "seed_not_in_level"


@pytest.mark.parametrize("keep_mm", [0.0, 5.0])
def test_a_canal_that_is_a_speck_or_ends_below_the_pedicle_means_no_plan(wedge: Case, keep_mm: float) -> None:
    parts = wedge.vertebra.parts
    at = np.argwhere(parts.array == Part.CANAL)
    w = wedge.vertebra.frame.to_local(parts.grid.index_to_world(at))[:, 2]
    pedicle_w = wedge.vertebra.frame.to_local(wedge.vertebra.pedicles[Side.LEFT].isthmus_center_lps)[2]
    lost = at[w > pedicle_w - keep_mm] if keep_mm else at[1:]
    array = parts.array.copy()
    array[tuple(lost.T)] = 0
    half_blind = dataclasses.replace(wedge.vertebra, parts=dataclasses.replace(parts, array=array))
    with pytest.raises(AnatomyError, match="left pedicle") as refused:
        wall_field(half_blind, Side.LEFT)
    assert refused.value.code == "no_canal"


def test_no_tissue_between_skin_and_entry_is_no_knowledge(wedge: Case) -> None:
    bare = SkinWay(wedge.vertebra.frame.to_world([30.0, 40.0, 0.0]), 0.0, 2.0)
    verdict, reasons = judge(wedge.vertebra, PlanSettings(), bare, 2.0, 0.0, RARE)
    assert verdict is Verdict.UNKNOWN
    assert "belongs to this scan" in reasons[0]


def test_the_lattice_holds_no_infinite_value(wedge: Case) -> None:
    """Between an infinite and a finite point interpolation gives NaN, and no NaN is ever below a limit."""
    field = wall_field(wedge.vertebra, Side.LEFT)
    lattice = make_lattice(wedge.vertebra, field)
    assert np.isfinite(lattice.walls).all()
    far = wedge.vertebra.frame.to_world([0.0, 60.0, 0.0])
    assert np.isneginf(field.point_clearance(far, 5.0)).sum() == 1


def test_a_short_neck_counts_from_behind_its_isthmus_whatever_the_parts_call_it(wedge: Case) -> None:
    """Behind the isthmus of L5 the mask calls a process what is still the neck: its walls count there too."""
    parts, grid, pedicle = wedge.vertebra.parts, wedge.vertebra.parts.grid, wedge.vertebra.pedicles[Side.LEFT]
    ids = np.argwhere(parts.array == Part.PEDICLE_LEFT)
    along = (grid.index_to_world(ids) - pedicle.isthmus_center_lps) @ pedicle.axis_lps
    short = parts.array.copy()
    short[tuple(ids[along < 2.0].T)] = Part.POSTERIOR
    cut = dataclasses.replace(wedge.vertebra, parts=dataclasses.replace(parts, array=short))
    path = Capsule(
        pedicle.isthmus_center_lps - 10 * pedicle.axis_lps, pedicle.isthmus_center_lps + 15 * pedicle.axis_lps, 1.5
    )
    found = path_clearance(wall_field(cut, Side.LEFT), path)
    counted = np.isfinite(found.walls_mm[:, Wall.MEDIAL])
    assert found.depth_mm[int(np.argmax(counted))] == pytest.approx(10.0 - NECK_BEHIND_MM, abs=0.5)
