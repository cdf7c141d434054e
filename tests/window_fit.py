"""Shows a planned window and says as JSON what does not fit: run by ``test_napari_fits`` at several scalings."""

from __future__ import annotations

import json
import sys
from typing import Any

import napari
import numpy as np
from planned_window import made, show
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget

from napari_trajplan._below import to_front
from napari_trajplan._dock import PlannerDock

SIZE = (1280, 800)


def main(picture: str) -> None:
    """Show, look, print."""
    viewer = napari.Viewer(show=True)
    window = viewer.window._qt_window
    dock = PlannerDock(viewer)
    viewer.window.add_dock_widget(dock, name="Planner", area="right")
    dock.tour.close_button.click()
    _resize(window)  # napari fits the first layer into the canvas as it is then
    show(viewer, dock, *made())
    found: dict[str, Any] = {"ratio": window.devicePixelRatio(), "clipped": [], "dark": {}}
    for panel in (dock.xrays, dock.slices):
        to_front(panel)
        _resize(window)
        name = panel.objectName()
        found["clipped"] += [f"{name}: {what}" for what in _clipped(panel)]
        image = window.grab().toImage()
        image.save(f"{picture}-{'x-rays' if panel is dock.xrays else 'slices'}.png")
        corner = panel.mapTo(window, panel.rect().topLeft())
        found["dark"][name] = _share_black(image, corner.x(), corner.y(), panel.width(), panel.height())
    found["clipped"] += [f"planner: {what}" for what in _clipped(dock)]
    found["size"] = [window.width(), window.height()]
    found["canvas_black"] = float((viewer.screenshot(canvas_only=True, flash=False)[..., :3].max(axis=-1) < 8).mean())
    sys.stdout.write(json.dumps(found) + "\n")
    dock.planner.close()
    viewer.close()


def _resize(window: QWidget) -> None:
    window.resize(*SIZE)
    for _ in range(50):
        QApplication.processEvents()


def _clipped(panel: QWidget) -> list[str]:
    """Widgets whose text is wider than they are."""
    found = []
    for widget in panel.findChildren(QWidget):
        if not widget.isVisible():
            continue
        if isinstance(widget, QLabel):
            text, room = widget.text(), widget.contentsRect().width()
            if widget.wordWrap() or "<" in text or not text:
                continue
            need = widget.fontMetrics().horizontalAdvance(text.replace("&", ""))
        elif isinstance(widget, QAbstractButton | QComboBox):
            text = widget.currentText() if isinstance(widget, QComboBox) else widget.text()
            need, room = widget.fontMetrics().horizontalAdvance(text.replace("&", "")), widget.width()
        else:
            continue
        if need > room:
            found.append(f"{type(widget).__name__} {text!r} needs {need}, has {room}")
    return found


def _share_black(image: QImage, x: int, y: int, width: int, height: int) -> float:
    """Share of a rectangle (points) of a picture that is black: a panel that was never painted is."""
    ratio = image.devicePixelRatio()
    part = image.copy(*(round(v * ratio) for v in (x, y, width, height))).convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(part.constBits(), np.uint8).reshape(part.height(), part.bytesPerLine())
    return float((rows[:, : 3 * part.width()] < 8).mean())


if __name__ == "__main__":
    main(sys.argv[1])
