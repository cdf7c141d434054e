"""The planner dock: one column of steps, each with its state; Plan, Cancel and the disclaimer are always in sight."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_trajplan import _views, _words
from napari_trajplan._planner import Planner
from napari_trajplan._section import Section
from napari_trajplan._session import State, Step
from napari_trajplan._step_forms import StepForms, button
from napari_trajplan._xray_panel import XrayPanel
from trajplan import DISCLAIMER

_XRAY_HEIGHT = 340


class PlannerDock(StepForms):
    """Plan balloon kyphoplasty access on the scan in this viewer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(Planner(viewer), parent)
        self.planner.setParent(self)
        self.setObjectName("trajplan planner")
        self.setMinimumWidth(330)
        self.steps: dict[Step, Section] = {}
        self._build()
        self.planner.changed.connect(self.refresh)
        self.planner.told.connect(self._tell)
        self.planner.progressed.connect(self._progress)
        self.planner.planned.connect(self._planned)
        self.planner.paths.answered.connect(lambda _answer: self._show_paths())
        viewer.layers.events.inserted.connect(self._layers_changed)
        viewer.layers.events.removed.connect(self._layers_changed)
        viewer.scene.camera.orientation = _views.ORIENTATION["Axial"]  # napari's own 3D button must not mirror
        self._layers_changed()
        if len(self.planner.choices.images()) == 1:
            self.planner.choices.load()
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
        self.plan_button = button("Plan", "Segment if needed, plan and verify (Ctrl+Return)", self.planner.plan)
        self.plan_button.setShortcut("Ctrl+Return")
        self.plan_button.setStyleSheet("font-weight: bold;")
        self.cancel_button = button("Cancel", "Stop the running step; nothing is changed", self.planner.cancel)
        row = QHBoxLayout()
        row.addWidget(self.plan_button, 2)
        row.addWidget(self.cancel_button, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 4, 4, 4)
        for part in (disclaimer, self.view_row(), scroll, self.message, self.progress):
            whole.addWidget(part, 1 if part is scroll else 0)
        whole.addLayout(row)

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
        self.pick_button.setChecked(self.planner.choices.picking)
        seed = (
            "Click in a slice" if now.seed_lps is None else "Chosen at " + ", ".join(f"{v:.0f}" for v in now.seed_lps)
        )
        self.pick_button.setText(seed)
        self.level.setCurrentIndex(max(0, self.level.findData(now.level)))
        self._fill(
            self.labels, [("none: segment", None), *((one.name, one) for one in self.planner.choices.label_layers())]
        )
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

    def show_xrays(self) -> None:
        """Dock the X-rays under the canvas, once."""
        if self.xrays is not None:
            return
        window = getattr(self.planner.viewer, "window", None)
        self.xrays = XrayPanel(self.planner)
        if window is not None:
            window.add_dock_widget(self.xrays, name="X-rays", area="bottom")
            main, docked = self.window(), self.xrays.parent()
            while docked is not None and not isinstance(docked, QDockWidget):
                docked = docked.parent()
            if isinstance(main, QMainWindow) and docked is not None:
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
        images = self.planner.choices.images()
        self._fill(self.image, [(one.name, one) for one in images])
        if len(images) == 1 and self.session.inputs.scan is None:
            self.planner.choices.load(images[0])
        elif self.session.inputs.scan is not None and self.session.inputs.labels is None and not self.planner.busy:
            found = self.planner.choices.label_layers()
            if found and self.session.state(Step.PLAN) is State.TODO:
                self.planner.choices.use_labels(found[-1])
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
