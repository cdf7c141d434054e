"""Help for tests that drive the planner in a real window: waiting, real mouse, screenshots for people to look at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
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


def click_at(viewer: Any, layer: Any, world: Any) -> None:
    """A real click of the mouse on the canvas, on a place of napari's world that the slice shows."""
    for _ in range(30):  # a layout that is still moving would move the place away from under the mouse
        QApplication.processEvents()
    canvas = viewer.window._qt_viewer.canvas
    vertical, horizontal = (float(world[axis]) for axis in viewer.dims.displayed)
    x, y, _, w = canvas.view.scene.transform.map([horizontal, vertical, 0.0, 1.0])[:4]
    at = QPoint(round(float(x / w)), round(float(y / w)))
    assert canvas.native.rect().contains(at), f"{world} is not in sight of {layer.name}"
    QTest.mouseMove(canvas.native, at)
    QApplication.processEvents()
    QTest.mouseClick(canvas.native, Qt.MouseButton.LeftButton, pos=at)
    QApplication.processEvents()


def settled(dock: Any) -> None:
    """Nothing runs and nothing waits to be drawn."""
    planner = dock.planner
    until(lambda: not planner.busy and not planner.paths.later.waiting, "the planner comes to rest")
    for _ in range(20):
        QApplication.processEvents()


def press(button: Any) -> None:
    """A real click on a button that may be pressed."""
    assert button.isEnabled(), button.text()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def shot(viewer: Any, folder: Path, name: str) -> None:
    """The whole window as a picture, which must not be blank."""
    for _ in range(10):
        QApplication.processEvents()
    picture = viewer.screenshot(path=str(folder / f"{name}.png"), canvas_only=False, flash=False)
    assert picture[..., :3].std() > 10, "the window is blank"
