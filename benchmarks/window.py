"""The napari window: time to a verified plan, updates a second while a path is dragged, settling, stalls.

Needs napari with Qt and a display: ``env -u QT_QPA_PLATFORM xvfb-run -a python benchmarks/window.py [SAMPLE]``.
Instead ``--scan FILE --body X,Y,Z --level L1`` opens a scan, takes the point (LPS mm) as a click, and plans.
A stall is the longest time between two ticks of a timer that is due every 5 ms: what a hand on the mouse feels.
Beside the times by the clock stand those of the window's thread alone, which other programs lengthen less.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

_DRAG_S = 5.0
_HAND_MS = 8
"""A mouse tells where it is 125 times a second."""
_TICK_MS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sample", nargs="?", default="wedge-L1")
    parser.add_argument("--scan", help="a file or DICOM folder instead of a sample")
    parser.add_argument("--body", help="a point in the vertebral body, x,y,z in LPS mm")
    parser.add_argument("--level", help="its level")
    given = parser.parse_args()
    if importlib.util.find_spec("napari") is None or importlib.util.find_spec("qtpy") is None:
        print("skipped: napari with Qt is not installed")
        return
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        print("skipped: no display; run it with xvfb-run")
        return
    if given.scan is not None:
        _plan_scan(given.scan, given.body, given.level)
    else:
        _plan_sample(given.sample)


def _window() -> tuple[Any, Any]:
    """The viewer at 1280 x 800 with the planner beside it."""
    import napari

    from napari_trajplan._dock import PlannerDock

    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    dock = PlannerDock(viewer)
    viewer.window.add_dock_widget(dock, name="Planner", area="right")
    return viewer, dock


def _plan_scan(file: str, body: str, level: str) -> None:
    """A scan opened, its vertebra clicked, Plan pressed."""
    from napari_trajplan._session import Step

    viewer, dock = _window()
    planner = dock.planner
    _live(3.0)
    start = time.perf_counter()
    viewer.open(file, plugin="trajplan")
    opened = time.perf_counter() - start
    _live(1.0)
    planner.session.set_seed(np.array([float(v) for v in body.split(",")]))
    planner.session.set_level(level)
    start = time.perf_counter()
    dock.plan_button.click()
    planning, showing = _work(planner)
    planned = time.perf_counter() - start
    states = ", ".join(f"{step.name.lower()} {dock.session.state(step).value}" for step in Step)
    print(f"{level}{_load()}: {states}")
    for path in dock.session.plan.trajectories if dock.session.plan is not None else ():
        print(f"   {path.side.value}: {path.verdict.value}, clearance {path.clearance.min_mm:.2f} mm")
    for row in (
        Row("the scan opened", opened, "s", None),
        Row("Plan pressed to a verified plan on the screen", planned, "s", 30.0),
        *_stalls("while it segments and plans", planning, showing),
    ):
        print(row.words())
    planner.close()
    viewer.close()


def _load() -> str:
    return f", load of the machine {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def _plan_sample(sample: str) -> None:
    """The whole table on a phantom."""
    from napari.layers import Layer

    from napari_trajplan._below import to_front
    from napari_trajplan._sample_data import phantom_layers
    from napari_trajplan._session import State, Step
    from napari_trajplan._slice_planes import View

    viewer, dock = _window()
    for layer in phantom_layers(sample):
        viewer.add_layer(Layer.create(*layer))
    _live(3.0)

    labels, planner = dock.vertebra.labels, dock.planner
    planner.choices.use_labels(None)  # a segmentation of its own, by the click of a user
    planner.session.set_seed(_body(sample))
    planner.segment()
    segmenting, showing_mask = _work(planner)
    segmented = dock.session.state(Step.SEGMENT).value
    planner.session.set_seed(None)
    planner.choices.use_labels(labels.itemData(labels.count() - 1))

    start = time.perf_counter()
    dock.plan_button.click()
    planning, showing_plan = _work(planner)
    planned = time.perf_counter() - start
    verified = dock.session.state(Step.VERIFY) is State.DONE
    _live(1.0)
    rows = [
        *_stalls(f"while it segments ({segmented})", segmenting, showing_mask),
        Row("Plan pressed to a verified plan on the screen", planned, "s", 30.0),
        *_stalls("while it plans", planning, showing_plan),
    ]
    to_front(dock.xrays)
    _live(1.0)
    rows += _drag(dock, "both X-rays 512 x 512", dock.xrays.screens[1].view)
    rows += _settle(dock)
    screen = dock.xrays.screens[1]
    screen.buttons["en_face_left"].click()
    screen.follow_button.click()
    _live(1.0)
    rows += _drag(dock, "one X-ray follows en face", screen.view, least=None)
    screen.buttons["lateral"].click()
    to_front(dock.slices)
    _live(1.0)
    rows += _drag(dock, "the linked views in front", dock.slices.views[View.ALONG_AXIAL], least=None)
    print(f"{sample}, verified: {verified}{_load()}")
    for row in rows:
        print(row.words())
    planner.close()
    viewer.close()


class Row:
    """One figure; `target` None where none is set; a rate is met from above."""

    def __init__(self, what: str, value: float, unit: str, target: float | None) -> None:
        self._what, self._value, self._unit, self._target = what, value, unit, target

    def words(self) -> str:
        """For the table."""
        line = f"{self._what:62s} {self._value:8.1f} {self._unit:3s}"
        if self._target is None:
            return line
        met = self._value >= self._target if self._unit == "/s" else self._value <= self._target
        return f"{line} target {self._target:g} {'met' if met else 'NOT met'}"


class Probe:
    """A timer of the event loop itself: the longest time between two of its ticks, s, and that of the thread alone."""

    def __init__(self) -> None:
        self.longest = self.longest_alone = 0.0

    def run(self, while_: Callable[[], bool]) -> None:
        """Let the event loop run as long as something holds."""
        from qtpy.QtCore import QEventLoop, QTimer

        self._last = time.perf_counter(), time.thread_time()
        loop = QEventLoop()
        # children of the loop, which is freed here: a timer left to the garbage collector may die in another thread
        tick, ask = QTimer(loop), QTimer(loop)
        tick.timeout.connect(self._tick)
        ask.timeout.connect(lambda: None if while_() else loop.quit())
        tick.start(_TICK_MS)
        ask.start(20)
        loop.exec()
        tick.stop()
        ask.stop()
        loop.deleteLater()

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.longest = max(self.longest, now[0] - self._last[0])
        self.longest_alone = max(self.longest_alone, now[1] - self._last[1])
        self._last = now


def _work(planner: Any) -> tuple[Probe, Probe]:
    """Wait for the work that has begun: what the window felt meanwhile, and while napari was given its layers."""
    working, showing = Probe(), Probe()
    working.run(lambda: planner.busy)
    showing.run(lambda: planner.paths.later.waiting)
    return working, showing


def _stalls(what: str, working: Probe, showing: Probe) -> list[Row]:
    return [
        Row(f"longest stall {what}", 1e3 * working.longest, "ms", 100.0),
        Row("   by processor time", 1e3 * working.longest_alone, "ms", 100.0),
        Row("   afterwards, while its layers are added to napari", 1e3 * showing.longest, "ms", 100.0),
        Row("   by processor time", 1e3 * showing.longest_alone, "ms", 100.0),
    ]


def _body(sample: str) -> np.ndarray:
    from trajplan.parts import Part
    from trajplan_phantoms import Scanner, make_phantom, named

    parts = make_phantom(named(sample), Scanner((2.0,) * 3)).parts
    return np.asarray(parts.grid.index_to_world(np.argwhere(parts.array == Part.BODY).mean(axis=0)))


def _live(seconds: float) -> None:
    end = time.perf_counter() + seconds
    Probe().run(lambda: time.perf_counter() < end)


def _drag(dock: Any, what: str, shown: Any, least: float | None = 20.0) -> list[Row]:
    """A tip moved as by a mouse, again and again; an update is a picture painted in `shown`."""
    from qtpy.QtCore import QEvent, QObject, QTimer

    paths = dock.planner.paths
    side = next(iter(paths.live))
    entry, target = paths.shafts.ends(side)
    moves: list[int] = []
    answers: list[Any] = []
    paths.answered.connect(answers.append)

    class Paints(QObject):
        seen = 0

        def eventFilter(self, _watched: Any, event: Any) -> bool:  # Qt's name
            self.seen += event.type() == QEvent.Type.Paint
            return False

    def move() -> None:
        paths.drag(side, (entry, target + np.array([0.0, 0.0, 3.0 * (len(moves) % 20) / 20])), final=False)
        moves.append(1)

    hand, probe, paints = QTimer(), Probe(), Paints()
    hand.timeout.connect(move)
    shown.installEventFilter(paints)
    start, alone = time.perf_counter(), time.thread_time()
    hand.start(_HAND_MS)
    probe.run(lambda: time.perf_counter() < start + _DRAG_S)
    took, alone = time.perf_counter() - start, time.thread_time() - alone
    hand.stop()
    shown.removeEventFilter(paints)
    paths.answered.disconnect(answers.append)
    updates = min(len(moves), paints.seen)
    return [
        Row(f"updates a second, tip dragged, {what}", updates / took, "/s", least),
        Row("   by processor time of the window's thread", updates / alone, "/s", least),
        Row("   numbers (clearance, grade, stages) a second", len(answers) / took, "/s", least),
        Row("   longest stall", 1e3 * probe.longest, "ms", 100.0),
        Row("   longest stall by processor time", 1e3 * probe.longest_alone, "ms", 100.0),
    ]


def _settle(dock: Any) -> list[Row]:
    """From the mouse let go to every number in full, the second of two moves: the first reads code from the disk."""
    paths = dock.planner.paths
    side = next(iter(paths.live))
    entry, target = paths.shafts.ends(side)
    for n in (1.0, 2.0):
        answered: list[bool] = []

        def note(answer: Any, answered: list[bool] = answered) -> None:
            answered.append(answer.question.full)

        paths.answered.connect(note)
        start, alone = time.perf_counter(), time.process_time()
        paths.drag(side, (entry, target + np.array([0.0, 0.0, n])), final=True)
        Probe().run(lambda answered=answered: not any(answered))
        took, alone = time.perf_counter() - start, time.process_time() - alone
        paths.answered.disconnect(note)
        Probe().run(lambda: dock.planner.busy or paths.later.waiting)
        _live(1.0)
    return [
        Row("numbers of the last move in full, after the mouse is let go", 1e3 * took, "ms", 300.0),
        Row("   by processor time of all threads", 1e3 * alone, "ms", 300.0),
    ]


if __name__ == "__main__":
    main()
