"""The forms of the planner's steps: their controls, tooltips and shortcuts, and what each of them does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QSlider,
    QWidget,
)

from napari_trajplan import _views, _words
from napari_trajplan._controls import button, row_of
from napari_trajplan._planner import Planner
from napari_trajplan._report_form import CASE_FILTER
from napari_trajplan._slice_panel import SlicePanel
from napari_trajplan._xray_panel import XrayPanel
from trajplan.anatomy.backends import backend_names
from trajplan.parts import Side
from trajplan.planning.instruments import CATALOGUE
from trajplan.planning.plan import Approach


class StepForms(QWidget):
    """The controls of all steps over one planner; `PlannerDock` lays them out and keeps them true."""

    def __init__(self, planner: Planner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.planner, self.session = planner, planner.session
        self.xrays: XrayPanel | None = None
        self.slices: SlicePanel | None = None
        self._texts: dict[str, QLabel] = {}

    def view_row(self) -> QWidget:
        """The buttons of the views."""
        buttons = []
        for n, name in enumerate((*_views.ORDERS, "3D"), start=1):
            tip = f"{_views.LETTERS.get(name, 'seen from behind the patient')} (Alt+{n})"
            one = button(name, tip, lambda name=name: self.view(name))
            one.setShortcut(f"Alt+{n}")
            buttons.append(one)
        buttons.append(button("Entry", "Slices through the entry of the path (Alt+5)", lambda: self._go(0)))
        buttons.append(button("Tip", "Slices through the tip of the path (Alt+6)", lambda: self._go(1)))
        for n, one in enumerate(buttons[-2:], start=5):
            one.setShortcut(f"Alt+{n}")
        for one in buttons:
            one.setMinimumWidth(10)
        return row_of(*buttons)

    def view(self, name: str) -> None:
        """Show one of the standard views, or 3D."""
        target = self.session.target
        middle = None if target is None else _views.middle_of(target.vertebra)
        _views.show_view(self.planner.viewer, name, middle)

    def _go(self, end: int) -> None:
        side = self.side.currentData()
        ends = None if side is None else self.planner.paths.ends(side)
        if ends is not None:
            _views.look_at(self.planner.viewer, ends[end])

    def _load_step(self, form: QFormLayout) -> None:
        self.image = QComboBox()
        self.image.setToolTip(
            "The scan to plan on; only scans that trajplan has read, because left and right must be known"
        )
        self.image.activated.connect(self._image_chosen)
        self.window_preset = QComboBox()
        self.window_preset.addItems(list(_views.WINDOWS_HU))
        self.window_preset.setToolTip("Grey window of the CT, HU")
        self.window_preset.textActivated.connect(self._window_chosen)
        self.case_button = button(
            "Open c&ase", "Go on with a saved case; its CT must be open (Ctrl+Alt+O)", self.open_case
        )
        self.case_button.setShortcut("Ctrl+Alt+O")
        form.addRow("Scan", self.image)
        form.addRow("Window", self.window_preset)
        form.addRow(self.case_button)
        form.addRow(self._text("scan"))

    def _segment_step(self, form: QFormLayout) -> None:
        self.backend = QComboBox()
        self.backend.addItems(list(backend_names()))
        self.backend.setToolTip("What makes the mask where there are no labels; none is ever taken in place of another")
        self.backend.textActivated.connect(self.session.set_backend)
        self.segment_button = button(
            "Se&gment", "Segment and measure only, without planning (Alt+G)", self.planner.segment
        )
        self.edit_button = button(
            "&Edit mask", "Paint or erase in a Labels layer (Alt+E)", self.planner.choices.edit_mask
        )
        self.update_button = button("&Update", "Measure the mask as it was edited (Alt+U)", self.planner.update_mask)
        self.confirm_button = button(
            "Contours are &right", "You have compared the contours with the CT: the mask is then trusted as yours",
            self.planner.choices.confirm,
        )  # fmt: skip
        form.addRow("Back-end", self.backend)
        form.addRow(row_of(self.segment_button, self.edit_button, self.update_button))
        form.addRow(self.confirm_button)
        form.addRow(self._text("vertebra"))

    def _plan_step(self, form: QFormLayout) -> None:
        settings = self.session.inputs.settings
        self.approach = QComboBox()
        self.approach.addItems([a.value for a in Approach])
        self.approach.setToolTip("auto: both pedicles, else one side alone, else beside the pedicle (thoracic)")
        self.approach.textActivated.connect(lambda text: self._setting(approach=Approach(text)))
        self.trocar = QComboBox()
        self.trocar.addItems(list(CATALOGUE))
        self.trocar.setCurrentText(settings.instrument.name)
        self.trocar.setToolTip("Outer diameter and length are those of the catalogue")
        self.trocar.textActivated.connect(lambda text: self._setting(instrument=CATALOGUE[text]))
        self.margin = QDoubleSpinBox()
        self.margin.setRange(0.0, 5.0)
        self.margin.setSingleStep(0.5)
        self.margin.setSuffix(" mm")
        self.margin.setValue(settings.wall_margin_mm)
        self.margin.setToolTip("Least clearance asked of the pedicle walls, from the outer surface of the instrument")
        self.margin.valueChanged.connect(lambda value: self._setting(wall_margin_mm=value))
        form.addRow("Approach", self.approach)
        form.addRow("Trocar", self.trocar)
        form.addRow("Wall margin", self.margin)
        paths = self._text("paths")
        paths.setToolTip(_words.tips_words())
        form.addRow(paths)

    def _verify_step(self, form: QFormLayout) -> None:
        self.side = QComboBox()
        self.side.setToolTip("The path that the slider and Snap act on")
        self.side.activated.connect(lambda _i: self._reset_slider())
        self.depth = QSlider(Qt.Orientation.Horizontal)
        self.depth.setAccessibleName("Depth of the tip from the bone, tenths of a millimetre")
        self.depth.setToolTip("Advance the trocar from the bone to its final tip, in slices, 3D and X-rays")
        self.depth.valueChanged.connect(self._advance)
        self.planner.paths.advanced.connect(self._advanced)
        self.undo_button = button("Undo", "Take a move of a path back (Ctrl+Alt+Z)", self.planner.paths.undo)
        self.undo_button.setShortcut("Ctrl+Alt+Z")
        self.redo_button = button("Redo", "Do it again (Ctrl+Alt+Y)", self.planner.paths.redo)
        self.redo_button.setShortcut("Ctrl+Alt+Y")
        self.snap_button = button("Snap to best", "Back to the planner's own path", self.snap)
        self.verify_button = button("Verify", "Judge the moved paths on the X-rays anew", self.planner.verify)
        form.addRow("Path", self.side)
        form.addRow("Depth", self.depth)
        form.addRow(row_of(self.undo_button, self.redo_button, self.snap_button, self.verify_button))
        form.addRow(self._text("stages"))

    def _text(self, name: str) -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._texts[name] = label
        return label

    def _image_chosen(self, index: int) -> None:
        self.planner.choices.load(self.image.itemData(index))

    def _window_chosen(self, name: str) -> None:
        if self.session.inputs.scan is not None:
            _views.set_window(self.planner.viewer, self.session.inputs.scan, name)

    def open_case(self) -> None:
        """Ask for a saved case and go on with it."""
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a case", str(Path.home()), CASE_FILTER)
        if chosen:
            self.planner.open_case(Path(chosen))

    def show_settings(self) -> None:
        """Show back-end and settings as they are now: a case that was opened brings its own."""
        now = self.session.inputs
        for control, set_value, value in (
            (self.backend, self.backend.setCurrentText, now.backend),
            (self.approach, self.approach.setCurrentText, now.settings.approach.value),
            (self.trocar, self.trocar.setCurrentText, now.settings.instrument.name),
            (self.margin, self.margin.setValue, now.settings.wall_margin_mm),
        ):
            control.blockSignals(True)
            set_value(value)
            control.blockSignals(False)

    def _setting(self, **changes: Any) -> None:
        self.session.set_settings(dataclasses.replace(self.session.inputs.settings, **changes))

    def snap(self) -> None:
        """Put the chosen path back to the planner's own."""
        if self.side.currentData() is not None:
            self.planner.paths.snap(self.side.currentData())

    def _advance(self, tenths: int) -> None:
        side = self.side.currentData()
        if side is not None:
            self.planner.paths.advance(side, tenths / 10)

    def _advanced(self, side: Side, depth_mm: float) -> None:
        """The path that was moved last is the one the slider acts on."""
        path = self.planner.paths.shafts.path(side)
        self.side.setCurrentIndex(self.side.findData(side))
        self.depth.blockSignals(True)
        self.depth.setRange(0, 0 if path is None else round(10 * path.capsule.length_mm))
        self.depth.setValue(round(10 * depth_mm))
        self.depth.blockSignals(False)

    def _reset_slider(self) -> None:
        path = self.planner.paths.live.get(self.side.currentData())
        if path is not None:
            self.planner.paths.advance(path.side, path.capsule.length_mm)
