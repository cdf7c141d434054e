"""Training phantoms: the lowest levels come with their sacrum and lean as in a patient; the sacrum is background."""

from __future__ import annotations

import numpy as np
import pytest

from training.segmenter.phantom_cases import DEALT, LEVELS, NEAR_SACRUM, TILT_DEG, level_of, phantom_case
from training.segmenter.prepare import SACRUM, LabelledScan, targets_of
from training.segmenter.scanner import RESAMPLED_VOX, sampled
from training.segmenter.target import FULL, hard_labels
from trajplan.anatomy.network_input import SHAPE_ZYX, SPACING_MM, NetworkClass
from trajplan.geometry import Grid
from trajplan.geometry.resample import resample_mask
from trajplan.levels import level_id
from trajplan.parts import Part

SEED_OF_L5 = DEALT.index("L5")


def test_every_level_is_dealt_and_the_lowest_most_often() -> None:
    dealt = [level_of(seed) for seed in range(2 * len(DEALT))]
    assert set(dealt) == set(LEVELS) == set(TILT_DEG)
    for level in LEVELS:
        assert dealt.count(level) >= (4 if level in NEAR_SACRUM else 2)


def lean_deg(scan: LabelledScan) -> float:
    """How far the column leans forward from L5 to L3."""
    grid, array = scan.labels.grid, scan.labels.array
    l3, l5 = (grid.index_to_world(np.argwhere(array == level_id(level))).mean(axis=0) for level in ("L3", "L5"))
    return float(np.degrees(np.arctan2(l5[1] - l3[1], l3[2] - l5[2])))


def test_an_l5_leans_as_in_a_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    leaning = lean_deg(phantom_case(SEED_OF_L5))
    monkeypatch.setitem(TILT_DEG, "L5", TILT_DEG["L5"] - 20)
    assert leaning - lean_deg(phantom_case(SEED_OF_L5)) == pytest.approx(20.0, abs=1.0)


def test_the_sacrum_below_an_l5_is_background() -> None:
    scan = phantom_case(SEED_OF_L5)
    one = level_id("L5")
    (target,) = targets_of(scan, [one], 1.0)
    assert scan.parts is not None
    parts = scan.parts[one]
    centre = parts.grid.index_to_world(np.argwhere(parts.array == Part.BODY)).mean(axis=0)
    half = (np.array(target.hu.shape) - 1) / 2 * SPACING_MM
    grid = Grid(target.hu.shape, centre - half, (SPACING_MM,) * 3)
    sacrum = resample_mask(scan.labels.array == SACRUM, scan.labels.grid, grid) > 0.9
    assert sacrum.sum() > 1000, "the sacrum is in view"
    labels = hard_labels(target.share, FULL)
    assert np.mean(labels[sacrum] == NetworkClass.BACKGROUND) > 0.95, "it is no vertebra to walk down to"


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_coarse_scan_keeps_a_ramp_along_every_axis(axis: int) -> None:
    ramp = np.indices(SHAPE_ZYX)[axis].astype(np.float32)
    coarse = sampled(ramp, axis, 2.13, 1.0)
    inside = [slice(None)] * 3
    inside[axis] = slice(3, -3)
    np.testing.assert_allclose(coarse[tuple(inside)], ramp[tuple(inside)], atol=1e-4)


def test_a_coarse_scan_loses_what_is_finer_than_its_planes() -> None:
    comb = (np.indices(SHAPE_ZYX)[2] % 2).astype(np.float32)
    assert float(np.ptp(sampled(comb, 2, 2.0, 0.0))) < 0.1
    assert RESAMPLED_VOX > 1.0
