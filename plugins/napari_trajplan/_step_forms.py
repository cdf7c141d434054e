"""The forms of the planner's steps: their controls, tooltips and shortcuts, and what each of them does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QWidget,
)

from napari_trajplan import _views, _words
from napari_trajplan._planner import Planner
from napari_trajplan._session import Step
from napari_trajplan._xray_panel import XrayPanel
from trajplan.anatomy.backends import backend_names
from trajplan.levels import LEVEL_IDS
from trajplan.planning.instruments import CATALOGUE
from trajplan.planning.plan import Approach


class StepForms(QWidget):
    """The controls of all steps over one planner; `PlannerDock` lays them out and keeps them true."""

    def __init__(self, planner: Planner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.planner, self.session = planner, planner.session
        self.xrays: XrayPanel | None = None
        self._texts: dict[str, QLabel] = {}

    def view_row(self) -> QWidget:
        buttons = []
        for n, name in enumerate((*_views.ORDERS, "3D"), start=1):
            tip = f"{_views.LETTERS.get(name, 'seen from behind the patient')} (Alt+{n})"
            one = button(name, tip, lambda name=name: self._view(name))
            one.setShortcut(f"Alt+{n}")
            buttons.append(one)
        buttons.append(button("Entry", "Slices through the entry of the path (Alt+5)", lambda: self._go(0)))
        buttons.append(button("Tip", "Slices through the tip of the path (Alt+6)", lambda: self._go(1)))
        for n, one in enumerate(buttons[-2:], start=5):
            one.setShortcut(f"Alt+{n}")
        for one in buttons:
            one.setMinimumWidth(10)
        return row_of(*buttons)

    def _view(self, name: str) -> None:
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
        form.addRow("Scan", self.image)
        form.addRow("Window", self.window_preset)
        form.addRow(self._text("scan"))

    def _vertebra_step(self, form: QFormLayout) -> None:
        self.pick_button = button("Click in a slice", "Then click on the body of the vertebra", self._pick)
        self.pick_button.setCheckable(True)
        self.labels = QComboBox()
        self.labels.setToolTip("Labels of the vertebrae that belong to this scan, or a segmentation by the program")
        self.labels.activated.connect(self._labels_chosen)
        self.level = QComboBox()
        self.level.addItem("not counted", None)
        for name in LEVEL_IDS:
            self.level.addItem(name, name)
        self.level.setToolTip(
            "The level as you have counted it; a level nobody has stated is said to be unconfirmed everywhere"
        )
        self.level.activated.connect(lambda _i: self.session.set_level(self.level.currentData()))
        form.addRow("Vertebra", self.pick_button)
        form.addRow("Level", self.level)
        form.addRow("Labels", self.labels)

    def _segment_step(self, form: QFormLayout) -> None:
        self.backend = QComboBox()
        self.backend.addItems(list(backend_names()))
        self.backend.setToolTip("What makes the mask where there are no labels; none is ever taken in place of another")
        self.backend.textActivated.connect(self.session.set_backend)
        self.segment_button = button("Segment", "Segment and measure only, without planning", self.planner.segment)
        self.edit_button = button("Edit mask", "Paint or erase in a Labels layer", self.planner.choices.edit_mask)
        self.update_button = button("Update", "Measure the mask as it was edited", self.planner.update_mask)
        self.confirm_button = button(
            "Contours are right", "You have compared the contours with the CT: the mask is then trusted as yours",
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
        self.undo_button = button("Undo", "Take a move of a path back (Ctrl+Alt+Z)", self.planner.paths.undo)
        self.undo_button.setShortcut("Ctrl+Alt+Z")
        self.redo_button = button("Redo", "Do it again (Ctrl+Alt+Y)", self.planner.paths.redo)
        self.redo_button.setShortcut("Ctrl+Alt+Y")
        self.snap_button = button("Snap to best", "Back to the planner's own path", self._snap)
        self.verify_button = button("Verify", "Judge the moved paths on the X-rays anew", self.planner.verify)
        form.addRow("Path", self.side)
        form.addRow("Depth", self.depth)
        form.addRow(row_of(self.undo_button, self.redo_button, self.snap_button, self.verify_button))
        form.addRow(self._text("stages"))

    def _report_step(self, form: QFormLayout) -> None:
        self.folder = QLineEdit(str(Path.home() / "trajplan-report"))
        self.folder.setToolTip("The folder of the report; made if missing, an earlier report in it is replaced")
        choose = button("Choose", "Choose another folder", self._choose_folder)
        self.report_button = button("Write report", "HTML, PDF, plan.json, labels and figures", self._report)
        self.open_button = button("Open", "Open the report in your browser", self._open)
        self.kinds = {kind: QCheckBox(kind) for kind in _words.KIND_TIPS}
        for kind, box in self.kinds.items():
            box.setToolTip(f"{_words.KIND_TIPS[kind]}; in a folder ...-exports beside the report")
        form.addRow(self.folder)
        form.addRow("Also for", row_of(*list(self.kinds.values())[:3]))
        form.addRow("", row_of(*list(self.kinds.values())[3:]))
        form.addRow(row_of(choose, self.report_button, self.open_button))

    def _text(self, name: str) -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._texts[name] = label
        return label

    def _image_chosen(self, index: int) -> None:
        self.planner.choices.load(self.image.itemData(index))

    def _labels_chosen(self, index: int) -> None:
        self.planner.choices.use_labels(self.labels.itemData(index))

    def _window_chosen(self, name: str) -> None:
        if self.session.inputs.scan is not None:
            _views.set_window(self.planner.viewer, self.session.inputs.scan, name)

    def _pick(self) -> None:
        self.planner.choices.pick(self.pick_button.isChecked())
        if self.pick_button.isChecked():
            self.planner.told.emit("Click on the body of the vertebra in a slice.")

    def _setting(self, **changes: Any) -> None:
        self.session.set_settings(dataclasses.replace(self.session.inputs.settings, **changes))

    def _snap(self) -> None:
        if self.side.currentData() is not None:
            self.planner.paths.snap(self.side.currentData())

    def _advance(self, tenths: int) -> None:
        side = self.side.currentData()
        if side is None:
            return
        self.planner.paths.advance(side, tenths / 10)
        if self.xrays is not None:
            self.xrays.advance(side, tenths / 10)

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the report", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _report(self) -> None:
        kinds = tuple(kind for kind, box in self.kinds.items() if box.isChecked())
        self.planner.report(Path(self.folder.text()), kinds)

    def _open(self) -> None:
        written = self.session.product(Step.REPORT)
        if written:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(written[0])))

    def _reset_slider(self) -> None:
        path = self.planner.paths.live.get(self.side.currentData())
        self.depth.blockSignals(True)
        length = 0 if path is None else round(10 * path.capsule.length_mm)
        self.depth.setRange(0, length)
        self.depth.setValue(length)
        self.depth.blockSignals(False)


def button(text: str, tip: str, pressed: Any) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    made.clicked.connect(lambda _checked=False: pressed())
    return made


def row_of(*parts: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return row
