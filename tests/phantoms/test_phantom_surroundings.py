"""What lies about the vertebrae: ribs and discs under labels of their own, ligaments and dura in the canal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trajplan.levels import level_id
from trajplan_phantoms import Phantom, PhantomSpec, Pose, Scanner, Surrounding, make_phantom
from trajplan_phantoms.ribs import COSTAL_GAP_MM
from trajplan_phantoms.spine import Placement, build_spine
from trajplan_phantoms.surroundings import rib_value
from trajplan_phantoms.tissue import BACK_FAT_MM, CSF_HU, DURA_HU, EPIDURAL_HU, EPIDURAL_MM, LIGAMENT_HU

CHEST = PhantomSpec("T7", ("T6", "T7", "T8"), "none", 0.0)
SHARP = Scanner((1.0, 0.5, 0.5), noise_hu=0.0, psf_mm=0.0)


@pytest.fixture(scope="module")
def chest() -> Phantom:
    return make_phantom(CHEST, Scanner((1.5, 1.2, 1.2), noise_hu=0.0))


@pytest.fixture(scope="module")
def lumbar() -> Phantom:
    return make_phantom(PhantomSpec("L3", ("L2", "L3"), "none", 0.0), SHARP)


def of(phantom: Phantom, kind: Surrounding, level: str) -> np.ndarray:
    """World positions of one structure."""
    found = np.argwhere(phantom.surroundings.array == kind + level_id(level))
    return phantom.surroundings.grid.index_to_world(found)


def test_every_rib_and_disc_has_its_own_number_and_name(chest: Phantom) -> None:
    names = chest.surroundings.names
    assert set(chest.surroundings.ids()) == set(names)
    assert sorted(names.values()) == sorted(
        [f"{side} rib {level}" for side in ("left", "right") for level in CHEST.levels]
        + ["disc below T6", "disc below T7"]
    )
    assert names[Surrounding.DISC + level_id("T6")] == "disc below T6"
    assert all(len(of(chest, Surrounding.RIB_LEFT, level)) > 500 for level in CHEST.levels)


def test_surroundings_and_vertebrae_share_no_voxel(chest: Phantom) -> None:
    assert not ((chest.surroundings.array > 0) & (chest.labels.array > 0)).any()


def test_left_ribs_are_on_the_patients_left_and_stay_so_in_a_mirrored_patient(chest: Phantom) -> None:
    assert (of(chest, Surrounding.RIB_LEFT, "T7")[:, 0] > 8.0).all()
    assert (of(chest, Surrounding.RIB_RIGHT, "T7")[:, 0] < -8.0).all()
    mirrored = make_phantom(replace(CHEST, pose=Pose(mirror=True)), chest.scanner)
    assert (of(mirrored, Surrounding.RIB_LEFT, "T7")[:, 0] > 8.0).all()


def test_a_disc_lies_between_its_two_bodies(chest: Phantom) -> None:
    middle = chest.truth.frame.to_local(of(chest, Surrounding.DISC, "T7").mean(axis=0))
    body = chest.truth.vertebra.body
    assert middle[2] == pytest.approx(-0.5 * body.height_mm - 2.0, abs=1.5)
    assert np.abs(middle[0]) < 1.0
    assert np.abs(middle[1]) < 0.15 * body.depth_mm


def test_labelled_ribs_are_bone_and_labelled_discs_are_not(chest: Phantom) -> None:
    ids, hu = chest.surroundings.array, chest.ct.array
    assert np.median(hu[(ids > 0) & (ids < Surrounding.DISC)]) > 250.0
    assert np.median(hu[ids >= Surrounding.DISC]) < 130.0


def test_rib_heads_meet_their_bodies_across_a_joint_space() -> None:
    levels = ("T5", "T6", "T9", "T10", "T11", "T12")
    spine = build_spine(PhantomSpec("T8", ("T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12"), "none", 0.0))
    for level in levels:
        index = spine.spec.levels.index(level)
        rib, own = spine.ribs[index][0], spine.vertebrae[index]
        lower, upper = rib.tubes[0].bounds()
        axes = [np.arange(a - 4.0, b + 8.0, 0.6) for a, b in zip(lower, upper, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        inside = points[rib_value(spine, index, rib, tuple(points.T.copy())) < 0]
        gap = own.value(tuple(inside.T.copy())).min()
        assert COSTAL_GAP_MM - 0.01 < gap < COSTAL_GAP_MM + 0.5
        reach = own.body.value(tuple(inside.T.copy())).min()
        assert reach < (2.0 if level_id(level) < level_id("T10") else 4.5)
        if level_id(level) < level_id("T10"):  # the head of ribs 2 to 9 lies at the disc, on both bodies
            above, here = spine.placements[index - 1], spine.placements[index]
            into = Placement(above.linear.T @ here.linear, above.to_own(here.origin))
            assert spine.vertebrae[index - 1].body.value(tuple(into.to_patient(inside).T)).min() < 3.5


def canal_profile(phantom: Phantom, w: float, v: np.ndarray, u: float = 0.0) -> np.ndarray:
    """HU along v (mm behind the front of the canal) at u and w of the target."""
    front = phantom.truth.vertebra.canal.front_mm
    points = np.column_stack([np.full_like(v, u), front + v, np.full_like(v, w)])
    index = np.rint(phantom.ct.grid.world_to_index(phantom.truth.frame.to_world(points))).astype(int)
    return phantom.ct.array[tuple(index.T)].astype(float)


def test_the_canal_holds_ligament_fat_dura_and_fluid_from_back_to_front(lumbar: Phantom) -> None:
    canal = lumbar.truth.vertebra.canal
    depth, between = canal.depth_mm, 0.5 * lumbar.truth.vertebra.body.height_mm  # between the laminae of L2 and L3

    def hu(*v: float) -> float:
        return float(canal_profile(lumbar, between, np.array(v)).mean())

    assert hu(depth, depth + 1.0) == pytest.approx(LIGAMENT_HU, abs=10)
    assert hu(depth - 2.0, depth - 2.5) == pytest.approx(EPIDURAL_HU, abs=25)
    sac = depth - EPIDURAL_MM - BACK_FAT_MM
    edge = canal_profile(lumbar, between, np.arange(sac - 1.6, sac + 0.7, 0.25))
    assert edge.max() > CSF_HU + 0.3 * (DURA_HU - CSF_HU)  # the dura, thinner than a voxel
    side = canal_profile(lumbar, between, np.array([0.45 * depth]), u=0.5 * canal.width_mm - 3.5)
    assert side[0] == pytest.approx(CSF_HU, abs=12)


def test_a_ligament_closes_the_gap_between_the_laminae(lumbar: Phantom) -> None:
    """All along the back of the canal there is bone or ligament, and no fat opens it."""
    height = lumbar.truth.vertebra.body.height_mm
    depth = lumbar.truth.vertebra.canal.depth_mm
    for w in np.arange(-0.2 * height, 0.9 * height, 1.0):
        assert canal_profile(lumbar, float(w), np.array([depth + 0.8]))[0] > LIGAMENT_HU - 15


def test_the_posterior_longitudinal_ligament_covers_wall_and_disc_in_the_middle(lumbar: Phantom) -> None:
    canal, height = lumbar.truth.vertebra.canal, lumbar.truth.vertebra.body.height_mm
    v = np.arange(0.0, 5.0, 0.02)
    for w in (0.5 * height + 4.0, 0.0):
        found = []
        for u in (0.0, 7.5):
            tube = canal.tube((np.full_like(v, u), canal.front_mm + v, np.full_like(v, w)))
            found.append(canal_profile(lumbar, w, v[np.abs(tube + 0.7) < 0.25], u).mean())
        assert found[0] > 0.5 * LIGAMENT_HU
        assert found[1] < found[0] - 30.0  # beside it, fat
