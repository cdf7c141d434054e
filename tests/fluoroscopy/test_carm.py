"""Promises about the C-arm as a camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.carm import CArm, angles_of_beam

ANGLE = st.floats(-179.0, 179.0)
TILT = st.floats(-60.0, 60.0)
SMALL = st.floats(-60.0, 60.0)


@given(ANGLE, TILT, st.tuples(SMALL, SMALL, SMALL))
def test_a_point_lies_on_the_ray_of_its_pixel(primary, secondary, point) -> None:
    carm = CArm(primary, secondary, (3.0, -20.0, 700.0))
    p = np.array(point) + carm.isocenter_lps
    source, ray = carm.back_project(carm.project(p))
    off = np.cross(p - source, ray)
    assert np.linalg.norm(off) < 1e-8


@given(ANGLE, TILT, st.tuples(st.floats(0, 511), st.floats(0, 511)), st.floats(100, 1000))
def test_a_pixel_comes_back_from_any_depth_of_its_ray(primary, secondary, pixel, depth) -> None:
    carm = CArm(primary, secondary, (3.0, -20.0, 700.0))
    source, ray = carm.back_project(pixel)
    np.testing.assert_allclose(carm.project(source + depth * ray), pixel, atol=1e-8)


@given(ANGLE, TILT)
def test_the_axes_are_right_handed_and_the_beam_keeps_its_angles(primary, secondary) -> None:
    carm = CArm(primary, secondary, np.zeros(3))
    axes = np.stack([carm.column_lps, carm.row_lps, carm.beam_lps])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    found = CArm(*angles_of_beam(carm.beam_lps), np.zeros(3)).beam_lps
    assert abs(found @ carm.beam_lps) == pytest.approx(1.0)


def test_the_detector_stands_where_dicom_says() -> None:
    def side(primary: float, secondary: float) -> np.ndarray:
        return CArm(primary, secondary, np.zeros(3)).detector_center_lps

    np.testing.assert_allclose(side(0, 0), (0, -490, 0), atol=1e-9)  # anterior
    np.testing.assert_allclose(side(90, 0), (490, 0, 0), atol=1e-9)  # patient left
    assert side(0, 30)[2] > 0  # cranial


def test_sizes_at_the_isocentre_are_magnified_by_the_distances() -> None:
    carm = CArm(20.0, 5.0, (1.0, 2.0, 3.0))
    ends = carm.project(carm.isocenter_lps + np.array([[0.0], [10.0]]) * carm.column_lps)
    assert ends[1, 1] - ends[0, 1] == pytest.approx(10 * 1020 / 530 / 0.582)
    assert ends[1, 1] - ends[0, 1] == pytest.approx(10 * carm.magnification / carm.pixel_mm)


def test_points_behind_the_source_have_no_pixel() -> None:
    carm = CArm(0.0, 0.0, np.zeros(3))
    assert np.isnan(carm.project((0.0, 600.0, 0.0))).all()


def test_an_isocentre_beyond_the_detector_is_refused() -> None:
    with pytest.raises(GeometryError):
        CArm(0.0, 0.0, np.zeros(3), source_detector_mm=500.0)
