"""A fracture on a scan: the heights that are stated are the heights on the labels, and nothing tears or folds."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from realdata import real_data

from trajplan.anatomy.measure import measure_vertebra
from trajplan.errors import InputError
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.itk import labels_from_sitk, volume_from_sitk
from trajplan.geometry.resample import canonical
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.phantom import Phantom
from trajplan_phantoms.scan_body import measure_body, measured_ends
from trajplan_phantoms.warp import KINDS, FracturedScan, ScanHeights, fracture_scan

L1, T12, L2 = 20, 19, 21
VOXEL_MM = 1.5
_MADE: dict[tuple[str, float], FracturedScan] = {}


@pytest.fixture(scope="module")
def intact() -> Phantom:
    spec = PhantomSpec(levels=("T12", "L1", "L2"), fracture="none", height_loss_percent=0.0)
    return make_phantom(spec, Scanner((VOXEL_MM, 1.3, 1.3), noise_hu=0.0))


def broken(intact: Phantom, kind: str, loss: float) -> FracturedScan:
    if (kind, loss) not in _MADE:
        _MADE[kind, loss] = fracture_scan(intact.ct, intact.labels, L1, kind, loss)
    return _MADE[kind, loss]


def values(heights: ScanHeights) -> np.ndarray:
    return np.array([heights.ha_mm, heights.hm_mm, heights.hp_mm])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", [30.0, 60.0])
def test_stated_heights_are_found_on_the_labels_within_a_voxel(intact: Phantom, kind: str, loss: float) -> None:
    made = broken(intact, kind, loss)
    column = "hm_mm" if kind == "biconcave" else "ha_mm"
    assert getattr(made.heights_after, column) == pytest.approx(
        (1 - loss / 100) * getattr(made.heights_before, column), abs=0.05
    )
    assert np.abs(values(made.measured_heights()) - values(made.heights_after)).max() < VOXEL_MM
    after, before = values(made.heights_after), values(made.heights_before)
    if kind == "wedge":
        assert after[2] == pytest.approx(before[2], abs=0.1)
    if kind == "biconcave":
        assert after[[0, 2]] == pytest.approx(before[[0, 2]], abs=0.6)
    if kind == "crush":
        assert 1 - after[2] / before[2] == pytest.approx(0.6 * loss / 100, abs=0.03)


def test_the_heights_before_are_those_of_the_phantom(intact: Phantom) -> None:
    made, truth = broken(intact, "wedge", 30.0), intact.truth.heights
    assert values(made.heights_before) == pytest.approx([truth.ha_mm, truth.hm_mm, truth.hp_mm], abs=0.8)
    assert np.abs(made.frame.rotation - intact.truth.frame.rotation).max() < 0.06


@pytest.mark.parametrize("kind", KINDS)
def test_the_jacobian_is_positive_everywhere_and_is_that_of_the_displacement(intact: Phantom, kind: str) -> None:
    made = broken(intact, kind, 60.0)
    assert made.jacobian_min > 0.05
    grid = intact.ct.grid
    at = grid.index_to_world(np.moveaxis(np.indices(grid.shape_zyx)[:, ::3, ::3, ::3], 0, -1)).reshape(-1, 3)
    step = 1e-3 * np.eye(3)
    columns = [(made.warp.to_fractured(at + h) - made.warp.to_fractured(at - h)) / 2e-3 for h in step]
    determinant = np.linalg.det(np.stack(columns, axis=-1))
    assert determinant.min() > 0.05
    assert determinant.min() >= made.jacobian_min - 1e-4
    exact = made.warp.jacobian(at)
    assert np.quantile(np.abs(determinant - exact), 0.99) < 1e-6, "apart from the kinks at the knots"


def test_both_ways_of_the_map_undo_each_other(intact: Phantom) -> None:
    made = broken(intact, "crush", 60.0)
    rng = np.random.default_rng(1)
    points = made.frame.to_world(rng.uniform([-60, -60, -60], [60, 80, 60], (4000, 3)))
    assert np.abs(made.warp.to_source(made.warp.to_fractured(points)) - points).max() < 1e-9


def test_nothing_moves_below_and_arch_and_pedicles_keep_their_shape(intact: Phantom) -> None:
    made = broken(intact, "crush", 60.0)
    local = made.frame.to_local(intact.ct.grid.points_lps())
    below = local[..., 2] < -made.heights_before.hm_mm / 2 - 6.0
    assert np.array_equal(made.ct.array[below], intact.ct.array[below])
    assert np.array_equal(made.labels.array == L2, intact.labels.array == L2)
    pedicles = np.isin(intact.parts.array, [2, 3])
    points = intact.parts.grid.index_to_world(np.argwhere(pedicles))
    behind = points[made.frame.to_local(points)[:, 1] > made.body.back_mm + 3.5]
    behind = behind[made.frame.to_local(behind)[:, 2] < 0.35 * made.heights_before.hp_mm]
    assert np.abs(made.warp.to_fractured(behind) - behind).max() < 0.05


def test_the_vertebra_above_keeps_its_heights_and_comes_down(intact: Phantom) -> None:
    made = broken(intact, "crush", 30.0)
    above = measure_body(intact.labels, T12)
    centre = made.warp.to_fractured(above.frame.origin_lps)
    drop = float((above.frame.origin_lps - centre) @ made.frame.w)
    assert drop == pytest.approx(made.moved_above_mm, abs=1.0)
    assert made.moved_above_mm > 0.18 * made.heights_before.hm_mm
    thickness = [np.nanmedian(one.top_mm - one.bottom_mm) for one in (above, measure_body(made.labels, T12))]
    assert thickness[1] == pytest.approx(thickness[0], abs=0.6)


def test_a_fractured_scan_is_measured_by_the_anatomy_room(intact: Phantom) -> None:
    made = broken(intact, "wedge", 30.0)
    found = measure_vertebra(made.ct, made.labels, L1, level="L1", level_confirmed=True, source="warp", confidence=None)
    assert found.fracture.type == "wedge"
    assert found.heights.ha_mm == pytest.approx(made.heights_after.ha_mm, abs=VOXEL_MM)
    assert found.heights.hp_mm == pytest.approx(made.heights_after.hp_mm, abs=2 * VOXEL_MM)


def test_axes_measured_elsewhere_are_taken_over(intact: Phantom) -> None:
    frame = intact.truth.frame
    made = fracture_scan(intact.ct, intact.labels, L1, "wedge", 30.0, frame_hint=frame)
    assert np.array_equal(made.frame.rotation, frame.rotation)
    assert values(made.heights_after)[0] == pytest.approx(0.7 * made.heights_before.ha_mm, abs=0.05)


def test_the_same_request_gives_the_same_bytes_and_plain_numbers(intact: Phantom) -> None:
    first, second = broken(intact, "biconcave", 30.0), fracture_scan(intact.ct, intact.labels, L1, "biconcave", 30.0)
    assert first.ct.sha256() == second.ct.sha256()
    assert first.labels.sha256() == second.labels.sha256()
    facts = first.to_dict()
    assert facts["fracture"] == {"kind": "biconcave", "genant_grade": 2}
    assert facts["loss_percent"] == pytest.approx(30.0, abs=0.3)


def test_impossible_requests_are_refused_with_the_reason(intact: Phantom) -> None:
    ct, labels = intact.ct, intact.labels
    for arguments, code in (
        ((ct, labels, L1, "wedge", 95.0), "height_loss_invalid"),
        ((ct, labels, L1, "wedge", 0.0), "height_loss_invalid"),
        ((ct, labels, L1, "wedge", float("nan")), "height_loss_invalid"),
        ((ct, labels, L1, "burst", 30.0), "fracture_unknown"),
        ((ct, labels, 22, "wedge", 30.0), "level_not_in_labels"),
    ):
        with pytest.raises(InputError) as refused:
            fracture_scan(*arguments)
        assert refused.value.code == code
    body_only = LabelMap(np.where(intact.parts.array == 1, L1, 0).astype(np.uint8), intact.parts.grid)
    with pytest.raises(InputError) as refused:
        fracture_scan(ct, body_only, L1, "wedge", 30.0)
    assert refused.value.code == "no_canal"


def test_a_vertebra_cut_by_the_scan_is_refused(intact: Phantom) -> None:
    at = intact.ct.grid.world_to_index(intact.truth.frame.origin_lps)[0]
    stop = np.array([int(at) + 4, *intact.ct.grid.shape_zyx[1:]])
    cut = intact.ct.cropped(np.zeros(3, int), stop)
    with pytest.raises(InputError) as refused:
        fracture_scan(cut, intact.labels, L1, "wedge", 30.0)
    assert refused.value.code == "truncated"


def read(case: str, name: str) -> tuple[Volume, LabelMap]:
    ct = canonical(volume_from_sitk(sitk.ReadImage(str(real_data(f"ct/{case}/ct.nii.gz")))))
    labels = canonical(labels_from_sitk(sitk.Cast(sitk.ReadImage(str(real_data(f"ct/{case}/{name}"))), sitk.sitkUInt8)))
    return ct, labels


@pytest.mark.real
@pytest.mark.parametrize(("case", "level_id"), [("lidc0001", L1), ("lidc0001", T12), ("ts_chest_stent", T12)])
def test_a_real_vertebra_loses_what_is_stated(case: str, level_id: int) -> None:
    ct, labels = read(case, "vertebrae_verse.nii.gz" if case == "lidc0001" else "vertebrae_T12.nii.gz")
    if case == "ts_chest_stent":
        labels = LabelMap(np.where(labels.array > 0, T12, 0).astype(np.uint8), labels.grid)
    made = fracture_scan(ct, labels, level_id, "wedge", 40.0)
    assert made.jacobian_min > 0.05
    assert made.heights_after.ha_mm == pytest.approx(0.6 * made.heights_before.ha_mm, abs=0.05)
    voxel_mm = float(labels.grid.spacing_zyx[0])
    bottom, top = measured_ends(made.labels, level_id, made.body)
    assert np.isfinite(top - bottom).any()
    assert np.abs(values(made.measured_heights()) - values(made.heights_after)).max() < voxel_mm
