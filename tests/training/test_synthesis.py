"""Training crops: the same crop from the same number, labels that follow the image, and breaks that take height."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.segmenter import warp
from training.segmenter.balance import FLOOR, balanced
from training.segmenter.phantom_cases import PATIENT
from training.segmenter.pull import pull
from training.segmenter.scanner import cut_field_of_view, scan
from training.segmenter.synthesis import Synthesis, is_ambiguous, truth_of
from training.segmenter.target import FULL, HALF, IGNORE, KINDS, SIDE, Target, hard_labels, load_targets, save_targets
from training.segmenter.warp import rotation, spread, squeeze
from trajplan.anatomy.network_input import PADDING_HU, SHAPE_ZYX, NetworkClass, seed_channel

HALF_HEIGHT = 8


def block() -> Target:
    """A body (a box of 16 voxels' height) with a block behind it and another vertebra above."""
    labels = np.zeros((SIDE,) * 3, dtype=np.uint8)
    c = HALF
    labels[c - 8 : c + 8, c - 10 : c + 10, c - 14 : c + 14] = NetworkClass.BODY
    labels[c - 4 : c + 4, c + 10 : c + 30, c - 3 : c + 3] = NetworkClass.POSTERIOR
    labels[c + 12 : c + 28, c - 10 : c + 10, c - 14 : c + 14] = NetworkClass.OTHER
    hu = np.where(labels > 0, 400, 40).astype(np.int16)
    tissues = np.where(labels > 0, 211, 203).astype(np.uint8)
    valid = np.ones(labels.shape, dtype=bool)
    valid[: c - 30] = False
    share = np.stack([FULL * (labels == kind) for kind in KINDS], axis=-1).astype(np.uint8)
    return Target("block", "nobody", hu, share, tissues, valid, 2.0 * HALF_HEIGHT, True, 1.0)


def centred() -> np.ndarray:
    offsets = np.moveaxis(np.indices(SHAPE_ZYX), 0, -1) - np.array(SHAPE_ZYX) // 2
    return (offsets + HALF).astype(np.float32)


def test_crop_n_is_the_same_crop_whoever_makes_it() -> None:
    one, other = Synthesis([block()], 3), Synthesis([block()], 3)
    other.crop(0)
    a, b = one.crop(5), other.crop(5)
    assert a.image.tobytes() == b.image.tobytes()
    assert a.truth.tobytes() == b.truth.tobytes()
    assert a.image.tobytes() != one.crop(6).image.tobytes()


def test_phantoms_make_up_for_levels_that_few_scans_show() -> None:
    def some(name: str, patient: str, weight: float) -> Target:
        return replace(block(), name=name, patient=patient, weight=weight)

    drawn = [
        some("scan T12", "somebody", 4.0),
        some("phantom 1 none 0 % T12", PATIENT, 0.5),
        some("phantom 2 wedge 20 % L5", PATIENT, 0.5),
        some("phantom 3 none 0 % L5", PATIENT, 0.25),
        some("scan T2", "somebody", 0.75),
    ]
    after = {one.name: one.weight for one in balanced(drawn)}
    assert after["phantom 2 wedge 20 % L5"] + after["phantom 3 none 0 % L5"] == pytest.approx(FLOOR * 6.0 / 3)
    assert after["phantom 2 wedge 20 % L5"] == pytest.approx(2 * after["phantom 3 none 0 % L5"])
    for name, weight in (("scan T12", 4.0), ("phantom 1 none 0 % T12", 0.5), ("scan T2", 0.75)):
        assert after[name] == weight, "what is shown often enough, or has no phantom, stays"


def pulled_labels(target: Target, at: np.ndarray) -> np.ndarray:
    return hard_labels(pull(target, at)[1])


def test_pulling_at_voxel_centres_gives_the_voxels_back() -> None:
    target = block()
    hu, share, tissues, valid = pull(target, centred())
    box = tuple(slice(HALF - n // 2, HALF - n // 2 + n) for n in SHAPE_ZYX)
    np.testing.assert_allclose(share, target.share[box] / FULL, atol=1e-6)
    assert np.array_equal(hard_labels(share), hard_labels(target.share[box], FULL))
    assert np.array_equal(tissues, target.tissues[box])
    assert np.array_equal(valid, target.valid[box])
    assert np.abs(hu - target.hu[box])[valid].max() < 1e-3


def test_the_seam_of_body_and_arch_takes_nothing_from_the_outline() -> None:
    target = block()
    own = np.isin(pulled_labels(target, centred() + np.float32(0.49)), (NetworkClass.BODY, NetworkClass.POSTERIOR))
    straight = pulled_labels(target, centred())
    assert abs(int(own.sum()) / int(np.isin(straight, (1, 2)).sum()) - 1) < 0.02


def test_a_surface_between_two_voxels_keeps_its_place() -> None:
    """However far the crop is shifted against the voxels, bone keeps its volume, a lamina of a voxel's width too."""
    target = block()
    thin = [KINDS.index(NetworkClass.POSTERIOR)]
    target.share[HALF - 4 : HALF + 4, HALF + 10 : HALF + 30, HALF - 3 : HALF + 3, thin] = 0
    target.share[HALF - 4 : HALF + 4, HALF + 10 : HALF + 30, HALF, thin] = FULL
    for shift in (0.0, 0.25, 0.5, 0.75):
        truth = truth_of(pull(target, centred() + np.float32(shift))[1])
        assert truth[NetworkClass.BODY].sum() == pytest.approx(16 * 20 * 28, rel=0.01)
        assert truth[NetworkClass.POSTERIOR].sum() == pytest.approx(8 * 20, rel=0.01)
        np.testing.assert_allclose(truth.sum(axis=0), 1.0, atol=1e-5)


def test_what_nobody_labelled_is_carried_as_such() -> None:
    target = block()
    target.share[HALF + 12 : HALF + 20] = [0, 0, 0, 0, FULL]
    share = pull(target, centred())[1]
    unknown = hard_labels(share) == IGNORE
    assert unknown.any()
    assert np.array_equal(truth_of(share).sum(axis=0) == 0, unknown), "it teaches nothing"


def test_a_break_takes_height_and_the_vertebra_above_follows() -> None:
    target, at = block(), centred() - np.float32(HALF)
    rng = np.random.default_rng(4)
    squeeze(at, HALF_HEIGHT, rng)
    labels = pulled_labels(target, at + np.float32(HALF))
    column = labels[:, SHAPE_ZYX[1] // 2 - 8, SHAPE_ZYX[2] // 2]
    assert 6 <= int((column == NetworkClass.BODY).sum()) < 16
    gap = np.flatnonzero(column == NetworkClass.OTHER).min() - np.flatnonzero(column == NetworkClass.BODY).max()
    assert gap == pytest.approx(5, abs=1), "the disc keeps its height"


def test_knots_are_met_at_the_corners() -> None:
    knots = np.random.default_rng(0).normal(size=(5, 6, 6))
    out = spread(knots)
    assert out.shape == SHAPE_ZYX
    assert out[0, 0, 0] == pytest.approx(knots[0, 0, 0], abs=1e-5)
    assert out[-1, -1, -1] == pytest.approx(knots[-1, -1, -1], abs=1e-5)


def test_a_turn_is_a_turn() -> None:
    matrix = rotation(np.radians([10.0, -7.0, 4.0]))
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_the_scanner_changes_values_and_no_shape() -> None:
    hu = np.full(SHAPE_ZYX, 100, dtype=np.float32)
    for seed in range(12):
        out = scan(hu.copy(), np.random.default_rng(seed))
        assert out.shape == SHAPE_ZYX
        assert out.dtype == np.float32
        assert np.isfinite(out).all()


def test_a_cut_field_of_view_pads_image_and_labels_alike() -> None:
    for seed in range(20):
        hu, share = np.zeros(SHAPE_ZYX, np.float32), np.ones((*SHAPE_ZYX, len(KINDS)), np.float32)
        cut_field_of_view(hu, share, np.random.default_rng(seed))
        assert np.array_equal(hu == PADDING_HU, (share == 0).all(axis=-1))


def test_targets_come_back_from_their_file(tmp_path) -> None:
    target = block()
    save_targets(tmp_path / "one.npz", [target])
    (back,) = load_targets(tmp_path / "one.npz")
    assert (back.name, back.patient, back.knows_canal) == (target.name, target.patient, True)
    for name in ("hu", "share", "tissues", "valid"):
        assert np.array_equal(getattr(back, name), getattr(target, name))


def test_a_seed_that_strays_into_another_vertebra_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would teach that nothing is there, of a seed that a person puts into just that vertebra."""
    monkeypatch.setattr(warp, "ASTRAY_SHARE", 1.0)
    target = block()
    target.share[..., KINDS.index(NetworkClass.POSTERIOR)] = 0
    crops = [Synthesis([target], 3).crop(n) for n in range(30)]
    near = seed_channel() > 0.75
    alone = [crop for crop in crops if not crop.truth[[NetworkClass.BODY, NetworkClass.POSTERIOR]].any()]
    assert len(alone) > 10, "seeds do go astray"
    assert not any((crop.truth[NetworkClass.OTHER][near] > 0.5).any() for crop in alone)


def test_beside_another_vertebra_is_ambiguous_and_beside_none_is_not() -> None:
    labels = np.zeros(SHAPE_ZYX, dtype=np.uint8)
    assert not is_ambiguous(labels)
    near = np.unravel_index(int(seed_channel().argmax()), SHAPE_ZYX)
    labels[near] = NetworkClass.OTHER
    assert is_ambiguous(labels)
    labels[near] = NetworkClass.BODY
    assert not is_ambiguous(labels)
