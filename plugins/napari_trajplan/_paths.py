"""The paths of a plan in one viewer: shown, dragged by handle or X-ray, graded live, undone and snapped back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

import numpy as np
from napari.layers import Labels, Points
from qtpy.QtCore import QObject, QTimer, Signal

from napari_trajplan import _layer_data, _layers, _path_layers
from napari_trajplan._later import Later
from napari_trajplan._live_grade import Answer, Judge, LiveGrader, Question
from napari_trajplan._nudge import bind_arrows
from napari_trajplan._session import Session, State, Step
from napari_trajplan._shafts import Shafts
from napari_trajplan._tell import Telling
from napari_trajplan._tidying import tidy_all_again
from trajplan.case import CaseResult
from trajplan.edited import Ends
from trajplan.errors import InputError
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.verification.stages import Stage

_SLICES_MS = 200
_SHORTEST_MM = 1.0
_DERIVED = ("trocar", "automatic plan", "path", "safe cone", "balloon", "safety map")


class Paths(QObject):
    """`dragged` gives side and ends of a path under the mouse; `advanced` a side and the depth of its tip (mm);
    `answered` what is known of a move; `settled` follows one that was kept, taken back or done again; `closing` comes
    before the window goes. `shafts` says where every path is now,
    `chosen` which was moved or advanced last."""

    told = Signal(str)
    dragged = Signal(object, object)
    advanced = Signal(object, float)
    answered = Signal(object)
    settled = Signal()
    closing = Signal()

    def __init__(self, viewer: Any, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self.live: dict[Side, Trajectory] = {}
        self.stages: dict[Side, tuple[Stage, ...]] = {}
        self.shafts = Shafts()
        self.chosen: Side | None = None
        self.grader = LiveGrader(self)
        self.grader.answered.connect(self._show)
        self.later = Later(self, self._unseen_first)
        self._behind: set[Side] = set()
        self._slices = QTimer(self)
        self._slices.setSingleShot(True)
        self._slices.setInterval(_SLICES_MS)
        self._slices.timeout.connect(self._catch_up)
        self._closed = False
        viewer.mouse_drag_callbacks.append(self._take_up)

    def use(self, result: CaseResult, judge: Judge | None) -> None:
        """Show the paths of a fresh plan, in the layers of the one before where there are some."""
        self._behind.clear()
        self.live = {t.side: t for t in result.trajectories}
        self.stages = dict(result.stages)
        self.shafts.use(result)
        self.grader.use(judge)
        for name in self._names(side for side in Side if side not in self.live):
            self.later.add(lambda name=name: _layers.remove(self._viewer, name))
        for path in result.trajectories:
            self.later.add(lambda side=path.side: self._draw_trocar(side))
        for path in result.trajectories:
            self._draw_around(path)
            self.later.add(
                lambda path=path: _path_layers.show_ghost(self._viewer, path), lambda path=path: self._add_handles(path)
            )

    def _add_handles(self, path: Trajectory) -> None:
        known = _layers.find(self._viewer, _path_layers.name_of(path.side, "path"))
        layer = _path_layers.show_handles(self._viewer, path.side, (path.entry_lps, path.target_lps))
        if layer is not known:
            layer.mouse_drag_callbacks.append(self._follower(path.side))
            layer.events.data.connect(self._points_changed(path.side))
            bind_arrows(self._viewer, layer)
        _path_layers.mark_moved(self._viewer, path.side, False)
        layer.mode = "select"
        self._viewer.layers.selection.active = layer

    def _unseen_first(self, piece: Callable[[], object]) -> None:
        """A layer is added unseen and seen the next time: adding it and drawing it first take long, each by itself."""
        before = list(self._viewer.layers)
        piece()
        for layer in self._viewer.layers:
            if layer.visible and not any(layer is one for one in before):
                layer.visible = False
                self.later.next(lambda layer=layer: self._reveal(layer))

    def _reveal(self, layer: Any) -> None:
        if layer in self._viewer.layers:
            layer.visible = True

    def clear(self) -> None:
        """Take every path away."""
        self.later.clear()
        self._take_away()

    def _take_away(self) -> None:
        self._behind.clear()
        self.live, self.stages = {}, {}
        self.shafts.use(None)
        self.grader.use(None)
        _layers.remove(self._viewer, *self._names(Side))

    @staticmethod
    def _names(sides: Iterable[Side]) -> list[str]:
        """Of all layers of the paths on some sides."""
        return [
            name
            for side in sides
            for name in (*(_path_layers.name_of(side, what) for what in _DERIVED), f"{_path_layers.SKIN} {side.value}")
        ]

    def ends(self, side: Side) -> Ends | None:
        """Where a path is now: as moved, or as planned."""
        moved = self._session.edits.now.get(side)
        plan = self._session.plan
        if moved is not None or plan is None:
            return moved
        return next(((t.entry_lps, t.target_lps) for t in plan.trajectories if t.side is side), None)

    def drag(self, side: Side, ends: Ends, *, final: bool) -> None:
        """A path is moved, by whatever means; when `final` the move is kept and graded in full.

        Raises
        ------
        InputError
            ``stale``: the plan is not that of the inputs as they are now. ``path_too_short``: no direction is left.
        """
        if not self.grader.ready or self._session.state(Step.PLAN) is not State.DONE:
            raise InputError("this plan is stale: press Plan before moving its paths", code="stale")
        if float(np.linalg.norm(ends[1] - ends[0])) < _SHORTEST_MM:
            raise InputError("entry and tip may not be on one spot: drag one of them away", code="path_too_short")
        self._move(side, ends)
        self.grader.ask(Question(side, ends, full=final, keep=final))

    def _move(self, side: Side, ends: Ends) -> None:
        self.chosen = side
        self.shafts.move(side, ends)
        self.dragged.emit(side, ends)

    def advance(self, side: Side, depth_mm: float) -> None:
        """Show the trocar at a depth of the insertion."""
        side = Side(side)  # a list of Qt keeps the word, not the member
        if side in self.live:
            self.chosen = side
            self.shafts.advance(side, depth_mm)
            if _layers.find(self._viewer, _path_layers.name_of(side, "trocar")) is not None:
                self._draw_trocar(side)
            self.advanced.emit(side, depth_mm)

    def _draw_trocar(self, side: Side) -> None:
        path, scan = self.live.get(side), self._session.inputs.scan
        if path is not None and scan is not None:
            _path_layers.show_trocar(self._viewer, path, scan.volume.grid, self.shafts.depth_mm(side))

    def undo(self) -> None:
        """The move before."""
        self._session.edits.undo()
        self._restore_all()

    def redo(self) -> None:
        """The move that was taken back."""
        self._session.edits.redo()
        self._restore_all()

    def snap(self, side: Side) -> None:
        """Back to the planner's path."""
        self._session.edits.snap(side)
        self._restore_all()

    def put(self, moved: Mapping[Side, Ends]) -> None:
        """Paths where a person had put them, of a saved case."""
        for side, ends in moved.items():
            self._session.edits.move(side, ends)
        self._restore_all()

    def close(self) -> None:
        """End the grading thread."""
        self._closed = True
        self.closing.emit()
        if self._take_up in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._take_up)
        self.later.clear()
        self.grader.close()
        tidy_all_again()

    # the handles in slices and 3D -----------------------------------------------------------------------------------

    def _take_up(self, viewer: Any, event: Any) -> None:
        """Whoever presses on a handle means it, whichever layer was chosen; but a mask that is painted in is let be."""
        active = viewer.layers.selection.active
        if isinstance(active, Labels) and active.mode != "pan_zoom":
            return
        for side in self.live:
            layer = _layers.find(viewer, _path_layers.name_of(side, "path"))
            if layer is None or not layer.visible or layer is active:
                continue
            under = layer.get_value(
                event.position, view_direction=event.view_direction, dims_displayed=event.dims_displayed, world=True
            )
            if under is not None:
                layer.mode = "select"
                viewer.layers.selection.active = layer
                return

    def _follower(self, side: Side) -> Callable[[Points, Any], Generator[None, None, None]]:
        def follow(layer: Points, event: Any) -> Generator[None, None, None]:
            yield
            while event.type == "mouse_move":
                # napari keeps its own event quiet until the mouse is let go
                if layer.mode == "select" and layer.selected_data:
                    with Telling(self.told):
                        self.drag(side, _layer_data.ends_of(layer), final=False)
                yield

        return follow

    def _points_changed(self, side: Side) -> Callable[[Any], None]:
        def changed(event: Any) -> None:
            action = str(getattr(event.action, "value", event.action)).lower()
            with Telling(self.told):
                if action == "changed":
                    self.drag(side, _layer_data.ends_of(event.source), final=True)
                elif action in ("added", "removed"):
                    self._keep_two(side, event.source)

        return changed

    def _keep_two(self, side: Side, layer: Points) -> None:
        if len(layer.data) == 2:
            return
        count, ends = len(layer.data), self.ends(side)
        if ends is not None:
            _path_layers.show_handles(self._viewer, side, ends)
        raise InputError(f"a path has two points, entry and tip, not {count}: they were put back", code="two_points")

    # what is known of a move ----------------------------------------------------------------------------------------

    def _show(self, answer: Answer) -> None:
        if self._closed or answer.question.side not in self.live:
            return
        question, path, scan = answer.question, answer.path, self._session.inputs.scan
        if path is not None and scan is not None:
            self.live[question.side], self.stages[question.side] = path, answer.stages
            self._behind.add(question.side)
            if question.full:
                self._catch_up()
            elif not self._slices.isActive():
                self._slices.start()
        elif answer.problem:
            self.told.emit(answer.problem)
        if question.full:
            self._settle(answer)
        self.answered.emit(answer)

    def _catch_up(self) -> None:
        """The trocar in slices and 3D: drawing it takes longer than the X-rays."""
        behind, self._behind = self._behind, set()
        for side in behind & self.live.keys():
            if not self._closed:
                self._draw_trocar(side)

    def _settle(self, answer: Answer) -> None:
        """Keep a move; one that cannot be graded is taken back. A path that was put back is drawn in full."""
        side, path = answer.question.side, answer.path
        if path is None:
            if answer.question.keep:
                self._restore(side)
            return
        ends = path.entry_lps, path.target_lps
        if not answer.question.keep:
            self._draw_around(path)
            return
        self._session.edits.move(side, ends)
        _path_layers.show_handles(self._viewer, side, ends)
        self._move(side, ends)
        self._draw_around(path)
        self._mark()

    def _draw_around(self, path: Trajectory) -> None:
        """What belongs to a path beside its trocar, a layer each time the event loop comes round."""
        plan, viewer = self._session.plan, self._viewer
        if plan is None or plan.vertebra is None:
            return
        frame = plan.vertebra.frame
        self.later.add(
            lambda: _path_layers.show_balloon(viewer, path),
            lambda: _path_layers.show_cone(viewer, path, frame),
            lambda: _path_layers.show_skin(viewer, path),
            lambda: _path_layers.show_safety(viewer, path),
        )

    def _restore_all(self) -> None:
        for side in self.live:
            self._restore(side)
        self._mark()

    def _restore(self, side: Side) -> None:
        ends = self.ends(side)
        if ends is None:
            return
        _path_layers.show_handles(self._viewer, side, ends)
        self._move(side, ends)
        self.grader.ask(Question(side, ends, full=True))

    def _mark(self) -> None:
        for side in self.live:
            _path_layers.mark_moved(self._viewer, side, side in self._session.edits.now)
        self.settled.emit()
