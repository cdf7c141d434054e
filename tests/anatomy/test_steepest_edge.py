"""An outline is drawn to the steepest fall of HU, together with the outline about it, and stays where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.network_pass import dice
from trajplan.anatomy.steepest_edge import FINE_MM, to_the_steepest

SHAPE = (44, 46, 48)
RADIUS = 13.0
AT = np.stack(np.indices(SHAPE), axis=-1) - np.array([21.6, 22.3, 23.1])


def inside(radius: float, middle: float = 0.0) -> np.ndarray:
    """Signed distance (mm) to a ball, moved by `middle` along z, positive inside."""
    return np.asarray(radius - np.linalg.norm(AT - [middle, 0, 0], axis=-1))


def share_of(depth: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-1.5 * depth)), dtype=np.float32)


def scan_of(depth: np.ndarray, noise_hu: float = 0.0, blur_mm: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0.0, 1.0, depth.shape) * noise_hu
    return np.asarray(40.0 + 310.0 / (1 + np.exp(-depth / (0.4 * blur_mm))) + noise, dtype=np.float32)


@pytest.mark.parametrize("off_mm", [-1.8, -0.8, 0.8, 1.8])
@pytest.mark.parametrize("noise_hu", [0.0, 60.0])
def test_an_outline_nearly_two_millimetres_off_comes_to_the_edge(off_mm: float, noise_hu: float) -> None:
    truth = inside(RADIUS) > 0
    share = share_of(inside(RADIUS + off_mm))
    after = to_the_steepest(share, scan_of(inside(RADIUS), noise_hu), 3.0) > 0.5
    assert dice(share > 0.5, truth) < 0.95
    assert dice(after, truth) > 0.97


def test_of_two_edges_the_nearer_is_taken() -> None:
    """The next vertebra's far side, 5 mm on, falls twice as steeply."""
    hu = scan_of(inside(RADIUS))
    next_bone = (inside(RADIUS) < -3) & (inside(RADIUS) > -5)
    after = (
        to_the_steepest(share_of(inside(RADIUS - 0.7)), np.where(next_bone, 700.0, hu).astype(np.float32), 3.0) > 0.5
    )
    assert dice(after, inside(RADIUS) > 0) > 0.97
    assert not after[next_bone].any()


def test_one_side_off_is_moved_and_the_other_stays() -> None:
    """A body seen too short by 1.6 mm below, as end plates were at discs of 2 mm."""
    truth = inside(RADIUS) > 0
    seen = np.minimum(inside(RADIUS), AT[..., 0] + RADIUS - 3.6)
    hu = scan_of(np.minimum(inside(RADIUS), AT[..., 0] + RADIUS - 2.0), 30.0)
    after = to_the_steepest(share_of(seen), hu, 3.0) > 0.5
    column = np.argmax(after[:, 22, 23]) - 21.6  # first voxel inside, from below
    assert column == pytest.approx(-RADIUS + 2.0, abs=0.8)
    above = AT[..., 0] > 3
    assert dice(after & above, truth & above) > 0.97


def test_without_an_edge_the_outline_stays() -> None:
    share = share_of(inside(RADIUS))
    flat = np.random.default_rng(5).normal(120.0, 40.0, SHAPE).astype(np.float32)
    assert dice(to_the_steepest(share, flat, 3.0) > 0.5, share > 0.5) > 0.97


def test_on_fine_voxels_the_outline_lies_a_little_within_the_steepest_fall() -> None:
    share, hu = share_of(inside(RADIUS)), scan_of(inside(RADIUS))
    fine, coarse = (np.count_nonzero(to_the_steepest(share, hu, mm) > 0.5) for mm in (FINE_MM, 3.0))
    radii = [(3 * n / (4 * np.pi)) ** (1 / 3) for n in (fine, coarse)]
    assert radii[1] - radii[0] == pytest.approx(0.2, abs=0.08)


def test_mirrored_alike_and_an_empty_target_stays_empty() -> None:
    share, hu = share_of(inside(RADIUS + 0.6)), scan_of(inside(RADIUS), 30.0)
    mirrored = to_the_steepest(share[:, :, ::-1], hu[:, :, ::-1], 3.0)[:, :, ::-1]
    np.testing.assert_allclose(to_the_steepest(share, hu, 3.0), mirrored, atol=1e-4)
    assert (to_the_steepest(np.full(SHAPE, 0.01, np.float32), hu, 3.0) < 0.5).all()
