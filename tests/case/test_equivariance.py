"""Moving, mirroring or re-storing the patient moves, mirrors or keeps the plan, and changes no number that matters.

Whole chain on the label route: canonical LPS, measuring, planning. A rotated copy is a fresh scan of the rotated
phantom, so its voxels differ; tolerances are a voxel (0.8-1 mm) on points and a third of it on clearance.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
from oriented_files import reordered
from scipy.spatial.transform import Rotation

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.resample import canonical
from trajplan.parts import Side
from trajplan.planning.plan import PlanSettings, Trajectory
from trajplan.planning.planner import plan_vertebra
from trajplan_phantoms import Phantom, PhantomSpec, Pose, Scanner, make_phantom

SPEC = PhantomSpec(
    target="L1",
    levels=("L1",),
    fracture="wedge",
    height_loss_percent=30.0,
    pedicle_width_mm_left=8.0,
    pedicle_width_mm_right=10.0,
)
SCANNER = Scanner(spacing_zyx=(1.0, 0.8, 0.8), noise_hu=10.0, seed=1)


@dataclass(frozen=True)
class Planned:
    """A vertebra and its plan by side."""

    vertebra: Vertebra
    paths: dict[Side, Trajectory]


def plan(ct: Volume, labels: LabelMap) -> Planned:
    ct, labels = canonical(ct), canonical(labels)
    vertebra = measure_vertebra(ct, labels, 20, level="L1", level_confirmed=True, source="labels")
    paths, refusals = plan_vertebra(ct, vertebra, PlanSettings(), automatic_mask=False)
    assert refusals == ()
    return Planned(vertebra, {t.side: t for t in paths})


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(SPEC, SCANNER)


@pytest.fixture(scope="module")
def upright(phantom: Phantom) -> Planned:
    return plan(phantom.ct, phantom.labels)


def assert_same_numbers(a: Trajectory, b: Trajectory) -> None:
    assert a.verdict == b.verdict
    assert a.gertzbein_robbins == b.gertzbein_robbins
    assert a.clearance.min_mm == pytest.approx(b.clearance.min_mm, abs=0.35)
    assert a.convergence_deg == pytest.approx(b.convergence_deg, abs=3.0)
    assert a.craniocaudal_deg == pytest.approx(b.craniocaudal_deg, abs=3.0)
    assert a.length_in_bone_mm == pytest.approx(b.length_in_bone_mm, abs=2.5)


@pytest.mark.parametrize(("axes", "flipped"), [((0, 1, 2), (1, 2)), ((2, 0, 1), (0,)), ((1, 2, 0), (0, 1, 2))])
def test_the_storage_order_does_not_matter_at_all(
    phantom: Phantom, upright: Planned, axes: tuple[int, ...], flipped: tuple[int, ...]
) -> None:
    again = canonical(reordered(phantom.ct, axes, flipped))
    labels = canonical(reordered(phantom.labels, axes, flipped))
    np.testing.assert_array_equal(again.array, canonical(phantom.ct).array)
    np.testing.assert_array_equal(labels.array, canonical(phantom.labels).array)
    np.testing.assert_allclose(again.grid.origin_lps, canonical(phantom.ct).grid.origin_lps, atol=1e-9)
    if axes == (2, 0, 1):
        replanned = plan(reordered(phantom.ct, axes, flipped), reordered(phantom.labels, axes, flipped))
        for side, t in upright.paths.items():
            np.testing.assert_allclose(replanned.paths[side].entry_lps, t.entry_lps, atol=1e-3)
            np.testing.assert_allclose(replanned.paths[side].target_lps, t.target_lps, atol=1e-3)
            assert replanned.paths[side].clearance.min_mm == pytest.approx(t.clearance.min_mm, abs=1e-3)


def test_the_wider_pedicle_is_on_the_right_where_it_was_made(upright: Planned) -> None:
    width = {side: p.width_mm for side, p in upright.vertebra.pedicles.items()}
    assert width[Side.LEFT] == pytest.approx(8.0, abs=0.8)
    assert width[Side.RIGHT] == pytest.approx(10.0, abs=0.8)
    assert upright.paths[Side.LEFT].entry_lps[0] > upright.paths[Side.RIGHT].entry_lps[0]


def test_a_mirrored_patient_has_the_mirrored_plan_with_sides_swapped(upright: Planned) -> None:
    mirrored = make_phantom(dataclasses.replace(SPEC, pose=Pose(mirror=True)), SCANNER)
    other = plan(mirrored.ct, mirrored.labels)
    flip = np.array([-1.0, 1.0, 1.0])
    for side, opposite in ((Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT)):
        a, b = upright.paths[side], other.paths[opposite]
        assert_same_numbers(a, b)
        assert np.linalg.norm(a.target_lps * flip - b.target_lps) < 1.5
        assert np.linalg.norm(a.entry_lps * flip - b.entry_lps) < 1.5


def test_a_turned_patient_has_the_turned_plan(upright: Planned) -> None:
    turn = Rotation.from_euler("xyz", [8, -6, 12], degrees=True).as_matrix()
    pose = Pose(rotation=turn, translation_lps=(14.0, -9.0, 21.0))
    moved = make_phantom(dataclasses.replace(SPEC, pose=pose), SCANNER)
    other = plan(moved.ct, moved.labels)
    for side in Side:
        a, b = upright.paths[side], other.paths[side]
        assert_same_numbers(a, b)
        local_a = upright.vertebra.frame.to_local(a.target_lps)
        local_b = other.vertebra.frame.to_local(b.target_lps)
        assert np.linalg.norm(local_a - local_b) < 1.5


def test_a_scan_on_other_voxels_gives_the_same_plan(upright: Planned) -> None:
    """The same patient scanned again on finer voxels that lie elsewhere, with other noise."""
    finer = make_phantom(
        dataclasses.replace(SPEC, pose=Pose(translation_lps=(0.3, -0.4, 0.25))),
        Scanner(spacing_zyx=(0.7, 0.9, 0.9), noise_hu=10.0, seed=5),
    )
    other = plan(finer.ct, finer.labels)
    for side in Side:
        a, b = upright.paths[side], other.paths[side]
        assert_same_numbers(a, b)
        tips = [p.vertebra.frame.to_local(p.paths[side].target_lps) for p in (upright, other)]
        assert np.linalg.norm(tips[0] - tips[1]) < 1.5


def test_a_header_turned_with_its_scan_gives_the_same_plan(phantom: Phantom, upright: Planned) -> None:
    """The voxels stay, the direction cosines turn: the scan is oblique and has to be resampled."""
    turn = Rotation.from_euler("xyz", [5, 7, -9], degrees=True).as_matrix()

    def turned(item: Volume | LabelMap) -> Volume | LabelMap:
        grid = item.grid
        return dataclasses.replace(
            item, grid=Grid(grid.shape_zyx, turn @ grid.origin_lps, grid.spacing_zyx, turn @ grid.direction)
        )

    other = plan(turned(phantom.ct), turned(phantom.labels))
    for side, a in upright.paths.items():
        b = other.paths[side]
        assert_same_numbers(a, b)
        assert np.linalg.norm(turn @ a.target_lps - b.target_lps) < 1.5
