"""The planner: binds session, choices, worker and live grading of one window. Widgets show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_trajplan import _layers, _opened, _path_layers, _saving, _vertebra_layers, _views
from napari_trajplan._choices import Choices
from napari_trajplan._levels import Levels
from napari_trajplan._live_grade import Judge
from napari_trajplan._paths import Paths
from napari_trajplan._runner import Keys, Runner
from napari_trajplan._session import Session, State, Step
from napari_trajplan._tasks import Planned
from napari_trajplan._tell import Telling
from trajplan.case import CaseResult
from trajplan.exports.case_differences import differences
from trajplan.exports.case_file import read_case
from trajplan.exports.saved_case import SavedCase, require_scan
from trajplan.fluoroscopy.display import Window
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import PlanSettings
from trajplan.reading.scan import Scan
from trajplan.target import Target

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

    def __init__(self, viewer: Any, settings: PlanSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._closing = False
        self.windows: dict[str, Window] = {}
        self._seen: FloatArray | None = None
        self.session = Session(self._refresh)
        if settings is not None:
            self.session.set_settings(settings)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._verify_now)
        self.choices = Choices(viewer, self.session, self)
        self.choices.told.connect(self.told)
        self.choices.put_away.connect(self._put_away)
        self.choices.opened.connect(self._opened)
        self.runner = Runner(self.session, self)
        self.runner.told.connect(self.told)
        self.runner.progressed.connect(self.progressed)
        self.runner.changed.connect(self._refresh)
        self.runner.ended.connect(self._ended)
        self.paths = Paths(viewer, self.session, self)
        self.paths.told.connect(self.told)
        self.paths.settled.connect(self._refresh)
        self.paths.settled.connect(self._soon.start)

    @property
    def busy(self) -> bool:
        """Whether a step is running."""
        return self.runner.busy

    def cancel(self) -> None:
        """Stop the running step now."""
        self.runner.cancel()

    def find_levels(self, done: Callable[[Levels], None]) -> None:
        """List every vertebra in view."""
        with Telling(self.told):
            if self.choices.load():
                scan, request = self.session.inputs.scan, self.session.request()
                self.runner.begin(
                    Step.VERTEBRA, "levels", scan, (scan, request), lambda found, _keys: done(found), refuses=False
                )

    # segment and plan -----------------------------------------------------------------------------------------------

    def segment(self) -> None:
        """Find, segment and measure the vertebra."""
        with Telling(self.told):
            if self.choices.load():
                scan, request = self.session.inputs.scan, self.session.request()
                self.runner.begin(Step.SEGMENT, "segment", scan, (scan, request), self._segmented)

    def update_mask(self) -> None:
        """Measure the mask as it was painted."""
        if self.choices.take_mask():
            self.segment()

    def plan(self) -> None:
        """Plan; what is missing before is done first, what is current is kept."""
        with Telling(self.told):
            if self.choices.load():
                session, scan = self.session, self.session.inputs.scan
                target = session.target if session.state(Step.SEGMENT) is State.DONE else None
                self.runner.begin(Step.PLAN, "plan", scan, (scan, session.request(), target), self._planned)

    def _segmented(self, target: Target, keys: Keys) -> None:
        self.session.made(Step.SEGMENT, target, keys[Step.SEGMENT])
        for show in (_vertebra_layers.show_parts, _vertebra_layers.show_heights, _vertebra_layers.show_plates):
            self.paths.later.add(lambda show=show: show(self.viewer, target.vertebra))
        self._look_at(target.vertebra.frame.origin_lps)

    def _planned(self, made: Planned, keys: Keys) -> None:
        target, result, session = made.target, made.result, self.session
        judge = None
        if made.editors:
            views = result.views
            judge = Judge(dict(made.editors), target.vertebra, views["ap"].carm, views["lateral"].carm)
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
        for layer in self.choices.label_layers():
            layer.visible = False
        self._look_at(result.trajectories[0].entry_lps)
        self.told.emit("Planned. Drag entry or tip, or step through the insertion.")

    def _look_at(self, point_lps: FloatArray) -> None:
        """Every slice through a point, after what waits: napari cuts all layers anew, which takes long."""
        self._seen = point_lps
        self.paths.later.add(lambda: _views.look_at(self.viewer, point_lps) if self._seen is point_lps else None)

    # verify and report ----------------------------------------------------------------------------------------------

    def verify(self) -> None:
        """Judge the case with its moved paths on the views anew."""
        with Telling(self.told):
            plan, target = self.session.require(Step.PLAN), self.session.require(Step.SEGMENT)
            given = plan, target, dict(self.session.edits.now)
            self.runner.begin(Step.VERIFY, "verify", plan.scan, given, self._verified)

    def _verified(self, result: CaseResult, keys: Keys) -> None:
        self.session.made(Step.VERIFY, result, keys[Step.VERIFY])

    def _verify_now(self) -> None:
        """After a move, as soon as nothing else runs."""
        current = self.session.state(Step.PLAN) is State.DONE
        if self.busy or self._closing or not current or self.session.state(Step.VERIFY) is State.DONE:
            return
        self.verify()

    def report(self, folder: Path, kinds: tuple[str, ...] = ()) -> None:
        """Write the report folder of the verified plan, and the plan in other formats beside it."""
        with Telling(self.told):
            result = self.session.exportable()
            given = result, folder, kinds, _opened.origin_of(self.viewer, result.scan)
            self.runner.begin(Step.REPORT, "report", result.scan, given, self._reported)

    def _reported(self, paths: list[Path], keys: Keys) -> None:
        self.session.made(Step.REPORT, paths, keys[Step.REPORT])
        self.told.emit(f"Report written: {paths[0]}")

    # save and reopen ------------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Save the case (`trajplan.exports.case_file`); a plan that is stale stays out of it, and that is told."""
        with Telling(self.told):
            case, result = _saving.case_of(self.session), _saving.plan_of(self.session)
            left_out = self.session.plan is not None and result is None
            words = " Its plan is stale and was left out." if left_out else ""
            self.runner.begin(
                Step.REPORT, "save", self.session.inputs.scan, (case, result, path),
                lambda saved, _keys: self.told.emit(f"Case saved: {saved}. The CT is not in it.{words}"), refuses=False,
            )  # fmt: skip

    def open_case(self, path: Path) -> None:
        """Go on with a saved case on its CT, which must be open."""
        with Telling(self.told):
            self.reopen(read_case(path))

    def take_dropped(self) -> None:
        """Go on with a case that was dropped on the viewer, as soon as its CT is open too."""
        dropped = _opened.dropped_cases(self.viewer)
        if not dropped or self.busy or _opened.image_of(self.viewer, dropped[0].scan.sha256) is None:
            return
        _opened.take_away_cases(self.viewer)
        self.reopen(dropped[0])

    def reopen(self, case: SavedCase) -> None:
        """Go on with a case on its CT, which must be open."""
        with Telling(self.told):
            self.runner.require_idle()
            layer = _opened.image_of(self.viewer, case.scan.sha256)
            if layer is None:
                require_scan(case, self.session.inputs.scan)
            elif self.choices.load(layer):
                self._go_on(case)

    def _go_on(self, case: SavedCase) -> None:
        session, scan = self.session, self.session.inputs.scan
        if scan is None:
            return
        self.paths.clear()
        _layers.remove(self.viewer, _vertebra_layers.MASK)
        self.planned.emit(None)
        _saving.take(session, case, scan)
        if case.labels is not None and not self.choices.label_layers():
            _vertebra_layers.show_labels(self.viewer, case.labels, scan.sha256)
        given = scan, session.request(), case.kept
        if case.plan is not None:
            self.runner.begin(
                Step.PLAN, "reopen", scan, given, lambda made, keys: self._reopened(case, made, keys)
            )  # fmt: skip
        elif case.kept is not None:
            self.runner.begin(Step.SEGMENT, "measure", scan, given, self._segmented)
        else:
            self.told.emit("Case opened. Press Plan.")

    def _reopened(self, case: SavedCase, made: Planned, keys: Keys) -> None:
        self._planned(made, keys)
        told = differences(case.plan, made.result) if case.plan is not None else ()
        self.told.emit(" ".join(("Case opened; its plan was made again.", *told)))
        if case.moved:
            self.paths.later.add(lambda: self.paths.put(case.moved))  # once the layers of the paths are there

    # upkeep ---------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        if self._closing:
            return
        if self.session.plan is not None:
            _path_layers.mark_stale(self.viewer, self.session.state(Step.PLAN) is State.STALE)
        self.changed.emit()

    def _ended(self) -> None:
        self._soon.start()
        self._refresh()

    def _opened(self, scan: Scan) -> None:
        self.paths.later.add(*_vertebra_layers.empty(self.viewer, scan.volume.grid))

    def _put_away(self) -> None:
        self.cancel()
        self.paths.clear()
        _layers.remove(self.viewer, *_vertebra_layers.OF_A_CASE)
        self.planned.emit(None)

    def close(self) -> None:
        """End all work: the window closes."""
        if self._closing:
            return
        self._closing = True
        self.choices.close()
        self.paths.close()
        self.runner.close()
