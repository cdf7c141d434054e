"""A mask becomes a measured vertebra: checked against phantom truth, in any pose, and refused when it cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
from scipy.spatial.transform import Rotation

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.six_points import with_six_points
from trajplan.anatomy.vertebra import Confidence, Pedicle, Vertebra
from trajplan.errors import AnatomyError, GeometryError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.resample import canonical
from trajplan.levels import LEVEL_IDS, LEVEL_NAMES
from trajplan.parts import Part, Side
from trajplan_phantoms import Phantom, PhantomSpec, Pose, Scanner, make_phantom
from trajplan_phantoms.fracture import Cleft
from trajplan_phantoms.fracture import Fracture as FractureSpec
from trajplan_phantoms.truth import PedicleTruth

SCANNER = Scanner(spacing_zyx=(1.0, 1.0, 1.0))
TURN = Rotation.from_euler("xyz", [16, -12, 15], degrees=True).as_matrix()


def phantom(**spec: object) -> Phantom:
    defaults: dict[str, object] = {"target": "L1", "levels": ("T12", "L1", "L2"), "fracture": "none"}
    return make_phantom(PhantomSpec(**{**defaults, **spec}), SCANNER)  # type: ignore[arg-type]


def measured(ct: Volume, labels: LabelMap, target_id: int = 20, **more: object) -> Vertebra:
    arguments: dict[str, object] = {"level": None, "level_confirmed": True, "source": "test"}
    return measure_vertebra(ct, labels, target_id, **{**arguments, **more})  # type: ignore[arg-type]


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


def off_axis_mm(here: Pedicle, true: PedicleTruth) -> float:
    """How far an isthmus lies from another's axis: along it, where a neck hardly changes, its place is not sharp."""
    off = here.isthmus_center_lps - true.isthmus_center_lps
    return float(np.linalg.norm(np.cross(off, true.axis_lps)))


@pytest.fixture(scope="module")
def square() -> Phantom:
    return phantom()


@pytest.fixture(scope="module")
def square_vertebra(square: Phantom) -> Vertebra:
    return measured(square.ct, square.labels)


@pytest.fixture(scope="module")
def wedge() -> tuple[Phantom, Vertebra]:
    made = phantom(fracture="wedge", height_loss_percent=35.0)
    return made, measured(made.ct, made.labels)


@pytest.fixture(scope="module")
def turned() -> tuple[Phantom, Vertebra]:
    made = phantom(levels=("L1",), pose=Pose(rotation=TURN, translation_lps=np.array([7.3, -4.1, 11.6])))
    return made, measured(made.ct, made.labels)


def assert_pedicles(vertebra: Vertebra, truth: Phantom) -> None:
    for side in Side:
        found, true = vertebra.pedicles[side], truth.truth.pedicles[side]
        offset = found.isthmus_center_lps - true.isthmus_center_lps
        along = float(offset @ true.axis_lps)
        assert np.linalg.norm(offset - along * true.axis_lps) <= 0.6  # what the planner aims through
        assert abs(along) <= 1.0
        assert angle_deg(found.axis_lps, true.axis_lps) <= 5.0
        assert abs(found.width_mm - true.width_mm) <= 0.8
        assert abs(found.height_mm - true.height_mm) <= 0.8


class TestAgainstTruth:
    def test_the_frame_of_a_square_vertebra_is_the_truth(self, square: Phantom, square_vertebra: Vertebra) -> None:
        for axis in ("u", "v", "w"):
            assert angle_deg(getattr(square_vertebra.frame, axis), getattr(square.truth.frame, axis)) <= 2.0
        assert np.linalg.norm(square_vertebra.frame.origin_lps - square.truth.frame.origin_lps) <= 1.2

    def test_the_isthmus_is_found_to_a_millimetre(self, square: Phantom, square_vertebra: Vertebra) -> None:
        assert_pedicles(square_vertebra, square)

    def test_heights_of_an_intact_body_are_true_and_it_is_no_fracture(
        self, square: Phantom, square_vertebra: Vertebra
    ) -> None:
        found, true = square_vertebra.heights, square.truth.heights
        for name in ("ha_mm", "hm_mm", "hp_mm"):
            assert abs(getattr(found, name) - getattr(true, name)) <= 1.0
        assert found.loss_percent is not None
        assert found.loss_percent <= 6.0  # one voxel of 1 mm in 22
        assert (square_vertebra.fracture.type, square_vertebra.fracture.genant_grade) == ("none", 0)

    def test_a_wedge_is_measured_within_four_points_of_its_loss(self, wedge: tuple[Phantom, Vertebra]) -> None:
        made, found = wedge
        true = made.truth.heights
        assert found.heights.loss_percent == pytest.approx(true.loss_percent, abs=4.0)
        assert found.heights.ha_mm == pytest.approx(true.ha_mm, abs=1.0)
        assert found.heights.hp_mm == pytest.approx(true.hp_mm, abs=1.0)
        assert (found.fracture.type, found.fracture.genant_grade) == ("wedge", 2)
        assert "T12 and L2" in found.heights.reference_source

    def test_a_wedge_does_not_tilt_the_frame_and_the_vertebra_says_what_it_was_taken_from(
        self, wedge: tuple[Phantom, Vertebra]
    ) -> None:
        made, found = wedge
        assert angle_deg(found.frame.w, made.truth.frame.w) <= 2.0  # the mean of its end plates is 7 degrees off
        assert found.frame_source.axis in {"lower end plate", "neighbours"}
        assert any("upward axis was turned" in line for line in found.confidence.check)

    def test_its_own_six_points_give_its_own_measures_again_and_moved_ones_others(
        self, wedge: tuple[Phantom, Vertebra]
    ) -> None:
        found = wedge[1]
        assert found.measures is not None
        points = found.measures.six_points_lps
        again = with_six_points(found, points)
        assert again.fracture == found.fracture
        assert again.heights.reference_source == found.heights.reference_source
        assert again.heights.losses_percent == pytest.approx(found.heights.losses_percent)
        lowered = points.copy()
        lowered[0] -= 3.0 * found.frame.w
        moved = with_six_points(found, lowered)
        assert moved.heights.ha_mm == pytest.approx(found.heights.ha_mm - 3.0)
        assert moved.fracture.genant_grade == 3

    def test_angles_and_density_of_a_wedge_are_those_it_was_made_with(self, wedge: tuple[Phantom, Vertebra]) -> None:
        made, found = wedge
        assert found.measures is not None
        kyphosis = found.measures.kyphosis
        assert kyphosis.wedge_deg == pytest.approx(made.truth.fracture.wedge_angle_deg(), abs=3.0)
        assert kyphosis.local_levels == "T12 to L2"
        assert found.body_hu == pytest.approx(made.spec.trabecular_hu, abs=5.0)
        assert found.measures.cleft.volume_ml == 0.0
        assert found.measures.bulge is not None
        assert found.measures.bulge.bulge_mm < 0.7

    def test_the_pedicles_of_a_fractured_vertebra_are_no_worse(self, wedge: tuple[Phantom, Vertebra]) -> None:
        assert_pedicles(wedge[1], wedge[0])

    def test_the_parts_lie_where_the_truth_has_them(self, square: Phantom, square_vertebra: Vertebra) -> None:
        points = square_vertebra.parts.grid.points_lps()
        index = np.moveaxis(np.round(square.parts.grid.world_to_index(points)).astype(int), -1, 0)
        inside = square.parts.grid.contains(points)
        index = np.where(inside, index, 0)
        true = np.where(inside, square.parts.array[tuple(index)], 0)
        for part, least in ((Part.BODY, 0.95), (Part.POSTERIOR, 0.93), (Part.PEDICLE_LEFT, 0.6)):
            a, b = square_vertebra.parts.array == part, true == part
            assert 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)) > least

    def test_the_canal_part_is_canal_and_covers_the_height_of_the_body(
        self, square: Phantom, square_vertebra: Vertebra
    ) -> None:
        canal = square_vertebra.parts.array == Part.CANAL
        points = square_vertebra.parts.grid.index_to_world(np.argwhere(canal))
        w = square_vertebra.frame.to_local(points)[:, 2]
        value = square.truth.canal_value(points)[np.abs(w) < 15]  # the truth ends with the vertebra
        assert float(np.mean(value < 1.0)) > 0.94
        assert float(value.max()) < 3.5
        half = 0.5 * square_vertebra.heights.hp_mm
        assert w.min() < -half
        assert w.max() > half

    def test_the_posterior_wall_lies_between_body_and_canal(self, square_vertebra: Vertebra) -> None:
        wall = square_vertebra.frame.to_local(square_vertebra.posterior_wall_lps)
        assert len(wall) > 50
        middle = wall[np.abs(wall[:, 0]) < 3]
        assert np.ptp(middle[:, 1]) < 4.0
        assert 12.0 < float(np.median(middle[:, 1])) < 20.0

    def test_neighbours_are_other_bone_and_never_the_target(self, square_vertebra: Vertebra) -> None:
        assert square_vertebra.other_bone.any()
        target = (square_vertebra.parts.array > 0) & (square_vertebra.parts.array <= Part.POSTERIOR)
        assert not (square_vertebra.other_bone & target).any()


def test_retropulsion_and_a_gas_cleft_are_measured() -> None:
    crush = FractureSpec("crush", 45.0, retropulsion_mm=4.0, cleft=Cleft("gas"))
    made = phantom(levels=("L1",), fracture=crush)
    found = measured(made.ct, made.labels).measures
    assert found is not None
    assert found.bulge is not None
    assert found.bulge.bulge_mm == pytest.approx(4.0, abs=1.0)
    assert found.cleft.volume_ml == pytest.approx(made.truth.fracture.cleft_volume_mm3 / 1000, rel=0.15)


@pytest.fixture(scope="module")
def l5() -> tuple[Phantom, Vertebra]:
    made = phantom(target="L5", levels=("L5",))
    return made, measured(made.ct, made.labels, 24)


def test_the_isthmus_of_l5_lies_in_its_neck(l5: tuple[Phantom, Vertebra]) -> None:
    made, found = l5
    for side in Side:
        here, true = found.pedicles[side], made.truth.pedicles[side]
        assert off_axis_mm(here, true) <= 0.3
        assert np.linalg.norm(here.isthmus_center_lps - true.isthmus_center_lps) <= 2.0
        assert angle_deg(here.axis_lps, true.axis_lps) <= 4.0
        assert abs(here.width_mm - true.width_mm) <= 0.5
        assert abs(here.height_mm - true.height_mm) <= 0.5


def test_a_notch_filled_by_a_voxel_does_not_move_the_isthmus_of_l5(l5: tuple[Phantom, Vertebra]) -> None:
    made, found = l5
    solid = np.pad(made.labels.array == 24, 4)
    closed = ndi.binary_closing(solid, ndi.generate_binary_structure(3, 2))[4:-4, 4:-4, 4:-4]
    assert np.count_nonzero(closed) > np.count_nonzero(solid)
    again = measured(made.ct, LabelMap(24 * closed.astype(np.uint8), made.labels.grid), 24)
    for side in Side:
        moved = again.pedicles[side].isthmus_center_lps - found.pedicles[side].isthmus_center_lps
        assert np.linalg.norm(moved) <= 0.4


@pytest.mark.long
@pytest.mark.parametrize("level", ["T4", "T7", "T10", "L1", "L3", "L5"])
@pytest.mark.parametrize(("kind", "loss"), [("wedge", 50.0), ("biconcave", 34.0), ("crush", 60.0)])
def test_every_level_and_fracture_is_measured_within_its_limits(level: str, kind: str, loss: float) -> None:
    built = range(LEVEL_IDS["T4"], LEVEL_IDS["L5"] + 1)
    near = tuple(LEVEL_NAMES[i] for i in built if abs(i - LEVEL_IDS[level]) <= 1)
    made = make_phantom(
        PhantomSpec(target=level, levels=near, fracture=kind, height_loss_percent=loss),  # type: ignore[arg-type]
        Scanner(spacing_zyx=(0.8, 0.8, 0.8)),
    )
    found = measured(made.ct, made.labels, LEVEL_IDS[level])
    assert angle_deg(found.frame.w, made.truth.frame.w) <= 3.0
    for side in Side:
        here, true = found.pedicles[side], made.truth.pedicles[side]
        assert off_axis_mm(here, true) <= 0.3
        assert np.linalg.norm(here.isthmus_center_lps - true.isthmus_center_lps) <= (2.0 if level == "L5" else 1.3)
        assert angle_deg(here.axis_lps, true.axis_lps) <= 4.0
        assert abs(here.width_mm - true.width_mm) <= 0.6
        assert abs(here.height_mm - true.height_mm) <= 0.6
    for name in ("ha_mm", "hm_mm", "hp_mm"):
        assert abs(getattr(found.heights, name) - getattr(made.truth.heights, name)) <= 1.0
    assert found.fracture.type == kind
    assert found.fracture.genant_grade == made.truth.genant_grade


class TestPose:
    def test_turning_and_moving_the_patient_turns_and_moves_the_frame(
        self, square_vertebra: Vertebra, turned: tuple[Phantom, Vertebra]
    ) -> None:
        made, found = turned
        for axis in ("u", "v", "w"):
            assert angle_deg(getattr(found.frame, axis), TURN @ getattr(square_vertebra.frame, axis)) <= 2.0
        assert np.linalg.norm(made.truth.frame.to_local(found.frame.origin_lps)) <= 1.2

    def test_a_turned_patient_has_the_same_pedicles_and_heights(self, turned: tuple[Phantom, Vertebra]) -> None:
        made, found = turned
        assert_pedicles(found, made)
        assert found.heights.ha_mm == pytest.approx(made.truth.heights.ha_mm, abs=1.0)

    def test_mirroring_the_patient_swaps_the_sides_and_not_the_handedness(
        self, turned: tuple[Phantom, Vertebra]
    ) -> None:
        made, found = turned
        mirror = np.array([-1.0, 1.0, 1.0])
        grid = made.labels.grid
        far = grid.index_to_world([0, 0, grid.shape_zyx[2] - 1])
        mirrored = Grid(grid.shape_zyx, far * mirror, grid.spacing_zyx)
        other = measured(Volume(made.ct.array[:, :, ::-1], mirrored), LabelMap(made.labels.array[:, :, ::-1], mirrored))
        assert angle_deg(other.frame.w, found.frame.w * mirror) <= 0.5
        assert angle_deg(other.frame.u, -found.frame.u * mirror) <= 0.7
        assert np.linalg.det(other.frame.rotation) == pytest.approx(1.0)
        for side, twin in ((Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT)):
            here, there = other.pedicles[side], found.pedicles[twin]
            assert np.linalg.norm(here.isthmus_center_lps - there.isthmus_center_lps * mirror) <= 0.7
            assert here.width_mm == pytest.approx(there.width_mm, abs=0.4)

    def test_storage_order_does_not_matter(self, square: Phantom, square_vertebra: Vertebra) -> None:
        grid = square.labels.grid
        stored = Grid(
            grid.shape_zyx,
            grid.index_to_world([grid.shape_zyx[0] - 1, grid.shape_zyx[1] - 1, 0]),
            grid.spacing_zyx,
            np.diag([1.0, -1.0, -1.0]),
        )
        ct = canonical(Volume(square.ct.array[::-1, ::-1], stored))
        again = measured(ct, canonical(LabelMap(square.labels.array[::-1, ::-1], stored)))
        assert np.allclose(again.frame.rotation, square_vertebra.frame.rotation, atol=1e-6)
        assert np.array_equal(again.parts.array, square_vertebra.parts.array)


class TestRefusals:
    def test_a_missing_level_is_refused_with_the_levels_found(self, square: Phantom) -> None:
        with pytest.raises(AnatomyError, match="T12, L1, L2") as refusal:
            measured(square.ct, square.labels, 24)
        assert refusal.value.code == "level_not_in_labels"

    def test_a_scrap_of_mask_is_refused_with_its_volume(self, square: Phantom) -> None:
        scrap = np.zeros_like(square.labels.array)
        scrap[20:30, 20:30, 20:30] = 20
        with pytest.raises(AnatomyError, match=r"1\.0 ml") as refusal:
            measured(square.ct, LabelMap(scrap, square.labels.grid))
        assert refusal.value.code == "mask_too_small"

    def test_a_body_without_arch_has_no_canal(self, square: Phantom) -> None:
        only_body = np.where(square.parts.array == Part.BODY, np.uint8(20), np.uint8(0))
        with pytest.raises(AnatomyError) as refusal:
            measured(square.ct, LabelMap(only_body, square.labels.grid))
        assert refusal.value.code == "no_canal"

    def test_a_lost_half_makes_the_frame_unreliable(self, square: Phantom) -> None:
        x = square.labels.grid.points_lps()[..., 0]
        cut = square.labels.array * ((x < 6) | (np.abs(square.parts.array - 3.5) > 2)).astype(np.uint8)
        half_body = np.where((square.parts.array == Part.BODY) & (x > 2), np.uint8(0), cut)
        with pytest.raises(AnatomyError) as refusal:
            measured(square.ct, LabelMap(half_body, square.labels.grid))
        assert refusal.value.code in {"frame_unreliable", "no_canal", "no_endplates"}

    def test_a_body_cut_by_the_scan_is_refused_as_truncated(self, square: Phantom, square_vertebra: Vertebra) -> None:
        z = square_vertebra.frame.origin_lps[2] - 4.0
        k = round(float(square.labels.grid.world_to_index([0.0, 0.0, z])[0]))
        stop = square.labels.grid.shape_zyx
        ct, labels = square.ct.cropped((k, 0, 0), stop), square.labels.cropped((k, 0, 0), stop)
        with pytest.raises(AnatomyError, match="inferior") as refusal:
            measured(ct, labels)
        assert refusal.value.code == "truncated"

    def test_an_oblique_grid_is_refused(self, square: Phantom) -> None:
        grid = square.labels.grid
        oblique = Grid(grid.shape_zyx, grid.origin_lps, grid.spacing_zyx, TURN)
        with pytest.raises(GeometryError) as refusal:
            measured(square.ct, LabelMap(square.labels.array, oblique))
        assert refusal.value.code == "not_canonical"


def test_a_process_cut_by_the_scan_is_told_and_lowers_the_score(square: Phantom) -> None:
    tip = np.argwhere(square.labels.array == 20)[:, 1].max()
    stop = np.array(square.labels.grid.shape_zyx)
    stop[1] = tip - 4
    found = measured(
        square.ct.cropped((0, 0, 0), stop),
        square.labels.cropped((0, 0, 0), stop),
        confidence=Confidence(0.5, {"network": 0.5}, ("check the network",)),
    )
    assert found.touches_edge
    assert found.confidence.score <= 0.35 + 1e-9
    assert found.confidence.check[0] == "check the network"
    assert any("posterior" in reason for reason in found.confidence.check)


def test_a_ring_open_by_two_millimetres_still_has_a_canal(square: Phantom, square_vertebra: Vertebra) -> None:
    local = square_vertebra.frame.to_local(square.labels.grid.points_lps())
    slit = (np.abs(local[..., 0]) < 1.1) & (local[..., 1] > 25)
    labels = np.where(slit, np.uint8(0), square.labels.array)
    found = measured(square.ct, LabelMap(labels, square.labels.grid))
    assert found.confidence.values["ring_closing_mm"] > 0
    canal = found.parts.array == Part.CANAL
    same = square_vertebra.parts.array == Part.CANAL
    if canal.shape == same.shape:
        assert np.count_nonzero(canal) == pytest.approx(np.count_nonzero(same), rel=0.15)
    for side in Side:
        moved = found.pedicles[side].isthmus_center_lps - square_vertebra.pedicles[side].isthmus_center_lps
        assert np.linalg.norm(moved) < 1.0
