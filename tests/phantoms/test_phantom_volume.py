"""The sampled phantom: labels, parts and HU agree with the functions and look like a spine."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from trajplan.levels import level_id
from trajplan.parts import Part, Side
from trajplan_phantoms import NAMED, Phantom, PhantomSpec, Pose, Scanner, make_phantom, named

COARSE = Scanner((2.0, 1.5, 1.5), noise_hu=10.0, seed=7)


def ring_is_closed(wedge: Phantom, w_mm: float) -> bool:
    """Whether bone walls the canal off from the outside in the axial slice at height `w_mm`."""
    k = round(float(wedge.ct.grid.world_to_index((0.0, 0.0, w_mm))[0]))
    outside = ndimage.label(wedge.labels.array[k] == 0)[0]
    canal = wedge.parts.array[k] == Part.CANAL
    assert canal.any()
    return bool((outside[canal] != outside[0, 0]).all())


def test_labels_are_the_functions_at_the_voxel_centres(wedge: Phantom) -> None:
    points = wedge.ct.grid.points_lps()[::3, ::3, ::3]
    value = wedge.truth.bone_value(points)
    label = wedge.labels.array[::3, ::3, ::3] == level_id("L1")
    sure = np.abs(value) > 1e-3
    np.testing.assert_array_equal(label[sure], (value < 0)[sure])
    canal = wedge.parts.array[::3, ::3, ::3] == Part.CANAL
    expected = (wedge.truth.canal_value(points) < 0) & (value >= 0)
    sure &= np.abs(wedge.truth.canal_value(points)) > 1e-3
    np.testing.assert_array_equal(canal[sure], expected[sure])


def test_parts_cover_exactly_the_target_and_lie_where_they_should(wedge: Phantom) -> None:
    bone = np.isin(wedge.parts.array, [1, 2, 3, 4])
    np.testing.assert_array_equal(bone, wedge.labels.array == level_id("L1"))
    center = {part: wedge.ct.grid.index_to_world(np.argwhere(wedge.parts.array == part)).mean(axis=0) for part in Part}
    assert center[Part.PEDICLE_LEFT][0] > 10 > -10 > center[Part.PEDICLE_RIGHT][0]
    assert center[Part.BODY][1] < center[Part.PEDICLE_LEFT][1] < center[Part.POSTERIOR][1]
    for side in Side:
        k, j, i = np.rint(wedge.ct.grid.world_to_index(wedge.truth.pedicles[side].isthmus_center_lps)).astype(int)
        assert wedge.parts.array[k, j, i] == side.pedicle


def test_neighbouring_vertebrae_do_not_touch_and_each_is_one_piece(wedge: Phantom) -> None:
    bone = wedge.labels.array > 0
    assert ndimage.label(bone, np.ones((3, 3, 3)))[1] == len(wedge.spec.levels)
    for identifier in wedge.labels.ids():
        pieces, count = ndimage.label(wedge.labels.array == identifier, np.ones((3, 3, 3)))
        assert count == 1, f"{identifier} has {np.bincount(pieces.ravel())[1:]}"


def test_the_bony_ring_is_closed_at_the_pedicles_and_open_at_the_foramen(wedge: Phantom) -> None:
    pedicle = float(wedge.truth.pedicles[Side.LEFT].isthmus_center_lps[2])
    assert all(ring_is_closed(wedge, pedicle + d) for d in (-5.0, -2.0, 1.0))
    assert not ring_is_closed(wedge, pedicle - 11.0)


def test_the_pedicle_is_a_neck_with_soft_tissue_above_and_below(wedge: Phantom) -> None:
    middle = wedge.truth.pedicles[Side.LEFT].isthmus_center_lps
    column = middle + np.arange(-16.0, 16.5, 0.5)[:, None] * np.array([0.0, 0.0, 1.0])
    inside = wedge.truth.bone_value(column) < 0
    assert inside.sum() * 0.5 == pytest.approx(15.5, abs=1.0)
    assert not inside[:8].any()
    assert not inside[-8:].any()


def test_tissues_have_their_hu(wedge: Phantom) -> None:
    def hu(x: float, y: float, z: float) -> float:
        k, j, i = np.rint(wedge.ct.grid.world_to_index((x, y, z))).astype(int)
        return float(wedge.ct.array[k, j, i])

    assert hu(0, 0, -3) == pytest.approx(120, abs=10)  # cancellous bone
    back = wedge.truth.vertebra.canal.front_mm + wedge.truth.vertebra.canal.depth_mm + 48.0
    assert hu(0, back + 6, 0) == pytest.approx(-1000, abs=5)  # air behind the back
    assert hu(0, back - 7, 30) == pytest.approx(-95, abs=5)  # subcutaneous fat
    assert hu(40, 45, 0) == pytest.approx(55, abs=5)  # erector spinae
    assert hu(0, 26, 0) == pytest.approx(40, abs=10)  # cord
    assert hu(0, 0, -16.5) == pytest.approx(80, abs=15)  # disc
    front = wedge.ct.array[:, :, wedge.ct.grid.shape_zyx[2] // 2][round(wedge.ct.grid.world_to_index((0, 0, -3))[0])]
    assert front[40:75].max() > 300  # anterior cortex


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    spec = PhantomSpec(levels=("L1",))
    first, again = make_phantom(spec, COARSE), make_phantom(spec, COARSE)
    assert first.ct.sha256() == again.ct.sha256()
    assert first.labels.sha256() == again.labels.sha256()
    other = make_phantom(spec, Scanner(COARSE.spacing_zyx, noise_hu=10.0, seed=8))
    assert other.ct.sha256() != first.ct.sha256()


def test_noise_has_the_asked_deviation() -> None:
    spec = PhantomSpec(levels=("L1",))
    clean = make_phantom(spec, Scanner((2.0, 1.5, 1.5), noise_hu=0.0)).ct.array.astype(float)
    noisy = make_phantom(spec, Scanner((2.0, 1.5, 1.5), noise_hu=20.0)).ct.array.astype(float)
    inside = clean > -500  # air is clipped
    assert (noisy - clean)[inside].std() == pytest.approx(20.0, rel=0.03)


def test_a_mirrored_patient_gives_the_mirrored_volume() -> None:
    quiet = Scanner((2.0, 1.5, 1.5), noise_hu=0.0)
    widths = {"pedicle_width_mm_left": 7.0, "pedicle_width_mm_right": 10.0}
    home = make_phantom(PhantomSpec(levels=("L1",), **widths), quiet)
    mirror = make_phantom(PhantomSpec(levels=("L1",), **widths, pose=Pose(mirror=True)), quiet)
    assert home.ct.grid.same_as(mirror.ct.grid)
    flipped = mirror.parts.array[:, :, ::-1].copy()
    left, right = flipped == Part.PEDICLE_LEFT, flipped == Part.PEDICLE_RIGHT
    flipped[left], flipped[right] = Part.PEDICLE_RIGHT, Part.PEDICLE_LEFT
    assert (flipped != home.parts.array).mean() < 1e-5
    assert (mirror.parts.array == Part.PEDICLE_LEFT).sum() > (mirror.parts.array == Part.PEDICLE_RIGHT).sum()
    assert np.abs(mirror.ct.array[:, :, ::-1].astype(int) - home.ct.array).max() <= 2


def test_a_turned_patient_is_found_under_its_turned_functions() -> None:
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = make_phantom(PhantomSpec(levels=("L1",), pose=Pose(turn, np.array([30.0, -200.0, 500.0]))), COARSE)
    value = turned.truth.bone_value(turned.ct.grid.points_lps())
    sure = np.abs(value) > 2e-3
    np.testing.assert_array_equal((turned.labels.array == level_id("L1"))[sure], (value < 0)[sure])


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_named_phantom_builds_with_its_target_whole_inside(name: str) -> None:
    phantom = make_phantom(named(name), COARSE)
    where = np.argwhere(phantom.labels.array == level_id(phantom.spec.target))
    assert len(where) > 3000
    assert (where.min(axis=0) > 0).all()
    assert (where.max(axis=0) < np.array(phantom.ct.grid.shape_zyx) - 1).all()
    assert phantom.ct.array.dtype == np.int16
    assert set(phantom.labels.ids()) == {level_id(level) for level in phantom.spec.levels}
    assert set(phantom.parts.ids()) == {1, 2, 3, 4, 5}


def test_progress_runs_from_nothing_to_done() -> None:
    seen: list[float] = []
    make_phantom(PhantomSpec(levels=("L1",)), COARSE, lambda share, text: seen.append(share))
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
