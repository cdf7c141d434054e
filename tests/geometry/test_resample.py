"""Canonical LPS: every storage of one scan becomes the same array; oblique ones stay in place."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.resample import canonical, resample_labels, resample_volume

ORIENTATIONS = list(itertools.product(itertools.permutations(range(3)), itertools.product((False, True), repeat=3)))


def stored_differently(volume: Volume, order: tuple[int, ...], flips: tuple[bool, ...]) -> Volume:
    """The same scan with its axes permuted and flipped; the grid says so."""
    array = np.transpose(volume.array, order)
    step_xyz = [volume.grid.direction[:, 2 - axis] for axis in order]  # LPS direction of each array axis
    spacing = volume.grid.spacing_zyx[list(order)]
    start = np.zeros(3)
    for new_axis, (axis, flip) in enumerate(zip(order, flips, strict=True)):
        if flip:
            array = np.flip(array, new_axis)
            start[axis] = volume.array.shape[axis] - 1
            step_xyz[new_axis] = -step_xyz[new_axis]
    direction = np.stack(step_xyz[::-1], axis=1)
    return Volume(array, Grid(array.shape, volume.grid.index_to_world(start), spacing, direction))


@pytest.fixture(scope="module")
def scan() -> Volume:
    rng = np.random.default_rng(3)
    return Volume(
        rng.integers(-1000, 2000, (5, 7, 6)).astype(np.int16), Grid((5, 7, 6), (-11.0, 7.0, 2.0), (2.5, 0.7, 0.9))
    )


@pytest.mark.parametrize(("order", "flips"), ORIENTATIONS)
def test_all_48_storage_orders_give_the_same_canonical_scan(
    scan: Volume, order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    again = canonical(stored_differently(scan, order, flips))
    np.testing.assert_array_equal(again.array, scan.array)
    assert again.grid.same_as(scan.grid)
    assert again.sha256() == scan.sha256()


def test_an_oblique_scan_keeps_every_structure_in_place() -> None:
    turn = Rotation.from_euler("xyz", [12, -8, 20], degrees=True).as_matrix()
    grid = Grid((40, 44, 48), (-20.0, -18.0, -16.0), (1.0, 0.9, 0.8), turn)
    center = grid.center_lps + np.array([3.0, -2.0, 1.0])
    blob = np.exp(-np.sum((grid.points_lps() - center) ** 2, axis=-1) / 30)
    straight = canonical(Volume((1000 * blob - 1000).astype(np.float32), grid))
    assert straight.grid.is_axis_aligned
    peak = straight.grid.index_to_world(np.unravel_index(np.argmax(straight.array), straight.array.shape))
    assert np.linalg.norm(peak - center) < 1.0
    at = map_coordinates(straight.array, straight.grid.world_to_index(center)[:, None], order=1)
    assert float(at[0]) == pytest.approx(0.0, abs=40)


def test_resampled_ct_of_a_constant_is_that_constant_and_air_outside() -> None:
    volume = Volume(np.full((10, 10, 10), 55, np.int16), Grid((10, 10, 10), (0, 0, 0), (1, 0.5, 0.5)))
    out = resample_volume(volume, Grid.isotropic((1, 1, 1), (3, 3, 6), 1.0))
    np.testing.assert_allclose(out.array, 55, atol=1e-3)
    far = resample_volume(volume, Grid.isotropic((50, 50, 50), (53, 53, 53), 1.0))
    np.testing.assert_allclose(far.array, -1000)


def test_resampled_labels_keep_ids_and_volume() -> None:
    grid = Grid((20, 40, 40), (0, 0, 0), (2.5, 0.8, 0.8))
    r = np.linalg.norm(grid.points_lps() - grid.center_lps, axis=-1)
    labels = LabelMap(np.where(r < 9, 20, 0).astype(np.uint8), grid, {20: "L1"})
    fine = resample_labels(labels, Grid.isotropic(grid.center_lps - 12, grid.center_lps + 12, 0.6))
    assert fine.ids() == (20,)
    assert fine.names[20] == "L1"
    assert fine.mask(20).sum() * 0.6**3 == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.03)
