"""The network's input: where its voxels lie, and what stands where the scan ends."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.network_input import (
    PADDING_HU,
    SEED_TO_CENTER_MM,
    SHAPE_ZYX,
    SPACING_MM,
    crop_grid,
    network_input,
    normalise,
    seed_channel,
)
from trajplan.geometry import Grid, Volume

SEED = np.array([12.0, -34.0, 56.0])


def ramp(grid: Grid) -> Volume:
    """HU that tell where a voxel lies: x + 3 y - 2 z."""
    points = grid.points_lps()
    return Volume((points @ np.array([1.0, 3.0, -2.0])).astype(np.float32), grid)


def test_the_crop_lies_about_the_seed_as_stated() -> None:
    grid = crop_grid(SEED)
    assert grid.shape_zyx == SHAPE_ZYX
    assert grid.center_lps == pytest.approx(SEED + SEED_TO_CENTER_MM)
    assert grid.spacing_zyx == pytest.approx([SPACING_MM] * 3)


def test_the_seed_channel_is_highest_at_the_seed_and_symmetric_in_x() -> None:
    channel = seed_channel()
    at = crop_grid(SEED).world_to_index(SEED)
    assert np.abs(np.array(np.unravel_index(channel.argmax(), channel.shape)) - at).max() <= 0.5
    assert np.array_equal(channel, channel[..., ::-1])


def test_voxels_show_the_scan_at_their_place() -> None:
    ct = ramp(Grid.isotropic(SEED - 120.0, SEED + 120.0, 1.5))
    image = network_input(ct, SEED)
    expected = normalise((crop_grid(SEED).points_lps() @ np.array([1.0, 3.0, -2.0])).astype(np.float32))
    assert np.abs(image[0] - expected).max() < 1e-3
    assert np.array_equal(image[1], seed_channel())


def test_outside_the_scan_stands_padding() -> None:
    ct = Volume(
        np.full((40, 60, 60), 300, dtype=np.int16),
        Grid.isotropic(SEED - 29.5, SEED + 29.5, 1.0).cropped([10, 0, 0], [50, 60, 60]),
    )
    image = network_input(ct, SEED)
    padded = normalise(np.array([PADDING_HU], dtype=np.float32))[0]
    outside = ~ct.grid.contains(crop_grid(SEED).points_lps(), margin_mm=-2.0)
    assert outside.any()
    assert (image[0][outside] == padded).all()


def test_moving_scan_and_seed_together_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    grid = Grid.isotropic(SEED - 80.0, SEED + 80.0, 2.0)
    hu = rng.normal(200, 200, grid.shape_zyx).astype(np.float32)
    shift = np.array([7.3, -11.1, 0.4])
    moved = Grid(grid.shape_zyx, grid.origin_lps + shift, grid.spacing_zyx)
    assert np.abs(network_input(Volume(hu, grid), SEED) - network_input(Volume(hu, moved), SEED + shift)).max() < 1e-3
