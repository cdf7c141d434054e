"""A thread that does the newest thing it was asked for: what was not begun when something newer came is never done."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable
from typing import Any

from qtpy.QtCore import QObject, QThread, Signal


class Newest(QObject):
    """Work by key, one piece at a time; `done` gives key and value, or the error in its place, in the GUI's thread."""

    done = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        thread = self._thread = _Thread()
        thread.done.connect(self.done)
        # a thread that is let go of while it runs ends the whole program: neither a window that goes may do it, nor
        # Python's own end
        self.destroyed.connect(lambda: thread.end())
        weakref.finalize(self, thread.stop)
        thread.start()

    def ask(self, key: Hashable, work: Callable[[], Any]) -> None:
        """Do this next, in place of what was asked for under the same key before."""
        self._thread.put(key, work)

    def forget(self) -> None:
        """Leave what was not begun."""
        self._thread.put(None, None)

    def close(self) -> None:
        """End the thread."""
        self._thread.end()


class _Thread(QThread):
    done = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._news = threading.Condition()
        self._waiting: dict[Hashable, Callable[[], Any]] = {}
        self._end = False
        self._stopped = threading.Event()

    def put(self, key: Hashable, work: Callable[[], Any] | None) -> None:
        with self._news:
            if work is None:
                self._waiting.clear()
            else:
                self._waiting[key] = work
            self._news.notify()

    def stop(self) -> None:
        """Begin nothing more, and wait for what is being done; asks nothing of Qt, which may have gone before."""
        with self._news:
            self._end = True
            self._waiting.clear()
            self._news.notify()
        self._stopped.wait(10.0)

    def end(self) -> None:
        self.stop()
        self.wait(10_000)

    def run(self) -> None:
        """Wait, take one, do it."""
        try:
            self._serve()
        finally:
            self._stopped.set()

    def _serve(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._end:
                    self._news.wait()
                if self._end:
                    return
                key = next(iter(self._waiting))
                work = self._waiting.pop(key)
            try:
                value = work()
            except Exception as error:  # noqa: BLE001 - it belongs to the asker, not to this thread
                value = error
            del work
            self.done.emit(key, value)
