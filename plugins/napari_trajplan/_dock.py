"""The planner dock: one column of steps, each with its state; Plan, Cancel and the disclaimer are always in sight."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_trajplan import _layers, _views, _words
from napari_trajplan._planner import Planner
from napari_trajplan._section import Section
from napari_trajplan._session import State, Step
from napari_trajplan._xray_panel import XrayPanel
from trajplan import DISCLAIMER
from trajplan.anatomy.backends import backend_names
from trajplan.levels import LEVEL_IDS
from trajplan.parts import Side
from trajplan.planning.instruments import CATALOGUE
from trajplan.planning.plan import Approach

_XRAY_HEIGHT = 340


class PlannerDock(QWidget):
    """Plan balloon kyphoplasty access on the scan in this viewer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trajplan planner")
        self.setMinimumWidth(330)
        self.planner = Planner(viewer, self)
        self.session = self.planner.session
        self.steps: dict[Step, Section] = {}
        self._texts: dict[str, QLabel] = {}
        self._depths: dict[Side, float] = {}
        self.xrays: XrayPanel | None = None
        self._build()
        self.planner.changed.connect(self.refresh)
        self.planner.told.connect(self._tell)
        self.planner.progressed.connect(self._progress)
        self.planner.planned.connect(self._planned)
        self.planner.paths.answered.connect(lambda _answer: self._show_paths())
        viewer.layers.events.inserted.connect(self._layers_changed)
        viewer.layers.events.removed.connect(self._layers_changed)
        self._layers_changed()
        if len(self.planner.images()) == 1:
            self.planner.load()
        self.refresh()

    # the column -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        makers = {
            Step.LOAD: self._load_step, Step.VERTEBRA: self._vertebra_step, Step.SEGMENT: self._segment_step,
            Step.PLAN: self._plan_step, Step.VERIFY: self._verify_step, Step.REPORT: self._report_step,
        }  # fmt: skip
        for step, make in makers.items():
            box = Section(step, step in (Step.LOAD, Step.PLAN, Step.VERIFY))
            make(box.form)
            self.steps[step] = box
            layout.addWidget(box)
        layout.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(column)
        disclaimer = QLabel(DISCLAIMER)
        disclaimer.setWordWrap(True)
        disclaimer.setStyleSheet("color: #E69F00; font-weight: bold;")
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress = QProgressBar()
        self.progress.setVisible(False)
        self.plan_button = _button("Plan", "Segment if needed, plan and verify (Ctrl+Return)", self.planner.plan)
        self.plan_button.setShortcut("Ctrl+Return")
        self.plan_button.setStyleSheet("font-weight: bold;")
        self.cancel_button = _button("Cancel", "Stop the running step; nothing is changed", self.planner.cancel)
        row = QHBoxLayout()
        row.addWidget(self.plan_button, 2)
        row.addWidget(self.cancel_button, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 4, 4, 4)
        for part in (disclaimer, self._view_row(), scroll, self.message, self.progress):
            whole.addWidget(part, 1 if part is scroll else 0)
        whole.addLayout(row)

    def _view_row(self) -> QWidget:
        buttons = []
        for n, name in enumerate((*_views.ORDERS, "3D"), start=1):
            tip = f"{_views.LETTERS.get(name, 'seen from behind the patient')} (Alt+{n})"
            button = _button(name, tip, lambda name=name: _views.show_view(self.planner.viewer, name))
            button.setShortcut(f"Alt+{n}")
            buttons.append(button)
        buttons.append(_button("Entry", "Slices through the entry of the path (Alt+5)", lambda: self._go(0)))
        buttons.append(_button("Tip", "Slices through the tip of the path (Alt+6)", lambda: self._go(1)))
        for n, button in enumerate(buttons[-2:], start=5):
            button.setShortcut(f"Alt+{n}")
        for button in buttons:
            button.setMinimumWidth(10)
        return _row(*buttons)

    def _go(self, end: int) -> None:
        side = self.side.currentData()
        ends = None if side is None else self.planner.paths.ends(side)
        if ends is not None:
            _layers.look_at(self.planner.viewer, ends[end])

    def _load_step(self, form: QFormLayout) -> None:
        self.image = QComboBox()
        self.image.setToolTip(
            "The scan to plan on; only scans that trajplan has read, because left and right must be known"
        )
        self.image.activated.connect(self._image_chosen)
        self.window_preset = QComboBox()
        self.window_preset.addItems(list(_layers.WINDOWS_HU))
        self.window_preset.setToolTip("Grey window of the CT, HU")
        self.window_preset.textActivated.connect(self._window_chosen)
        form.addRow("Scan", self.image)
        form.addRow("Window", self.window_preset)
        form.addRow(self._text("scan"))

    def _vertebra_step(self, form: QFormLayout) -> None:
        self.pick_button = _button("Click in a slice", "Then click on the body of the vertebra", self._pick)
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
        self.segment_button = _button("Segment", "Segment and measure only, without planning", self.planner.segment)
        self.edit_button = _button("Edit mask", "Paint or erase in a Labels layer", self.planner.edit_mask)
        self.update_button = _button("Update", "Measure the mask as it was edited", self.planner.update_mask)
        self.confirm_button = _button(
            "Contours are right", "You have compared the contours with the CT: the mask is then trusted as yours",
            self.planner.confirm,
        )  # fmt: skip
        form.addRow("Back-end", self.backend)
        form.addRow(_row(self.segment_button, self.edit_button, self.update_button))
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
        self.undo_button = _button("Undo", "Take a move of a path back (Ctrl+Alt+Z)", self.planner.paths.undo)
        self.undo_button.setShortcut("Ctrl+Alt+Z")
        self.redo_button = _button("Redo", "Do it again (Ctrl+Alt+Y)", self.planner.paths.redo)
        self.redo_button.setShortcut("Ctrl+Alt+Y")
        self.snap_button = _button("Snap to best", "Back to the planner's own path", self._snap)
        self.verify_button = _button("Verify", "Judge the moved paths on the X-rays anew", self.planner.verify)
        form.addRow("Path", self.side)
        form.addRow("Depth", self.depth)
        form.addRow(_row(self.undo_button, self.redo_button, self.snap_button, self.verify_button))
        form.addRow(self._text("stages"))

    def _report_step(self, form: QFormLayout) -> None:
        self.folder = QLineEdit(str(Path.cwd() / "trajplan-report"))
        self.folder.setToolTip("The folder of the report; made if missing, an earlier report in it is replaced")
        choose = _button("Choose", "Choose another folder", self._choose_folder)
        self.report_button = _button("Write report", "HTML, PDF, plan.json, labels and figures", self._report)
        self.open_button = _button("Open", "Open the report in your browser", self._open)
        form.addRow(self.folder)
        form.addRow(_row(choose, self.report_button, self.open_button))

    def _text(self, name: str) -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._texts[name] = label
        return label

    # what a person does ---------------------------------------------------------------------------------------------

    def _image_chosen(self, index: int) -> None:
        self.planner.load(self.image.itemData(index))

    def _labels_chosen(self, index: int) -> None:
        self.planner.use_labels(self.labels.itemData(index))

    def _window_chosen(self, name: str) -> None:
        if self.session.inputs.scan is not None:
            _layers.set_window(self.planner.viewer, self.session.inputs.scan, name)

    def _pick(self) -> None:
        self.planner.pick(self.pick_button.isChecked())
        if self.pick_button.isChecked():
            self._tell("Click on the body of the vertebra in a slice.")

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
        self.planner.report(Path(self.folder.text() or tempfile.gettempdir()))

    def _open(self) -> None:
        written = self.session.product(Step.REPORT)
        if written:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(written[0])))

    # what is shown --------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show every state, product and what may be pressed."""
        session, busy = self.session, self.planner.busy
        for step, box in self.steps.items():
            box.show_state(session.state(step))
        now = session.inputs
        self._texts["scan"].setText(_words.scan_words(now.scan))
        target = session.target
        words = _words.vertebra_words(target.vertebra, target.notes) if target else session.message(Step.SEGMENT)
        self._texts["vertebra"].setText(self._dated(Step.SEGMENT, words))
        self.pick_button.setChecked(self.planner._clicked in self.planner.viewer.mouse_drag_callbacks)
        seed = (
            "Click in a slice" if now.seed_lps is None else "Chosen at " + ", ".join(f"{v:.0f}" for v in now.seed_lps)
        )
        self.pick_button.setText(seed)
        self.level.setCurrentIndex(max(0, self.level.findData(now.level)))
        self._fill(self.labels, [("none: segment", None), *((one.name, one) for one in self.planner.label_layers())])
        if now.labels is None:
            self.labels.setCurrentIndex(0)
        elif self.labels.count() > 1 and self.labels.currentIndex() == 0:
            self.labels.setCurrentIndex(self.labels.count() - 1)
        done = session.state(Step.PLAN) is State.DONE
        self.plan_button.setEnabled(not busy)
        self.segment_button.setEnabled(not busy)
        self.cancel_button.setEnabled(busy)
        self.progress.setVisible(busy)
        self.undo_button.setEnabled(done and session.edits.can_undo)
        self.redo_button.setEnabled(done and session.edits.can_redo)
        self.snap_button.setEnabled(done and bool(session.edits.now))
        self.verify_button.setEnabled(done and not busy)
        self.depth.setEnabled(done)
        self.report_button.setEnabled(not busy and session.state(Step.VERIFY) is State.DONE and done)
        self.open_button.setEnabled(session.state(Step.REPORT) is State.DONE)
        self._show_paths()

    def _show_paths(self) -> None:
        plan = self.session.plan
        if plan is None:
            self._texts["paths"].setText("")
            self._texts["stages"].setText(self.session.message(Step.VERIFY))
            return
        live = self.planner.paths.live
        moved = self.session.edits.now
        words = [_words.path_words(path, side in moved) for side, path in live.items()]
        words.append(_words.refusal_words(plan.refusals))
        self._texts["paths"].setText(self._dated(Step.PLAN, "<br>".join(one for one in words if one)))
        stages = self.planner.paths.stages
        table = "".join(_words.stage_words(side, stages[side]) for side in live if side in stages)
        self._texts["stages"].setText(self._dated(Step.VERIFY, table))

    def _dated(self, step: Step, words: str) -> str:
        if words and self.session.state(step) is State.STALE:
            return f"<b style='color:#E69F00'>STALE: press {step.value} again.</b><br>{words}"
        return words

    def _planned(self, result: Any) -> None:
        self._fill(self.side, [] if result is None else [(t.side.value, t.side) for t in result.trajectories])
        self._reset_slider()
        if result is not None and result.trajectories:
            self.planner.paths.later.add(self.show_xrays)

    def _reset_slider(self) -> None:
        path = self.planner.paths.live.get(self.side.currentData())
        self.depth.blockSignals(True)
        length = 0 if path is None else round(10 * path.capsule.length_mm)
        self.depth.setRange(0, length)
        self.depth.setValue(length)
        self.depth.blockSignals(False)

    def show_xrays(self) -> None:
        """Dock the X-rays under the canvas, once."""
        if self.xrays is not None:
            return
        window = getattr(self.planner.viewer, "window", None)
        self.xrays = XrayPanel(self.planner)
        if window is not None:
            docked = window.add_dock_widget(self.xrays, name="X-rays", area="bottom")
            main = self.window()
            if isinstance(main, QMainWindow):
                # the side columns reach down; the X-rays share the middle with the slices
                main.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
                main.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
                main.resizeDocks([docked], [_XRAY_HEIGHT], Qt.Orientation.Vertical)

    def _tell(self, text: str) -> None:
        self.message.setText(text)

    def _progress(self, fraction: float, what: str) -> None:
        self.progress.setValue(round(100 * fraction))
        self.progress.setFormat(f"{what} %p%" if what else "%p%")

    def _layers_changed(self, _event: Any = None) -> None:
        images = self.planner.images()
        self._fill(self.image, [(one.name, one) for one in images])
        if len(images) == 1 and self.session.inputs.scan is None:
            self.planner.load(images[0])
        elif self.session.inputs.scan is not None and self.session.inputs.labels is None and not self.planner.busy:
            found = self.planner.label_layers()
            if found and self.session.state(Step.PLAN) is State.TODO:
                self.planner.use_labels(found[-1])
        self.refresh()

    @staticmethod
    def _fill(box: QComboBox, items: list[tuple[str, Any]]) -> None:
        """New items; what was chosen stays chosen where it still is there."""
        if [(box.itemText(i), box.itemData(i)) for i in range(box.count())] == items:
            return
        before = box.currentData()
        box.clear()
        for text, data in items:
            box.addItem(text, data)
        at = next((i for i, (_, data) in enumerate(items) if data is before), len(items) - 1)
        box.setCurrentIndex(at)

    def closeEvent(self, event: Any) -> None:  # Qt's name
        """End the threads before the widget goes."""
        self.planner.close()
        super().closeEvent(event)


def _button(text: str, tip: str, pressed: Any) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: pressed())
    return button


def _row(*parts: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return row
