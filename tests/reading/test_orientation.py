"""Every orientation, in every format: each stored voxel lies where its header says, to 0.01 mm."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from oriented_files import write_voxels
from scipy.spatial.transform import Rotation

from trajplan.reading import read_scan
from trajplan.reading.dicom import read_dicom
from trajplan.reading.read import open_voxels
from trajplan.reading.voxel_file import fill

SHAPE = (10, 14, 17)  # z, y, x
SPACING_ZYX = (4.0, 2.4, 2.1)
ORIGIN = np.array([-10.5, 20.25, -300.0])
TOLERANCE_MM = 0.01
ALL_48 = [
    np.array(np.eye(3)[list(order)] * signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]


@pytest.fixture(scope="module")
def hu():
    rng = np.random.default_rng(5)
    z, y, x = np.indices(SHAPE)
    a = np.where((x > 2) & (y > 1), np.where((x > 5) & (y > 4), 40 + 30 * (z % 3), -90), -1000)
    return np.rint(a + rng.normal(0, 8, SHAPE)).astype(np.int16)


def corners(direction):
    """LPS mm of the eight corner voxels by (z, y, x) index, from the direction alone."""
    index = np.array(list(itertools.product(*((0, n - 1) for n in SHAPE))))
    return index, ORIGIN + (index[:, ::-1] * SPACING_ZYX[::-1]) @ direction.T


def written(folder, hu, direction, kind):
    """The same voxels and place in one of four formats."""
    return write_voxels(folder, hu, ORIGIN, SPACING_ZYX, direction, kind)


def check_stored_place(folder, hu, direction, kind):
    """Before anything is turned to the patient axes, the corners are where the header put them."""
    path = written(folder, hu, direction, kind)
    _, expected = corners(direction)
    if kind == "dicom":
        stored = read_dicom(path).volume
        array, grid = stored.array, stored.grid
    else:
        stored = open_voxels(path, {"nii": "nifti", "nrrd": "nrrd", "mha": "metaimage"}[kind])
        array, grid = fill(stored, np.int16, lambda values, _name: values)
    index = np.array(list(itertools.product(*((0, n - 1) for n in array.shape))))
    found = grid.index_to_world(index)
    # A DICOM stack is sorted along its right-handed normal, so its slices may run the other way: match by place.
    apart = np.linalg.norm(found[:, None] - expected[None], axis=2)
    assert apart.min(axis=1).max() <= TOLERANCE_MM
    assert sorted(apart.argmin(axis=1)) == list(range(8))
    values = hu[tuple(corners(direction)[0].T)]
    np.testing.assert_array_equal(array[tuple(index.T)], values[apart.argmin(axis=1)])


@pytest.mark.parametrize("kind", ["dicom", "nii", "nrrd", "mha"])
def test_all_48_orientations_are_the_same_scan_in_the_world(tmp_path, hu, kind):
    for n, direction in enumerate(ALL_48):
        folder = tmp_path / str(n)
        folder.mkdir()
        scan = read_scan(written(folder, hu, direction, kind))
        grid = scan.volume.grid
        assert grid.is_axis_aligned
        index, expected = corners(direction)
        place = grid.world_to_index(expected)
        assert np.abs((place - np.rint(place)) * grid.spacing_zyx).max() <= TOLERANCE_MM
        np.testing.assert_array_equal(
            scan.volume.array[tuple(np.rint(place).astype(int).T)], hu[tuple(index.T)], err_msg=str(direction)
        )
        assert scan.volume.array.size == hu.size


def sweep(tmp_path, hu, kind, seed, count):
    rotations = Rotation.random(count, random_state=seed).as_matrix()
    for n, rotation in enumerate(rotations):
        folder = tmp_path / str(n)
        folder.mkdir()
        mirrored = rotation * (1.0, 1.0, -1.0) if n % 2 else rotation
        check_stored_place(folder, hu, mirrored, kind)


@pytest.mark.parametrize("kind", ["dicom", "nii", "nrrd", "mha"])
def test_random_rotations_put_every_corner_where_the_header_says(tmp_path, hu, kind):
    sweep(tmp_path, hu, kind, seed=3, count=20)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dicom", "nii", "nrrd", "mha"])
def test_two_hundred_random_rotations_put_every_corner_where_the_header_says(tmp_path, hu, kind):
    sweep(tmp_path, hu, kind, seed=4, count=200)
