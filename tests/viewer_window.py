"""Help for tests that drive the planner in a real window: waiting, real mouse, screenshots for people to look at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget


def until(holds: Callable[[], bool], what: str, patience_s: float = 600.0) -> None:
    """Let the window live until something holds. The patience is for dead ends only, it judges no speed."""
    end = time.monotonic() + patience_s
    while not holds():
        QApplication.processEvents()
        time.sleep(0.005)
        if time.monotonic() > end:
            pytest.fail(f"this never happened: {what}")


def drag(
    widget: QWidget,
    start: QPointF,
    stop: QPointF,
    steps: int = 5,
    held: Qt.MouseButton = Qt.MouseButton.LeftButton,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Press, move and release a button."""

    def send(kind: QEvent.Type, at: QPointF, buttons: Qt.MouseButton) -> None:
        to = QPointF(widget.mapToGlobal(QPoint(round(at.x()), round(at.y()))))
        button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else held
        event = QMouseEvent(kind, at, to, button, buttons, keys)
        QApplication.sendEvent(widget, event)
        QApplication.processEvents()

    send(QEvent.Type.MouseButtonPress, start, held)
    for n in range(1, steps + 1):
        send(QEvent.Type.MouseMove, start + (stop - start) * (n / steps), held)
    send(QEvent.Type.MouseButtonRelease, stop, Qt.MouseButton.NoButton)


def picture_folder(tmp_path: Path) -> Path:
    """Where screenshots go: the folder named by TRAJPLAN_SCREENSHOTS, or one that pytest keeps for a while."""
    folder = Path(os.environ.get("TRAJPLAN_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
