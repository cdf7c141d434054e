"""Bone as a scan shows it: uneven, denser under the cortex, thin at the canal; and left alone by default."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.parts import Side
from trajplan_phantoms import Phantom, PhantomSpec, Pose, Scanner, make_phantom
from trajplan_phantoms.bone_look import NATURAL, PLAIN, BoneLook
from trajplan_phantoms.protocols import PROTOCOLS, protocol

FINE = Scanner((1.0, 0.8, 0.8), noise_hu=0.0)
ONE = PhantomSpec(levels=("L1",), fracture="none", height_loss_percent=0.0, trabecular_hu=100.0)


@pytest.fixture(scope="module")
def plain() -> Phantom:
    return make_phantom(ONE, FINE)


@pytest.fixture(scope="module")
def natural() -> Phantom:
    return make_phantom(replace(ONE, bone=NATURAL), FINE)


def core(phantom: Phantom) -> np.ndarray:
    points = phantom.truth.frame.to_local(phantom.ct.grid.points_lps())
    return phantom.ct.array[(np.abs(points) < np.array([10.0, 7.0, 5.0])).all(axis=-1)].astype(float)


def test_labels_and_truth_do_not_depend_on_the_look(plain, natural) -> None:
    np.testing.assert_array_equal(plain.labels.array, natural.labels.array)
    np.testing.assert_array_equal(plain.parts.array, natural.parts.array)
    assert plain.truth.to_dict() == natural.truth.to_dict()


def test_the_core_keeps_about_its_mean_and_is_uneven(plain, natural) -> None:
    assert core(plain).std() < 5.0
    assert core(natural).mean() == pytest.approx(100.0, abs=15.0)
    assert 20.0 < core(natural).std() < 60.0


def test_bone_is_denser_towards_the_back_wall(natural) -> None:
    frame, wall = natural.truth.frame, natural.truth.vertebra.canal.front_mm

    def mean(v0: float, v1: float) -> float:
        points = frame.to_local(natural.ct.grid.points_lps())
        low, high = np.array([-8.0, v0, -6.0]), np.array([8.0, v1, 2.0])
        return float(natural.ct.array[((points > low) & (points < high)).all(axis=-1)].mean())

    assert mean(wall - 4.5, wall - 2.5) > mean(wall - 12.0, wall - 9.0) + 15.0


def test_the_posterior_wall_is_fainter_than_the_front(natural, plain) -> None:
    k, j, i = np.rint(natural.ct.grid.world_to_index((0.0, 0.0, -4.0))).astype(int)
    wall = round(float(natural.ct.grid.world_to_index((0.0, natural.truth.vertebra.canal.front_mm, 0.0))[1]))
    back = slice(wall - 3, wall + 3)
    columns = slice(i - 8, i + 9)
    assert (
        natural.ct.array[k, back, columns].max(axis=0).mean()
        < 0.75 * plain.ct.array[k, back, columns].max(axis=0).mean()
    )
    front = natural.ct.array[k, :j, columns].max(axis=0).mean()
    assert front > natural.ct.array[k, back, columns].max(axis=0).mean() + 50.0


def wall_masses(look: BoneLook) -> tuple[float, float]:
    """Density of the left pedicle's medial and lateral wall above its marrow, HU mm, on the painted CT."""
    made = make_phantom(replace(ONE, bone=look), Scanner((1.0, 1.0, 0.3), noise_hu=0.0, psf_mm=0.0))
    pedicle = made.truth.pedicles[Side.LEFT]
    u = np.arange(0.0, 0.5 * pedicle.width_mm, 0.05)
    centre = made.truth.frame.to_local(pedicle.isthmus_center_lps)

    def mass(sign: float) -> float:
        points = np.tile(centre, (len(u), 1))
        points[:, 0] += sign * u
        index = made.ct.grid.world_to_index(made.truth.frame.to_world(points))
        hu = ndimage.map_coordinates(made.ct.array.astype(float), index.T, order=1)
        return float(np.clip(hu - ONE.trabecular_hu, 0.0, None).sum() * 0.05)

    return mass(-1.0), mass(1.0)


def test_the_medial_wall_of_a_pedicle_is_thicker_than_the_lateral_one_and_their_sum_stays() -> None:
    medial, lateral = wall_masses(PLAIN)
    assert medial / lateral == pytest.approx(PLAIN.medial_to_lateral, abs=0.12)
    even = wall_masses(replace(PLAIN, medial_to_lateral=1.0))
    assert even[0] / even[1] == pytest.approx(1.0, abs=0.1)
    assert medial + lateral == pytest.approx(sum(even), rel=0.05)


def test_unevenness_is_fixed_to_the_bone_not_to_the_grid(natural) -> None:
    moved = make_phantom(replace(ONE, bone=NATURAL, pose=Pose(translation_lps=(40.0, -20.0, 300.0))), FINE)
    assert np.abs(moved.ct.array.astype(int) - natural.ct.array).max() <= 2
    other = make_phantom(replace(ONE, bone=replace(NATURAL, seed=2)), FINE)
    assert np.corrcoef(core(other), core(natural))[0, 1] < 0.5


def test_the_plain_look_is_the_default() -> None:
    assert PhantomSpec().bone == PLAIN
    assert BoneLook() == PLAIN


@pytest.mark.parametrize(
    "wanted",
    [{"thin_wall": 2.0}, {"uneven_hu": -1.0}, {"uneven_mm": 0.0}, {"rim_mm": float("nan")}, {"medial_to_lateral": 9.0}],
)
def test_an_impossible_look_is_refused(wanted) -> None:
    with pytest.raises(InputError) as caught:
        BoneLook(**wanted)
    assert caught.value.code == "bone_look_invalid"


def test_protocols_are_known_by_name() -> None:
    assert all(protocol(name) is scanner for name, scanner in PROTOCOLS.items())
    assert {s.patient_position for s in PROTOCOLS.values()} == {"HFS", "HFP"}
    with pytest.raises(InputError, match="chest"):
        protocol("nothing")
