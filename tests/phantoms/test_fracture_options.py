"""What may come with a fracture: retropulsion, fragment, cleft, band, pedicle line, neighbours that follow."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from trajplan.errors import InputError
from trajplan.geometry import Grid
from trajplan.parts import Part, Side
from trajplan_phantoms import Phantom, PhantomSpec, Pose, Scanner, Truth, make_phantom
from trajplan_phantoms.fracture import Cleft, Fracture, Fragment
from trajplan_phantoms.morphometry import LEVELS
from trajplan_phantoms.spine import Placement, Spine, build_spine


def spine_of(fracture: Fracture, level: str = "L1", levels: tuple[str, ...] = ()) -> Spine:
    return build_spine(PhantomSpec(level, levels or (level,), fracture))


def truth_of(fracture: Fracture, level: str = "L1", pose: Pose | None = None) -> Truth:
    pose = pose or Pose()
    spine = spine_of(fracture, level)
    return Truth(level, spine.vertebrae[spine.target], Placement(pose.linear, pose.translation_lps))


def posterior_wall(truth: Truth, w_mm: float) -> float:
    """v where the bone of the body ends in the midline."""
    v = np.arange(0.0, 34.0, 0.01)
    line = np.stack([np.zeros_like(v), v, np.full_like(v, w_mm)], axis=-1)
    return float(v[truth.body_value(line) < 0][-1])


@pytest.mark.parametrize("level", ["T9", "L1", "L5"])
@pytest.mark.parametrize("plates", ["superior", "inferior"])
def test_retropulsion_moves_the_wall_and_narrows_the_canal_by_as_much(level: str, plates: str) -> None:
    truth = truth_of(Fracture("crush", 40.0, plates, retropulsion_mm=4.0), level)
    push, depth = truth.vertebra.body.push, truth.vertebra.canal.depth_mm
    assert push is not None
    assert posterior_wall(truth, push.center_w_mm) == pytest.approx(push.wall_mm + 4.0, abs=0.1)
    assert truth.fracture.free_canal_depth_mm == pytest.approx(depth - 4.0, abs=0.15)
    points = np.random.default_rng(1).uniform([-14, 5, -14], [14, 45, 14], (20000, 3))
    both = (truth.body_value(points) < -0.3) & (truth.canal_value(points) < -0.3)
    assert not both.any()


def test_retropulsion_leaves_heights_pedicles_and_the_back_of_the_canal_alone() -> None:
    plain, pushed = (truth_of(Fracture("crush", 40.0, retropulsion_mm=r)) for r in (0.0, 6.0))
    assert pushed.heights == plain.heights
    for side in Side:
        assert pushed.pedicles[side].width_mm == pytest.approx(plain.pedicles[side].width_mm, abs=0.02)
    back = np.random.default_rng(2).uniform([-30, 33, -30], [30, 70, 20], (4000, 3))
    np.testing.assert_allclose(pushed.bone_value(back), plain.bone_value(back), atol=1e-9)


@pytest.mark.parametrize(("level", "plates"), [("T9", "superior"), ("L2", "inferior")])
def test_a_burst_fragment_is_a_separate_piece_of_the_body_with_its_gap(level: str, plates: str) -> None:
    truth = truth_of(Fracture("wedge", 40.0, plates, retropulsion_mm=2.0, fragment=Fragment(4.0, gap_mm=1.5)), level)
    vertebra = truth.vertebra
    grid = Grid.isotropic((-14.0, -3.0, -15.0), (14.0, 28.0, 15.0), 0.5)
    p = grid.points_lps()
    q = (p[..., 0], p[..., 1], p[..., 2])
    bone = vertebra.value(q)
    pieces, count = ndimage.label(bone < 0, np.ones((3, 3, 3)))
    assert count == 2
    small = pieces == 1 + int(np.argmin(np.bincount(pieces.ravel())[1:]))
    assert (vertebra.parts(q, bone)[small] == Part.BODY).all()
    other = p[(bone < 0) & ~small]
    assert 1.5 - 0.15 <= cKDTree(other).query(p[small])[0].min() <= 3.0
    assert small.sum() * 0.125 == pytest.approx(truth.fracture.to_dict()["fragment"]["volume_mm3"], rel=0.05)
    assert (truth.canal_value(p[small]) >= 0).all()
    assert truth.fracture.free_canal_depth_mm < vertebra.canal.depth_mm - 4.0


def test_a_cleft_lies_inside_the_body_with_the_volume_it_states() -> None:
    for ask in (Cleft("gas"), Cleft("fluid", width_mm=14.0, depth_mm=10.0, thickness_mm=2.0)):
        truth = truth_of(Fracture("wedge", 40.0, cleft=ask))
        points = Grid.isotropic((-13.0, -15.0, -9.0), (13.0, 8.0, 11.0), 0.3).points_lps().reshape(-1, 3)
        inside = truth.fracture.cleft_value(points) < 0
        assert inside.sum() * 0.3**3 == pytest.approx(truth.fracture.cleft_volume_mm3, rel=0.01)
        assert truth.body_value(points[inside]).max() < -0.7
    assert truth.fracture.cleft_volume_mm3 == pytest.approx(np.pi / 6.0 * 14.0 * 10.0 * 2.0)
    assert truth_of(Fracture("wedge", 40.0)).fracture.cleft_volume_mm3 == 0.0


@pytest.fixture(scope="module")
def scans() -> dict[str, Phantom]:
    scanner = Scanner((0.7, 0.7, 0.7), noise_hu=0.0)
    asks = {
        "plain": Fracture("wedge", 40.0),
        "all": Fracture("wedge", 40.0, band_hu=100.0, cleft=Cleft("gas"), pedicle_line=Side.LEFT),
    }
    return {name: make_phantom(PhantomSpec(levels=("L1",), fracture=ask), scanner) for name, ask in asks.items()}


def test_cleft_band_and_pedicle_line_change_hu_and_no_label(scans: dict[str, Phantom]) -> None:
    plain, changed = scans["plain"], scans["all"]
    np.testing.assert_array_equal(plain.labels.array, changed.labels.array)
    np.testing.assert_array_equal(plain.parts.array, changed.parts.array)
    grid, truth = plain.ct.grid, changed.truth

    def hu(phantom: Phantom, point_lps) -> float:
        k, j, i = np.rint(grid.world_to_index(point_lps)).astype(int)
        return float(phantom.ct.array[k, j, i])

    stored = truth.to_dict()["fracture"]
    middle = stored["cleft"]["center_lps"]
    assert hu(plain, middle) > 80
    assert hu(changed, middle) < -350
    isthmus = stored["pedicle_line"]["point_lps"]
    assert stored["pedicle_line"]["side"] == "left"
    assert hu(changed, isthmus) < hu(plain, isthmus) - 40
    other = truth.pedicles[Side.RIGHT].isthmus_center_lps
    assert hu(changed, other) == hu(plain, other)
    at = np.array([12.0, -8.0])
    top = float(truth.vertebra.body.plates(np.array(at[0]), np.array(at[1]))[0])
    below, deep = (*at, top - 3.0), (*at, top - 8.0)
    assert 30 < hu(changed, below) - hu(plain, below) <= 105
    assert hu(changed, deep) == pytest.approx(hu(plain, deep), abs=3)


def test_the_side_of_the_line_is_that_of_the_patient() -> None:
    fracture = Fracture("wedge", 20.0, pedicle_line=Side.LEFT)
    for mirror in (False, True):
        truth = truth_of(fracture, pose=Pose(mirror=mirror))
        line = truth.to_dict()["fracture"]["pedicle_line"]
        assert line["side"] == ("right" if mirror else "left")
        np.testing.assert_allclose(line["point_lps"], truth.pedicles[Side(line["side"])].isthmus_center_lps, atol=0.6)
        assert (line["point_lps"][0] > 0) != mirror


def disc_gaps(spine: Spine) -> list[float]:
    """Distances between the facing rims over and under the target, front and back, mm."""
    out = []
    for upper in (spine.target - 1, spine.target):
        above, below = spine.vertebrae[upper].body, spine.vertebrae[upper + 1].body
        for share in (-0.4, 0.4):
            points = []
            for body, place, index in ((above, spine.placements[upper], 3), (below, spine.placements[upper + 1], 2)):
                v = np.array(share * body.depth_mm)
                points.append(place.to_patient([0.0, float(v), float(body.plates(np.zeros(()), v)[index])]))
            out.append(float(np.linalg.norm(points[0] - points[1])))
    return out


@pytest.mark.parametrize("fracture", [Fracture("wedge", 40.0), Fracture("crush", 25.0, "both")])
def test_neighbours_that_follow_keep_their_discs(fracture: Fracture) -> None:
    levels = ("T12", "L1", "L2")
    intact = disc_gaps(spine_of(Fracture(), levels=levels))
    stays = disc_gaps(spine_of(fracture, levels=levels))
    follows = disc_gaps(spine_of(replace(fracture, follow=True), levels=levels))
    assert max(abs(a - b) for a, b in zip(intact, stays, strict=True)) > 2.0
    np.testing.assert_allclose(follows, intact, atol=1.5)


def test_following_moves_no_number_of_the_target() -> None:
    levels = ("T12", "L1", "L2")
    stays, follows = (spine_of(Fracture("wedge", 45.0, follow=f), levels=levels) for f in (False, True))
    a, b = (Truth("L1", s.vertebrae[1], Placement(np.eye(3), np.zeros(3))) for s in (stays, follows))
    assert a.heights == b.heights
    for side in Side:
        assert a.pedicles[side].width_mm == pytest.approx(b.pedicles[side].width_mm, abs=0.05)
    top = [s.placements[0].to_patient([0.0, 0.0, 0.0]) for s in (stays, follows)]
    assert top[1][1] < top[0][1] - 3.0  # the spine above goes forward
    np.testing.assert_allclose(stays.placements[2].origin, follows.placements[2].origin)


@pytest.mark.parametrize(
    ("fracture", "level"),
    [(Fracture("wedge", 75.0), "L1"), (Fracture("crush", 60.0, "both"), "T9"), (Fracture("crush", 60.0), "L4")],
)
def test_neighbours_that_follow_do_not_run_into_the_target(fracture: Fracture, level: str) -> None:
    index = LEVELS.index(level)
    spine = spine_of(replace(fracture, follow=True), level, LEVELS[index - 1 : index + 2])
    p = Grid.isotropic((-26.0, -26.0, -26.0), (26.0, 60.0, 22.0), 1.4).points_lps().reshape(-1, 3)
    values = []
    for one, place in zip(spine.vertebrae, spine.placements, strict=True):
        q = place.to_own(p)
        values.append(one.value((q[:, 0], q[:, 1], q[:, 2])))
    assert ((values[1] < 0) & (np.minimum(values[0], values[2]) < 0)).sum() == 0


def test_the_shorthand_and_the_fracture_say_the_same() -> None:
    long, short = PhantomSpec(fracture=Fracture("crush", 30.0)), PhantomSpec(fracture="crush", height_loss_percent=30.0)
    assert long.fracture_of_target == short.fracture_of_target
    assert (long.fracture, long.height_loss_percent) == ("crush", 30.0)
    banded = PhantomSpec(fracture=Fracture("crush", 30.0, band_hu=80.0))
    assert replace(banded, height_loss_percent=50.0).fracture_of_target == Fracture("crush", 50.0, band_hu=80.0)
    assert PhantomSpec(fracture="none").fracture_of_target.kind == "none"


def test_the_truth_of_a_complicated_fracture_is_plain_json() -> None:
    ask = Fracture(
        "crush",
        45.0,
        "both",
        "local",
        90.0,
        3.0,
        Cleft("fluid", thickness_mm=1.5),
        2.0,
        Fragment(3.0),
        Side.RIGHT,
        True,
    )
    stored = json.loads(json.dumps(truth_of(ask).to_dict()))
    fracture = stored["fracture"]
    assert (fracture["kind"], fracture["genant_grade"], fracture["end_plates_failed"]) == ("crush", 3, "both")
    assert stored["body_volume_mm3"] < fracture["body_volume_before_mm3"]
    assert set(fracture["end_plates"]) == {"superior", "inferior", "superior_before", "inferior_before"}
    assert fracture["free_canal_depth_mm"] < fracture["canal_depth_mm"]
    assert fracture["cleft"]["volume_mm3"] > 0 < fracture["fragment"]["volume_mm3"]


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda: Fracture("wedge", 95.0), "height_loss_invalid", "95 %"),
        (lambda: Fracture("wedge", -5.0), "height_loss_invalid", "-5 %"),
        (lambda: Fracture("wedge", float("nan")), "height_loss_invalid", "nan"),
        (lambda: Fracture("none", 20.0), "fracture_unknown", "20 %"),
        (lambda: Fracture("burst", 20.0), "fracture_unknown", "burst"),
        (lambda: Fracture("wedge", 20.0, "anterior"), "fracture_option_unknown", "anterior"),
        (lambda: Fracture("wedge", 20.0, retropulsion_mm=-1.0), "retropulsion_invalid", "-1 mm"),
        (lambda: Fracture("wedge", 20.0, band_hu=900.0), "band_invalid", "900 HU"),
        (lambda: Fracture("wedge", 20.0, pedicle_line="front"), "fracture_option_unknown", "front"),
        (lambda: Cleft("water"), "fracture_option_unknown", "water"),
        (lambda: Cleft("gas", width_mm=-3.0), "cleft_invalid", "-3 mm"),
        (lambda: Cleft("gas", hu=100.0), "cleft_invalid", "100 HU"),
        (lambda: Fragment(shift_mm=-2.0), "fragment_invalid", "-2 mm"),
        (lambda: spine_of(Fracture("wedge", 40.0, cleft=Cleft(width_mm=60.0))), "cleft_invalid", "60.0 x"),
        (lambda: spine_of(Fracture("wedge", 80.0, cleft=Cleft(thickness_mm=9.0))), "cleft_invalid", "larger than"),
        (lambda: spine_of(Fracture("crush", 40.0, retropulsion_mm=14.0)), "retropulsion_invalid", "14.0 mm"),
        (
            lambda: spine_of(Fracture("crush", 40.0, fragment=Fragment(width_mm=30.0))),
            "fragment_invalid",
            "30.0 mm wide",
        ),
    ],
)
def test_an_impossible_fracture_is_refused_with_the_reason(make, code: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.code == code
    assert says in str(caught.value)
