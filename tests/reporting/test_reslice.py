"""Slices lie where they say: letters, sides and millimetres are right however the scan is stored."""

from __future__ import annotations

import numpy as np
import pytest
from sample_case import CENTER_LPS, sample_parts, sample_trajectory, sample_volume

from trajplan.geometry import Capsule, Grid, Volume
from trajplan.parts import Part, Side
from trajplan.reporting.reslice import (
    PartMasks,
    Plane,
    across_path,
    along_path,
    axial,
    coronal,
    sagittal,
    sample_ct,
    sample_tool,
)
from trajplan.reporting.slices import isthmus_depth
from trajplan.reporting.style import letters_of


def _letters(plane: Plane) -> str:
    """Left, right, top, bottom."""
    edges = (-plane.right_lps, plane.right_lps, -plane.down_lps, plane.down_lps)
    return " ".join(letters_of(e) for e in edges)


def test_the_standard_planes_follow_the_radiological_convention() -> None:
    assert _letters(axial(CENTER_LPS)) == "R L A P"
    assert _letters(sagittal(CENTER_LPS)) == "A P S I"
    assert _letters(coronal(CENTER_LPS)) == "R L S I"


def test_the_path_planes_show_depth_to_the_right_and_patient_right_on_the_left() -> None:
    for side in Side:
        capsule = sample_trajectory(side).capsule
        along, across = along_path(capsule), across_path(capsule, 10.0)
        assert _letters(along).split()[1] == "A"
        assert _letters(along).split()[2:] == ["R", "L"]
        assert _letters(across) == "R L S I"
        for plane in (along, across):
            axes = np.stack([plane.right_lps, plane.down_lps])
            np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-12)


def test_an_oblique_plane_gets_two_letters() -> None:
    assert letters_of([0.7, -0.7, 0.0]) in {"LA", "AL"}
    assert letters_of([0.1, 0.2, -0.97]) == "I"


@pytest.mark.parametrize("flips", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_a_flipped_storage_gives_the_same_picture(flips: tuple[int, ...]) -> None:
    volume = sample_volume()
    index = np.zeros(3)
    direction = np.eye(3)
    for axis in flips:
        index[axis] = volume.array.shape[axis] - 1
        direction[:, 2 - axis] *= -1
    grid = Grid(volume.array.shape, volume.grid.index_to_world(index), volume.grid.spacing_zyx, direction)
    flipped = Volume(np.flip(volume.array, flips), grid)
    plane = along_path(sample_trajectory(Side.LEFT).capsule)
    np.testing.assert_allclose(sample_ct(flipped, plane), sample_ct(volume, plane), atol=1e-3)


def test_the_left_pedicle_is_on_the_right_of_the_axial_picture() -> None:
    plane = axial(CENTER_LPS + np.array([0.0, 10.0, 5.0]))
    images = PartMasks(sample_parts()).sample(plane)
    x, _ = plane.axes_mm()
    left = np.nonzero(images[Part.PEDICLE_LEFT].max(axis=0) > 0.5)[0]
    right = np.nonzero(images[Part.PEDICLE_RIGHT].max(axis=0) > 0.5)[0]
    assert x[left].min() > 5
    assert x[right].max() < -5


def test_a_marked_voxel_is_drawn_where_it_is() -> None:
    grid = Grid((40, 50, 60), (-20.0, -100.0, 300.0), (1.5, 0.8, 0.7))
    array = np.full(grid.shape_zyx, -1000, np.int16)
    array[20, 30, 40] = 3000
    point = grid.index_to_world([20, 30, 40])
    plane = coronal(point + np.array([6.0, 0.0, 4.0]), 20.0)
    picture = sample_ct(Volume(array, grid), plane)
    row, column = np.unravel_index(int(picture.argmax()), picture.shape)
    x, y = plane.axes_mm()
    assert x[column] == pytest.approx(-6.0, abs=0.3)
    assert y[row] == pytest.approx(4.0, abs=0.3)
    np.testing.assert_allclose(plane.project(point), [-6.0, 4.0, 0.0], atol=1e-9)


def test_the_tool_is_drawn_at_its_true_diameter() -> None:
    capsule = Capsule(CENTER_LPS + np.array([15.0, 30, 8]), CENTER_LPS + np.array([5.0, -10, 0]), 1.524)
    along = along_path(capsule, 40.0)
    x, y = along.axes_mm()
    inside = sample_tool(capsule, along) < 0
    middle = inside[:, len(x) // 2]
    assert middle.sum() * (y[1] - y[0]) == pytest.approx(2 * 1.524, abs=0.35)
    across = across_path(capsule, 20.0, 15.0)
    x, y = across.axes_mm()
    area = (sample_tool(capsule, across) < 0).sum() * (x[1] - x[0]) * (y[1] - y[0])
    assert area == pytest.approx(np.pi * 1.524**2, rel=0.05)


def test_outside_the_scan_is_air() -> None:
    volume = sample_volume()
    assert (sample_ct(volume, axial(CENTER_LPS + np.array([0.0, 0.0, 500.0]))) == -1000).all()


def test_the_isthmus_depth_stays_on_the_path() -> None:
    capsule = Capsule((0, 0, 0), (0, -40, 0), 1.5)
    assert isthmus_depth(capsule, np.array([3.0, -12.0, 1.0])) == pytest.approx(12.0)
    assert isthmus_depth(capsule, np.array([0.0, 5.0, 0.0])) == 0.0
    assert isthmus_depth(capsule, np.array([0.0, -90.0, 0.0])) == pytest.approx(40.0)
