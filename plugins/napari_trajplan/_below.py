"""Panels that share the middle of the window with napari's canvas: docked below it, as tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

_HEIGHT = 350


def dock_below(viewer: Any, panel: QWidget, name: str, seen: Callable[[], None], behind: QWidget | None = None) -> None:
    """Dock a panel under the canvas, unless it is docked; as a tab in front of another one, where that is there.

    `seen` is called each time the panel comes into sight.
    """
    window = getattr(viewer, "window", None)
    if window is None or _dock_of(panel) is not None:
        return
    window.add_dock_widget(panel, name=name, area="bottom")
    docked, other = _dock_of(panel), None if behind is None else _dock_of(behind)
    main = None if docked is None else docked.parent()
    if docked is None or not isinstance(main, QMainWindow):
        return
    # the signal comes before the panel has its place
    docked.visibilityChanged.connect(lambda front: QTimer.singleShot(0, panel, seen) if front else None)
    # the side columns reach down; the panels share the middle with the canvas
    main.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
    main.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
    if other is not None:
        main.tabifyDockWidget(other, docked)
        to_front(panel)
    main.resizeDocks([docked], [_HEIGHT], Qt.Orientation.Vertical)


def to_front(panel: QWidget) -> None:
    """The tab of a panel before the others; its tabs are made when the event loop comes round."""
    docked = _dock_of(panel)
    if docked is not None:
        docked.raise_()
        QTimer.singleShot(0, docked, docked.raise_)


def in_sight(panel: QWidget) -> bool:
    """Whether any of it is to be seen: a tab that lies behind another one counts as visible for Qt."""
    return not panel.visibleRegion().isEmpty()


def _dock_of(panel: QWidget) -> QDockWidget | None:
    parent = panel.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent
