"""The fluoroscopy panel: two simulated X-rays that follow the paths, with their overlays, angles and buttons."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QWidget

from napari_trajplan._planner import Planner
from napari_trajplan._xray_screen import Screen
from trajplan import DISCLAIMER
from trajplan.case import CaseResult
from trajplan.errors import TrajplanError
from trajplan.fluoroscopy.display import Window
from trajplan.fluoroscopy.projector import prepare
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side


class XrayPanel(QWidget):
    """Two views beside one another; each has its own C-arm. `told` is a line for the user."""

    told = Signal(str)

    def __init__(self, planner: Planner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trajplan X-rays")
        self._planner = planner
        self.told.connect(planner.told)
        self.screens = (Screen(self, "ap"), Screen(self, "lateral"))
        self.overlays = QCheckBox("Outlines")
        self.overlays.setChecked(True)
        self.overlays.setToolTip("Pedicle outlines, posterior wall line and the planned path over the pictures")
        self.overlays.toggled.connect(self.redraw)
        self.inverse = QCheckBox("Inverse grey")
        self.inverse.setToolTip("Bone dark, as many C-arms show it")
        self.inverse.toggled.connect(self._invert)
        self.setToolTip("Drag tip or entry. Wheel: magnify. Double click: whole field. Shift+drag: measure.")
        disclaimer = QLabel(DISCLAIMER.split(" Not for")[0])
        disclaimer.setStyleSheet("color: #E69F00;")
        disclaimer.setToolTip(DISCLAIMER)
        row = QHBoxLayout()
        for part in (self.overlays, self.inverse, disclaimer):
            row.addWidget(part)
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 2, 4, 2)
        for n, screen in enumerate(self.screens):
            grid.addWidget(screen, 0, n)
        grid.addLayout(row, 1, 0, 1, 2)
        planner.planned.connect(self.use)
        planner.paths.dragged.connect(self._follow)
        planner.paths.advanced.connect(self._follow)
        self.shafts = planner.paths.shafts
        self.result: CaseResult | None = None
        self.prepared: Any = None
        if planner.session.plan is not None:
            self.use(planner.session.plan)

    def use(self, result: CaseResult | None) -> None:
        """Show a plan, or nothing."""
        self.result = result
        if result is None or not result.drrs:
            self.result = None
            self.prepared = None
            for screen in self.screens:
                screen.clear()
            return
        self.prepared = prepare(result.scan.volume)
        for screen, name in zip(self.screens, ("ap", "lateral"), strict=True):
            screen.use(result, name)

    def window_of(self, name: str) -> Window | None:
        """The grey window of a view of the plan, as its work has made it."""
        return self._planner.windows.get(name)

    def _follow(self, _side: Side, _where: Any) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Both pictures with the paths as they are now."""
        for screen in self.screens:
            screen.draw()

    def drag(self, side: Side, end: int, point_lps: FloatArray, final: bool) -> None:
        """An end of a path was dragged in a picture."""
        found = self._planner.paths.shafts.ends(side)
        if found is None:
            return
        ends = [np.array(one) for one in found]
        ends[end] = point_lps
        try:
            self._planner.paths.drag(side, (ends[0], ends[1]), final=final)
        except TrajplanError as error:
            self.told.emit(str(error))

    def _invert(self, on: bool) -> None:
        for screen in self.screens:
            screen.view.inverted = on
            screen.view.update()
