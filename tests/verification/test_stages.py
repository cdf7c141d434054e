"""The staged rule on hand-made paths: what is taught passes, what is warned of fails, and by how much."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case, case_of
from scipy.spatial.transform import Rotation

from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry import Frame
from trajplan.parts import Side
from trajplan.planning.instruments import instrument
from trajplan.planning.plan import Breach, Clearance, Trajectory, Verdict
from trajplan.verification.landmarks import ap_landmarks, lateral_landmarks
from trajplan.verification.stages import Stage, check_stages
from trajplan_phantoms import PhantomSpec


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of(PhantomSpec(levels=("L1",), fracture="none", height_loss_percent=0.0))


def path(case: Case, side: Side, entry_uvw: tuple[float, ...], tip_uvw: tuple[float, ...]) -> Trajectory:
    """A path by its ends in the frame, u counted towards its own side."""
    flip = np.array([side.sign, 1.0, 1.0])
    ends = case.vertebra.frame.to_world(np.array([entry_uvw, tip_uvw]) * flip)
    nothing = Clearance(0, None, None, None, None, None, None, None, np.zeros((0, 2)))
    return Trajectory(
        side=side, approach="bipedicular", verdict=Verdict.UNKNOWN, reasons=(), instrument=instrument("11G"),
        skin_lps=None, entry_lps=ends[0], target_lps=ends[1],
        length_in_bone_mm=float(np.linalg.norm(ends[1] - ends[0])), length_from_skin_mm=None,
        convergence_deg=0.0, craniocaudal_deg=0.0, clearance=nothing, gertzbein_robbins="A",
        breach=Breach(0, 0, 0, 0, 0, 1, 0.75, 2.0), candidates_tried=1,
    )  # fmt: skip


def stages(case: Case, t: Trajectory) -> dict[str, Stage]:
    center = case.vertebra.frame.origin_lps
    return {s.name: s for s in check_stages(t, case.vertebra, CArm(0, 0, center), CArm(90, 0, center))}


@pytest.mark.parametrize("side", list(Side))
def test_a_taught_path_passes_all_five_stages(case: Case, side: Side) -> None:
    isthmus = case.vertebra.frame.to_local(case.vertebra.pedicles[side].isthmus_center_lps)
    u, v, w = abs(isthmus[0]), isthmus[1], isthmus[2]
    tip = (u - 9.0, v - 31.0, w - 3.0)
    entry = tuple(np.array((u, v, w)) + 0.5 * (np.array((u, v, w)) - np.array(tip)))
    found = stages(case, path(case, side, entry, tip))
    assert list(found) == ["docking", "mid-pedicle", "posterior wall", "past the wall", "final"]
    assert all(s.passed for s in found.values()), {n: s.margin_mm for n, s in found.items()}
    depths = [s.depth_mm for s in found.values()]
    assert depths == sorted(depths)


@pytest.mark.parametrize("side", list(Side))
def test_a_path_that_crosses_the_medial_border_too_early_fails_at_the_posterior_wall(case: Case, side: Side) -> None:
    isthmus = case.vertebra.frame.to_local(case.vertebra.pedicles[side].isthmus_center_lps)
    u, v, w = abs(isthmus[0]), isthmus[1], isthmus[2]
    found = stages(case, path(case, side, (u + 6.0, v + 14.0, w), (-4.0, v - 20.0, w)))
    assert found["posterior wall"].passed is False
    assert found["posterior wall"].margin_mm is not None
    assert found["posterior wall"].margin_mm < -0.5


def test_a_tip_across_the_midline_or_short_of_the_anterior_third_fails_at_the_end(case: Case) -> None:
    isthmus = case.vertebra.frame.to_local(case.vertebra.pedicles[Side.LEFT].isthmus_center_lps)
    u, v, w = isthmus
    entry = (u + 1.0, v + 14.0, w)
    assert stages(case, path(case, Side.LEFT, entry, (-6.0, v - 33.0, w)))["final"].passed is False
    assert stages(case, path(case, Side.LEFT, entry, (u - 3.0, v - 15.0, w)))["final"].passed is False


def test_margins_are_patient_millimetres_whatever_the_magnification(case: Case) -> None:
    side = Side.LEFT
    isthmus = case.vertebra.frame.to_local(case.vertebra.pedicles[side].isthmus_center_lps)
    u, v, w = isthmus
    t = path(case, side, (u, v + 14.0, w), (u - 8.0, v - 30.0, w))
    center = case.vertebra.frame.origin_lps
    near = check_stages(t, case.vertebra, CArm(0, 0, center), CArm(90, 0, center))
    far = check_stages(
        t,
        case.vertebra,
        CArm(0, 0, center, source_detector_mm=1400.0, source_isocenter_mm=900.0),
        CArm(90, 0, center, source_detector_mm=1400.0, source_isocenter_mm=900.0),
    )
    for a, b in zip(near, far, strict=True):
        assert a.margin_mm == pytest.approx(b.margin_mm, abs=0.9)  # perspective differs, scale must not


@pytest.mark.parametrize("lean_deg", [-15.0, 12.0])
def test_a_leaning_spine_changes_no_margin(case: Case, lean_deg: float) -> None:
    """The patient turned about the AP beam: the picture turns, what is judged must not."""
    turned = leaning(case, lean_deg)
    isthmus = case.vertebra.frame.to_local(case.vertebra.pedicles[Side.LEFT].isthmus_center_lps)
    u, v, w = isthmus
    ends = (u + 3.0, v + 14.0, w + 2.0), (u - 8.0, v - 30.0, w - 12.0)
    for upright, leans in zip(
        stages(case, path(case, Side.LEFT, *ends)).values(), stages(turned, path(turned, Side.LEFT, *ends)).values(),
        strict=True,
    ):  # fmt: skip
        assert upright.place is not None
        assert leans.place is not None
        assert leans.place.medial_border_mm == pytest.approx(upright.place.medial_border_mm, abs=0.05)
        assert leans.place.midline_mm == pytest.approx(upright.place.midline_mm, abs=0.05)
        assert leans.space_margin_mm == pytest.approx(upright.space_margin_mm, abs=0.7)  # the body's voxels do not turn


def leaning(case: Case, lean_deg: float) -> Case:
    turn = Rotation.from_euler("y", lean_deg, degrees=True).as_matrix()
    v = case.vertebra

    def moved(points: np.ndarray) -> np.ndarray:
        return v.frame.origin_lps + (points - v.frame.origin_lps) @ turn.T

    pedicles = {
        side: dataclasses.replace(
            p, isthmus_center_lps=moved(p.isthmus_center_lps), outline_lps=moved(p.outline_lps),
            axis_lps=turn @ p.axis_lps,
        )
        for side, p in v.pedicles.items()
    }  # fmt: skip
    return dataclasses.replace(
        case,
        vertebra=dataclasses.replace(
            v, frame=Frame(v.frame.origin_lps, v.frame.rotation @ turn.T), pedicles=pedicles,
            posterior_wall_lps=moved(v.posterior_wall_lps), anterior_wall_lps=moved(v.anterior_wall_lps),
        ),
    )  # fmt: skip


def test_margins_in_space_and_on_the_views_agree_where_the_wall_is_flat(case: Case) -> None:
    side = Side.LEFT
    u, v, w = case.vertebra.frame.to_local(case.vertebra.pedicles[side].isthmus_center_lps)
    for stage in stages(case, path(case, side, (u + 3.0, v + 14.0, w), (u - 8.0, v - 30.0, w - 3.0))).values():
        assert stage.margin_mm is not None
        assert stage.margin_px is not None
        assert stage.space_margin_mm == pytest.approx(stage.margin_mm, abs=2.5)  # perspective, and a wall 2 mm hollow
        assert 0.2 < stage.margin_mm / stage.margin_px < 0.4
        assert not stage.disagrees


def test_landmarks_are_the_anatomy_on_the_right_side(case: Case) -> None:
    center = case.vertebra.frame.origin_lps
    ap, lateral = CArm(0, 0, center), CArm(90, 0, center)
    left, right = (ap_landmarks(case.vertebra, s, ap) for s in Side)
    np.testing.assert_allclose(left.across, [0.0, -1.0], atol=0.03)  # patient left is on the left of the picture
    np.testing.assert_allclose(right.across, -left.across)
    assert 0 < left.medial_px < left.lateral_px
    assert 0 < right.medial_px < right.lateral_px
    width = (left.lateral_px - left.medial_px) * left.mm_per_px
    assert width == pytest.approx(case.vertebra.pedicles[Side.LEFT].width_mm, abs=0.7)
    profile = lateral_landmarks(case.vertebra, lateral)
    assert profile.past_posterior_wall_mm(lateral.project(center)) > 8
    assert profile.short_of_anterior_wall_mm(lateral.project(center)) > 8
    assert dataclasses.asdict(profile)["mm_per_px"] > 0
