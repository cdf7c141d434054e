"""The outline settles on the CT's edge where the network is unsure, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.bone_edge import settled, to_the_edge
from trajplan.anatomy.network_pass import dice

SHAPE = (40, 44, 48)
RADIUS = 11.3


def distance(radius: float) -> np.ndarray:
    """Signed distance to a ball a little off the middle, positive inside, in voxels."""
    at = np.stack(np.indices(SHAPE), axis=-1) - np.array([19.6, 22.3, 23.1])
    return (radius - np.linalg.norm(at, axis=-1)).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-x))).astype(np.float32)


def scan_of(ball: np.ndarray, bone_hu: float = 350.0, soft_hu: float = 40.0, noise_hu: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0.0, 1.0, ball.shape) * noise_hu
    return (soft_hu + (bone_hu - soft_hu) * np.clip(ball + 0.5, 0, 1) + noise).astype(np.float32)


@pytest.mark.parametrize("off", [-0.6, 0.6])
@pytest.mark.parametrize("noise_hu", [0.0, 40.0])
def test_an_outline_half_a_voxel_off_finds_the_edge(off: float, noise_hu: float) -> None:
    truth = distance(RADIUS) > 0
    share = sigmoid(1.5 * distance(RADIUS + off))
    hu = scan_of(distance(RADIUS), noise_hu=noise_hu)
    before, after = dice(share > 0.5, truth), dice(to_the_edge(share, hu) > 0.5, truth)
    assert before < 0.93
    assert after > before + 0.03


@pytest.mark.parametrize("off", [-1.6, 1.6])
def test_an_outline_further_off_comes_nearer_by_no_more_than_two_voxels(off: float) -> None:
    truth, start = distance(RADIUS) > 0, distance(RADIUS + off)
    after = to_the_edge(sigmoid(start), scan_of(distance(RADIUS))) > 0.5
    assert dice(after, truth) > dice(start > 0, truth) + 0.08
    assert np.abs(start[after != (start > 0)]).max() <= 2 * np.sqrt(3)


@pytest.mark.parametrize("off", [-0.6, 0.6])
def test_a_mask_half_a_voxel_off_settles(off: float) -> None:
    truth, prior = distance(RADIUS) > 0, distance(RADIUS + off)
    assert dice(settled(prior > 0, prior, scan_of(distance(RADIUS))), truth) > dice(prior > 0, truth) + 0.03


def test_where_there_is_no_edge_a_mask_leans_to_its_prior() -> None:
    """A flood that ran off by 6 mm into bone of the same HU comes back in part, and what did not run off stays."""
    prior = distance(RADIUS)
    at = np.stack(np.indices(SHAPE), axis=-1) - np.array([19.6, 22.3, 23.1])
    run_off = (np.linalg.norm(at[..., 1:], axis=-1) < 2) & (at[..., 0] > 0) & (at[..., 0] < RADIUS + 6)
    mask, hu = (prior > 0) | run_off, scan_of(np.where(run_off, 3.0, prior))
    leaning, alone = settled(mask, prior, hu), settled(mask, np.zeros_like(prior), hu)
    assert 0 < np.count_nonzero(leaning & (prior < 0)) < np.count_nonzero(alone & (prior < 0))
    away = at[..., 0] < 0
    assert dice(leaning & away, (prior > 0) & away) > 0.97


def test_what_the_network_is_sure_of_stays() -> None:
    """A gas cleft within, and dense bone of another vertebra well outside."""
    ball = distance(RADIUS)
    hu = scan_of(ball)
    hu[18:21, 16:28, 18:28] = -900.0
    hu[2:5] = 900.0
    after = to_the_edge(sigmoid(1.5 * ball), hu) > 0.5
    assert after[18:21, 16:28, 18:28].all()
    assert not after[2:5].any()


def test_marrow_between_dense_walls_is_no_edge() -> None:
    """Unsure of a whole pedicle, and its marrow as dark as fat: the outline moves by a voxel or two, no hole opens."""
    u, v = np.indices((32, 32)) - 15.5
    radius = np.broadcast_to(np.hypot(u, v), (32, 32, 32))
    hu = np.where(radius < 7, 600.0, 40.0) - np.where(radius < 4, 620.0, 0.0)
    share = np.where(radius < 7, 0.7, 0.2).astype(np.float32)
    share[:, 15:17, 15:17] = 0.9
    after = to_the_edge(share, hu.astype(np.float32)) > 0.5
    assert after[radius < 5.5].all()
    assert not after[radius > 8.5].any()


def test_without_a_step_in_hu_nothing_moves() -> None:
    share = sigmoid(1.5 * distance(RADIUS))
    flat = scan_of(distance(RADIUS), bone_hu=80.0, noise_hu=15.0)
    np.testing.assert_allclose(to_the_edge(share, flat), np.clip(share, 1e-3, 1 - 1e-3), atol=1e-5)


def test_mirrored_alike() -> None:
    share, hu = sigmoid(1.5 * distance(RADIUS + 0.4)), scan_of(distance(RADIUS), noise_hu=30.0)
    straight = to_the_edge(share, hu)
    mirrored = to_the_edge(share[..., ::-1], hu[..., ::-1])[..., ::-1]
    np.testing.assert_allclose(straight, mirrored, atol=1e-4)


def test_an_empty_target_stays_empty() -> None:
    share = np.full(SHAPE, 0.01, dtype=np.float32)
    assert (to_the_edge(share, scan_of(distance(RADIUS))) < 0.5).all()
