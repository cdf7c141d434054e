"""The fluoroscopy panel: two simulated X-rays that follow the paths, with their overlays, angles and buttons."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QWidget

from napari_trajplan import _first_use
from napari_trajplan._below import in_sight
from napari_trajplan._newest import Newest
from napari_trajplan._planner import Planner
from napari_trajplan._tell import Telling
from napari_trajplan._xray_develop import FULL, PREVIEW
from napari_trajplan._xray_overlays import SWITCHES
from napari_trajplan._xray_screen import Screen
from trajplan import DISCLAIMER
from trajplan.case import CaseResult
from trajplan.fluoroscopy.display import Window
from trajplan.fluoroscopy.lines import anatomy_lines
from trajplan.fluoroscopy.projector import prepare, warm_up
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side

_POLL_MS = 200


class XrayPanel(QWidget):
    """Two views beside one another; each has its own C-arm. `told` is a line for the user."""

    told = Signal(str)

    def __init__(self, planner: Planner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trajplan X-rays")
        self._planner = planner
        self.told.connect(planner.told)
        self.shafts = planner.paths.shafts
        self.result: CaseResult | None = None
        self.prepared: Any = None
        self._missed: Side | None = None
        self.newest = Newest(self)
        self.newest.done.connect(self._developed)
        _first_use.begin()
        self._kernels = QTimer(self)
        self._kernels.timeout.connect(self._load_kernels)
        self._kernels.start(_POLL_MS)
        self._load_kernels()
        self._build()
        planner.planned.connect(self.use)
        planner.paths.dragged.connect(self._moved)
        planner.paths.advanced.connect(self._advanced)
        planner.paths.closing.connect(self.release)
        if planner.session.plan is not None:
            self.use(planner.session.plan)

    def _build(self) -> None:
        self.overlays = {layer: _switch(*words, on=layer != "midline") for layer, words in SWITCHES.items()}
        for switch in self.overlays.values():
            switch.toggled.connect(self.redraw)
        self.inverse = _switch("Inverse grey", "Bone dark, as many C-arms show it", on=False)
        self.inverse.toggled.connect(self._invert)
        self.noise = _switch(
            "Photon noise",
            "As a detector sees it when the last eight frames are held: spectrum, scatter, heel and the noise of few "
            "photons. The needle itself is drawn without noise",
            on=False,
        )
        self.noise.toggled.connect(self._settle)
        self.screens = (Screen(self, "ap"), Screen(self, "lateral"))
        for screen in self.screens:
            screen.view.setToolTip(
                "Drag tip or entry. Wheel: magnify. Double click: whole field. "
                "Shift+drag: measure, mm at the isocentre. S is the head, I the feet."
            )
        disclaimer = QLabel(DISCLAIMER.split(" Not for")[0])
        disclaimer.setStyleSheet("color: #E69F00;")
        disclaimer.setToolTip(DISCLAIMER)
        overlays, row = QHBoxLayout(), QHBoxLayout()
        for part in self.overlays.values():
            overlays.addWidget(part)
        for part in (self.inverse, self.noise):
            row.addWidget(part)
        row.addStretch()
        row.addWidget(disclaimer)
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 2, 4, 2)
        grid.setVerticalSpacing(2)
        for n, screen in enumerate(self.screens):
            grid.addWidget(screen, 0, n)
        grid.setRowStretch(0, 1)
        grid.addLayout(overlays, 1, 0, 1, 2)
        grid.addLayout(row, 2, 0, 1, 2)

    def use(self, result: CaseResult | None) -> None:
        """Show a plan, or nothing."""
        self.newest.forget()
        if result is None or not result.drrs:
            self.result, self.prepared = None, None
            for screen in self.screens:
                screen.clear()
            return
        prepared = prepare(result.scan.volume)
        self.newest.ask("coarse", lambda: prepared.coarse)  # of a large scan it takes long: before it is needed
        self.result, self.prepared = result, prepared
        self._planner.paths.later.add(lambda: self._begin(result))

    def _begin(self, result: CaseResult) -> None:
        """The first pictures, one each time the event loop comes round."""
        lines = () if result.vertebra is None else anatomy_lines(result.vertebra)
        for screen in self.screens:
            self._planner.paths.later.add(lambda screen=screen: self.result is result and screen.use(result, lines))

    def window_of(self, name: str) -> Window | None:
        """The grey window of a view of the plan, as its work has made it."""
        return self._planner.windows.get(name)

    def on(self) -> set[str]:
        """The overlays that are switched on."""
        return {layer for layer, switch in self.overlays.items() if switch.isChecked()}

    def redraw(self) -> None:
        """Both pictures with the paths as they are now."""
        for screen in self.screens:
            screen.draw()

    def seen(self) -> None:
        """The panel has come into sight: catch up with what was moved while it lay behind another one."""
        side, self._missed = self._missed, None
        if side is not None:
            self._moved(side)

    def _moved(self, side: Side, _ends: Any = None) -> None:
        if not in_sight(self):
            self._missed = side
            return
        for screen in self.screens:
            screen.path_moved(side)

    def _advanced(self, side: Side, _depth_mm: float) -> None:
        if in_sight(self):
            self.redraw()
        else:
            self._missed = side

    def drag(self, side: Side, end: int, point_lps: FloatArray, final: bool) -> None:
        """An end of a path was dragged in a picture."""
        found = self.shafts.ends(side)
        if found is None:
            return
        ends = [np.array(one) for one in found]
        ends[end] = point_lps
        with Telling(self.told):
            self._planner.paths.drag(side, (ends[0], ends[1]), final=final)

    def _invert(self, on: bool) -> None:
        for screen in self.screens:
            screen.view.inverted = on
            screen.view.update()

    def _settle(self, _on: bool) -> None:
        for screen in self.screens:
            screen.settle()

    def _developed(self, name: str, value: Any) -> None:
        for screen in self.screens:
            if screen.name == name:
                screen.developed(value)
                return
        if isinstance(value, Exception):
            raise value

    def _load_kernels(self) -> None:
        """Load them as soon as they are compiled: that takes as long as ten pictures."""
        if _first_use.ended():
            self._kernels.stop()
            self.newest.ask("kernels", _load)

    def release(self) -> None:
        """End the thread: the window closes."""
        self._kernels.stop()
        self.newest.close()
        self.prepared = None


def _load() -> None:
    warm_up((PREVIEW, FULL))
    importlib.import_module("pandas")  # napari does, with its first Labels layer: a quarter of a second


def _switch(text: str, tip: str, *, on: bool) -> QCheckBox:
    made = QCheckBox(text)
    made.setToolTip(tip)
    made.setChecked(on)
    return made
