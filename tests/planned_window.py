"""A planner window with a plan in it, made without its worker process: for tests of what comes after planning."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QWidget
from viewer_window import settled

from napari_trajplan import _sample_data, _tasks
from napari_trajplan._session import Step
from trajplan.case import CaseRequest

SPACING_MM = 1.5


def made() -> tuple[list[Any], _tasks.Planned]:
    """The layers of a sample, and its plan."""
    layers = _sample_data.phantom_layers("wedge-L1", SPACING_MM)
    scan, labels = layers[0][1]["metadata"]["trajplan"]["scan"], layers[1]
    from trajplan.geometry import LabelMap
    from trajplan.levels import LEVEL_NAMES

    known = LabelMap(labels[0], labels[1]["metadata"]["trajplan"]["grid"], LEVEL_NAMES)
    request = CaseRequest(level="L1", labels=known, labels_source="phantom truth labels")
    return layers, _tasks.plan(scan, request, None, progress=lambda _share, _what: None)


def show(viewer: Any, dock: Any, layers: list[Any], planned: _tasks.Planned) -> None:
    """Put a plan into a window as if its worker had just made it; wait until all of it is on the screen."""
    for layer in layers:
        viewer.add_layer(Layer.create(*layer))
    session = dock.session
    dock.planner._planned(planned, {step: session.key(step) for step in Step})
    settled(dock)


def canvas_of(viewer: Any) -> QWidget:
    """The widget that napari draws on."""
    canvas: QWidget = viewer.window._qt_viewer.canvas.native
    return canvas


def on_canvas(viewer: Any, layer: Any, point: Any) -> QPointF:
    """Where a point of a layer (napari's world) is on the canvas."""
    node = viewer.window._qt_viewer.canvas.layer_to_visual[layer].node
    shown = [float(point[axis]) for axis in viewer.dims.displayed][::-1]
    x, y, _, w = node.get_transform("visual", "canvas").map(
        [*shown, 0.0, 1.0][:4] if len(shown) == 2 else [*shown, 1.0]
    )
    return QPointF(x / w, y / w)


def wheel(widget: QWidget, at: QPointF, notches: float, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Turn the wheel over a place."""
    to = QPointF(widget.mapToGlobal(QPoint(round(at.x()), round(at.y()))))
    event = QWheelEvent(
        at, to, QPoint(), QPoint(0, round(120 * notches)), Qt.MouseButton.NoButton, keys,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()
