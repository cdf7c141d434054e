"""The linked views lie where they say, on any storage of the scan, and hold the path they are named after. No Qt."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_trajplan._slice_drawing import letters
from napari_trajplan._slice_framing import Framing
from napari_trajplan._slice_planes import SLICES, Look, View, on_plane, plane_of, stepped
from napari_trajplan._slice_scene import cut, greys, shaft_outline
from trajplan.geometry import Capsule, Grid, Volume
from trajplan.geometry.resample import canonical

CENTER = np.array([4.0, -7.0, 120.0])
SIZE = (240, 180)
LETTERS = {
    View.AXIAL: ("R", "L", "A", "P"), View.SAGITTAL: ("A", "P", "S", "I"), View.CORONAL: ("R", "L", "S", "I"),
}  # fmt: skip


def path(convergence_deg: float = 15.0, caudal_deg: float = 8.0) -> Capsule:
    """A left path: forward, to the midline, downwards."""
    a, b = np.radians([convergence_deg, caudal_deg])
    forward = np.array([-np.sin(a) * np.cos(b), -np.cos(a) * np.cos(b), -np.sin(b)])
    return Capsule(CENTER + np.array([22.0, 25.0, 6.0]), CENTER + np.array([22.0, 25.0, 6.0]) + 45.0 * forward, 1.6)


def edges(plane):
    found = letters(plane)
    return tuple(found[edge] for edge in ("left", "right", "top", "bottom"))


@pytest.mark.parametrize("view", list(SLICES))
def test_slices_are_the_right_way_up_and_meet_in_the_crosshair(view):
    focus = CENTER + np.array([3.0, -5.0, 11.0])
    plane = Framing().plane(view, Look(focus, CENTER), SIZE)
    assert edges(plane) == LETTERS[view]
    x, y, off = plane.project(focus)
    assert abs(off) < 1e-9
    np.testing.assert_allclose(on_plane(plane, np.array([x, y])), focus, atol=1e-9)


def test_the_path_views_hold_the_whole_axis_and_stay_the_right_way_up():
    look = Look(CENTER, CENTER, path(), 20.0)
    axial = plane_of(View.ALONG_AXIAL, look, 40.0, 30.0, 0.5)
    sagittal = plane_of(View.ALONG_SAGITTAL, look, 40.0, 30.0, 0.5)
    for plane in (axial, sagittal):
        off = plane.project(np.stack([look.path.start_lps, look.path.end_lps]))[:, 2]
        np.testing.assert_allclose(off, 0.0, atol=1e-9)
    assert edges(axial)[:2] == ("R", "L")
    assert edges(axial)[2][0] == "A"
    assert edges(sagittal)[0][0] == "A"
    assert edges(sagittal)[2:] == ("S", "I")
    assert axial.right_lps.tolist() == [1.0, 0.0, 0.0], "tilted about left-right and nothing else"
    assert sagittal.down_lps.tolist() == [0.0, 0.0, -1.0], "turned about head-foot and nothing else"


@given(st.floats(-180, 180), st.floats(-89, 89))
def test_path_views_of_any_direction_are_planes_that_hold_it(convergence_deg, caudal_deg):
    look = Look(CENTER, CENTER, path(convergence_deg, caudal_deg), 20.0)
    for view in (View.ALONG_AXIAL, View.ALONG_SAGITTAL, View.BARREL):
        plane = plane_of(view, look, 40.0, 30.0, 0.5)
        axes = np.stack([plane.right_lps, plane.down_lps])
        np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-9)
        if view is View.BARREL:
            np.testing.assert_allclose(axes @ look.path.direction_lps, 0.0, atol=1e-9)
            np.testing.assert_allclose(plane.center_lps, look.path.start_lps + 20.0 * look.path.direction_lps)
        else:
            normal = np.cross(*axes)
            # an axis within three degrees of the line the view turns about is held by its middle only
            assert abs(normal @ look.path.direction_lps) < 0.051


def test_views_without_a_path_are_empty_and_slices_are_stepped_square_to_themselves():
    look = Look(CENTER, CENTER)
    assert [view for view in View if plane_of(view, look, 10, 10, 1) is None] == [v for v in View if v not in SLICES]
    for view, axis in ((View.AXIAL, 2), (View.SAGITTAL, 0), (View.CORONAL, 1)):
        moved = stepped(view, look, 2.5) - CENTER
        assert moved[axis] == 2.5
        assert np.count_nonzero(moved) == 1


def test_slices_are_magnified_together_and_shifted_each_on_its_own():
    framing, look = Framing(), Look(CENTER, CENTER)
    before = framing.plane(View.SAGITTAL, look, SIZE)
    assert framing.magnify(View.AXIAL, 0.5) == tuple(SLICES)
    framing.shift(View.AXIAL, np.array([4.0, 0.0]))
    after = framing.plane(View.SAGITTAL, look, SIZE)
    assert after.half_width_mm == pytest.approx(before.half_width_mm / 2)
    np.testing.assert_allclose(after.center_lps, before.center_lps)
    np.testing.assert_allclose(framing.plane(View.AXIAL, look, SIZE).center_lps, CENTER - np.array([4.0, 0.0, 0.0]))
    framing.whole()
    assert framing.plane(View.AXIAL, look, SIZE).half_width_mm == pytest.approx(before.half_width_mm)


STORED = [
    (flips, order, spacing)
    for flips in ((), (0,), (1, 2))
    for order in itertools.islice(itertools.permutations(range(3)), 0, 6, 2)
    for spacing in ((0.9, 0.9, 0.9), (3.0, 0.7, 0.8))
]


def turned(direction: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    about_left = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return about_left @ direction


@pytest.mark.parametrize("oblique_deg", [0.0, 14.0])
@pytest.mark.parametrize(("flips", "order", "spacing"), STORED)
def test_a_bead_is_seen_where_it_is_however_the_scan_is_stored(flips, order, spacing, oblique_deg):
    direction = np.eye(3)[:, list(order)]
    for axis in flips:
        direction[:, axis] *= -1
    direction = turned(direction, oblique_deg)
    shape = tuple(round(60.0 / s) for s in spacing)
    grid = Grid(shape, np.zeros(3), spacing, direction)
    grid = Grid(shape, CENTER - (grid.center_lps - grid.origin_lps), spacing, direction)
    bead = CENTER + np.array([7.0, -5.0, 9.0])
    distance = np.linalg.norm(grid.points_lps() - bead, axis=-1)
    hu = np.where(distance < 4.0, 1000, -200).astype(np.int16)
    volume = canonical(Volume(hu, grid))
    for view in View:
        look = Look(bead, CENTER, Capsule(bead, CENTER - np.array([2.0, 20.0, 4.0]), 1.6), 0.0)
        plane = Framing().plane(view, look, SIZE)
        seen = cut(volume, None, plane)
        x, y = plane.axes_mm()
        rows, columns = np.nonzero(seen.hu > 400)
        found = on_plane(plane, np.array([x[columns].mean(), y[rows].mean()]))
        # half a voxel of the coarsest axis: the bead itself is made of voxels
        assert np.linalg.norm(found - bead) < 0.5 * max(spacing) + 0.3, view


@given(hnp.arrays(np.float32, (5, 7), elements=st.floats(-3000, 3000, width=32)), st.floats(-500, 500))
def test_greys_rise_with_hu_and_keep_to_the_window(hu, low):
    seen = greys(hu, (low, low + 800.0))
    assert (seen[hu <= low] == 0).all()
    assert (seen[hu >= low + 800.0] >= 254).all()
    order = np.argsort(hu, axis=None)
    assert (np.diff(seen.ravel()[order].astype(int)) >= 0).all()


def test_a_trocar_is_outlined_at_its_true_width_along_and_across_and_nowhere_else():
    axis = path()
    look = Look(CENTER, CENTER, axis, 20.0)
    across = plane_of(View.BARREL, look, 15.0, 15.0, 0.2)
    ring = shaft_outline(axis, across).xy_mm
    np.testing.assert_allclose(np.linalg.norm(ring, axis=1), axis.radius_mm, atol=0.03)
    along = plane_of(View.ALONG_AXIAL, look, 40.0, 40.0, 0.2)
    outline = shaft_outline(axis, along).xy_mm
    points = np.stack([on_plane(along, xy) for xy in outline])
    np.testing.assert_allclose(axis.distance(points), 0.0, atol=0.05)
    far = plane_of(View.AXIAL, Look(CENTER + np.array([0.0, 0.0, 30.0]), CENTER), 40.0, 40.0, 0.2)
    assert shaft_outline(axis, far) is None
    square = plane_of(View.AXIAL, Look(axis.start_lps, CENTER), 60.0, 60.0, 0.2)
    section = np.stack([on_plane(square, xy) for xy in shaft_outline(axis, square).xy_mm])
    np.testing.assert_allclose(axis.distance(section), 0.0, atol=0.05)
