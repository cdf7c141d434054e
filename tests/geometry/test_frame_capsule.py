"""Frames and capsules: round trips, refusals, closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from trajplan.errors import GeometryError
from trajplan.geometry import Capsule, Frame


@given(st.tuples(*[st.floats(-180, 180)] * 3), st.tuples(*[st.floats(-100, 100)] * 3))
def test_local_and_world_are_inverse_and_keep_lengths(turn: tuple[float, ...], point: tuple[float, ...]) -> None:
    frame = Frame((5.0, -7.0, 11.0), Rotation.from_euler("xyz", turn, degrees=True).as_matrix())
    np.testing.assert_allclose(frame.to_world(frame.to_local(point)), point, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(frame.direction_to_local(point)), np.linalg.norm(point), atol=1e-9)
    np.testing.assert_allclose(frame.direction_to_world(frame.direction_to_local(point)), point, atol=1e-9)


def test_a_left_handed_frame_is_refused() -> None:
    with pytest.raises(GeometryError, match="determinant"):
        Frame((0, 0, 0), np.diag([-1.0, 1.0, 1.0]))


def test_frame_of_an_upright_patient_is_the_identity() -> None:
    frame = Frame((0, 0, 0), np.eye(3))
    assert frame.u.tolist() == [1, 0, 0]
    assert frame.v.tolist() == [0, 1, 0]
    assert frame.w.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("point", "distance"), [((5, 3, 0), 1.0), ((-4, 0, 0), 2.0), ((13, 4, 0), 3.0), ((5, 0, 0), -2.0)]
)
def test_capsule_distance_in_closed_form(point: tuple[float, ...], distance: float) -> None:
    assert float(Capsule((0, 0, 0), (10, 0, 0), 2.0).distance(point)) == pytest.approx(distance)


def test_points_along_end_at_the_tip_and_are_dense_enough() -> None:
    capsule = Capsule((0, 0, 0), (3, 4, 0), 1.0)
    depth, points = capsule.points_along(0.3)
    assert depth[0] == 0
    assert depth[-1] == pytest.approx(5.0)
    np.testing.assert_allclose(points[-1], (3, 4, 0))
    assert np.diff(depth).max() <= 0.3


def test_a_capsule_without_radius_is_refused() -> None:
    with pytest.raises(GeometryError, match="radius"):
        Capsule((0, 0, 0), (1, 0, 0), 0.0)
