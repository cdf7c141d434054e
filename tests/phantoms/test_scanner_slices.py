"""Slices of any spacing and thickness, fields of view, padding, table: what a scan holds and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan.geometry.grid import Grid
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.scanner import scan

ONE = PhantomSpec(levels=("L1",))


def quiet(spacing, **more) -> Scanner:
    return Scanner(spacing, noise_hu=0.0, **more)


def sheet_profile(scanner: Scanner, sheet_mm: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Slice positions and HU of a thin sheet of 3000 HU at z = 0, painted with its exact share of each sample."""
    grid = Grid((int(60 / scanner.spacing_zyx[0]) // 2 * 2 + 1, 4, 4), (0, 0, 0), scanner.spacing_zyx)
    middle = (grid.shape_zyx[0] - 1) / 2 * scanner.spacing_zyx[0]
    fine = scanner.sampled_grid(grid)
    z = fine.index_to_world(np.arange(fine.shape_zyx[0])[:, None] * np.array([1.0, 0, 0]))[:, 2] - middle
    step = float(fine.spacing_zyx[0])
    share = np.clip(np.minimum(z + step / 2, sheet_mm / 2) - np.maximum(z - step / 2, -sheet_mm / 2), 0, None) / step
    ideal = np.broadcast_to((3000.0 * share)[:, None, None], fine.shape_zyx).astype(np.float32)
    seen = scan(ideal, scanner)[:, 1, 1].astype(float)
    return np.arange(grid.shape_zyx[0]) * scanner.spacing_zyx[0] - middle, seen


@pytest.mark.parametrize(("spacing", "thickness"), [(0.4, 0.8), (0.5, 1.5), (0.5, 3.0), (0.5, 5.0), (1.0, 5.0)])
def test_a_thin_sheet_is_seen_as_wide_as_the_slice_is_thick(spacing, thickness) -> None:
    z, hu = sheet_profile(quiet((spacing, 1.0, 1.0), slice_thickness_mm=thickness, psf_mm=0.0))
    assert hu.sum() * spacing / hu.max() == pytest.approx(thickness, rel=0.05)
    assert hu.sum() * spacing == pytest.approx(3000 * 0.2, rel=0.03)  # nothing is lost
    assert (hu * z).sum() == pytest.approx(0.0, abs=1e-6 * hu.sum())


def test_slices_thinner_than_their_distance_leave_gaps() -> None:
    scanner = quiet((5.0, 1.0, 1.0), slice_thickness_mm=1.0, psf_mm=0.0)
    grid = Grid((13, 4, 4), (0.0, 0.0, 0.0), scanner.spacing_zyx)
    fine = scanner.sampled_grid(grid)
    ideal = np.zeros(fine.shape_zyx, dtype=np.float32)
    ideal[scanner.samples_per_slice * 7] = 1000.0  # about half-way between two slices
    assert not scan(ideal, scanner).any()


@pytest.mark.parametrize(("spacing", "thickness"), [(2.0, 2.0), (5.0, 5.0), (0.7, 3.0), (1.0, 0.4)])
def test_the_planes_at_the_slices_lie_at_the_slices(spacing, thickness) -> None:
    scanner = quiet((spacing, 1.0, 1.0), slice_thickness_mm=thickness)
    grid = Grid((9, 3, 3), (3.0, -2.0, 40.0), scanner.spacing_zyx)
    z = scanner.sampled_grid(grid).points_lps()
    np.testing.assert_allclose(scanner.at_slices(z), grid.points_lps(), atol=1e-9)


def test_labels_do_not_depend_on_the_slice_thickness_and_thick_slices_blur_end_plates() -> None:
    thin = make_phantom(ONE, quiet((2.0, 1.5, 1.5)))
    thick = make_phantom(ONE, quiet((2.0, 1.5, 1.5), slice_thickness_mm=5.0))
    assert thin.ct.grid.same_as(thick.ct.grid)
    assert (thin.labels.array != thick.labels.array).mean() < 1e-5
    assert (thin.parts.array != thick.parts.array).mean() < 1e-5
    _, j, i = np.rint(thin.ct.grid.world_to_index((0.0, 0.0, 0.0))).astype(int)
    steep = [np.abs(np.diff(p.ct.array[:, j, i].astype(float))).max() for p in (thin, thick)]
    assert steep[1] < 0.5 * steep[0]


def test_outside_the_round_field_stands_padding_and_inside_none() -> None:
    phantom = make_phantom(ONE, quiet((3.0, 1.5, 1.5), fov_mm=200.0, padding_hu=-3024))
    ct, grid = phantom.ct.array, phantom.ct.grid
    assert ct.shape[1] == ct.shape[2] == 134
    points = grid.points_lps()
    outside = np.hypot(*np.moveaxis(points[..., :2] - grid.center_lps[:2], -1, 0)) > 100.0
    assert (ct[outside] == -3024).all()
    assert ct[~outside].min() >= -1024
    assert not phantom.labels.array[outside].any()
    assert 0.17 < outside.mean() < 0.25  # a circle in its square


def test_the_vertebra_lies_inside_the_smallest_field() -> None:
    phantom = make_phantom(ONE, quiet((3.0, 1.5, 1.5), fov_mm=140.0))
    assert (phantom.ct.array[phantom.labels.array > 0] > -200).all()
    assert np.count_nonzero(phantom.parts.array == 1) > 1000


@pytest.mark.parametrize(("position", "side"), [("HFS", 1), ("FFS", 1), ("HFP", -1), ("FFP", -1)])
def test_the_table_lies_below_the_patient(position, side) -> None:
    with_table = {"fov_mm": 420.0, "table": True, "patient_position": position}
    phantom = make_phantom(ONE, quiet((5.0, 3.0, 3.0), **with_table))
    bare = make_phantom(ONE, quiet((5.0, 3.0, 3.0), fov_mm=420.0))
    y = phantom.ct.grid.points_lps()[..., 1]
    table = phantom.ct.array.astype(int) - bare.ct.array > 150
    assert table.sum() > 500
    body = bare.ct.array > -500
    assert (side * y[table]).min() > 0
    assert (phantom.ct.array[body] == bare.ct.array[body]).mean() > 0.99  # nobody is painted over


def test_new_options_left_alone_change_nothing() -> None:
    plain = Scanner((3.0, 2.0, 2.0), noise_hu=10.0)
    spelt = Scanner(
        (3.0, 2.0, 2.0), noise_hu=10.0, slice_thickness_mm=None, texture="grain", padding_hu=-3024,
        patient_position="FFP", edge_enhancement=0.0, beam_hardening=0.0, photons=1e5,
    )  # fmt: skip
    assert make_phantom(ONE, plain).ct.sha256() == make_phantom(ONE, spelt).ct.sha256()


def test_a_bone_kernel_overshoots_at_the_edge_and_keeps_flat_tissue() -> None:
    ideal = np.zeros((3, 60, 60), dtype=np.float32)
    ideal[:, :, 30:] = 500.0
    soft, bone = (scan(ideal.copy(), quiet((1.0, 0.7, 0.7), edge_enhancement=e))[1, 30] for e in (0.0, 1.0))
    assert soft.max() == 500
    assert bone.max() > 520
    assert bone[5] == 0
    assert bone[-5] == 500


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"slice_thickness_mm": 0.1}, "thickness_invalid"),
        ({"slice_thickness_mm": 8.0}, "thickness_invalid"),
        ({"slice_thickness_mm": float("nan")}, "thickness_invalid"),
        ({"texture": "white"}, "texture_unknown"),
        ({"fov_mm": 30.0}, "fov_invalid"),
        ({"padding_hu": 0}, "padding_invalid"),
        ({"padding_hu": -99999}, "padding_invalid"),
        ({"cupping": 2.0}, "cupping_invalid"),
        ({"beam_hardening": -1.0}, "beam_hardening_invalid"),
        ({"edge_enhancement": 9.0}, "edge_enhancement_invalid"),
        ({"photons": -5.0}, "photons_invalid"),
        ({"patient_position": "HFDR"}, "patient_position_unknown"),
    ],
)
def test_what_no_scanner_can_do_is_refused(wanted, code) -> None:
    with pytest.raises(InputError) as caught:
        Scanner(**wanted)
    assert caught.value.code == code
