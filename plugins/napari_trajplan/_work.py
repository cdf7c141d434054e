"""Long work off the GUI thread: real progress, Cancel, and one line for whatever goes wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QThread, Signal

from trajplan.anatomy.backend import Progress

_EVERY_S = 0.05


class CancelledError(Exception):
    """A person pressed Cancel; nothing was made."""


class Job(QObject):
    """One piece of work in a thread of its own.

    `work` takes a progress callback, which is also where it is stopped: a step that reports nothing for a while is
    left at its next report. Signals arrive in the GUI thread: exactly one of `done`, `failed`, `cancelled`, and then
    `ended`.
    """

    told = Signal(float, str)
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    ended = Signal()

    def __init__(self, work: Callable[[Progress], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = _Thread(work)
        self._thread.told.connect(self.told)
        self._thread.finished.connect(self._finish)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to stop; it does at its next report of progress."""
        self._thread.stop.set()

    def wait(self, timeout_ms: int = 60_000) -> bool:
        """Block until the thread has ended: for the closing of a window."""
        return bool(self._thread.wait(timeout_ms))

    @property
    def stopping(self) -> bool:
        """Whether Cancel was pressed."""
        return self._thread.stop.is_set()

    def _finish(self) -> None:
        error = self._thread.error
        if self._thread.stop.is_set() or isinstance(error, CancelledError):
            self.cancelled.emit()
        elif error is not None:
            self.failed.emit(error)
        else:
            self.done.emit(self._thread.value)
        self.ended.emit()


class _Thread(QThread):
    told = Signal(float, str)

    def __init__(self, work: Callable[[Progress], Any]) -> None:
        super().__init__()
        self._work = work
        self._last = 0.0
        self.stop = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """The work, in the thread."""
        try:
            self.value = self._work(self._report)
        except Exception as error:  # noqa: BLE001 - whatever it is must be told in the window, not lost in a thread
            self.error = error

    def _report(self, fraction: float, what: str) -> None:
        if self.stop.is_set():
            raise CancelledError
        now = time.perf_counter()
        if now - self._last > _EVERY_S or fraction >= 1.0:
            self._last = now
            self.told.emit(float(fraction), what)
