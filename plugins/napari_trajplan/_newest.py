"""A thread that does the newest thing it was asked for: what was not begun when something newer came is never done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

from qtpy.QtCore import QObject, QThread, Signal


class Newest(QObject):
    """Work by key, one piece at a time; `done` gives key and value, or the error in its place, in the GUI's thread."""

    done = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = _Thread()
        self._thread.done.connect(self.done)
        self._thread.start()

    def ask(self, key: Hashable, work: Callable[[], Any]) -> None:
        """Do this next, in place of what was asked for under the same key before."""
        self._thread.put(key, work)

    def forget(self) -> None:
        """Leave what was not begun."""
        self._thread.put(None, None)

    def close(self) -> None:
        """End the thread."""
        self._thread.end()
        self._thread.wait(10_000)


class _Thread(QThread):
    done = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._news = threading.Condition()
        self._waiting: dict[Hashable, Callable[[], Any]] = {}
        self._end = False

    def put(self, key: Hashable, work: Callable[[], Any] | None) -> None:
        with self._news:
            if work is None:
                self._waiting.clear()
            else:
                self._waiting[key] = work
            self._news.notify()

    def end(self) -> None:
        with self._news:
            self._end = True
            self._waiting.clear()
            self._news.notify()

    def run(self) -> None:
        """Wait, take one, do it."""
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
