"""Wall distances never flatter: closed-form shapes at random sub-voxel places; the error has one sign."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from trajplan.geometry import Grid
from trajplan.geometry.surface import SMOOTHING_MM, WallDistance, inside, occupancy, surface_of

SPACING_MM = 0.6


def _axis(rng: np.random.Generator) -> np.ndarray:
    a = rng.normal(size=3)
    return a / np.linalg.norm(a)


def plane(p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    return p @ _axis(rng) + 2.0, np.inf


def rod(p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    a, radius = _axis(rng), rng.uniform(2.5, 7)
    return radius - np.linalg.norm(p - (p @ a)[..., None] * a, axis=-1), np.inf


def hole(p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    depth, _ = rod(p, rng)
    return -depth, float(np.max(depth))


def ball(p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    return rng.uniform(3, 8) - np.linalg.norm(p, axis=-1), np.inf


@pytest.mark.parametrize("shape", [plane, rod, hole, ball])
@pytest.mark.parametrize("seed", range(4))
def test_distance_to_a_wall_is_never_overstated_and_close(
    shape: Callable[..., tuple[np.ndarray, float]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid.isotropic((-13,) * 3, (13,) * 3, SPACING_MM)
    points = grid.points_lps() + rng.uniform(-0.3, 0.3, 3)
    depth, hole_radius = shape(points, rng)
    wall = WallDistance(surface_of(occupancy(depth > 0, grid), grid))
    test = (np.abs(depth) > 1e-3) & (depth < 7) & (depth > -2) & (np.abs(points).max(axis=-1) < 8)
    error = wall.signed(grid.points_lps()[test], depth[test] > 0) - depth[test]
    # smoothing pulls the wall of a hole of radius R inwards by about sigma^2 / 2R, the only way to flatter
    allowed = 0.02 + (SMOOTHING_MM**2 / (2 * hole_radius) if np.isfinite(hole_radius) else 0.0)
    assert error.max() <= allowed
    assert np.median(error) > -0.35
    assert error.min() > -0.9


def test_normals_point_out_of_the_mask() -> None:
    grid = Grid.isotropic((-10,) * 3, (10,) * 3, 0.7)
    surface = surface_of(occupancy(np.linalg.norm(grid.points_lps(), axis=-1) < 6, grid), grid)
    outward = surface.points_lps / np.linalg.norm(surface.points_lps, axis=1, keepdims=True)
    assert (np.sum(outward * surface.normals_lps, axis=1) > 0.95).all()


def test_inside_voxel_of_each_sample_is_in_the_mask() -> None:
    grid = Grid.isotropic((-8,) * 3, (8,) * 3, 0.8)
    field = occupancy(np.linalg.norm(grid.points_lps(), axis=-1) < 5, grid)
    surface = surface_of(field, grid)
    assert (field[tuple(surface.inside_zyx.T)] >= 0.5).all()


def test_no_wall_is_infinitely_far_not_safe_by_accident() -> None:
    grid = Grid.isotropic((-4,) * 3, (4,) * 3, 1.0)
    wall = WallDistance(surface_of(np.zeros(grid.shape_zyx, np.float32), grid))
    assert not wall.exists
    assert np.isinf(wall.signed(np.zeros((2, 3)), True)).all()


def test_outside_the_grid_is_outside_the_mask() -> None:
    grid = Grid.isotropic((-4,) * 3, (4,) * 3, 1.0)
    assert not inside(np.ones(grid.shape_zyx, np.float32), grid, [50.0, 0.0, 0.0])


def test_the_smoothing_is_in_millimetres_on_every_axis() -> None:
    """Beyond a flat face the occupancy falls as the normal distribution of half a millimetre, whatever the spacing."""
    for axis, spacing in ((0, (0.25, 1.0, 2.0)), (1, (1.0, 0.25, 2.0)), (2, (2.0, 1.0, 0.25))):
        index = np.indices((40, 40, 40))[axis]
        field = occupancy(index >= 20, Grid((40, 40, 40), (0, 0, 0), spacing))
        beyond = field[tuple(17 if a == axis else 20 for a in range(3))]  # 2.5 voxels, 0.625 mm, 1.25 sigma
        assert beyond == pytest.approx(0.1056, abs=0.01)
