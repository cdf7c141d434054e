"""Long work in a process of its own: real progress, Cancel at once, and an event loop that never waits."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QThread, Signal

from napari_trajplan._wire import Shared, error_of, receive, send
from trajplan.beside import run_beside
from trajplan.errors import InputError
from trajplan.reading.scan import Scan


class Workshop:
    """Keeps one warm worker process, and starts another when that one was stopped."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._shared = Shared()
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Start the process before it is needed: its imports take seconds."""
        with self._lock:
            self._running()

    def work(self, scan: Scan, task: str, arguments: tuple[Any, ...], told: Callable[[float, str], None]) -> Any:
        """Do a task of `_tasks` and wait for it.

        Raises
        ------
        Exception
            What the task raised, or ``worker_ended`` when the process was stopped or ended.
        """
        with self._lock:
            process = self._running()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the worker process has no pipes")
        try:
            if self._shared.scan is not scan:
                self._shared.scan = None
                send(process.stdin, ("scan", scan), self._shared)
                self._shared.scan = scan
            send(process.stdin, ("task", task, arguments), self._shared)
            while True:
                kind, *rest = receive(process.stdout, self._shared)
                if kind == "told":
                    told(*rest)
                elif kind == "failed":
                    raise error_of(*rest)
                else:
                    return rest[0]
        except (EOFError, BrokenPipeError, ConnectionError) as error:
            raise InputError(
                "the work ended before it was done (out of memory?): close other programs or take a smaller scan",
                code="worker_ended",
            ) from error

    def stop(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close(stream)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._shared.scan = None
            self._process = run_beside("napari_trajplan._worker", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process


class Job(QObject):
    """One task. Signals arrive in the GUI thread: exactly one of `done`, `failed`, `cancelled`, and then `ended`."""

    told = Signal(float, str)
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    ended = Signal()

    def __init__(
        self, workshop: Workshop, scan: Scan, task: str, arguments: tuple[Any, ...], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workshop, self._stopped = workshop, False
        self._thread = _Thread(lambda told: workshop.work(scan, task, arguments, told))
        self._thread.told.connect(self.told)
        self._thread.finished.connect(self._finish)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Stop it now."""
        self._stopped = True
        self._workshop.stop()

    def wait(self, timeout_ms: int = 60_000) -> bool:
        """Block until the thread has ended: for the closing of a window."""
        return bool(self._thread.wait(timeout_ms))

    def _finish(self) -> None:
        error = self._thread.error
        if self._stopped:
            self.cancelled.emit()
        elif error is not None:
            self.failed.emit(error)
        else:
            self.done.emit(self._thread.value)
        self.ended.emit()


class _Thread(QThread):
    """Waits for the process; computes nothing."""

    told = Signal(float, str)

    def __init__(self, work: Callable[[Callable[[float, str], None]], Any]) -> None:
        super().__init__()
        self._work = work
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """The waiting, in the thread."""
        try:
            self.value = self._work(self.told.emit)
        except Exception as error:  # noqa: BLE001 - whatever it is must be told in the window, not lost in a thread
            self.error = error


def _close(stream: Any) -> None:
    try:
        stream.close()
    except OSError:  # what was written last has no reader any more
        return
