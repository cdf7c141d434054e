"""The true clearance of instruments in fractured vertebrae, against brute force on a 0.1 mm grid."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.geometry import Capsule
from trajplan.parts import Side
from trajplan_phantoms import PhantomSpec, Truth
from trajplan_phantoms.fracture import Cleft, Fracture, Fragment
from trajplan_phantoms.spine import Placement, build_spine

STEP_MM = 0.1
HALF_DIAGONAL_MM = 0.5 * STEP_MM * 3**0.5


def truth_of(fracture: Fracture, level: str) -> Truth:
    spec = PhantomSpec(level, (level,), fracture)
    spine = build_spine(spec)
    return Truth(level, spine.vertebrae[spine.target], Placement(np.eye(3), np.zeros(3)))


def random_capsule(truth: Truth, seed: int, radius_mm: float) -> Capsule:
    """From behind the isthmus into the body, a little off the axis of the pedicle."""
    random = np.random.default_rng(seed)
    pedicle = truth.pedicles[Side.LEFT if seed % 2 else Side.RIGHT]
    start = pedicle.isthmus_center_lps - 3.0 * pedicle.axis_lps + random.uniform(-0.5, 0.5, 3)
    return Capsule(start, start + 22.0 * pedicle.axis_lps + random.uniform(-2.0, 2.0, 3), radius_mm)


def lattice(lower: np.ndarray, upper: np.ndarray, step_mm: float) -> np.ndarray:
    axes = (
        np.arange(np.floor(a / step_mm), np.ceil(b / step_mm) + 1) * step_mm for a, b in zip(lower, upper, strict=True)
    )
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


CASES = [
    (Fracture("wedge", 45.0), "L1", 1),
    (Fracture("biconcave", 60.0), "L3", 2),
    (Fracture("crush", 50.0), "T12", 3),
    (Fracture("wedge", 70.0, "both", "local", cleft=Cleft(thickness_mm=1.0, width_mm=8.0, depth_mm=6.0)), "T10", 4),
    (Fracture("crush", 30.0, retropulsion_mm=5.0), "L2", 5),
    (Fracture("wedge", 35.0, retropulsion_mm=2.0, fragment=Fragment(4.0)), "L4", 6),
]


@pytest.mark.parametrize(("fracture", "level", "seed"), CASES)
def test_clearance_agrees_with_brute_force_and_is_never_overstated(fracture: Fracture, level: str, seed: int) -> None:
    truth = truth_of(fracture, level)
    capsule = random_capsule(truth, seed, 1.0)
    found = truth.true_clearance(capsule)
    depth = found + capsule.radius_mm
    assert depth > 0.4
    ends = np.stack([capsule.start_lps, capsule.end_lps])
    coarse = lattice(ends.min(axis=0) - depth - 0.7, ends.max(axis=0) + depth + 0.7, 0.4)
    away = capsule.distance(coarse) + capsule.radius_mm
    coarse, away = coarse[away < depth + 0.7], away[away < depth + 0.7]
    value = truth.bone_value(coarse)
    assert (value[away < depth - 0.02] < 0).all()  # no wall inside what is called free
    children = lattice(np.full(3, -0.2), np.full(3, 0.2), STEP_MM)
    fine = (coarse[(value > -1.0) & (away > depth - 0.7)][:, None] + children).reshape(-1, 3)
    away = capsule.distance(fine) + capsule.radius_mm
    near = away < depth + 0.1 + HALF_DIAGONAL_MM
    outside = truth.bone_value(fine[near]) >= 0
    brute = away[near][outside].min()
    # the nearest outside grid point lies behind the wall by up to half a diagonal of a cell
    assert brute - HALF_DIAGONAL_MM - 0.1 <= depth <= brute + 0.02


def test_a_crossing_instrument_is_as_far_outside_as_brute_force_says() -> None:
    truth = truth_of(Fracture("crush", 45.0, retropulsion_mm=4.0), "L1")
    inside = random_capsule(truth, 7, 1.5)
    shift = np.array([0.0, 0.0, 9.0])
    capsule = Capsule(inside.start_lps, inside.end_lps + shift, 1.5)
    found = truth.true_clearance(capsule)
    assert found < -2.5
    reach = -found - capsule.radius_mm
    t = np.linspace(0.0, 1.0, 90)[:, None]
    axis = capsule.start_lps + t * (capsule.end_lps - capsule.start_lps)
    out = axis[truth.bone_value(axis) > 0]
    bone = lattice(out.min(axis=0) - reach - 0.5, out.max(axis=0) + reach + 0.5, 0.4)
    bone = bone[truth.bone_value(bone) < 0]
    brute = max(float(np.linalg.norm(bone - point, axis=1).min()) for point in out)
    assert brute - 0.4 * 3**0.5 / 2 - 0.05 <= reach <= brute + 0.05


def test_the_wall_distance_is_a_function_of_any_point() -> None:
    truth = truth_of(Fracture("biconcave", 50.0), "L1")
    body = truth.vertebra.body
    top, bottom, _, _ = (float(x) for x in body.plates(np.zeros(()), np.zeros(())))
    # halfway between the two dishes the wall is half the height away (the dishes are level there)
    assert truth.surface_distance([0.0, 0.0, 0.5 * (top + bottom)]) == pytest.approx(-0.5 * (top - bottom), abs=0.1)
    assert truth.surface_distance([0.0, 0.0, top + 1.0]) == pytest.approx(1.0, abs=0.05)
