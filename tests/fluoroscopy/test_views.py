"""Promises about true AP, true lateral and en-face views."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS, box_vertebra
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from trajplan.errors import AnatomyError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.reach import Reach, out_of_reach_deg
from trajplan.fluoroscopy.views import default_carm, en_face, field_of_view_mm, standard_views
from trajplan.parts import Side


def tilted(primary_deg: float, secondary_deg: float) -> np.ndarray:
    """Frame rows of a vertebra whose true AP is at (primary, secondary): v against the beam, w up."""
    v = -CArm(primary_deg, secondary_deg, np.zeros(3)).beam_lps
    u = np.cross(v, [0.0, 0.0, 1.0])
    u /= np.linalg.norm(u)
    return np.stack([u, v, np.cross(u, v)])


@pytest.mark.parametrize(("primary", "secondary"), [(0, 0), (12, 0), (0, -18), (-9, 22), (25, -30)])
def test_the_ap_angles_of_a_tilted_vertebra_are_recovered_with_no_residual(primary, secondary) -> None:
    views = standard_views(box_vertebra(tilted(primary, secondary)))
    assert views.ap.carm.primary_deg == pytest.approx(primary, abs=1e-6)
    assert views.ap.carm.secondary_deg == pytest.approx(secondary, abs=1e-6)
    for view in (views.ap, views.lateral):
        values = dict(view.residuals)
        assert values.pop("spinous_offset_mm", 0.0) < 0.3  # voxels of 2 mm
        assert values.pop("out_of_reach_deg") == pytest.approx(max(0.0, abs(view.carm.primary_deg) - 110.0))
        assert max(values.values()) < 1e-6
    np.testing.assert_allclose(views.ap.carm.isocenter_lps, CENTER_LPS)


@pytest.mark.parametrize("turn", [0.0, 8.0, -8.0])
def test_the_lateral_detector_is_on_the_patients_left(turn) -> None:
    frame = Rotation.from_euler("z", turn, degrees=True).as_matrix()
    lateral = standard_views(box_vertebra(frame)).lateral.carm
    assert lateral.detector_center_lps[0] > CENTER_LPS[0] + 400
    assert lateral.primary_deg == pytest.approx(90 - turn)
    pedicles = box_vertebra(frame).pedicles
    left, right = (pedicles[side].isthmus_center_lps for side in Side)
    beam_offset = np.cross(left - right, lateral.beam_lps)
    assert np.linalg.norm(beam_offset) < 1e-9


@given(st.floats(-25, 25), st.floats(-25, 25), st.floats(-25, 25))
def test_any_turned_vertebra_shows_its_endplates_as_lines(a, b, c) -> None:
    frame = Rotation.from_euler("xyz", [a, b, c], degrees=True).as_matrix()
    views = standard_views(box_vertebra(frame, spacing_mm=6.0))
    for view in (views.ap, views.lateral):
        assert view.residuals["superior_endplate_tilt_deg"] < 1e-6
    assert views.lateral.residuals["pedicle_overlap_mm"] < 1e-6
    assert views.ap.residuals["pedicle_symmetry_mm"] < 1e-6


def test_a_wedge_is_a_line_on_the_lateral_and_half_its_angle_on_the_ap() -> None:
    views = standard_views(box_vertebra(np.eye(3), wedge_deg=14.0))
    assert views.lateral.residuals["superior_endplate_tilt_deg"] == pytest.approx(0, abs=1e-6)
    assert views.ap.residuals["superior_endplate_tilt_deg"] == pytest.approx(7.0)
    assert views.ap.residuals["inferior_endplate_tilt_deg"] == pytest.approx(7.0)


def test_a_shifted_pedicle_shows_in_the_residuals_in_millimetres() -> None:
    vertebra = box_vertebra(np.eye(3))
    left = vertebra.pedicles[Side.LEFT]
    moved = dataclasses.replace(left, isthmus_center_lps=left.isthmus_center_lps + np.array([3.0, 4.0, 0.0]))
    views = standard_views(dataclasses.replace(vertebra, pedicles={**vertebra.pedicles, Side.LEFT: moved}))
    assert views.lateral.residuals["pedicle_overlap_mm"] == pytest.approx(4.0)
    assert views.ap.residuals["pedicle_symmetry_mm"] == pytest.approx(3.0, abs=0.4)  # and magnified: it moved back


def test_missing_pedicles_leave_their_residuals_out() -> None:
    vertebra = dataclasses.replace(box_vertebra(np.eye(3)), pedicles={}, posterior_wall_lps=np.zeros((0, 3)))
    views = standard_views(vertebra)
    assert "pedicle_symmetry_mm" not in views.ap.residuals
    assert "pedicle_overlap_mm" not in views.lateral.residuals
    assert "posterior_rim_overlap_mm" not in views.lateral.residuals


def test_the_template_gives_the_detector() -> None:
    template = CArm(5.0, 5.0, np.zeros(3), 1000.0, 600.0, (300, 400), 0.5)
    carm = standard_views(box_vertebra(np.eye(3)), template).lateral.carm
    assert (carm.source_isocenter_mm, carm.detector_px, carm.pixel_mm) == (600.0, (300, 400), 0.5)


@given(st.floats(-0.8, 0.8), st.floats(-1.0, -0.5), st.floats(-0.4, 0.4))
def test_en_face_shows_a_needle_end_on(x, y, z) -> None:
    direction = np.array([x, y, z]) / np.linalg.norm([x, y, z])
    view = en_face(direction, (4.0, 5.0, 6.0))
    ends = view.carm.project(np.array([4.0, 5.0, 6.0]) + np.array([[-40.0], [40.0]]) * direction)
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
    np.testing.assert_allclose(view.carm.beam_lps, direction, atol=1e-9)
    assert view.residuals["beam_error_deg"] < 1e-5


def test_a_view_beyond_the_arm_says_by_how_much() -> None:
    assert out_of_reach_deg(CArm(30.0, 52.0, np.zeros(3))) == pytest.approx(7.0)
    assert out_of_reach_deg(CArm(-90.0, 45.0, np.zeros(3))) == 0.0
    assert out_of_reach_deg(CArm(40.0, 0.0, np.zeros(3)), Reach(30.0, 30.0)) == pytest.approx(10.0)
    steep = en_face((0.0, -1.0, 1.5), np.zeros(3))
    assert steep.residuals["out_of_reach_deg"] == pytest.approx(np.degrees(np.arctan(1.5)) - 45)


def test_end_plates_across_the_spine_are_refused() -> None:
    with pytest.raises(AnatomyError) as caught:
        standard_views(box_vertebra(tilted(0.0, 85.0)))
    assert caught.value.code == "view_too_steep"


def test_the_default_field_is_that_of_a_mobile_c_arm() -> None:
    assert field_of_view_mm(default_carm(np.zeros(3))) == pytest.approx((154.8, 154.8), abs=0.1)
