"""What was asked for is found back on the functions, and poses move them without changing a number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from trajplan.parts import Side
from trajplan_phantoms import PhantomSpec, Pose, Truth, default_levels
from trajplan_phantoms.fracture import genant_grade
from trajplan_phantoms.shapes import Tube, smooth_min, superellipse
from trajplan_phantoms.spine import Placement, build_spine


def truth_of(spec: PhantomSpec) -> Truth:
    spine = build_spine(spec)
    return Truth(spec.target, spine.vertebrae[spine.target], Placement(spec.pose.linear, spec.pose.translation_lps))


@pytest.mark.parametrize("level", ["T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"])
def test_pedicles_measure_what_was_asked(level: str) -> None:
    spec = PhantomSpec(level, default_levels(level), "none", 0.0)
    for side, pedicle in truth_of(spec).pedicles.items():
        assert pedicle.width_mm == pytest.approx(spec.pedicle_width_mm(side), abs=0.05)


@pytest.mark.parametrize(("left", "right"), [(4.0, 4.2), (7.0, 10.0), (2.5, 12.0)])
def test_pedicle_widths_are_told_apart_by_side(left: float, right: float) -> None:
    pedicles = truth_of(PhantomSpec(pedicle_width_mm_left=left, pedicle_width_mm_right=right)).pedicles
    assert pedicles[Side.LEFT].width_mm == pytest.approx(left, abs=0.05)
    assert pedicles[Side.RIGHT].width_mm == pytest.approx(right, abs=0.05)
    assert pedicles[Side.LEFT].isthmus_center_lps[0] > 0 > pedicles[Side.RIGHT].isthmus_center_lps[0]


def test_the_isthmus_is_the_narrowest_place_of_the_pedicle() -> None:
    truth = truth_of(PhantomSpec())
    pedicle = truth.pedicles[Side.LEFT]
    across = np.cross([0.0, 0.0, 1.0], pedicle.axis_lps)
    t = np.linspace(-12.0, 12.0, 961)

    def width(shift: float) -> float:
        line = pedicle.isthmus_center_lps + shift * pedicle.axis_lps + t[:, None] * across / np.linalg.norm(across)
        return float((truth.bone_value(line) < 0).sum() * (t[1] - t[0]))

    assert width(0.0) <= min(width(-2.5), width(2.5)) + 0.03
    assert width(3.5) > width(0.0) + 0.1


@pytest.mark.parametrize(
    ("kind", "column", "kept"),
    [("wedge", "ha", ("hp",)), ("biconcave", "hm", ("ha", "hp")), ("crush", "ha", ())],
)
@pytest.mark.parametrize("loss", [12.0, 35.0, 70.0])
def test_height_loss_is_found_back_on_the_body_function(kind, column, kept, loss) -> None:
    truth = truth_of(PhantomSpec(fracture=kind, height_loss_percent=loss))
    heights = truth.heights
    body = truth.vertebra.body
    w = np.linspace(-20.0, 20.0, 40001)
    for name, fraction in (("ha", -0.4), ("hm", 0.0), ("hp", 0.4)):
        line = np.stack([np.zeros_like(w), np.full_like(w, fraction * body.depth_mm), w], axis=-1)
        inside = w[truth.body_value(line) < 0]
        assert inside[-1] - inside[0] == pytest.approx(getattr(heights, f"{name}_mm"), abs=0.01)
    before, after = getattr(heights, f"{column}_before_mm"), getattr(heights, f"{column}_mm")
    assert 100.0 * (1.0 - after / before) == pytest.approx(loss, abs=1e-6)
    assert heights.loss_percent == pytest.approx(loss, abs=1e-6)
    for name in kept:
        assert getattr(heights, f"{name}_mm") == pytest.approx(getattr(heights, f"{name}_before_mm"), abs=1e-9)
    assert truth.genant_grade == genant_grade(loss)


def test_levels_default_to_two_either_side_of_the_target() -> None:
    assert PhantomSpec("L1").levels == ("T11", "T12", "L1", "L2", "L3")
    assert PhantomSpec("L5").levels == ("L3", "L4", "L5")


def test_a_crush_fracture_loses_posterior_height_too() -> None:
    heights = truth_of(PhantomSpec(fracture="crush", height_loss_percent=40.0)).heights
    assert 1.0 - heights.hp_mm / heights.hp_before_mm == pytest.approx(0.24, abs=1e-6)


def test_the_posterior_elements_keep_their_shape_whatever_the_fracture() -> None:
    random = np.random.default_rng(3)
    points = random.uniform([-40, 26, -30], [40, 75, 25], (4000, 3))
    intact = truth_of(PhantomSpec(fracture="none")).bone_value(points)
    near = intact < 4.0  # further out the nearest piece may be the body
    assert near.sum() > 500
    for kind in ("wedge", "biconcave", "crush"):
        changed = truth_of(PhantomSpec(fracture=kind)).bone_value(points)
        np.testing.assert_allclose(changed[near], intact[near], atol=1e-9)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    st.tuples(*[st.floats(-180.0, 180.0)] * 3),
    st.tuples(*[st.floats(-200.0, 200.0)] * 3),
    st.booleans(),
)
def test_moving_turning_or_mirroring_the_patient_moves_the_truth_and_changes_no_number(angles, shift, mirror) -> None:
    home_spec = PhantomSpec(pedicle_width_mm_left=7.0, pedicle_width_mm_right=10.0)
    rotation = Rotation.from_euler("zyx", angles, degrees=True).as_matrix()
    pose = Pose(rotation, np.array(shift), mirror)
    moved_spec = PhantomSpec(pedicle_width_mm_left=7.0, pedicle_width_mm_right=10.0, pose=pose)
    home, moved = truth_of(home_spec), truth_of(moved_spec)
    points = np.random.default_rng(0).uniform([-45, -25, -35], [45, 75, 30], (500, 3))
    world = pose.to_world(points)
    np.testing.assert_allclose(pose.to_patient(world), points, atol=1e-9)
    for name in ("bone_value", "body_value", "canal_value"):
        np.testing.assert_allclose(getattr(moved, name)(world), getattr(home, name)(points), atol=1e-6)
    for side in Side:
        other = (Side.RIGHT if side is Side.LEFT else Side.LEFT) if mirror else side
        a, b = home.pedicles[side], moved.pedicles[other]
        np.testing.assert_allclose(pose.to_world(a.isthmus_center_lps), b.isthmus_center_lps, atol=1e-5)
        np.testing.assert_allclose(pose.linear @ a.axis_lps, b.axis_lps, atol=1e-9)
        assert a.width_mm == pytest.approx(b.width_mm, abs=1e-5)
        assert side.sign * home.frame.to_local(a.isthmus_center_lps)[0] > 0
        assert other.sign * moved.frame.to_local(b.isthmus_center_lps)[0] > 0
    assert moved.heights == home.heights
    assert np.linalg.det(moved.frame.rotation) == pytest.approx(1.0)


def test_the_frame_is_the_identity_for_a_vertebra_square_to_the_patient() -> None:
    frame = truth_of(PhantomSpec()).frame
    np.testing.assert_array_equal(frame.rotation, np.eye(3))
    np.testing.assert_array_equal(frame.origin_lps, np.zeros(3))


def test_w_is_the_mean_normal_of_the_undeformed_end_plates() -> None:
    body = truth_of(PhantomSpec()).vertebra.body.intact
    v = np.array([-0.4, 0.4]) * body.depth_mm
    _, _, top, bottom = body.plates(np.zeros(2), v)
    assert top[1] - top[0] == pytest.approx(-(bottom[1] - bottom[0]))


def test_pedicle_axes_point_forward_and_converge() -> None:
    for pedicle in truth_of(PhantomSpec()).pedicles.values():
        assert pedicle.axis_lps[1] < -0.9
        assert pedicle.axis_lps[0] * pedicle.isthmus_center_lps[0] < 0


def test_a_tube_has_exactly_its_sections_and_a_near_euclidean_value() -> None:
    tube = Tube([0, 0, 0], [20, 0, 0], [0, 0, 1], (3.0, 5.0), (3.0, 5.0))
    on = np.array([[10.0, 3.0, 0.0], [10.0, -3.0, 0.0], [10.0, 0.0, 5.0]])
    near = np.array([[10.0, 3.2, 0.0], [10.0, 0.0, 4.8]])
    np.testing.assert_allclose(tube.value((on[:, 0], on[:, 1], on[:, 2])), 0.0, atol=1e-9)
    np.testing.assert_allclose(tube.value((near[:, 0], near[:, 1], near[:, 2])), [0.2, -0.2], atol=1e-3)


def test_smooth_union_is_exact_where_pieces_are_far_apart() -> None:
    a, b = np.array([-1.0, 0.5, 2.0]), np.array([3.0, 3.5, 5.5])
    np.testing.assert_array_equal(smooth_min(a, b, 3.0), a)


def test_a_superellipse_of_power_two_is_a_circle_with_its_distance() -> None:
    x, y = np.array([3.0, 0.0, 6.0]), np.array([4.0, 2.0, 8.0])
    np.testing.assert_allclose(superellipse(x, y, 5.0, 5.0, 2.0), [0.0, -3.0, 5.0], atol=1e-2)


@pytest.mark.parametrize("power", [2, 4])
def test_a_tube_has_no_value_where_there_are_no_points(power: int) -> None:
    tube = Tube(np.zeros(3), np.array([0.0, 9.0, 0.0]), np.array([0.0, 0.0, 1.0]), (3.0, 5.0), (2.0, 4.0), power=power)
    nowhere = (np.zeros(0),) * 3
    assert tube.value(nowhere).shape == (0,)  # blocks of a scan that hold none of a pedicle
    assert tube.value((np.zeros(1), np.full(1, 4.5), np.zeros(1)))[0] < 0
