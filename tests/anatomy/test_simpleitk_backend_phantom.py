"""The SimpleITK back-end on a phantom that differs from its atlas in level, size, marrow, voxels and noise."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.backend import Backend, LabelResult
from trajplan.anatomy.phantom_atlas import choose_level, make_atlas
from trajplan.anatomy.seed_frame import frame_at_seed
from trajplan.anatomy.simpleitk_backend import SimpleItkBackend
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.resample import resample_mask
from trajplan.levels import UNKNOWN_LEVEL_ID, level_id
from trajplan.parts import Side
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    spec = PhantomSpec(
        target="L2",
        levels=("L1", "L2", "L3"),
        fracture="none",
        trabecular_hu=100.0,
        scale=0.92,
        pedicle_width_scale_left=0.85,
    )
    return make_phantom(spec, Scanner((1.6, 1.0, 1.0), noise_hu=20.0, seed=11))


@pytest.fixture(scope="module")
def told() -> list[float]:
    return []


@pytest.fixture(scope="module")
def result(phantom: Phantom, told: list[float]) -> LabelResult:
    """The only registration of this room: seed 4 mm off, level not stated."""
    backend: Backend = SimpleItkBackend()
    seed = phantom.truth.frame.origin_lps + np.array([2.0, -2.0, 2.8])
    return backend.segment(phantom.ct, seed, None, lambda fraction, what: told.append(fraction))


def true_mask(phantom: Phantom, result: LabelResult) -> np.ndarray:
    mask = phantom.labels.array == level_id("L2")
    return np.asarray(resample_mask(mask, phantom.labels.grid, result.labels.grid) >= 0.5)


def test_dice_is_at_least_085(phantom: Phantom, result: LabelResult) -> None:
    mask, truth = result.labels.array > 0, true_mask(phantom, result)
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) >= 0.85


def test_both_pedicles_are_in_the_mask(phantom: Phantom, result: LabelResult) -> None:
    for side in Side:
        index = result.labels.grid.world_to_index(phantom.truth.pedicles[side].isthmus_center_lps)
        assert result.labels.array[tuple(np.round(index).astype(int))] == result.target_id


def test_the_target_of_unknown_level_gets_the_id_for_that(result: LabelResult) -> None:
    assert result.target_id == UNKNOWN_LEVEL_ID
    assert result.labels.ids() == (UNKNOWN_LEVEL_ID,)


def test_confidence_is_high_named_and_within_0_to_1(result: LabelResult) -> None:
    assert 0.5 <= result.confidence.score <= 1.0
    assert {"correlation", "prior_dice", "ring_share", "symmetry_dice"} <= set(result.confidence.values)
    assert all(np.isfinite(v) for v in result.confidence.values.values())


def test_provenance_and_progress(result: LabelResult, told: list[float]) -> None:
    assert result.provenance["backend"] == "simpleitk"
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_seed_frame_is_near_the_true_frame(phantom: Phantom) -> None:
    found = frame_at_seed(phantom.ct, phantom.truth.frame.origin_lps + np.array([-2.0, 2.0, -2.8]))
    truth = phantom.truth.frame
    assert np.linalg.norm(found.frame.origin_lps - truth.origin_lps) < 4.0
    assert np.degrees(np.arccos(np.clip(np.diag(found.frame.rotation @ truth.rotation.T), -1, 1))).max() < 10.0
    assert abs(found.height_mm - phantom.truth.heights.hp_mm) < 4.0


@pytest.mark.parametrize(
    ("offset", "code"),
    [
        ((0.0, 0.0, 500.0), "seed_outside"),
        ((0.0, 62.0, 0.0), "seed_not_in_bone"),
        ((55.0, 45.0, 0.0), "seed_not_in_bone"),
        ((0.0, 24.0, -4.0), "seed_not_in_bone"),
    ],
)
def test_a_seed_that_is_not_in_a_body_is_refused(
    phantom: Phantom, offset: tuple[float, float, float], code: str
) -> None:
    with pytest.raises(AnatomyError) as refusal:
        frame_at_seed(phantom.ct, phantom.truth.frame.origin_lps + np.array(offset))
    assert refusal.value.code == code
    if code == "seed_not_in_bone":
        assert "HU" in str(refusal.value)
        assert set(refusal.value.numbers) >= {"mean_hu_5mm", "bone_share_15mm"}


def test_a_vertebra_cut_by_the_border_is_refused(phantom: Phantom) -> None:
    seed = phantom.truth.frame.origin_lps
    k = round(float(phantom.ct.grid.world_to_index(seed)[0]))
    cut: Volume = phantom.ct.cropped([k - 7, 0, 0], phantom.ct.grid.shape_zyx)
    with pytest.raises(AnatomyError) as refusal:
        frame_at_seed(cut, seed)
    assert refusal.value.code == "vertebra_cut"


def test_the_atlas_is_chosen_by_level_else_by_size() -> None:
    assert choose_level(level_id("T12"), 30.0, 20.0) == "T12"
    assert choose_level(level_id("T3"), 20.0, 16.0) == "T4"
    assert choose_level(None, 33.0, 23.0) in {"T11", "T12", "L1"}


def test_the_atlas_holds_its_vertebra_and_neighbours() -> None:
    atlas = make_atlas("L1")
    assert atlas.labels.ids() == (19, 20, 21)
    center = np.round(atlas.labels.grid.world_to_index(atlas.frame.origin_lps)).astype(int)
    assert atlas.labels.array[tuple(center)] == atlas.label_id == 20
