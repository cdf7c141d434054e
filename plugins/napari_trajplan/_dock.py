"""The planner dock: one column of steps, each with its state; Plan, Cancel and the disclaimer are always in sight."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_trajplan import _opened, _views, _words
from napari_trajplan._below import dock_below, to_front
from napari_trajplan._controls import button, fill_box
from napari_trajplan._planner import Planner
from napari_trajplan._preferences import preferences, tour_is_over
from napari_trajplan._report_form import ReportForm
from napari_trajplan._section import Section
from napari_trajplan._session import State, Step
from napari_trajplan._slice_panel import SlicePanel
from napari_trajplan._step_forms import StepForms
from napari_trajplan._terms import in_window
from napari_trajplan._tidying import tidy_now
from napari_trajplan._tour import Tour
from napari_trajplan._vertebra_form import VertebraForm
from napari_trajplan._xray_panel import XrayPanel
from trajplan import DISCLAIMER


class PlannerDock(StepForms):
    """Plan balloon kyphoplasty access on the scan in this viewer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        asked = preferences()
        super().__init__(Planner(viewer, asked.settings()), parent)
        self.planner.setParent(self)
        self.destroyed.connect(self.planner.close)  # napari lets its docks go without closing them
        self.setObjectName("trajplan planner")
        self.setMinimumWidth(330)
        self.steps: dict[Step, Section] = {}
        self.vertebra, self.report_form = VertebraForm(self.planner), ReportForm(self.planner)
        self.tour = Tour()
        self.tour.over.connect(tour_is_over)
        self._build()
        self.window_preset.setCurrentText(asked.window)
        self.planner.changed.connect(self.refresh)
        self.planner.told.connect(self._tell)
        self.planner.progressed.connect(self._progress)
        self.planner.planned.connect(self._planned)
        self.planner.paths.answered.connect(lambda _answer: self._show_paths())
        viewer.layers.events.inserted.connect(self._inserted)
        viewer.layers.events.removed.connect(self._layers_changed)
        viewer.scene.camera.orientation = _views.ORIENTATION["Axial"]  # napari's own 3D button must not mirror
        self._layers_changed()
        if asked.tour:
            self.tour.start()

    # the column -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        makers = {
            Step.LOAD: self._load_step, Step.VERTEBRA: lambda form: form.addRow(self.vertebra),
            Step.SEGMENT: self._segment_step, Step.PLAN: self._plan_step, Step.VERIFY: self._verify_step,
            Step.REPORT: lambda form: form.addRow(self.report_form),
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
        self.plan_button = button("&Plan", "Segment if needed, plan and verify (Ctrl+Return)", self.planner.plan)
        self.plan_button.setShortcut("Ctrl+Return")
        self.plan_button.setStyleSheet("font-weight: bold;")
        self.cancel_button = button("&Cancel", "Stop the running step; nothing is changed (Alt+C)", self.planner.cancel)
        hints = button("?", "Show the five hints for a first plan", self.tour.start)
        hints.setMaximumWidth(28)
        hints.setAccessibleName("Show the hints")
        row = QHBoxLayout()
        row.addWidget(self.plan_button, 2)
        row.addWidget(self.cancel_button, 1)
        row.addWidget(hints)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 4, 4, 4)
        for part in (disclaimer, self.tour, self.view_row(), scroll, self.message, self.progress):
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
        words = "<br>".join(one for one in (words, session.message(Step.SEGMENT) if target else "") if one)
        self._texts["vertebra"].setText(self._dated(Step.SEGMENT, words))
        self.show_settings()
        self.vertebra.refresh()
        self.report_form.refresh()
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
        fill_box(self.side, [] if result is None else [(t.side.value, t.side) for t in result.trajectories])
        self._reset_slider()
        if result is not None and result.trajectories:
            self.planner.paths.later.add(self.show_xrays)

    def show_xrays(self) -> None:
        """The X-rays in front of the slices; both are docked again where they were closed."""
        self.show_panels(again=True)
        if self.xrays is not None:
            to_front(self.xrays)

    def show_panels(self, *, again: bool = False) -> None:
        """Dock slices and X-rays under the canvas, once, or again; the slices are in front until there is a plan."""
        if self.slices is not None and not again:
            return
        if self.slices is None or self.xrays is None:
            self.xrays, self.slices = XrayPanel(self.planner), SlicePanel(self.planner)
            self.planner.paths.later.add(tidy_now)  # better now than amid a plan
        dock_below(self.planner.viewer, self.xrays, "X-rays", self.xrays.seen)
        dock_below(self.planner.viewer, self.slices, "Slices", self.slices.redraw, self.xrays)

    def _tell(self, text: str) -> None:
        self.message.setText(in_window(text))

    def _progress(self, fraction: float, what: str) -> None:
        # a progress bar paints at once, and with it all of the window: it is left to the next round of the event loop
        self.progress.setUpdatesEnabled(False)
        self.progress.setValue(round(100 * fraction))
        self.progress.setFormat(f"{what} %p%" if what else "%p%")
        self.progress.setUpdatesEnabled(True)

    def _inserted(self, event: Any) -> None:
        """Labels that come with the scan are taken; a saved case is gone on with as soon as its scan is open."""
        self._layers_changed()
        session, choices, layer = self.session, self.planner.choices, event.value
        fresh = session.inputs.labels is None and session.state(Step.PLAN) is State.TODO and not self.planner.busy
        if fresh and layer in choices.label_layers():
            choices.use_labels(layer)
        if words := _opened.about(layer).get("told"):
            self._tell(words)
        if "case" in _opened.about(layer) or layer in choices.images():
            self.planner.take_dropped()

    def _layers_changed(self, _event: Any = None) -> None:
        images = self.planner.choices.images()
        fill_box(self.image, [(one.name, one) for one in images])
        if len(images) == 1 and self.session.inputs.scan is None:
            self.planner.choices.load(images[0])
            self._window_chosen(self.window_preset.currentText())
        if self.session.inputs.scan is not None:
            self.show_panels()
        self.refresh()

    def closeEvent(self, event: Any) -> None:  # Qt's name
        """End the threads before the widget goes."""
        self.planner.close()
        super().closeEvent(event)
