"""One view of the fluoroscopy panel: picture, named positions, and sliders of the two C-arm angles."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_trajplan._furniture import Handle
from napari_trajplan._xray_live import FULL, PREVIEW, LiveXray
from napari_trajplan._xray_view import Drawing, XrayView
from trajplan.anatomy.vertebra import Vertebra
from trajplan.case import CaseResult
from trajplan.errors import TrajplanError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import edge_letters
from trajplan.fluoroscopy.overlay import pedicle_outline_px, posterior_wall_px, scale_bar
from trajplan.fluoroscopy.tools import steel_tool
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.reporting.style import ORANGE, POSTERIOR_WALL, SIDE_COLOR
from trajplan.verification.landmarks import lateral_landmarks

if TYPE_CHECKING:
    from napari_trajplan._xray_panel import XrayPanel

NAMES = {"ap": "True AP", "lateral": "True lateral", "en_face_left": "En face left", "en_face_right": "En face right"}
SETTLE_MS = 150
_ZOOM = 1.7


class Screen(QWidget):
    """One view: picture, named positions, and sliders of the two C-arm angles."""

    def __init__(self, panel: XrayPanel, name: str) -> None:
        super().__init__()
        self._panel = panel
        self.view = XrayView(NAMES[name])
        self.view.dragged.connect(self._dragged)
        self.live: LiveXray | None = None
        self.positions = QComboBox()
        self.positions.setToolTip("Where the C-arm stands: a solved view of this vertebra, or angles of your own")
        self.positions.activated.connect(self._chosen)
        self.primary = _slider(-110, 110, "LAO (+) / RAO (-), degrees, of the detector, relative to the patient")
        self.secondary = _slider(-45, 45, "Cranial (+) / caudal (-) tilt of the detector, degrees")
        for slider in (self.primary, self.secondary):
            slider.valueChanged.connect(self._turned)
        self._outlined: CArm | None = None
        self._outlines: list[tuple[FloatArray, str]] = []
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.settle)
        self._quiet = False
        row, sliders = QHBoxLayout(), QHBoxLayout()
        row.addWidget(self.positions, 1)
        sliders.addWidget(self.primary, 2)
        sliders.addWidget(self.secondary, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.view, 1)
        column.addLayout(row)
        column.addLayout(sliders)

    def clear(self) -> None:
        """Nothing to show."""
        self.live = None
        self.view.set_picture(None)
        self.view.set_drawing(Drawing())
        self.positions.clear()

    def use(self, result: CaseResult, name: str) -> None:
        """The views of a plan, beginning with one of them."""
        self.positions.clear()
        for key in result.views:
            self.positions.addItem(NAMES.get(key, key), key)
        self.positions.setCurrentIndex(self.positions.findData(name))
        drr = result.drrs[name]
        self.live = LiveXray(self._panel.prepared, drr, self._panel.window_of(name))
        self._aimed()
        if result.vertebra is not None:
            self.view.set_picture(self.live.picture)
            self.view.center_on(drr.carm.project(result.vertebra.frame.origin_lps), _ZOOM)

    def _chosen(self, _index: int) -> None:
        result = self._panel.result
        key = self.positions.currentData()
        if result is None or self.live is None or key not in result.drrs:
            return
        self.live.show(result.drrs[key], self._panel.window_of(key))
        self._aimed()

    def _aimed(self) -> None:
        if self.live is None:
            return
        carm = self.live.carm
        self._quiet = True
        self.primary.setValue(round(carm.primary_deg))
        self.secondary.setValue(round(carm.secondary_deg))
        self._quiet = False
        self.draw()

    def _turned(self) -> None:
        if self._quiet or self.live is None:
            return
        self._aim(PREVIEW)
        self._settle.start()

    def settle(self) -> None:
        """Full quality, once the C-arm stands still."""
        if self.live is not None and self.live.quality != FULL:
            self._aim(FULL)

    def _aim(self, quality: str) -> None:
        if self.live is None:
            return
        carm = dataclasses.replace(
            self.live.carm, primary_deg=float(self.primary.value()), secondary_deg=float(self.secondary.value())
        )
        try:
            self.live.aim(carm, quality)
        except TrajplanError as error:
            self._panel.told.emit(str(error))
            return
        self.draw()

    def draw(self) -> None:
        """Picture, outlines and handles with the paths as they are now."""
        if self.live is None:
            return
        carm, panel = self.live.carm, self._panel
        shafts = panel.shafts
        self.live.draw([steel_tool(one) for one in map(shafts.shaft, shafts.sides) if one is not None])
        self.view.set_picture(self.live.picture)
        self.view.mm_per_px = carm.pixel_mm / carm.magnification
        lines: list[tuple[FloatArray, str]] = []
        handles: list[Handle] = []
        vertebra = None if panel.result is None else panel.result.vertebra
        if panel.overlays.isChecked() and vertebra is not None:
            if self._outlined is not carm:
                self._outlined, self._outlines = carm, _outlines(vertebra, carm)
            lines = list(self._outlines)
        for side in shafts.sides:
            entry, tip = (carm.project(end) for end in shafts.ends(side) or ())
            if panel.overlays.isChecked():
                lines.append((np.stack([entry, tip]), ORANGE))
            handles += [Handle(f"{side.value} 0", entry, "#FFFFFF"), Handle(f"{side.value} 1", tip, SIDE_COLOR[side])]
        name = self.positions.currentText() if self._at_position() else "Free"
        title = f"{name}  {angle_words(carm)}"
        self.view.set_drawing(Drawing(lines, handles, edge_letters(carm), title, scale_bar(carm)))

    def _at_position(self) -> bool:
        result, key = self._panel.result, self.positions.currentData()
        if result is None or self.live is None or key not in result.views:
            return False
        there, here = result.views[key].carm, self.live.carm
        return abs(there.primary_deg - here.primary_deg) + abs(there.secondary_deg - here.secondary_deg) < 0.01

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


def _outlines(vertebra: Vertebra, carm: CArm) -> list[tuple[FloatArray, str]]:
    found = []
    for side, pedicle in vertebra.pedicles.items():
        ring = pedicle_outline_px(pedicle, carm)
        if len(ring):
            found.append((np.concatenate([ring, ring[:1]]), SIDE_COLOR[side]))
    if len(vertebra.posterior_wall_lps) and abs(carm.primary_deg) > 60.0:
        rows = posterior_wall_px(vertebra, carm)[:, 0]
        slope, offset = lateral_landmarks(vertebra, carm).posterior_line
        ends = np.array([rows.min(), rows.max()])
        found.append((np.stack([ends, slope * ends + offset], axis=1), POSTERIOR_WALL))
    return found


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
    return f"{abs(value_deg):.1f}° {positive if value_deg >= 0 else negative}"
