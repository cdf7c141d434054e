"""Promises about a point from two views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.triangulation import triangulate

SMALL = st.floats(-70.0, 70.0)


@given(SMALL, SMALL, SMALL, st.floats(-90, 90), st.floats(-40, 40), st.floats(-180, 180))
def test_a_point_is_recovered_from_its_two_pixels(x, y, z, primary, secondary, other) -> None:
    a = CArm(primary, secondary, (5.0, -30.0, 400.0))
    b = CArm(other, 0.0, (0.0, -20.0, 410.0))
    assume(np.linalg.norm(np.cross(a.beam_lps, b.beam_lps)) > 0.3)
    point = a.isocenter_lps + np.array([x, y, z])
    found, residual = triangulate(a, a.project(point), b, b.project(point))
    np.testing.assert_allclose(found, point, atol=1e-6)
    assert residual < 1e-6


def test_pixels_of_two_points_leave_their_distance_as_residual() -> None:
    a, b = CArm(0.0, 0.0, np.zeros(3)), CArm(90.0, 0.0, np.zeros(3))
    found, residual = triangulate(a, a.project((0, 0, 1.0)), b, b.project((0, 0, -1.0)))
    assert residual == pytest.approx(2.0, abs=0.02)
    np.testing.assert_allclose(found, (0, 0, 0), atol=0.01)


def test_two_views_from_the_same_side_are_refused() -> None:
    a, b = CArm(10.0, 0.0, np.zeros(3)), CArm(10.5, 0.0, np.zeros(3))
    with pytest.raises(GeometryError) as caught:
        triangulate(a, (255.5, 255.5), b, (255.5, 255.5))
    assert caught.value.code == "rays_parallel"
    assert caught.value.numbers["angle_deg"] == pytest.approx(0.5, abs=1e-6)
