"""Distances and breaches of the truth, against brute force."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from trajplan.geometry import Capsule, Grid
from trajplan.parts import Side
from trajplan_phantoms import Phantom
from trajplan_phantoms.surface import ZeroSurface


def along_pedicle(wedge: Phantom, side: Side, shift_lps=(0.0, 0.0, 0.0), radius_mm: float = 1.5) -> Capsule:
    """From the entry region through the isthmus into the body."""
    pedicle = wedge.truth.pedicles[side]
    middle = pedicle.isthmus_center_lps + np.array(shift_lps)
    return Capsule(middle - 20.0 * pedicle.axis_lps, middle + 20.0 * pedicle.axis_lps, radius_mm)


def test_distance_to_a_sphere_is_exact_inside_and_outside() -> None:
    def value(q):
        return np.linalg.norm(q, axis=1) ** 2 / 10.0 - 10.0  # zero at radius 10, far from Euclidean elsewhere

    grid = Grid.isotropic((-12.0,) * 3, (12.0,) * 3, 1.0)
    surface = ZeroSurface.build(value, value(grid.points_lps().reshape(-1, 3)).reshape(grid.shape_zyx), grid)
    points = np.random.default_rng(1).normal(size=(300, 3)) * 6.0
    points = points[np.linalg.norm(points, axis=1) > 2.0]
    np.testing.assert_allclose(surface.distance(points), np.linalg.norm(points, axis=1) - 10.0, atol=0.01)


@pytest.mark.parametrize(
    ("side", "shift"), [(Side.LEFT, (0.0, 0.0, 0.0)), (Side.RIGHT, (1.2, 0.0, -1.0)), (Side.LEFT, (-1.0, 0.0, 3.0))]
)
def test_clearance_agrees_with_brute_force_on_a_fine_grid(wedge: Phantom, side: Side, shift) -> None:
    capsule = along_pedicle(wedge, side, shift)
    start = 14.0
    first = capsule.start_lps + start * capsule.direction_lps
    step = 0.3
    lower = np.minimum(first, capsule.end_lps) - 5.5
    upper = np.maximum(first, capsule.end_lps) + 5.5
    grid = Grid.isotropic(lower, upper, step)
    outside = wedge.truth.bone_value(grid.points_lps()) >= 0
    walls = np.argwhere(outside & ndimage.binary_dilation(~outside, iterations=2))
    t = np.linspace(0.0, capsule.length_mm - start, 400)
    axis = first + t[:, None] * capsule.direction_lps
    brute = cKDTree(grid.index_to_world(walls)).query(axis)[0].min() - capsule.radius_mm
    # the nearest outside voxel *centre* lies 0 to half a voxel diagonal (0.26 mm) further than the wall
    found = wedge.truth.true_clearance(capsule, start)
    assert brute - 0.26 <= found <= brute + 0.01


def test_a_line_down_the_middle_of_the_pedicle_is_safe(wedge: Phantom) -> None:
    for side in Side:
        capsule = along_pedicle(wedge, side)
        assert wedge.truth.breach_mm(capsule, 14.0) == 0.0
        assert 1.5 < wedge.truth.true_clearance(capsule, 14.0) <= 8.7 / 2 - 1.5 + 0.05


def test_a_line_through_the_canal_breaches_by_its_depth_in_the_canal(wedge: Phantom) -> None:
    canal = wedge.truth.vertebra.canal
    v = canal.front_mm + 0.45 * canal.depth_mm
    capsule = Capsule((0.0, 70.0, 2.0), (0.0, 0.0, 2.0), 2.0)
    assert wedge.truth.canal_value([0.0, v, 2.0]) < -5.0
    assert wedge.truth.breach_mm(capsule, 20.0) > 5.0
    assert wedge.truth.true_clearance(capsule, 20.0) < -5.0
    assert wedge.truth.breach_mm(capsule, 62.0) == 0.0  # the part that already lies deep in the body


def test_breach_and_clearance_are_two_sides_of_one_wall(wedge: Phantom) -> None:
    capsule = along_pedicle(wedge, Side.LEFT, (-4.0, 0.0, 0.0), 2.1)
    assert wedge.truth.breach_mm(capsule, 12.0) == pytest.approx(-wedge.truth.true_clearance(capsule, 12.0), abs=0.05)


def test_the_wall_of_a_shifted_needle_comes_as_much_closer(wedge: Phantom) -> None:
    pedicle = wedge.truth.pedicles[Side.LEFT]
    across = np.cross(pedicle.axis_lps, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    at = pedicle.isthmus_center_lps + np.linspace(0.0, 0.8, 5)[:, None] * across * pedicle.width_mm / 2
    distance = -wedge.truth.surface_distance(at)
    np.testing.assert_allclose(distance, pedicle.width_mm / 2 * (1 - np.linspace(0.0, 0.8, 5)), atol=0.06)


def test_truth_is_plain_json(wedge: Phantom) -> None:
    stored = json.loads(json.dumps(wedge.truth.to_dict()))
    assert stored["level"] == "L1"
    assert stored["pedicles"]["left"]["width_mm"] == pytest.approx(8.7, abs=0.05)
    assert stored["heights"]["loss_percent"] == pytest.approx(35.0)
    assert (stored["fracture"]["kind"], stored["fracture"]["genant_grade"]) == ("wedge", 2)
