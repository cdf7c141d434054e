"""The pieces of the measurement on closed forms: sections, planes, heights, grades, edges."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.ndimage as ndi
from scipy.spatial.transform import Rotation

from trajplan.anatomy.borrowed_axis import AxisHints, choose_axis
from trajplan.anatomy.bulge import measure_bulge
from trajplan.anatomy.canal import enclosed, extruded_canal, find_ring
from trajplan.anatomy.confidence import rate_vertebra
from trajplan.anatomy.density import find_cleft, hu_along, trabecular_hu
from trajplan.anatomy.endplates import robust_plane
from trajplan.anatomy.fracture import expected_heights, genant_grade, grade_fracture
from trajplan.anatomy.heights import BodyHeights, heights_from_points, measure_heights
from trajplan.anatomy.kyphosis import measure_kyphosis
from trajplan.anatomy.neighbour_ratios import neighbour_ratios
from trajplan.anatomy.neighbours import Neighbour
from trajplan.anatomy.scan_edge import cut_sides
from trajplan.anatomy.section import cut
from trajplan.anatomy.vertebra import Endplate, Fracture, Heights, Pedicle
from trajplan.errors import AnatomyError, GeometryError
from trajplan.geometry import Frame, Grid, LabelMap, Volume
from trajplan.geometry.arrays import unit
from trajplan.parts import Side


def rod(width_mm: float, height_mm: float, slant_deg: float, axis: np.ndarray) -> tuple[np.ndarray, Grid]:
    """Soft occupancy of an elliptic rod through the origin."""
    grid = Grid.isotropic([-16, -16, -16], [16, 16, 16], 0.65)
    w = np.array([0.0, 0.0, 1.0])
    along = unit(w - (w @ axis) * axis)
    across = np.cross(along, axis)
    c, s = np.cos(np.radians(slant_deg)), np.sin(np.radians(slant_deg))
    points = grid.points_lps()
    x = points @ (c * across + s * along) / (width_mm / 2)
    y = points @ (-s * across + c * along) / (height_mm / 2)
    radius = np.hypot(x, y)
    distance = (radius - 1) * min(width_mm, height_mm) / 2
    return np.clip(0.5 - distance / 1.3, 0, 1).astype(np.float32), grid


class TestSection:
    @pytest.mark.parametrize(("width", "height", "slant"), [(7.0, 15.0, 0.0), (9.0, 14.0, 25.0), (12.0, 12.0, 0.0)])
    def test_an_oblique_elliptic_rod_has_its_own_width_and_height(
        self, width: float, height: float, slant: float
    ) -> None:
        axis = unit(np.array([-0.3, -0.9, 0.1]))
        share, grid = rod(width, height, slant, axis)
        section = cut(share, grid, np.array([0.4, -0.3, 0.5]), axis, np.array([0.0, 0.0, 1.0]))
        assert section is not None
        assert section.width_mm == pytest.approx(width, abs=0.25)
        assert section.height_mm == pytest.approx(height, abs=0.35)
        assert section.area_mm2 == pytest.approx(np.pi / 4 * width * height, rel=0.03)
        assert np.linalg.norm(np.cross(section.center_lps, axis)) < 0.1
        assert np.abs((section.outline_lps - section.center_lps) @ axis).max() < 1e-9

    def test_no_bone_no_section(self) -> None:
        grid = Grid.isotropic([-8, -8, -8], [8, 8, 8], 1.0)
        nothing = np.zeros(grid.shape_zyx, dtype=np.float32)
        assert cut(nothing, grid, np.zeros(3), np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])) is None


def test_a_robust_plane_ignores_an_osteophyte() -> None:
    u = v = np.arange(-15.0, 15.5, 1.0)
    height = 0.1 * u[None, :] - 0.2 * v[:, None] + 12.0
    height[:5, 5:12] += 6.0
    plane = robust_plane(height, np.ones_like(height, dtype=bool), u, v)
    assert plane is not None
    assert plane.slope_u == pytest.approx(0.1, abs=0.01)
    assert plane.slope_v == pytest.approx(-0.2, abs=0.01)
    assert plane.at(0.0, 0.0) == pytest.approx(12.0, abs=0.1)
    assert plane.rms_mm > 1.0


def test_a_plane_needs_twenty_columns() -> None:
    u = np.arange(4.0)
    assert robust_plane(np.zeros((4, 4)), np.ones((4, 4), dtype=bool), u, u) is None


def test_enclosed_is_the_hole_of_a_ring_and_nothing_of_a_horseshoe() -> None:
    solid = np.zeros((2, 20, 20), dtype=bool)
    solid[:, 4:16, 4:16] = True
    solid[:, 7:13, 7:13] = False
    solid[1, 12:, 9:11] = False
    hole = enclosed(solid)
    assert np.count_nonzero(hole[0]) == 36
    assert not hole[1].any()


def test_the_canal_goes_on_above_and_below_its_ring_and_never_through_bone() -> None:
    u, v, w = np.arange(-25.0, 25.5), np.arange(-10.0, 40.5), np.arange(-20.0, 20.5)
    radius = np.hypot(u[None, :], v[:, None] - 20)
    solid = np.zeros((len(w), len(v), len(u)), dtype=bool)
    solid[12:26] = (radius > 9) & (radius < 14)
    ring = find_ring(solid, u, v, behind_mm=5.0)
    assert ring is not None
    assert ring.closing_mm == 0.0
    solid[35:, :, 25:] = True
    canal = extruded_canal(ring.hole, u, v, w, solid, -18.0, 18.0)
    rows = w[canal.any(axis=(1, 2))]
    assert (rows[0], rows[-1]) == (-18.0, 18.0)
    assert not (canal & solid).any()
    assert np.count_nonzero(canal[5]) == pytest.approx(np.pi * 81, rel=0.1)


def test_no_ring_no_canal() -> None:
    axis = np.arange(-20.0, 20.5)
    assert find_ring(np.zeros((41, 41, 41), dtype=bool), axis, axis, behind_mm=5.0) is None


def test_heights_of_a_tapered_box_with_an_osteophyte_are_those_of_the_box() -> None:
    step = 0.65
    u, v, w = (step * np.arange(-n, n + 1) for n in (35, 32, 32))
    front, back = 18.0, 26.0
    upper = front / 2 + (back - front) / 2 * (v + 16) / 32
    distance = np.minimum(upper[None, :, None] - np.abs(w)[:, None, None], 16 - np.abs(v)[None, :, None])
    distance = np.minimum(distance, 20 - np.abs(u)[None, None, :])
    spur = (v[None, :, None] < -14.5) & (v[None, :, None] > -20)
    spur = spur & ((w > 4) & (w < 13))[:, None, None] & (np.abs(u)[None, None, :] < 2.0)
    distance = np.where(spur, np.maximum(distance, 0.3), distance)
    share = np.clip(0.5 + distance / step, 0, 1).astype(np.float32)
    found = measure_heights(share > 0.5, share, (u, v, w))
    assert found.ha_mm == pytest.approx(front + 0.06 * (back - front), abs=0.4)
    assert found.hp_mm == pytest.approx(front + 0.895 * (back - front), abs=0.4)
    assert found.depth_mm == pytest.approx(32, abs=1.0)


def neighbour(level_id: int, steps: int, heights: BodyHeights, volume_ml: float = 50.0) -> Neighbour:
    frame = Frame((0.0, 0.0, 30.0 * steps), np.eye(3))
    plate = Endplate(np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.5)
    return Neighbour(level_id, steps, frame, plate, plate, heights, volume_ml)


def graded(own: BodyHeights, *neighbours: Neighbour, target_id: int = 20) -> tuple[Heights, Fracture]:
    return grade_fracture(own, expected_heights(own, target_id, neighbours))


class TestFracture:
    whole = BodyHeights(22.0, 21.0, 23.0, 30.0)

    def test_grades_begin_at_20_25_and_40_percent(self) -> None:
        assert [genant_grade(x) for x in (0, 19.9, 20, 24.9, 25, 39.9, 40, 90)] == [0, 0, 1, 1, 2, 2, 3, 3]

    @pytest.mark.parametrize(
        ("heights", "shape", "grade"),
        [
            (BodyHeights(15.0, 18.0, 23.0, 30), "wedge", 2),
            (BodyHeights(21.0, 12.0, 22.5, 30), "biconcave", 3),
            (BodyHeights(12.0, 11.5, 15.0, 30), "crush", 3),
            (BodyHeights(21.5, 20.0, 23.0, 30), "none", 0),
        ],
    )
    def test_the_shape_follows_the_column_that_lost_most(self, heights: BodyHeights, shape: str, grade: int) -> None:
        found, fracture = graded(heights, neighbour(19, 1, self.whole), neighbour(21, -1, self.whole))
        assert (fracture.type, fracture.genant_grade) == (shape, grade)
        assert found.losses_percent is not None
        assert found.loss_percent == max(0.0, *found.losses_percent)

    def test_a_crush_is_seen_only_against_neighbours(self) -> None:
        crushed = BodyHeights(12.0, 12.0, 12.5, 30)
        alone, fracture = graded(crushed)
        assert alone.reference_source == "own posterior height"
        assert fracture.type == "none"
        beside, fracture = graded(crushed, neighbour(19, 1, self.whole))
        assert beside.loss_percent == pytest.approx(100 * (1 - 12.5 / 23), abs=4)
        assert fracture.type == "crush"

    def test_a_deformed_neighbour_is_no_reference(self) -> None:
        flat = neighbour(19, 1, BodyHeights(10.0, 15.0, 22.0, 30))
        heights, _ = graded(self.whole, flat, neighbour(21, -1, self.whole))
        assert "L2" in heights.reference_source
        assert "T12" not in heights.reference_source

    def test_a_taller_body_has_lost_nothing(self) -> None:
        heights, _ = graded(BodyHeights(25, 25, 25, 30), neighbour(19, 1, self.whole))
        assert heights.loss_percent == 0.0

    def test_the_reference_is_interpolated_by_levels(self) -> None:
        above, below = BodyHeights(20, 20, 20, 30), BodyHeights(26, 26, 26, 30)
        expected = expected_heights(self.whole, 20, (neighbour(18, 2, above), neighbour(21, -1, below)))
        assert expected.heights_mm.tolist() == pytest.approx([24.0, 24.0, 24.0])
        assert expected.origin == "T11 and L2"


class TestSixPoints:
    frame = Frame((3.0, -80.0, 40.0), Rotation.from_euler("xyz", [20, -8, 5], degrees=True).as_matrix())
    points = ((0, -14, 8), (0, -14, -9), (0, 0, 10), (0, 0, -9), (0, 14, 12), (0, 14, -12))

    def test_heights_are_taken_along_w_of_a_turned_frame(self) -> None:
        found = heights_from_points(self.frame.to_world(self.points), self.frame)
        assert found.values_mm.tolist() == pytest.approx([17.0, 19.0, 24.0])

    def test_points_upside_down_or_missing_are_refused(self) -> None:
        swapped = np.array(self.points, dtype=float)[[1, 0, 2, 3, 4, 5]]
        with pytest.raises(AnatomyError, match=r"anterior height is -17\.0 mm") as refusal:
            heights_from_points(self.frame.to_world(swapped), self.frame)
        assert refusal.value.code == "height_points_invalid"
        with pytest.raises(AnatomyError, match="six points"):
            heights_from_points(np.zeros((5, 3)), self.frame)


class TestBorrowedAxis:
    frame = Frame((0.0, 0.0, 0.0), np.eye(3))

    @staticmethod
    def lean(degrees: float) -> np.ndarray:
        return np.array([0.0, np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])

    def test_a_body_as_wedged_as_expected_keeps_its_own_axis(self) -> None:
        hints = AxisHints(self.lean(6.0), 4.0)
        chosen = choose_axis(self.frame, self.lean(-3.0), self.lean(3.0), 5.0, hints)
        assert chosen.source == "own end plates"
        assert not chosen.caution
        assert np.allclose(chosen.w_lps, self.frame.w)

    @pytest.mark.parametrize("neighbours_deg", [10.0, 12.0, None])
    @pytest.mark.parametrize("wall_deg", [9.0, None])
    def test_a_wedge_by_its_superior_plate_is_read_off_the_rest(
        self, neighbours_deg: float | None, wall_deg: float | None
    ) -> None:
        # true axis 10 degrees behind the mean normal; the superior plate fell forward by 20
        hints = AxisHints(None if neighbours_deg is None else self.lean(neighbours_deg), 3.0)
        chosen = choose_axis(self.frame, self.lean(-11.5), self.lean(11.5), wall_deg, hints)
        assert np.degrees(np.arctan2(chosen.w_lps[1], chosen.w_lps[2])) == pytest.approx(10.0, abs=2.0)
        assert chosen.source in {"lower end plate", "neighbours"}
        assert "turned by" in chosen.caution

    def test_neighbours_that_followed_a_failed_plate_are_outvoted(self) -> None:
        hints = AxisHints(self.lean(0.0), 3.0)
        chosen = choose_axis(self.frame, self.lean(-11.5), self.lean(11.5), 10.0, hints)
        assert np.degrees(np.arctan2(chosen.w_lps[1], chosen.w_lps[2])) == pytest.approx(10.0, abs=2.5)

    def test_plates_that_failed_alike_need_no_turn(self) -> None:
        chosen = choose_axis(self.frame, self.lean(-9.0), self.lean(9.0), 0.3, AxisHints(self.lean(-0.2), 3.0))
        assert chosen.source == "own end plates"


class TestDensity:
    grid = Grid((60, 60, 60), (0.0, 0.0, 0.0), (0.5, 0.5, 0.5))

    def block(self, hu: float, gas_half_mm: float = 0.0) -> tuple[Volume, np.ndarray]:
        p = self.grid.points_lps() - 14.75
        body = np.abs(p).max(axis=-1) < 12.0
        array = np.where(body, hu, 40.0)
        gas = (np.abs(p[..., 2]) < gas_half_mm) & (np.abs(p[..., :2]).max(axis=-1) < 5.0)
        array[gas] = -700.0
        return Volume(ndi.gaussian_filter(array, 0.8).astype(np.float32), self.grid), body

    def test_a_blurred_gas_cleft_has_its_true_volume(self) -> None:
        ct, body = self.block(120.0, gas_half_mm=1.5)
        cleft, gas = find_cleft(ct, body)
        assert cleft.volume_ml == pytest.approx(0.3, rel=0.12)
        assert cleft.center_lps == pytest.approx([14.75] * 3, abs=0.2)
        assert trabecular_hu(ct, body, gas).median_hu == pytest.approx(120.0, abs=2.0)

    def test_marrow_alone_holds_no_cleft(self) -> None:
        ct, body = self.block(20.0)
        cleft, gas = find_cleft(ct, body)
        assert cleft.volume_ml == 0.0
        assert cleft.center_lps is None
        assert not gas.any()

    def test_hu_along_a_path_follows_the_scan(self) -> None:
        z = self.grid.points_lps()[..., 2]
        ramp = Volume((100.0 + 10.0 * z).astype(np.float32), self.grid)
        path = hu_along(ramp, (10.0, 10.0, 5.0), (10.0, 10.0, 15.0), radius_mm=1.5)
        assert path.depth_mm[[0, -1]].tolist() == [0.0, 10.0]
        assert path.hu == pytest.approx(150.0 + 10.0 * path.depth_mm, abs=1e-3)
        assert path.mean_hu == pytest.approx(200.0, abs=1e-3)
        with pytest.raises(GeometryError) as refusal:
            hu_along(ramp, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
        assert refusal.value.code == "path_invalid"


class TestBulge:
    u, v, w = np.arange(-20.0, 20.5, 0.5), np.arange(-10.0, 35.5, 0.5), np.arange(-14.0, 14.5, 0.5)

    def wall(self, bulge_mm: float, corner_mm: float = 0.0, hollow_mm: float = 0.0) -> float:
        near = np.maximum(1.0 - (self.w[:, None] / 7.0) ** 2, 0.0) * np.maximum(1 - (self.u[None] / 9.0) ** 2, 0.0)
        edge = 14.0 + bulge_mm * near - hollow_mm * near + corner_mm * (self.w[:, None] > 4)
        share = np.clip(0.5 + (edge[:, None, :] - self.v[None, :, None]) / 0.5, 0.0, 1.0)
        hole = (share < 0.5) & (self.v < 30.0)[None, :, None] & (np.abs(self.u) < 10)[None, None]
        curve = np.tile([0.0, 22.0], (len(self.w), 1))
        found = measure_bulge(share.astype(np.float32), hole, curve, (self.u, self.v, self.w), (-12.0, 12.0))
        assert found is not None
        assert found.canal_depth_mm == pytest.approx(15.5, abs=1.0)
        return found.bulge_mm

    def test_straight_and_hollow_walls_do_not_bulge(self) -> None:
        assert self.wall(0.0) == pytest.approx(0.0, abs=0.05)
        assert self.wall(0.0, hollow_mm=1.5) == pytest.approx(0.0, abs=0.05)

    def test_a_bulge_and_a_pushed_out_corner_are_measured(self) -> None:
        assert self.wall(4.0) == pytest.approx(4.0, abs=0.5)
        assert self.wall(0.0, corner_mm=4.0) == pytest.approx(4.0, abs=0.5)


def test_a_vertebra_is_compared_with_what_its_neighbours_let_expect() -> None:
    low, high = BodyHeights(20.0, 20.0, 21.0, 30.0), BodyHeights(26.0, 26.0, 27.0, 32.0)
    above, below = neighbour(19, 1, low, 32.0), neighbour(22, -2, high, 54.0)
    own = BodyHeights(11.0, 18.0, 23.0, 31.0)
    expected = expected_heights(own, 20, (above, below))
    found = neighbour_ratios(40.0, own, expected, (above, below))
    assert found["volume_to_neighbours"] == pytest.approx(40.0 / (32.0 ** (2 / 3) * 54.0 ** (1 / 3)))
    assert found["height_to_neighbours"] == pytest.approx(1.0)  # the posterior height: a third of the way, 23
    one_sided = neighbour_ratios(64.0, own, expected_heights(own, 20, (above,)), (above,))
    assert one_sided["volume_to_neighbours"] == pytest.approx(2.0)
    deformed = neighbour(19, 1, BodyHeights(10.0, 18.0, 21.0, 30.0), 32.0)
    assert neighbour_ratios(40.0, own, expected, (deformed,)) == {}


def test_kyphosis_is_the_angle_between_the_end_plates() -> None:
    frame = Frame((0.0, 0.0, 0.0), np.eye(3))
    tilt = {a: np.array([0.0, np.sin(np.radians(a)), np.cos(np.radians(a))]) for a in (-12.0, -6.0, 6.0, 9.0)}
    up, down = Endplate(np.zeros(3), tilt[-6.0], 0.5), Endplate(np.zeros(3), tilt[6.0], 0.5)
    whole = BodyHeights(22.0, 21.0, 23.0, 30.0)
    above = dataclasses.replace(neighbour(19, 1, whole), superior=Endplate(np.zeros(3), tilt[-12.0], 0.5))
    below = dataclasses.replace(neighbour(21, -1, whole), inferior=Endplate(np.zeros(3), tilt[9.0], 0.5))
    found = measure_kyphosis(frame, up, down, (above, below))
    assert found.wedge_deg == pytest.approx(12.0)
    assert found.local_deg == pytest.approx(21.0)
    assert found.local_levels == "T12 to L2"
    assert measure_kyphosis(frame, up, down, (above,)).local_deg is None


def test_only_the_sides_that_cut_bone_are_told() -> None:
    array = np.zeros((20, 20, 20), dtype=np.uint8)
    array[0:8, 5:15, 5:15] = 20
    grid = Grid(array.shape, (0, 0, 0), (2.0, 1.0, 1.0))
    assert cut_sides(LabelMap(array, grid), 20, grid) == {"inferior": 100.0}
    array = np.zeros((20, 20, 20), dtype=np.uint8)
    array[2:8, 5:15, 5:15] = 20
    assert cut_sides(LabelMap(array, grid), 20, grid) == {}
    small = grid.cropped((0, 0, 0), (20, 20, 12))
    assert set(cut_sides(LabelMap(array, grid), 20, small)) == {"left"}


def test_every_doubt_lowers_the_score_and_is_named() -> None:
    pedicle = Pedicle(Side.LEFT, np.zeros(3), np.array([0.0, -1.0, 0.0]), 8.0, 15.0, np.zeros((4, 3)))
    good: dict[str, object] = {
        "plane_rms_mm": (0.6, 0.7),
        "symmetry_mm": 0.15,
        "ring_closing_mm": 0.0,
        "pedicles": {Side.LEFT: pedicle, Side.RIGHT: pedicle},
        "pedicle_areas_mm2": {Side.LEFT: 90.0, Side.RIGHT: 85.0},
        "heights": Heights(22, 21, 23, 23, "L2", 4),
        "body_width_mm": 42.0,
        "body_volume_ml": 30.0,
        "cut_sides": (),
        "to_neighbours": {},
    }
    assert rate_vertebra(**good).score == 1.0  # type: ignore[arg-type]
    for name, value, word in (
        ("plane_rms_mm", (0.6, 2.1), "inferior end plate"),
        ("symmetry_mm", 0.45, "symmetry"),
        ("ring_closing_mm", 3.0, "canal"),
        ("pedicle_areas_mm2", {Side.LEFT: 90.0, Side.RIGHT: 30.0}, "pedicles"),
        ("heights", Heights(6, 21, 23, 23, "L2", 4), "anterior height"),
        ("body_width_mm", 90.0, "body width"),
        ("to_neighbours", {"volume_to_neighbours": 1.7}, "volume of the mask is 1.70"),
        ("to_neighbours", {"height_to_neighbours": 0.3}, "greatest height"),
        ("cut_sides", ("inferior",), "inferior"),
    ):
        rated = rate_vertebra(**{**good, name: value})  # type: ignore[arg-type]
        assert rated.score < 1.0
        assert len(rated.check) == 1
        assert rated.check[0].startswith("check")
        assert word in rated.check[0]
