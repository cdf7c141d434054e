"""One view of the fluoroscopy panel: picture, buttons of the named views, and sliders of the two C-arm angles."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from napari_trajplan._shown import Handle
from napari_trajplan._tell import Telling
from napari_trajplan._xray_develop import EXPOSED, FULL, PREVIEW, Developed, develop
from napari_trajplan._xray_live import LiveXray
from napari_trajplan._xray_overlays import Overlays
from napari_trajplan._xray_view import Drawing, XrayView
from trajplan.case import CaseResult
from trajplan.errors import TrajplanError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import edge_letters
from trajplan.fluoroscopy.lines import Line
from trajplan.fluoroscopy.overlay import scale_bar
from trajplan.fluoroscopy.tools import steel_tool
from trajplan.fluoroscopy.views import en_face
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.reporting.style import SIDE_COLOR

if TYPE_CHECKING:
    from napari_trajplan._xray_panel import XrayPanel

NAMES = {"ap": "True AP", "lateral": "True lateral", "en_face_left": "En face L", "en_face_right": "En face R"}
_TIPS = {
    "ap": "True AP: end plates as lines, pedicles at one distance from the midline",
    "lateral": "True lateral: end plates as lines, pedicles over one another",
    "en_face_left": "Down the left path as it is now: the needle is a dot",
    "en_face_right": "Down the right path as it is now: the needle is a dot",
}
SETTLE_MS = 100
_ZOOM = 1.7
_SAME_DEG = 0.01
_LOOK = (
    "QPushButton { padding: 3px; min-width: 10px; font-size: 11px; }"
    "QPushButton:checked { background: #0072B2; color: white; }"
)


class Screen(QWidget):
    """One C-arm: picture, buttons of its named views, *Follow path*, and sliders of its two angles."""

    def __init__(self, panel: XrayPanel, name: str) -> None:
        super().__init__()
        self._panel, self.name = panel, name
        self.view = XrayView(NAMES[name])
        self.view.dragged.connect(self._dragged)
        self.live: LiveXray | None = None
        self.followed: Side | None = None
        self.buttons = {key: _button(NAMES[key], tip) for key, tip in _TIPS.items()}
        for key, button in self.buttons.items():
            button.clicked.connect(lambda _on=False, key=key: self.aim_at(key))
        self.follow_button = _button("Follow path", "Stay en face to the path that is dragged: the needle stays a dot")
        self.follow_button.setCheckable(True)
        self.follow_button.toggled.connect(self._follow)
        self.primary = _slider(-110, 110, "LAO (+) / RAO (-), degrees, of the detector, relative to the patient")
        self.secondary = _slider(-45, 45, "Cranial (+) / caudal (-) tilt of the detector, degrees")
        for slider in (self.primary, self.secondary):
            slider.valueChanged.connect(self._turned)
        self._overlays = Overlays(None)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.settle)
        self._quiet = False
        row, sliders = QHBoxLayout(), QHBoxLayout()
        row.setSpacing(2)
        for button in self.buttons.values():
            row.addWidget(button, 1)
        for part, share in ((self.primary, 2), (self.secondary, 1), (self.follow_button, 0)):
            sliders.addWidget(part, share)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.view, 1)
        column.addLayout(row)
        column.addLayout(sliders)

    def clear(self) -> None:
        """Nothing to show."""
        self._settle.stop()
        self.live, self.followed = None, None
        self._overlays = Overlays(None)
        self.follow_button.setChecked(False)
        self.view.set_picture(None)
        self.view.set_drawing(Drawing())

    def use(self, result: CaseResult, lines: tuple[Line, ...]) -> None:
        """The views of a plan, beginning with this screen's own; `lines` are those of its vertebra."""
        self.clear()
        self._overlays = Overlays(result.vertebra, lines)
        for key, button in self.buttons.items():
            button.setEnabled(key in result.views)
        drr, window = result.drrs[self.name], self._panel.window_of(self.name)
        self.show_anatomy(
            develop(self._panel.prepared, drr.carm, FULL) if window is None else Developed(drr, window, FULL)
        )
        if result.vertebra is not None:
            self.view.center_on(drr.carm.project(result.vertebra.frame.origin_lps), _ZOOM)
        self.settle()

    # where the C-arm stands -----------------------------------------------------------------------------------------

    def aim_at(self, key: str) -> None:
        """Take the C-arm to a named view; en face to the path as it is now."""
        result = self._panel.result
        if result is None or key not in result.views:
            return
        if key.startswith("en_face"):
            self.followed = Side(key.removeprefix("en_face_"))
            carm = self._en_face(self.followed)
        else:
            self.follow_button.setChecked(False)
            carm = result.views[key].carm
        if carm is None:
            return
        ready, window = result.drrs.get(key), self._panel.window_of(key)
        if ready is not None and window is not None and _same(ready.carm, carm):
            self.show_anatomy(Developed(ready, window, FULL))
        else:
            self._aim(carm)
        self._settle.start()

    def _follow(self, on: bool) -> None:
        sides = self._panel.shafts.sides
        if on and sides:
            side = self.followed if self.followed in sides else sides[0]
            self.aim_at(f"en_face_{side.value}")

    def path_moved(self, side: Side) -> None:
        """Go with a path, if this C-arm follows; not while it is dragged in this very picture."""
        if self.follow_button.isChecked() and not self.view.dragging:
            self.followed = side
            carm = self._en_face(side)
            if carm is not None and self.live is not None and not _same(carm, self.live.carm):
                self._aim(carm)
                self._settle.start()
                return
        self.draw()

    def _en_face(self, side: Side) -> CArm | None:
        path, live = self._panel.shafts.path(side), self.live
        if path is None or live is None:
            return None
        with Telling(self._panel.told):
            return en_face(path.direction_lps, path.target_lps, live.carm).carm
        return None

    def _turned(self) -> None:
        if self._quiet or self.live is None:
            return
        self.follow_button.setChecked(False)
        self._aim(
            dataclasses.replace(
                self.live.carm, primary_deg=float(self.primary.value()), secondary_deg=float(self.secondary.value())
            )
        )
        self._settle.start()

    def _aim(self, carm: CArm) -> None:
        """A coarse picture from there, at once."""
        with Telling(self._panel.told):
            self.show_anatomy(develop(self._panel.prepared, carm, PREVIEW))

    def settle(self) -> None:
        """What is to be seen once the C-arm stands still; it is made beside the window."""
        if self.live is None:
            return
        wanted = EXPOSED if self._panel.noise.isChecked() else FULL
        if self.live.kind != wanted:
            prepared, carm = self._panel.prepared, self.live.carm
            self._panel.newest.ask(self.name, lambda: develop(prepared, carm, wanted))

    def developed(self, value: Developed | Exception) -> None:
        """A picture is ready; the C-arm may have gone on since."""
        if isinstance(value, TrajplanError):
            self._panel.told.emit(str(value))
        elif isinstance(value, Exception):
            raise value
        elif self.live is not None and value.drr.carm is self.live.carm:
            self.show_anatomy(value)

    # what is shown --------------------------------------------------------------------------------------------------

    def show_anatomy(self, developed: Developed) -> None:
        """Another anatomy under the same paths."""
        if self.live is None:
            self.live = LiveXray(developed)
        else:
            self.live.show(developed)
        carm = self.live.carm
        self._quiet = True
        self.primary.setValue(round(carm.primary_deg))
        self.secondary.setValue(round(carm.secondary_deg))
        self._quiet = False
        self.draw()

    def draw(self) -> None:
        """Picture, outlines and handles with the paths as they are now."""
        if self.live is None:
            return
        carm, shafts, on = self.live.carm, self._panel.shafts, self._panel.on()
        needles = map(shafts.shaft, shafts.sides) if "needle" in on else ()
        self.live.draw([steel_tool(one) for one in needles if one is not None])
        self.view.set_picture(self.live.picture)
        self.view.mm_per_px = carm.pixel_mm / carm.magnification
        handles = []
        for side in shafts.sides:
            for end, point in enumerate(shafts.ends(side) or ()):
                color = "#FFFFFF" if end == 0 else SIDE_COLOR[side]
                handles.append(Handle(f"{side.value} {end}", carm.project(point), color))
        title = f"{self.view_name()}  {angle_words(carm)}"
        strokes = self._overlays.strokes(carm, shafts, on)
        self.view.set_drawing(Drawing(strokes, handles, edge_letters(carm), title, self._note(), scale_bar(carm)))

    def view_name(self) -> str:
        """Of the named view the C-arm stands in; ``Free`` where it stands in none."""
        result = self._panel.result
        if result is None or self.live is None:
            return ""
        here = self.live.carm
        for side in self._panel.shafts.sides:
            carm = self._en_face(side)
            if carm is not None and _same(carm, here):
                return NAMES[f"en_face_{side.value}"]
        names = (NAMES[key] for key in ("ap", "lateral") if _same(result.views[key].carm, here))
        return next(names, "Free")

    def _note(self) -> str:
        if self.live is None:
            return ""
        return {PREVIEW: "preview", EXPOSED: self.live.developed.dose}.get(self.live.kind, "")

    def _dragged(self, name: str, at_px: FloatArray, final: bool) -> None:
        if self.live is None:
            return
        side, end = Side(name.split()[0]), int(name.split()[1])
        ends = self._panel.shafts.ends(side)
        if ends is not None:
            self._panel.drag(side, end, across_beam(self.live.carm, ends[end], at_px), final)


def across_beam(carm: CArm, point_lps: FloatArray, at_px: FloatArray) -> FloatArray:
    """The point moved across the beam, at its own depth, until it is seen at a pixel (row, column)."""
    source, ray = carm.back_project(at_px)
    depth = float((point_lps - source) @ carm.beam_lps)
    return np.asarray(source + depth / float(ray @ carm.beam_lps) * ray)


def _same(a: CArm, b: CArm) -> bool:
    return abs(a.primary_deg - b.primary_deg) + abs(a.secondary_deg - b.secondary_deg) < _SAME_DEG


def _button(text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setStyleSheet(_LOOK)
    return made


def _slider(low: int, high: int, tip: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setToolTip(tip)
    slider.setAccessibleName(tip)
    return slider


def angle_words(carm: CArm) -> str:
    """DICOM positioner angles, and the magnification at the isocentre."""
    primary = _angle(carm.primary_deg, "LAO", "RAO")
    return f"{primary} {_angle(carm.secondary_deg, 'CRA', 'CAU')} ×{carm.magnification:.2f}"


def _angle(value_deg: float, positive: str, negative: str) -> str:
    return f"{abs(value_deg):.1f}° {positive if value_deg > -0.05 else negative}"
