"""A CT in HU passes, whole or cropped; everything that only looks like one is refused with its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan.geometry import Grid
from trajplan.reading import Answers, read_scan
from trajplan.reading.checks import check_grid, check_hu, to_hu16
from trajplan.reading.findings import CONTENT_CODES


def stored(scan):
    """Findings on how the scan was stored, not on what it shows."""
    return [f for f in scan.findings if f.code not in CONTENT_CODES]


def _mr(body):
    return (np.random.default_rng(5).gamma(2.0, 180.0, body.shape)).clip(0, 1500).astype(np.int16)


@pytest.mark.parametrize(
    "change",
    [
        _mr,
        lambda b: ((b.astype(float) + 1024) / 2000 * 255).clip(0, 255).astype(np.uint8),
        lambda b: b + 1000,
        lambda b: b + 1024,
        lambda b: np.where(b < -980, -2000, b + 1024),
        lambda b: np.where(b < -980, -1000, b + 1024),
        lambda b: (b - b.mean()) / b.std(),
        lambda b: np.full_like(b, -1000),
        lambda b: np.zeros_like(b),
        lambda b: np.full_like(b, -3000),
    ],
)
def test_images_that_are_not_in_hu_are_refused(tmp_path, body, write_itk, change):
    with pytest.raises(InputError) as caught:
        read_scan(write_itk(tmp_path / "s.nrrd", np.asarray(change(body))))
    assert caught.value.code == "not_hu"
    assert set(caught.value.numbers) == {"min", "percentile_1", "max"}


def test_asking_for_it_accepts_them_with_a_warning(tmp_path, body, write_itk):
    scan = read_scan(write_itk(tmp_path / "s.nrrd", _mr(body)), Answers(assume_hu=True))
    assert [(f.code, f.severity) for f in stored(scan)] == [("hu_assumed", "warning")]


def test_a_crop_without_air_passes_on_its_fat(body):
    inside = body[:, 4:, 3:]
    assert inside.min() > -200
    assert check_hu("crop", inside) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite_are_refused_and_counted(tmp_path, body, write_itk, bad):
    values = body.astype(np.float32)
    values[3, 4, 5:8] = bad
    with pytest.raises(InputError, match="3 voxels that are NaN or infinite") as caught:
        read_scan(write_itk(tmp_path / "s.nii.gz", values))
    assert caught.value.code == "not_finite"


def test_values_beyond_int16_are_refused_never_wrapped(tmp_path, body, write_itk):
    values = body.astype(np.int32)
    values[0, 0, 0] = 40000
    with pytest.raises(InputError) as caught:
        read_scan(write_itk(tmp_path / "s.nrrd", values))
    assert caught.value.code == "hu_range"
    assert caught.value.numbers == {"max": 40000.0}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int8, np.int32, np.float32, np.float64])
def test_voxel_types_become_the_same_int16(dtype):
    values = np.array([[[0, 7, 120]]], dtype=dtype)
    hu, padded = to_hu16(values, "s")
    assert hu.dtype == np.int16
    assert hu.tolist() == [[[0, 7, 120]]]
    assert padded == 0


@pytest.mark.parametrize(
    ("shape", "spacing", "code"),
    [
        ((7, 40, 40), (5.0, 1.0, 1.0), "too_few_slices"),
        ((40, 5, 40), (1.0, 1.0, 1.0), "too_few_slices"),
        ((20, 40, 40), (1.0, 1.0, 1.0), "coverage"),
        ((20, 40, 40), (6.5, 1.0, 1.0), "slices_too_thick"),
    ],
)
def test_grids_too_small_or_too_thick_are_refused(shape, spacing, code):
    with pytest.raises(InputError) as caught:
        check_grid("s", Grid(shape, (0, 0, 0), spacing))
    assert caught.value.code == code


def test_coverage_is_measured_along_the_patient_not_along_the_array():
    sagittal = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # array y runs head to feet
    grid = Grid((20, 40, 10), (0, 0, 0), (1.0, 1.0, 1.0), sagittal)
    assert check_grid("s", grid) == []


@pytest.mark.parametrize(("thickness", "found"), [(3.0, []), (3.5, ["thick_slices"]), (6.0, ["thick_slices"])])
def test_slices_above_three_millimetres_are_warned_of(thickness, found):
    assert [f.code for f in check_grid("s", Grid((20, 40, 40), (0, 0, 0), (thickness, 1.0, 1.0)))] == found
