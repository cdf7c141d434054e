"""The planner: binds session, viewer, worker and live grading of one window. Widgets show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_trajplan import _layers, _opened, _views
from napari_trajplan._live_grade import Judge
from napari_trajplan._paths import Paths
from napari_trajplan._session import Session, State, Step, short_message
from napari_trajplan._tasks import Planned
from napari_trajplan._tell import Telling
from napari_trajplan._work import Job, Workshop
from trajplan.case import CaseResult
from trajplan.errors import AnatomyError, InputError
from trajplan.fluoroscopy.display import Window
from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import FloatArray
from trajplan.levels import LEVEL_NAMES, UNKNOWN_LEVEL_ID, level_id
from trajplan.parts import Part
from trajplan.target import Target

_BONE = (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR)
_SOON_MS = 400


class Planner(QObject):
    """One case in one viewer.

    `changed` follows every change of a state; `told` is a line for the user; `progressed` the share done and what is
    being done; `planned` a fresh plan, or None when it was put away.
    """

    changed = Signal()
    told = Signal(str)
    progressed = Signal(float, str)
    planned = Signal(object)

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.session = Session(self._refresh)
        self.paths = Paths(viewer, self.session, self)
        self.paths.told.connect(self.told)
        self.paths.settled.connect(self._refresh)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._verify_now)
        self.paths.settled.connect(self._soon.start)
        self.windows: dict[str, Window] = {}
        self.workshop = Workshop()
        self.workshop.warm_up()
        self._job: Job | None = None
        self._closing = False
        viewer.layers.events.removed.connect(self._layer_removed)

    # inputs ---------------------------------------------------------------------------------------------------------

    def images(self) -> list[Image]:
        """The image layers that trajplan has read."""
        return _opened.images(self.viewer)

    def label_layers(self) -> list[Labels]:
        """The labels of vertebrae that belong to the scan in work."""
        return _opened.label_layers(self.viewer, self.session.inputs.scan)

    def load(self, layer: Layer | None = None) -> None:
        """Take a scan: the layer given, or the only (or selected) one there is."""
        with Telling(self.told):
            chosen = layer or _opened.only_image(self.viewer)
            scan = _layers.scan_of(chosen)
            if self.session.inputs.scan is not None and scan.sha256 == self.session.inputs.scan.sha256:
                return
            self._forget()
            self.session.set_scan(scan)
            found = self.label_layers()
            if found:
                self.use_labels(found[-1])

    def use_labels(self, layer: Layer | None) -> None:
        """Take labels as they are in their layer now; None to segment."""
        with Telling(self.told):
            if layer is None:
                self.session.set_labels(None, None)
                return
            labels = _layers.labels_of(layer, LEVEL_NAMES)
            made_up = "level" in _opened.about(layer)
            if made_up:
                self.session.set_level(_opened.about(layer)["level"])  # of a phantom it is known, not counted
            self.session.set_labels(labels, "phantom truth labels" if made_up else "labels of the viewer")

    def pick(self, on: bool) -> None:
        """Take the next click in a slice as a point in the vertebra."""
        callbacks = self.viewer.mouse_drag_callbacks
        callbacks[:] = [one for one in callbacks if one != self._clicked]
        if on:
            callbacks.append(self._clicked)

    @property
    def picking(self) -> bool:
        """Whether the next click in a slice chooses the vertebra."""
        return self._clicked in self.viewer.mouse_drag_callbacks

    def _clicked(self, viewer: Any, event: Any) -> None:
        with Telling(self.told):
            if viewer.dims.ndisplay != 2:
                raise InputError("click in a slice: press the 2D/3D button of napari to leave 3D", code="in_3d")
            self.choose_at(_layers.to_lps(np.array(event.position)[-3:]))

    def choose_at(self, point: FloatArray) -> None:
        """Take a point (LPS mm) in the vertebra that is meant."""
        with Telling(self.told):
            self.load()
            scan = self.session.inputs.scan
            if scan is None:
                return
            if not scan.volume.grid.contains(point):
                raise InputError("that place lies outside the scan: click on the vertebral body", code="seed_outside")
            if self.session.inputs.labels is not None:
                self.session.set_level(None)  # the labels tell which vertebra was clicked; the one before is not it
            self.session.set_seed(point)
            self.pick(False)
            self.told.emit(f"Vertebra chosen at ({', '.join(f'{v:.0f}' for v in point)}) LPS mm. Press Plan.")
            self.changed.emit()

    # work -----------------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a step is running."""
        return self._job is not None

    def cancel(self) -> None:
        """Stop the running step now."""
        if self._job is not None:
            self._job.cancel()

    def segment(self) -> None:
        """Find, segment and measure the vertebra."""
        self._begin(Step.SEGMENT, "segment", lambda: (self.session.request(),), self._segmented)

    def plan(self) -> None:
        """Plan; what is missing before is done first, what is current is kept."""

        def arguments() -> tuple[Any, ...]:
            current = self.session.state(Step.SEGMENT) is State.DONE
            return self.session.request(), self.session.target if current else None

        self._begin(Step.PLAN, "plan", arguments, self._planned)

    def confirm(self) -> None:
        """The contours are right; the plan has to be made again with that word."""
        with Telling(self.told):
            self.session.confirm_mask()

    def edit_mask(self) -> None:
        """Put the mask into a layer that can be painted in."""
        with Telling(self.told):
            target: Target = self.session.require(Step.SEGMENT)
            parts = target.vertebra.parts
            mask = parts.mask(*_BONE).astype(np.uint8) * (target.vertebra.level_id or UNKNOWN_LEVEL_ID)
            layer = _layers.show_mask(self.viewer, LabelMap(mask.astype(np.uint8), parts.grid))
            layer.visible = True
            layer.selected_label = int(mask.max())
            self.viewer.layers.selection.active = layer
            self.told.emit("Paint or erase in the layer Mask, then press Update.")

    def update_mask(self) -> None:
        """Take the mask as it was edited: everything after Segment is stale."""
        with Telling(self.told):
            layer = _layers.find(self.viewer, _layers.MASK)
            if layer is None:
                raise InputError("there is no mask to take: press Edit mask first", code="no_mask")
            level = self.session.inputs.level or (self.session.target and self.session.target.vertebra.level)
            if level is None:
                raise InputError("choose the level under Vertebra first, then press Update", code="no_level")
            labels = _layers.labels_of(layer, LEVEL_NAMES)
            array = np.where(labels.array > 0, level_id(level), 0).astype(np.uint8)
            self.session.set_level(level)
            self.session.set_labels(LabelMap(array, labels.grid, LEVEL_NAMES), "mask edited in the viewer")
            self.segment()

    def _begin(
        self, step: Step, task: str, arguments: Callable[[], tuple[Any, ...]], done: Callable[[Any, Any], None]
    ) -> None:
        with Telling(self.told):
            if self._job is not None:
                raise InputError(f"{self.session.running} is still running: wait, or press Cancel first", code="busy")
            self.load()
            session, scan = self.session, self.session.inputs.scan
            if scan is None:
                return
            keys = {one: session.key(one) for one in Step}
            # verify and report read the scan through the plan
            given = arguments() if step in (Step.VERIFY, Step.REPORT) else (scan, *arguments())
            job = Job(self.workshop, scan, task, given, self)
            self._job, session.running = job, step
            job.told.connect(self.progressed)
            job.done.connect(lambda value: done(value, keys))
            job.failed.connect(lambda error: self._failed(step, error, keys))
            job.cancelled.connect(lambda: self.told.emit(f"{step.value} was cancelled; nothing was changed."))
            job.ended.connect(self._ended)
            self.told.emit("")
            self.changed.emit()
            job.start()

    def _ended(self) -> None:
        self._job, self.session.running = None, None
        self._soon.start()
        if not self._closing:
            self.progressed.emit(1.0, "")
            self._refresh()

    def _failed(self, step: Step, error: BaseException, keys: Any) -> None:
        at = Step.SEGMENT if isinstance(error, AnatomyError) else step
        self.session.running = None
        self.session.refused(at, short_message(error), keys[at])
        self.told.emit(f"{at.value}: {short_message(error)}")

    def _segmented(self, target: Target, keys: Any) -> None:
        self.session.made(Step.SEGMENT, target, keys[Step.SEGMENT])
        for show in (_layers.show_parts, _layers.show_heights, _layers.show_plates):
            self.paths.later.add(lambda show=show: show(self.viewer, target.vertebra))
        _views.look_at(self.viewer, target.vertebra.frame.origin_lps)

    def _planned(self, made: Planned, keys: Any) -> None:
        target, result, session = made.target, made.result, self.session
        judge = None
        if made.editors:
            views = result.views
            judge = Judge(dict(made.editors), target.vertebra, views["ap"].carm, views["lateral"].carm)
        session.running = None
        self.paths.later.clear()
        if session.state(Step.SEGMENT) is not State.DONE or session.target is not target:
            self._segmented(target, keys)
        session.made(Step.PLAN, result, keys[Step.PLAN])
        self.windows = dict(made.windows)
        self.paths.use(result, judge)
        self.planned.emit(result)
        if not result.trajectories:
            words = " ".join(r.message for r in result.refusals)
            session.refused(Step.VERIFY, words, (*keys[Step.PLAN], ()))
            self.told.emit(f"No path is offered: {words}")
            return
        session.made(Step.VERIFY, result, (*keys[Step.PLAN], ()))
        self._hide_labels()
        _views.look_at(self.viewer, result.trajectories[0].entry_lps)
        self.told.emit("Planned. Drag entry or tip, or step through the insertion.")

    def verify(self) -> None:
        """Judge the case with its moved paths on the views anew."""
        with Telling(self.told):
            plan, target = self.session.require(Step.PLAN), self.session.require(Step.SEGMENT)
            ends = dict(self.session.edits.now)
            self._begin(Step.VERIFY, "verify", lambda: (plan, target, ends), self._verified)

    def _verified(self, result: CaseResult, keys: Any) -> None:
        self.session.running = None
        self.session.made(Step.VERIFY, result, keys[Step.VERIFY])

    def _verify_now(self) -> None:
        """After a move, as soon as nothing else runs."""
        current = self.session.state(Step.PLAN) is State.DONE
        if self.busy or self._closing or not current or self.session.state(Step.VERIFY) is State.DONE:
            return
        self.verify()

    # report ---------------------------------------------------------------------------------------------------------

    def report(self, folder: Path, kinds: tuple[str, ...] = ()) -> None:
        """Write the report folder of the verified plan, and the plan in other formats beside it."""
        with Telling(self.told):
            result = self.session.exportable()
            origin = _opened.origin_of(self.viewer, result.scan)
            self._begin(Step.REPORT, "report", lambda: (result, folder, kinds, origin), self._reported)

    def _reported(self, paths: list[Path], keys: Any) -> None:
        self.session.running = None
        self.session.made(Step.REPORT, paths, keys[Step.REPORT])
        self.told.emit(f"Report written: {paths[0]}")

    # upkeep ---------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        if self._closing:
            return
        if self.session.plan is not None:
            _layers.mark_stale(self.viewer, self.session.state(Step.PLAN) is State.STALE)
        self.changed.emit()

    def _hide_labels(self) -> None:
        for layer in self.label_layers():
            layer.visible = False

    def _forget(self) -> None:
        self.cancel()
        self.paths.clear()
        _layers.remove(self.viewer, _layers.PARTS, _layers.MASK, _layers.HEIGHTS, _layers.PLATES)
        self.planned.emit(None)

    def _layer_removed(self, event: Any) -> None:
        scan = self.session.inputs.scan
        if self._closing or scan is None or _opened.about(event.value).get("scan") is not scan:
            return
        self._forget()
        self.session.set_scan(None)
        self.told.emit("The scan was closed; its case was put away.")

    def close(self) -> None:
        """End all work: the window closes."""
        if self._closing:
            return
        self._closing = True
        self.pick(False)
        self.viewer.layers.events.removed.disconnect(self._layer_removed)
        self.paths.close()
        if self._job is not None:
            self._job.cancel()
            self._job.wait()
        self.workshop.stop()
