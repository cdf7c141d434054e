"""The shipped network on scans it was never trained on: good masks, mirrored alike, and refusals that say why."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
from realdata import real_data

from trajplan.anatomy.backend import LabelResult
from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_backend import NetworkBackend
from trajplan.anatomy.network_confidence import doubt_width_mm
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.resample import resample_mask
from trajplan.levels import level_id
from trajplan.reading.labels import read_labels
from trajplan.reading.read import read_scan
from trajplan.reading.schemes import Scheme
from trajplan_phantoms import Scanner, make_phantom
from trajplan_phantoms.phantom import Phantom
from trajplan_phantoms.population import draw

TEST_SEED = 100_001
"""Phantoms of seeds from 100 000 on are never trained on (`training.segmenter.phantom_cases`)."""

L1 = level_id("L1")


def segment(ct: Volume, seed_lps: np.ndarray, level: int | None = L1) -> LabelResult:
    return NetworkBackend().segment(ct, seed_lps, level, lambda share, what: None)


def dice(result: LabelResult, labels: LabelMap, one: int) -> float:
    grid = result.labels.grid
    truth = resample_mask(labels.array == one, labels.grid, grid) >= 0.5
    mask = result.labels.array == one
    whole = np.count_nonzero(labels.array == one) * np.prod(labels.grid.spacing_zyx) / np.prod(grid.spacing_zyx)
    return float(2 * np.count_nonzero(truth & mask) / (np.count_nonzero(mask) + whole))


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    spec = draw("L1", age_years=70.0, seed=TEST_SEED, fracture="wedge", height_loss_percent=30.0, surroundings="full")
    return make_phantom(spec, Scanner((1.0, 0.9, 0.9), noise_hu=20.0))


@pytest.fixture(scope="module")
def centre(phantom: Phantom) -> np.ndarray:
    return phantom.truth.frame.origin_lps


@pytest.fixture(scope="module")
def found(phantom: Phantom, centre: np.ndarray) -> LabelResult:
    return segment(phantom.ct, centre)


def test_a_fractured_phantom_nobody_trained_on(phantom: Phantom, found: LabelResult) -> None:
    assert dice(found, phantom.labels, L1) > 0.94
    assert found.labels.ids() == (L1 - 1, L1, L1 + 1)
    for other in (L1 - 1, L1 + 1):
        assert dice(found, phantom.labels, other) > 0.90
    assert found.provenance["backend"] == "network"
    assert found.confidence.score > 0.5
    assert 0.0 <= found.confidence.values["neighbour_overlap"] < 0.02
    assert found.confidence.values["pedicle_doubt_mm"] < 2.6
    assert not found.confidence.check, "what is good is not flagged"


def test_through_a_worse_scanner_the_outline_is_said_to_be_doubtful(phantom: Phantom, centre: np.ndarray) -> None:
    """Blurred along the body and noisy: Dice 0.87, and yet no look disagrees with another."""
    hu = ndi.gaussian_filter1d(np.asarray(phantom.ct.array, dtype=np.float32), 5.0, axis=0)
    hu += np.random.default_rng(3).normal(0.0, 150.0, hu.shape).astype(np.float32)
    worse = Volume(np.clip(np.rint(hu), -1024, 3071).astype(np.int16), phantom.ct.grid)
    found = segment(worse, centre)
    assert found.confidence.values["flip_dice"] > 0.9
    assert any("undecided" in one for one in found.confidence.check)


@pytest.mark.parametrize("spacing_mm", [1.0, 1.5])
def test_the_width_of_doubt_is_in_mm_and_not_a_share_of_the_volume(spacing_mm: float) -> None:
    for side in (10, 24):
        share = np.zeros((32, 32, 32), dtype=np.float32)
        share[4 : 4 + side, 4 : 4 + side, 4 : 4 + side] = 0.6
        share[5 : 3 + side, 5 : 3 + side, 5 : 3 + side] = 0.9
        assert doubt_width_mm(share, share > 0.5, spacing_mm) == pytest.approx(spacing_mm)


def test_its_pedicles_are_where_they_are(phantom: Phantom, found: LabelResult) -> None:
    vertebra = measure_vertebra(
        phantom.ct, found.labels, L1, level="L1", level_confirmed=True, source="network", confidence=found.confidence
    )
    for side, truth in phantom.truth.pedicles.items():
        assert np.linalg.norm(vertebra.pedicles[side].isthmus_center_lps - truth.isthmus_center_lps) < 1.5


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("move_mm", [-5.0, 5.0])
def test_a_seed_5_mm_off_changes_little(
    phantom: Phantom, centre: np.ndarray, found: LabelResult, axis: int, move_mm: float
) -> None:
    moved = segment(phantom.ct, centre + move_mm * np.eye(3)[axis])
    assert dice(moved, phantom.labels, L1) > dice(found, phantom.labels, L1) - 0.02


def test_the_same_scan_gives_the_same_bytes(phantom: Phantom, centre: np.ndarray, found: LabelResult) -> None:
    again = segment(phantom.ct, centre)
    assert again.labels.array.tobytes() == found.labels.array.tobytes()
    assert again.confidence == found.confidence


def test_a_mirrored_patient_gets_the_mirrored_mask(phantom: Phantom, centre: np.ndarray, found: LabelResult) -> None:
    ct = phantom.ct
    first = ct.grid.index_to_world(np.array(ct.grid.shape_zyx) - 1)[0]
    grid = Grid(ct.grid.shape_zyx, np.array([-first, *ct.grid.origin_lps[1:]]), ct.grid.spacing_zyx)
    mirrored = segment(Volume(ct.array[:, :, ::-1], grid), centre * [-1, 1, 1])
    points = mirrored.labels.grid.index_to_world(np.argwhere(mirrored.labels.array == L1)) * [-1, 1, 1]
    index = found.labels.grid.world_to_index(points)
    assert np.abs(index - np.round(index)).max() < 0.01, "the same voxels, mirrored"
    mask = found.labels.array == L1
    both = np.count_nonzero(mask[tuple(np.round(index).astype(int).T)])
    assert 2 * both / (len(points) + np.count_nonzero(mask)) > 0.98


def test_a_seed_in_soft_tissue_is_refused_with_the_distance(phantom: Phantom, centre: np.ndarray) -> None:
    with pytest.raises(AnatomyError, match=r"not in a vertebral body") as caught:
        segment(phantom.ct, centre + np.array([55.0, 0.0, 0.0]))
    assert caught.value.code == "seed_not_in_vertebra"
    assert "mm away" in str(caught.value) or "no vertebra is seen" in str(caught.value)


@pytest.mark.parametrize(("axis", "code"), [(0, "seed_outside"), (2, "vertebra_cut")])
def test_a_seed_at_the_border_is_refused(phantom: Phantom, centre: np.ndarray, axis: int, code: str) -> None:
    corner = phantom.ct.grid.corners_lps().max(axis=0)
    seed = centre.copy()
    seed[axis] = corner[axis] + (10.0 if code == "seed_outside" else -3.0)
    with pytest.raises(AnatomyError) as caught:
        segment(phantom.ct, seed)
    assert caught.value.code == code


@pytest.mark.real
def test_a_real_t12_of_a_patient_left_out() -> None:
    base = real_data("ct/ts_chest_stent")
    ct = read_scan(base / "ct.nii.gz").volume
    labels = read_labels(base / "vertebrae_T12.nii.gz", Scheme.MASK, level_id=level_id("T12"))
    points = labels.grid.index_to_world(np.argwhere(labels.array > 0))
    body = points[points[:, 1] < np.quantile(points[:, 1], 0.5)].mean(axis=0)
    result = segment(ct, body, level_id("T12"))
    found = dice(result, labels, level_id("T12"))
    assert found > 0.94
