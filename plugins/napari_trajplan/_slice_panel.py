"""The linked views: three slices that meet in one crosshair, two planes along the chosen path, one down its barrel."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_trajplan import _views
from napari_trajplan._below import in_sight
from napari_trajplan._coords import to_lps, to_napari
from napari_trajplan._planner import Planner
from napari_trajplan._slice_drawing import drawing
from napari_trajplan._slice_framing import Framing
from napari_trajplan._slice_grid import SliceGrid
from napari_trajplan._slice_planes import SLICES, Look, View, on_plane, stepped
from napari_trajplan._slice_scene import Cut, cut
from napari_trajplan._slice_view import SliceView
from napari_trajplan._tell import Telling
from trajplan.edited import Ends
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.reading.scan import Scan
from trajplan.reporting.reslice import PartMasks, Plane

_REST_MS = 120
_DRAG_MS = 10
_TURN_S = 0.03
_ROUNDING_MM = 1e-6


class SlicePanel(SliceGrid):
    """Six views of one scan. The crosshair is napari's own (`viewer.dims`), the grey window that of its layer."""

    def __init__(self, planner: Planner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trajplan slices")
        self._planner, self._viewer, self._paths = planner, planner.viewer, planner.paths
        self._scan: Scan | None = None
        self._layer: Any = None
        self._of: Any = None
        self._masks: PartMasks | None = None
        self._middle_lps = self._focus_lps = np.zeros(3)
        self._framing = Framing()
        self._cuts: dict[View, Cut] = {}
        # in the order they became due: each gets its turn however fast a hand moves
        self._due: dict[View, None] = {}
        self._moving = False
        self.side.activated.connect(self._choose)
        self.whole_button.clicked.connect(lambda _on=False: self.whole())
        self.arranged.connect(self.redraw)
        for view, widget in self.views.items():
            self._listen(view, widget)
        self._next, self._rest = QTimer(self), QTimer(self)
        self._next.setSingleShot(True)
        self._next.timeout.connect(self._draw_next)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._come_to_rest)
        planner.changed.connect(self._take)
        planner.planned.connect(self._take_plan)
        self._paths.dragged.connect(self._path_moved)
        self._paths.advanced.connect(self._advanced)
        self._paths.answered.connect(self._graded)
        self._paths.closing.connect(self.release)
        self._viewer.dims.events.point.connect(self._crosshair_moved)
        self._take()
        self._take_plan(planner.session.plan)

    def _listen(self, view: View, widget: SliceView) -> None:
        widget.pointed.connect(lambda xy: self._pointed(view, xy))
        widget.dragged.connect(lambda name, xy, final: self._dragged(view, name, xy, final))
        widget.windowed.connect(self._windowed)
        widget.shifted.connect(lambda xy: self._shifted(view, xy))
        widget.scrolled.connect(lambda notches: self._scrolled(view, notches))
        widget.magnified.connect(lambda factor: self._magnified(view, factor))
        widget.nudged.connect(lambda xy: self._nudged(view, xy))
        widget.resized.connect(lambda: self.redraw(view))

    # what is looked at ----------------------------------------------------------------------------------------------

    def _take(self) -> None:
        """The scan, its layer and the parts as the session has them now."""
        scan, target = self._planner.session.inputs.scan, self._planner.session.target
        if scan is not self._scan:
            self._forget_layer()
            self._scan = scan
            self._layer = None if scan is None else next(
                (one for one in self._planner.choices.images() if one.metadata["trajplan"]["scan"] is scan), None
            )  # fmt: skip
            if self._layer is not None:
                self._layer.events.contrast_limits.connect(self._window_changed)
            self._middle_lps = np.zeros(3) if scan is None else scan.volume.grid.center_lps
            self.whole()
        vertebra = None if target is None or scan is None else target.vertebra
        if vertebra is not self._of:
            self._of, self._masks = vertebra, None
            self._cuts.clear()
            if vertebra is not None:
                self._middle_lps = _views.middle_of(vertebra)
            self.redraw()

    def _take_plan(self, _result: Any) -> None:
        self._framing.let_go()
        self.side.clear()
        for side in self._paths.shafts.sides:
            self.side.addItem(f"{side.value} path", side)
        self.side.setCurrentIndex(max(0, self.side.findData(self._paths.chosen)) if self.side.count() else -1)
        self._take()
        self.redraw()

    def _choose(self, _index: int) -> None:
        side = self.chosen
        if side is not None:  # the slider of the insertion goes with it
            self._paths.advance(side, self._paths.shafts.depth_mm(side))

    @property
    def chosen(self) -> Side | None:
        """The side whose path is looked along."""
        side = self.side.currentData()
        return None if side is None else Side(side)  # Qt keeps the word, not the member

    def look(self) -> Look:
        """Crosshair, middle, path and depth as they are now."""
        focus, side = self._focus(), self.chosen
        path = None if side is None else self._paths.shafts.path(side)
        if side is None or path is None:
            return Look(focus, self._middle_lps)
        return Look(focus, self._middle_lps, path.capsule, self._paths.shafts.depth_mm(side))

    def _focus(self) -> FloatArray:
        """The crosshair: where it was put, on every axis on which napari, which rounds to its steps, is still there."""
        dims = self._viewer.dims
        if dims.ndim < 3:  # the last layers are just going
            return np.asarray(self._focus_lps)
        point = to_lps(np.array(dims.point)[-3:])
        half_mm = to_lps([axis.step / 2 for axis in dims.range][-3:])
        still = np.abs(point - self._focus_lps) <= half_mm + _ROUNDING_MM
        return np.where(still, self._focus_lps, point)

    @property
    def window_hu(self) -> tuple[float, float]:
        """The grey window of the scan's layer."""
        low, high = _views.WINDOWS_HU["bone"] if self._layer is None else self._layer.contrast_limits
        return float(low), float(high)

    def plane(self, view: View) -> Plane | None:
        """Where a view lies now, as large as it is on the screen."""
        widget = self.views[view]
        size = widget.width(), widget.height()
        widget.mm_per_px = self._framing.mm_per_px(view, size)
        return self._framing.plane(view, self.look(), size, coarse=self._moving)

    # drawing, a few views each time the event loop comes round ------------------------------------------------------

    def redraw(self, *views: View) -> None:
        """Draw views (all, if none is named) as soon as there is time; a hidden panel costs nothing."""
        self._due |= dict.fromkeys(views or View)
        if in_sight(self) and not self._next.isActive():
            self._next.start(_DRAG_MS if self._moving else 0)

    def showEvent(self, event: Any) -> None:  # Qt's name
        """What was left while the panel was hidden."""
        super().showEvent(event)
        self.redraw()

    def _draw_next(self) -> None:
        """Draw what is due for as long as the window may wait: Qt shows all of it at once, and that takes longest."""
        end = time.perf_counter() + _TURN_S
        while self._due and time.perf_counter() < end:
            view = next(iter(self._due))
            del self._due[view]
            if self.views[view].isVisible():
                self._draw(view)
        if self._due:
            self._next.start(0)

    def _draw(self, view: View) -> None:
        widget, plane = self.views[view], self.plane(view)
        if self._scan is None or plane is None:
            self._cuts.pop(view, None)
            widget.show_picture(None)
            return
        known = self._cuts.get(view)
        if known is None or not _same(known.plane, plane):
            if self._masks is None and self._of is not None:
                self._masks = PartMasks(self._of.parts)
            known = self._cuts[view] = cut(self._scan.volume, self._masks, plane)
        margin = self._planner.session.inputs.settings.wall_margin_mm
        widget.show_picture(
            drawing(view, known, self.look(), self.window_hu, self._paths.shafts, self._paths.live, self.chosen, margin)
        )

    def _come_to_rest(self) -> None:
        self._moving = False
        self.redraw()

    # what has changed -----------------------------------------------------------------------------------------------

    def _crosshair_moved(self, _event: Any = None) -> None:
        focus = self.look().focus_lps
        for view in SLICES:
            plane = self.plane(view)
            if plane is not None and not _inside(plane, focus):
                self._middle_lps = focus
                self._framing.center()
        self.redraw(*SLICES)

    def _window_changed(self, _event: Any = None) -> None:
        self.redraw()

    def _path_moved(self, side: Side, _ends: Ends) -> None:
        if self.side.findData(side) >= 0:
            self.side.setCurrentIndex(self.side.findData(side))
        self._moving = True
        self._rest.start()
        self.redraw()

    def _advanced(self, side: Side, _depth_mm: float) -> None:
        self._path_moved(side, (np.zeros(3), np.zeros(3)))

    def _graded(self, _answer: Any) -> None:
        self.redraw(View.BARREL)

    # what the mouse asks for ----------------------------------------------------------------------------------------

    def _pointed(self, view: View, xy: FloatArray) -> None:
        plane = self.plane(view)
        if plane is None or self._scan is None:
            return
        point = on_plane(plane, xy)
        if self._planner.choices.picking:
            self._planner.choices.choose_at(point)
            return
        self.go_to(point)

    def go_to(self, point_lps: FloatArray) -> None:
        """Put the crosshair, and with it napari's own slices, somewhere in the scan."""
        if self._scan is None:
            return
        corners = self._scan.volume.grid.corners_lps()
        self._focus_lps = np.clip(point_lps, corners.min(axis=0), corners.max(axis=0))
        self._viewer.dims.set_point((0, 1, 2), tuple(float(v) for v in to_napari(self._focus_lps)))
        self._crosshair_moved()

    def _scrolled(self, view: View, notches: float) -> None:
        if self._scan is None:
            return
        side = self.chosen
        if view in SLICES:
            axis = {View.AXIAL: 2, View.SAGITTAL: 0, View.CORONAL: 1}[view]
            self.go_to(stepped(view, self.look(), notches * float(self._scan.volume.grid.spacing_xyz[axis])))
        elif side is not None:
            shafts = self._paths.shafts
            path = shafts.path(side)
            if path is not None:
                self._paths.advance(side, float(np.clip(shafts.depth_mm(side) + notches, 0.0, path.capsule.length_mm)))

    def _nudged(self, view: View, xy: FloatArray) -> None:
        plane = self.plane(view)
        if plane is not None:
            self.go_to(self.look().focus_lps + xy[0] * plane.right_lps + xy[1] * plane.down_lps)

    def _windowed(self, dx: float, dy: float) -> None:
        if self._layer is None:
            return
        low, high = self.window_hu
        width, level = max(10.0, (high - low) * 1.01**dx), (low + high) / 2 + dy * (high - low) / 300
        self._layer.contrast_limits = (level - width / 2, level + width / 2)

    def _shifted(self, view: View, xy: FloatArray) -> None:
        self._framing.shift(view, xy)
        self.redraw(view)

    def _magnified(self, view: View, factor: float) -> None:
        self.redraw(*self._framing.magnify(view, factor))

    def whole(self) -> None:
        """All views at their first size and place."""
        self._framing.whole()
        self.redraw()

    def _dragged(self, view: View, name: str, xy: FloatArray, final: bool) -> None:
        side, end = Side(name.split()[0]), int(name.split()[1])
        plane, ends = self.plane(view), self._paths.shafts.ends(side)
        if plane is None or ends is None:
            return
        self._framing.hold(view, plane)
        off = float(plane.project(ends[end])[2]) * np.cross(plane.right_lps, plane.down_lps)
        moved = [np.array(one) for one in ends]
        moved[end] = on_plane(plane, xy) + off
        with Telling(self._planner.told):
            self._paths.drag(side, (moved[0], moved[1]), final=final)
        if final:
            self._framing.let_go()

    # upkeep ---------------------------------------------------------------------------------------------------------

    def _forget_layer(self) -> None:
        if self._layer is not None:
            self._layer.events.contrast_limits.disconnect(self._window_changed)
        self._layer = None
        self._cuts.clear()

    def release(self) -> None:
        """Let go of the viewer: the window closes."""
        self._next.stop()
        self._rest.stop()
        self._forget_layer()
        self._viewer.dims.events.point.disconnect(self._crosshair_moved)
        self._scan, self._masks, self._of = None, None, None


def _same(a: Plane, b: Plane) -> bool:
    return (
        a.extent == b.extent
        and a.step_mm == b.step_mm
        and bool(np.array_equal([a.center_lps, a.right_lps, a.down_lps], [b.center_lps, b.right_lps, b.down_lps]))
    )


def _inside(plane: Plane, point_lps: FloatArray) -> bool:
    x, y, _ = plane.project(point_lps)
    return bool(abs(x) <= plane.half_width_mm and abs(y) <= plane.half_height_mm)
