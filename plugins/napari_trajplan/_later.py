"""Work of the window that can wait, a piece at a time, so that the event loop is never held for long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

_BREATH_MS = 5
"""Between two pieces, so that what one has changed is painted before the next begins."""


class Later(QObject):
    """Runs one piece each time the event loop comes round; `around` is called with it, and runs it."""

    def __init__(
        self, parent: QObject | None = None, around: Callable[[Callable[[], object]], object] = lambda piece: piece()
    ) -> None:
        super().__init__(parent)
        self._around = around
        self._pieces: deque[Callable[[], object]] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(_BREATH_MS)
        self._timer.timeout.connect(self._next)

    def add(self, *pieces: Callable[[], object]) -> None:
        """Put pieces at the end of the line."""
        self._pieces.extend(pieces)
        self._timer.start()

    def next(self, piece: Callable[[], object]) -> None:
        """Put a piece before all others."""
        self._pieces.appendleft(piece)
        self._timer.start()

    def clear(self) -> None:
        """Forget what waits."""
        self._pieces.clear()
        self._timer.stop()

    @property
    def waiting(self) -> bool:
        """Whether anything is left to do."""
        return bool(self._pieces)

    def _next(self) -> None:
        if not self._pieces:
            self._timer.stop()
            return
        self._around(self._pieces.popleft())
