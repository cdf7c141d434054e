"""The pieces of the measurement on closed forms: sections, planes, heights, grades, edges."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.canal import enclosed, extruded_canal, find_ring
from trajplan.anatomy.confidence import rate_vertebra
from trajplan.anatomy.endplates import robust_plane
from trajplan.anatomy.fracture import genant_grade, grade_fracture
from trajplan.anatomy.heights import BodyHeights, measure_heights
from trajplan.anatomy.scan_edge import cut_sides
from trajplan.anatomy.section import cut
from trajplan.anatomy.vertebra import Heights, Pedicle
from trajplan.geometry import Grid, LabelMap
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
    assert found.ha_mm == pytest.approx(front + 0.11 * (back - front), abs=0.4)
    assert found.hp_mm == pytest.approx(front + 0.89 * (back - front), abs=0.4)
    assert found.depth_mm == pytest.approx(32, abs=1.0)


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
        _, fracture = grade_fracture(heights, {19: self.whole, 21: self.whole})
        assert (fracture.type, fracture.genant_grade) == (shape, grade)

    def test_a_crush_is_seen_only_against_neighbours(self) -> None:
        crushed = BodyHeights(12.0, 12.0, 12.5, 30)
        alone, fracture = grade_fracture(crushed, {})
        assert alone.reference_source == "own posterior height"
        assert fracture.type == "none"
        beside, fracture = grade_fracture(crushed, {19: self.whole})
        assert beside.loss_percent == pytest.approx(100 * (1 - 12.5 / 23), abs=3)
        assert fracture.type == "crush"

    def test_a_deformed_neighbour_is_no_reference(self) -> None:
        heights, _ = grade_fracture(self.whole, {19: BodyHeights(10.0, 15.0, 22.0, 30), 21: self.whole})
        assert "L2" in heights.reference_source
        assert "T12" not in heights.reference_source

    def test_a_taller_body_has_lost_nothing(self) -> None:
        heights, _ = grade_fracture(BodyHeights(25, 25, 25, 30), {19: self.whole})
        assert heights.loss_percent == 0.0


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
    }
    assert rate_vertebra(**good).score == 1.0  # type: ignore[arg-type]
    for name, value, word in (
        ("plane_rms_mm", (0.6, 2.1), "inferior end plate"),
        ("symmetry_mm", 0.45, "symmetry"),
        ("ring_closing_mm", 3.0, "canal"),
        ("pedicle_areas_mm2", {Side.LEFT: 90.0, Side.RIGHT: 30.0}, "pedicles"),
        ("heights", Heights(6, 21, 23, 23, "L2", 4), "anterior height"),
        ("body_width_mm", 90.0, "body width"),
        ("cut_sides", ("inferior",), "inferior"),
    ):
        rated = rate_vertebra(**{**good, name: value})  # type: ignore[arg-type]
        assert rated.score < 1.0
        assert len(rated.check) == 1
        assert rated.check[0].startswith("check")
        assert word in rated.check[0]
