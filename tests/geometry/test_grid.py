"""Grids: index and world agree with SimpleITK, and refuse what is not a grid."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from trajplan.errors import GeometryError
from trajplan.geometry import Grid
from trajplan.geometry.itk import grid_of, to_sitk

angles = st.floats(-180, 180)


def random_grid(a: float, b: float, c: float) -> Grid:
    return Grid(
        (7, 5, 9), (12.0, -30.0, 4.0), (2.5, 0.7, 0.9), Rotation.from_euler("xyz", [a, b, c], degrees=True).as_matrix()
    )


@given(angles, angles, angles, st.tuples(*[st.floats(-20, 20)] * 3))
def test_world_to_index_undoes_index_to_world(a: float, b: float, c: float, index: tuple[float, ...]) -> None:
    grid = random_grid(a, b, c)
    np.testing.assert_allclose(grid.world_to_index(grid.index_to_world(index)), index, atol=1e-9)


@given(angles, angles, angles, st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 8)))
def test_index_to_world_agrees_with_simpleitk(a: float, b: float, c: float, index: tuple[int, ...]) -> None:
    grid = random_grid(a, b, c)
    image = to_sitk(np.zeros(grid.shape_zyx, np.int16), grid)
    np.testing.assert_allclose(grid.index_to_world(index), image.TransformIndexToPhysicalPoint(index[::-1]), atol=1e-6)
    assert grid_of(image).same_as(grid)


def test_isotropic_grid_of_a_mirrored_box_is_the_mirrored_grid() -> None:
    grid = Grid.isotropic((-3.3, 1.0, 0.0), (11.4, 9.0, 5.0), 0.6)
    mirrored = Grid.isotropic((-11.4, 1.0, 0.0), (3.3, 9.0, 5.0), 0.6)
    x = grid.points_lps()[..., 0]
    np.testing.assert_allclose(np.sort(-x, axis=2), mirrored.points_lps()[..., 0], atol=1e-9)


@pytest.mark.parametrize(
    ("shape", "spacing", "direction"),
    [
        ((0, 2, 2), (1, 1, 1), np.eye(3)),
        ((2, 2, 2), (1, 0, 1), np.eye(3)),
        ((2, 2, 2), (1, -1, 1), np.eye(3)),
        ((2, 2, 2), (1, 1, 1), np.ones((3, 3))),
        ((2, 2), (1, 1, 1), np.eye(3)),
    ],
)
def test_what_is_not_a_grid_is_refused(
    shape: tuple[int, ...], spacing: tuple[float, ...], direction: np.ndarray
) -> None:
    with pytest.raises(GeometryError):
        Grid(shape, (0, 0, 0), spacing, direction)


def test_contains_knows_the_margin() -> None:
    grid = Grid((11, 11, 11), (0, 0, 0), (1, 1, 1))
    assert grid.contains([5, 5, 5], margin_mm=5.0)
    assert not grid.contains([5, 5, 4], margin_mm=5.0)
    assert sitk.Version().MajorVersion() >= 2


def test_the_margin_of_contains_is_in_millimetres_on_every_axis() -> None:
    grid = Grid((11, 21, 41), (0, 0, 0), (2.0, 1.0, 0.5))  # 20 mm along each axis
    for axis in range(3):
        point = np.full(3, 10.0)
        point[axis] = 3.0
        assert grid.contains(point, margin_mm=2.9)
        assert not grid.contains(point, margin_mm=3.1)
