"""Real mouse events on napari's canvas, the X-rays and the linked views: what they move lies where it should, in mm."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from trajplan.parts import Side

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

from planned_window import SPACING_MM, canvas_of, made, on_canvas, show, wheel
from qtpy.QtCore import QPointF, Qt
from viewer_window import drag, picture_folder, settled, shot, until

from napari_trajplan import _path_layers, _views
from napari_trajplan._below import in_sight, to_front
from napari_trajplan._coords import to_lps, to_napari
from napari_trajplan._session import Step
from napari_trajplan._slice_planes import SLICES, View

pytestmark = pytest.mark.viewer
PIXEL_MM = 0.5
"""A handle is taken up somewhere on its disc, and screens have whole pixels."""


@pytest.fixture(scope="module")
def case():
    return made()


@pytest.fixture
def planned(window, case):
    """A window of 1280 x 800 with a plan in it."""
    show(*window, *case)
    return window


def moved(dock, side):
    until(lambda: side in dock.session.edits.now, "the move is kept")
    settled(dock)
    return dock.session.edits.now[side]


def path_of(dock, side):
    return next(t for t in dock.session.plan.trajectories if t.side is side)


@pytest.mark.parametrize("name", ["Axial", "Sagittal", "Coronal"])
def test_a_tip_dragged_in_a_slice_goes_with_the_mouse_and_stays_in_the_slice(planned, tmp_path, name):
    viewer, dock = planned
    path = path_of(dock, Side.LEFT)
    viewer.layers.selection.active = viewer.layers[_path_layers.name_of(Side.RIGHT, "path")]
    _views.show_view(viewer, name, path.target_lps)
    _views.look_at(viewer, path.target_lps)
    settled(dock)
    layer = viewer.layers[_path_layers.name_of(Side.LEFT, "path")]
    start = on_canvas(viewer, layer, to_napari(path.target_lps))
    pictures = [screen.view._grey.copy() for screen in dock.xrays.screens]
    drag(canvas_of(viewer), start, start + QPointF(14.0, 9.0))
    assert any(
        not np.array_equal(before, screen.view._grey)
        for before, screen in zip(pictures, dock.xrays.screens, strict=True)
    ), "the X-rays follow while the mouse is still down"
    _, tip = moved(dock, Side.LEFT)
    step = tip - path.target_lps
    mm = np.array([14.0, 9.0]) / viewer.scene.camera.zoom
    right, down, still = {
        "Axial": ((0, 1), (1, 1), 2), "Sagittal": ((1, 1), (2, -1), 0), "Coronal": ((0, 1), (2, -1), 1),
    }[name]  # fmt: skip
    assert step[right[0]] == pytest.approx(right[1] * mm[0], abs=PIXEL_MM)
    assert step[down[0]] == pytest.approx(down[1] * mm[1], abs=PIXEL_MM)
    assert step[still] == pytest.approx(0.0, abs=1e-3)
    np.testing.assert_allclose(to_lps(layer.data[1]), tip, atol=1e-3)
    assert viewer.layers.selection.active is layer, "whoever presses on a handle means it"
    shot(viewer, picture_folder(tmp_path), f"mouse-{name.lower()}")


def test_a_tip_dragged_in_3d_moves_in_the_plane_of_the_screen(planned, tmp_path):
    viewer, dock = planned
    path = path_of(dock, Side.RIGHT)
    dock.view("3D")
    settled(dock)
    layer = viewer.layers[_path_layers.name_of(Side.RIGHT, "path")]
    start = on_canvas(viewer, layer, to_napari(path.target_lps))
    stop = start + QPointF(-10.0, 12.0)
    drag(canvas_of(viewer), start, stop)
    _, tip = moved(dock, Side.RIGHT)
    seen = on_canvas(viewer, layer, to_napari(tip))
    assert np.hypot(seen.x() - stop.x(), seen.y() - stop.y()) < 3.0, "the tip is under the mouse"
    across = to_lps(np.array(viewer.scene.camera.view_direction))
    assert abs((tip - path.target_lps) @ across) < PIXEL_MM
    assert (tip - path.target_lps)[2] < -1.0, "down is towards the feet"
    assert (tip - path.target_lps)[0] > 1.0, "from behind, the patient's left is on the left"
    shot(viewer, picture_folder(tmp_path), "mouse-3d")


@pytest.mark.parametrize(("number", "end"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_either_end_dragged_in_either_xray_is_seen_where_the_mouse_let_go(planned, number, end):
    _, dock = planned
    path = path_of(dock, Side.LEFT)
    screen = dock.xrays.screens[number]
    view, carm = screen.view, screen.live.carm
    handle = next(h for h in view._drawing.handles if h.name == f"left {end}")
    start = view.to_screen(handle.at)
    if number == 1:  # on the lateral the right path lies over the left one: leave the left alone there
        other = dock.planner.paths.shafts
        other.move(Side.RIGHT, tuple(p + np.array([0.0, 0.0, -15.0]) for p in other.ends(Side.RIGHT)))
        screen.draw()
    stop = start + QPointF(4.0, -5.0)
    drag(view, start, stop)
    ends = moved(dock, Side.LEFT)
    before = (path.entry_lps, path.target_lps)[end]
    wanted = view.to_picture(stop)
    away = carm.project(ends[end]) - wanted
    if end == 1:
        assert np.abs(away).max() < 0.5
        depth = (ends[end] - before) @ carm.beam_lps
        assert abs(depth) < 1e-6, "across the beam, at its own depth"
    else:  # the entry slides along the path onto the bone
        line = carm.project(np.stack(ends))
        along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
        assert abs(away @ np.array([-along[1], along[0]])) < 1.0


def test_the_ruler_measures_at_the_isocentre_and_a_click_moves_nothing(planned):
    _, dock = planned
    screen = dock.xrays.screens[0]
    view, lengths = screen.view, []
    view.measured.connect(lengths.append)
    center = screen.live.carm.isocenter_lps
    a, b = (view.to_screen(screen.live.carm.project(center + np.array([x, 0.0, 0.0]))) for x in (-10.0, 10.0))
    drag(view, a, b, keys=Qt.KeyboardModifier.ShiftModifier)
    assert lengths[-1] == pytest.approx(20.0, abs=0.1)
    handle = view.to_screen(next(h for h in view._drawing.handles if h.name == "left 1").at)
    drag(view, handle, handle, steps=0)
    settled(dock)
    assert not dock.session.edits.now


def test_buttons_aim_follow_stays_en_face_and_switches_hide(planned, tmp_path):
    viewer, dock = planned
    screens = dock.xrays.screens
    for key in ("en_face_left", "en_face_right", "lateral", "ap"):
        screens[0].buttons[key].click()
        assert screens[0].view._drawing.title.startswith(screens[0].buttons[key].text())
    screens[1].buttons["en_face_left"].click()
    screens[1].follow_button.click()
    view = screens[0].view
    start = view.to_screen(next(h for h in view._drawing.handles if h.name == "left 1").at)
    drag(view, start, start + QPointF(7.0, 6.0))
    moved(dock, Side.LEFT)
    ends = dock.planner.paths.shafts.ends(Side.LEFT)
    beam = screens[1].live.carm.beam_lps
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    assert abs(beam @ along) == pytest.approx(1.0, abs=1e-6), "the needle stays a dot"
    until(lambda: screens[1].live.kind == "fast", "the C-arm that stands is seen in full")
    shot(viewer, picture_folder(tmp_path), "xray-follow")
    count = len(view._drawing.strokes)
    for layer, switch in dock.xrays.overlays.items():
        if switch.isChecked() and layer not in ("needle", "posterior_wall"):
            switch.click()
            assert len(view._drawing.strokes) < count, layer
            count = len(view._drawing.strokes)
    with_needle = view._grey.copy()
    dock.xrays.overlays["needle"].click()
    assert not np.array_equal(with_needle, view._grey)
    dock.xrays.noise.click()
    until(lambda: all(s.live.kind == "exposed" for s in screens), "both are exposed")
    dock.xrays.inverse.click()
    assert view.inverted
    shot(viewer, picture_folder(tmp_path), "xray-noise-inverse")
    dock.xrays.noise.click()
    until(lambda: all(s.live.kind == "fast" for s in screens), "both are quiet again")


def test_linked_views_follow_click_wheel_window_and_drag(planned, tmp_path):
    viewer, dock = planned
    panel, folder = dock.slices, picture_folder(tmp_path)
    to_front(panel)
    settled(dock)
    until(lambda: panel.isVisible() and not panel._due, "the linked views are drawn")
    shot(viewer, folder, "slices")
    # click: crosshair, napari's own slices, and the other two views meet there
    axial = panel.views[View.AXIAL]
    at = QPointF(axial.width() * 0.62, axial.height() * 0.4)
    wanted = panel.plane(View.AXIAL)
    place = wanted.center_lps + axial.to_mm(at) @ np.stack([wanted.right_lps, wanted.down_lps])
    drag(axial, at, at, steps=0)
    np.testing.assert_allclose(panel.look().focus_lps, place, atol=1e-6)
    # napari itself rounds to its slices
    np.testing.assert_allclose(to_lps(np.array(viewer.dims.point)), place, atol=SPACING_MM / 2)
    for view in SLICES:
        assert abs(panel.plane(view).project(place)[2]) < 1e-6
    # wheel: through the slices; Ctrl and wheel: nearer
    before = panel.look().focus_lps
    wheel(axial, at, 2)
    np.testing.assert_allclose(panel.look().focus_lps - before, [0.0, 0.0, 3.0], atol=1e-6)
    wide = panel.plane(View.CORONAL).half_width_mm
    wheel(axial, at, 1, Qt.KeyboardModifier.ControlModifier)
    assert panel.plane(View.CORONAL).half_width_mm == pytest.approx(0.85 * wide)
    # right and drag: the grey window of napari's layer
    layer = dock.planner.choices.images()[0]
    low, high = layer.contrast_limits
    drag(axial, at, at + QPointF(20.0, 0.0), held=Qt.MouseButton.RightButton)
    assert layer.contrast_limits[1] - layer.contrast_limits[0] > 1.1 * (high - low)
    assert np.mean(layer.contrast_limits) == pytest.approx((low + high) / 2, abs=1.0)
    # wheel over the barrel: the depth everywhere
    barrel, side = panel.views[View.BARREL], panel.chosen
    whole = dock.planner.paths.shafts.depth_mm(side)
    wheel(barrel, QPointF(30, 30), -5)
    assert dock.planner.paths.shafts.depth_mm(side) == pytest.approx(whole - 5.0)
    assert dock.depth.value() == pytest.approx(10 * (whole - 5.0), abs=1)
    path = path_of(dock, side)
    trocar = to_lps(viewer.layers[_path_layers.name_of(side, "trocar")].data[0])
    assert ((trocar - path.entry_lps) @ path.direction_lps).max() == pytest.approx(whole - 5.0, abs=0.01)
    dock.depth.setValue(dock.depth.maximum())
    assert dock.planner.paths.shafts.depth_mm(side) == pytest.approx(whole, abs=0.1)
    # drag the tip along the path's own plane
    along = panel.views[View.ALONG_SAGITTAL]
    until(lambda: not panel._due, "the linked views are drawn")
    handle = next(h for h in along.shown.handles if h.name == f"{side.value} 1")
    start = along.to_screen(handle.at)
    plane = panel.plane(View.ALONG_SAGITTAL)
    drag(along, start, start + QPointF(0.0, 5.0))
    _, tip = moved(dock, side)
    np.testing.assert_allclose(tip - path.target_lps, 5.0 * along.mm_per_px * plane.down_lps, atol=1e-6)
    until(lambda: not panel._due and not panel._moving, "the linked views are drawn")
    shot(viewer, folder, "slices-moved")
    axial.mouseDoubleClickEvent(_double())
    assert [view for view in View if panel.views[view].isVisible()] == [View.AXIAL]
    until(lambda: not panel._due, "it is drawn")
    shot(viewer, folder, "slices-alone")


def test_panels_that_were_closed_cost_nothing_and_come_back_with_the_next_plan(planned, case):
    viewer, dock = planned
    layers, planned = case
    for panel in (dock.slices, dock.xrays):
        viewer.window.remove_dock_widget(panel)
    assert not dock.slices.isVisible()
    dock.slices.go_to(planned.result.trajectories[0].target_lps)
    dock.planner._planned(planned, {step: dock.session.key(step) for step in Step})
    settled(dock)
    assert dock.xrays.isVisible()
    to_front(dock.slices)
    until(lambda: dock.slices.isVisible() and not dock.slices._due, "the slices are there again")
    assert {layer.name for layer in viewer.layers} >= {one[1]["name"] for one in layers}
    names = [layer.name for layer in viewer.layers]
    assert len(names) == len(set(names)), "a second plan uses the layers of the first"


def test_every_linked_view_gets_its_turn_however_fast_the_path_is_moved(planned, monkeypatch):
    _, dock = planned
    panel, paths = dock.slices, dock.planner.paths
    to_front(panel)
    until(lambda: in_sight(panel) and not panel._due, "the slices are in front")
    drawn, draw = Counter(), panel._draw
    monkeypatch.setattr(panel, "_draw", lambda view: (drawn.update([view]), draw(view)))
    side = next(iter(paths.live))
    entry, target = paths.shafts.ends(side)
    moves = itertools.count()

    def moved_again():
        paths.drag(side, (entry, target + np.array([0.0, 0.0, 0.1 * (next(moves) % 20)])), final=False)
        return all(drawn[view] >= 3 for view in View)

    until(moved_again, "each view was drawn while the panel found its size")
    drawn.clear()
    until(moved_again, "each view was drawn three times while the path moved on")
    assert max(drawn.values()) <= 2 + min(drawn.values())
    paths.drag(side, (entry, target), final=True)
    settled(dock)


def test_xrays_behind_another_tab_cost_nothing_and_catch_up_when_they_are_seen(planned):
    _, dock = planned
    paths, view = dock.planner.paths, dock.xrays.screens[0].view
    to_front(dock.slices)
    until(lambda: in_sight(dock.slices) and not in_sight(dock.xrays), "the slices are in front")
    side = next(iter(paths.live))
    entry, target = paths.shafts.ends(side)

    def tip():
        return next(h.at for h in view._drawing.handles if h.name == f"{side.value} 1")

    before = tip()
    paths.drag(side, (entry, target - np.array([0.0, 0.0, 4.0])), final=True)
    settled(dock)
    assert np.array_equal(tip(), before), "nobody sees it: it is not drawn"
    to_front(dock.xrays)
    until(lambda: not np.array_equal(tip(), before), "what was moved meanwhile is shown")
    carm = dock.xrays.screens[0].live.carm
    np.testing.assert_allclose(tip(), carm.project(paths.shafts.ends(side)[1]), atol=1e-6)
    paths.drag(side, (entry, target), final=True)
    settled(dock)


def _double():
    from qtpy.QtCore import QEvent
    from qtpy.QtGui import QMouseEvent

    button = Qt.MouseButton.LeftButton
    return QMouseEvent(
        QEvent.Type.MouseButtonDblClick, QPointF(5, 5), QPointF(5, 5), button, button, Qt.KeyboardModifier.NoModifier
    )
