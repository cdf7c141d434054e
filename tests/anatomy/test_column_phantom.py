"""The column is found in a phantom without a seed: every body centre, the count, and the fractured one."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.column import Column, VertebraSeed, find_column
from trajplan.anatomy.worst import worst_vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, Volume
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.spine import build_spine


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    """A biconcave T12 with osteoporotic marrow in thick slices."""
    spec = PhantomSpec(
        target="T12",
        levels=("T10", "T11", "T12", "L1", "L2"),
        fracture="biconcave",
        height_loss_percent=40.0,
        trabecular_hu=80.0,
    )
    return make_phantom(spec, Scanner((2.0, 1.2, 1.2), noise_hu=20.0, seed=3))


@pytest.fixture(scope="module")
def column(phantom: Phantom) -> Column:
    return find_column(phantom.ct)


def body_centers_lps(phantom: Phantom) -> np.ndarray:
    """True body centres, inferior to superior, (N, 3) LPS mm."""
    spine = build_spine(phantom.spec)
    own = np.array([place.to_patient(np.zeros(3)) for place in spine.placements])
    world = phantom.spec.pose.to_world(own)
    return world[np.argsort(world[:, 2])]


def test_every_vertebra_is_found_once_within_5_mm_of_its_body_centre(phantom: Phantom, column: Column) -> None:
    truth = body_centers_lps(phantom)
    found = np.array([v.center_lps for v in column.vertebrae])
    assert len(found) == len(truth)
    assert np.linalg.norm(found - truth, axis=1).max() < 5.0


def test_the_canal_curve_stays_in_the_true_canal(phantom: Phantom, column: Column) -> None:
    canal = phantom.truth.vertebra.canal
    local = phantom.truth.frame.to_local(column.canal_lps)
    beside = local[np.abs(local[:, 2]) < 8.0]
    assert len(beside) >= 14
    assert np.abs(beside[:, 0]).max() < 0.25 * canal.width_mm
    assert (np.abs(beside[:, 1] - canal.front_mm - canal.depth_mm / 2) < 0.35 * canal.depth_mm).all()


def test_tangents_are_unit_and_point_up(column: Column) -> None:
    tangents = np.array([v.tangent_lps for v in column.vertebrae])
    np.testing.assert_allclose(np.linalg.norm(tangents, axis=1), 1.0, atol=1e-9)
    assert (tangents[:, 2] > 0.8).all()


def test_the_worst_vertebra_is_the_fractured_one(phantom: Phantom, column: Column) -> None:
    index, loss_percent = worst_vertebra(column)
    assert np.linalg.norm(column.vertebrae[index].center_lps - phantom.truth.frame.origin_lps) < 6.0
    assert loss_percent > 15.0


def test_moving_the_scan_moves_the_column(phantom: Phantom, column: Column) -> None:
    step = np.array([120.0, -40.0, 300.0])
    g = phantom.ct.grid
    moved = find_column(Volume(phantom.ct.array, Grid(g.shape_zyx, g.origin_lps + step, g.spacing_zyx)))
    for a, b in zip(moved.vertebrae, column.vertebrae, strict=True):
        np.testing.assert_allclose(a.center_lps, b.center_lps + step, atol=1e-6)


def test_progress_runs_from_0_to_1(phantom: Phantom) -> None:
    half = phantom.ct.cropped([0, 0, 0], [60, 400, 400])
    seen: list[float] = []
    find_column(half, lambda fraction, what: seen.append(fraction))
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


@pytest.mark.parametrize("hu", [-1000.0, 40.0])
def test_a_scan_without_bone_is_refused_with_numbers(hu: float) -> None:
    rng = np.random.default_rng(0)
    array = (hu + 20.0 * rng.standard_normal((60, 60, 60))).astype(np.float32)
    with pytest.raises(AnatomyError) as refusal:
        find_column(Volume(array, Grid(array.shape, (0, 0, 0), (3.0, 3.0, 3.0))))
    assert refusal.value.code == "no_spine"
    assert refusal.value.numbers["canal_mm"] < 30.0
    assert "mm" in str(refusal.value)


def _seed(ha: float, hm: float, hp: float) -> VertebraSeed:
    up = np.array([0.0, 0.0, 1.0])
    return VertebraSeed(np.zeros(3), up, hm, ha, hm, hp, 30.0, 1.0)


def test_worst_vertebra_compares_with_the_neighbours_line() -> None:
    healthy = [_seed(20.0 + k, 19.0 + k, 21.0 + k) for k in range(7)]
    healthy[3] = _seed(23.0 * 0.6, 22.0 * 0.9, 24.0)
    index, loss = worst_vertebra(Column(np.zeros((2, 3)), tuple(healthy)))
    assert index == 3
    assert loss == pytest.approx(40.0, abs=1e-9)


def test_worst_vertebra_needs_neighbours() -> None:
    with pytest.raises(AnatomyError) as refusal:
        worst_vertebra(Column(np.zeros((2, 3)), (_seed(20, 20, 20), _seed(10, 10, 10))))
    assert refusal.value.code == "too_few_vertebrae"
    assert refusal.value.numbers == {"vertebrae": 2.0}
