"""Requested losses are found back on the functions and on voxels, at every level and for every kind of fracture."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from trajplan_phantoms import PhantomSpec, Pose, Truth
from trajplan_phantoms.fracture import Fracture, genant_grade
from trajplan_phantoms.morphometry import LEVELS
from trajplan_phantoms.spine import Placement, build_spine

COLUMNS = {"ha": -0.4, "hm": 0.0, "hp": 0.4}
LOST_AT = {"wedge": "ha", "biconcave": "hm", "crush": "ha"}


def truth_of(fracture: Fracture, level: str = "L1", pose: Pose | None = None) -> Truth:
    spec = PhantomSpec(level, (level,), fracture, pose=pose or Pose())
    spine = build_spine(spec)
    return Truth(level, spine.vertebrae[spine.target], Placement(spec.pose.linear, spec.pose.translation_lps))


def column(truth: Truth, name: str, step_mm: float = 0.02) -> float:
    """Length of bone along w through the midsagittal column, from the bone function."""
    w = np.arange(-20.0, 20.0, step_mm)
    line = np.stack([np.zeros_like(w), np.full_like(w, COLUMNS[name] * truth.vertebra.body.depth_mm), w], axis=-1)
    inside = w[truth.bone_value(truth.place.to_patient(line)) < 0]
    return float(inside[-1] - inside[0] + step_mm)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", ["wedge", "biconcave", "crush"])
def test_the_requested_loss_is_found_back_on_the_bone_function(level: str, kind: str) -> None:
    random = np.random.default_rng(LEVELS.index(level))
    for plates, extent in itertools.product(("superior", "inferior", "both"), ("whole", "local")):
        loss = float(random.uniform(0.0, 80.0))
        truth = truth_of(Fracture(kind, loss, plates, extent), level)
        heights, lost = truth.heights, LOST_AT[kind]
        for name in COLUMNS:
            assert column(truth, name) == pytest.approx(getattr(heights, f"{name}_mm"), abs=0.05)
        wanted = getattr(heights, f"{lost}_before_mm") * (1.0 - loss / 100.0)
        assert getattr(heights, f"{lost}_mm") == pytest.approx(wanted, abs=1e-6)
        assert heights.loss_percent == pytest.approx(loss, abs=1e-6)
        assert truth.genant_grade == genant_grade(loss)


@pytest.mark.parametrize("level", LEVELS)
def test_the_heights_are_found_back_on_voxels_of_a_patient_lying_askew(level: str) -> None:
    random = np.random.default_rng(100 + LEVELS.index(level))
    for kind in ("wedge", "biconcave", "crush"):
        angles = random.uniform(4.0, 9.0, 3) * random.choice([-1.0, 1.0], 3)
        pose = Pose(Rotation.from_euler("zyx", angles, degrees=True).as_matrix(), random.uniform(-30.0, 30.0, 3))
        truth = truth_of(Fracture(kind, float(random.uniform(15.0, 60.0))), level, pose)
        depth = truth.vertebra.body.depth_mm
        for name, share in COLUMNS.items():
            # a few lines about the column: small against the dish and the rounded rim, which they must not reach
            u, v = (
                np.linspace(-0.06, 0.06, 9) * truth.vertebra.body.width_mm,
                (share + np.array([-0.02, 0, 0.02])) * depth,
            )
            u, v, w = np.meshgrid(u, v, np.arange(-18, 18, 0.1))
            points = truth.place.to_patient(np.stack([u, v, w], axis=-1))
            voxels, back = np.unique(np.rint(points / 0.7).reshape(-1, 3), axis=0, return_inverse=True)
            label = (truth.bone_value(voxels * 0.7) < 0)[back.ravel()].reshape(u.shape)
            found = label.sum(axis=2).mean() * 0.1
            assert found == pytest.approx(getattr(truth.heights, f"{name}_mm"), abs=0.5)


@pytest.mark.parametrize("kind", ["wedge", "crush"])
def test_a_local_depression_leaves_the_lateral_rims_standing(kind: str) -> None:
    whole, local, intact = (
        truth_of(f).vertebra.body for f in (Fracture(kind, 40.0), Fracture(kind, 40.0, extent="local"), Fracture())
    )
    u, v = np.array([0.0, 0.42 * whole.width_mm]), np.full(2, -0.2 * whole.depth_mm)
    top = [body.plates(u, v)[0] for body in (whole, local, intact)]
    assert top[1][0] == pytest.approx(top[0][0])
    assert top[1][1] == pytest.approx(top[2][1])
    assert top[0][1] < top[2][1] - 2.0


def test_only_the_named_end_plate_moves() -> None:
    points = np.zeros(5), np.linspace(-12.0, 12.0, 5)
    intact = truth_of(Fracture()).vertebra.body.plates(*points)
    for plates, moved in (("superior", (True, False)), ("inferior", (False, True)), ("both", (True, True))):
        after = truth_of(Fracture("crush", 30.0, plates)).vertebra.body.plates(*points)
        assert (bool((after[0] < intact[0] - 0.5).all()), bool((after[1] > intact[1] + 0.5).all())) == moved


def test_more_loss_leaves_less_volume() -> None:
    intact = truth_of(Fracture()).fracture.body_volume_mm3
    for kind in ("wedge", "biconcave", "crush"):
        volumes = [truth_of(Fracture(kind, loss)).fracture.body_volume_mm3 for loss in (30.0, 75.0)]
        assert intact > volumes[0] > volumes[1] > 0.15 * intact
    assert intact == pytest.approx(truth_of(Fracture("wedge", 30.0)).fracture.body_volume_before_mm3)


def test_the_end_plate_planes_give_the_wedge_angle() -> None:
    before, after = truth_of(Fracture()).fracture, truth_of(Fracture("wedge", 50.0)).fracture
    assert before.wedge_angle_deg() == pytest.approx(3.4, abs=0.2)
    assert after.wedge_angle_deg(before=True) == pytest.approx(before.wedge_angle_deg())
    superior, inferior = after.end_plate(True), after.end_plate(False)
    angle = np.rad2deg(np.arccos(-superior.normal_lps @ inferior.normal_lps))
    assert angle == pytest.approx(after.wedge_angle_deg())
    heights = truth_of(Fracture("wedge", 50.0)).heights
    slope = (heights.hp_mm - heights.ha_mm) / (0.8 * truth_of(Fracture()).vertebra.body.depth_mm)
    assert angle == pytest.approx(np.rad2deg(np.arctan(slope)), abs=3.0)


@pytest.mark.parametrize("kind", ["biconcave", "wedge", "crush"])
def test_the_body_stays_one_solid_piece_at_the_largest_loss(kind: str) -> None:
    truth = truth_of(Fracture(kind, 80.0, "superior"), "T9")
    body = truth.vertebra.body
    u, v = np.meshgrid(np.linspace(-0.3, 0.3, 13) * body.width_mm, np.linspace(-0.38, 0.38, 13) * body.depth_mm)
    top, bottom, _, _ = body.plates(u, v)
    assert (top - bottom).min() > 1.5
    inner = np.hypot(u / (0.42 * body.width_mm), v / (0.42 * body.depth_mm)) < 1.0
    assert (body.value((u, v, 0.5 * (top + bottom)))[inner] < -0.4).all()
