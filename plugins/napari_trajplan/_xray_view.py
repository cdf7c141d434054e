"""One X-ray on the screen: picture, outlines, letters, scale bar, handles that can be dragged. Draws only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_trajplan import _furniture
from napari_trajplan._shown import Handle
from napari_trajplan._xray_overlays import Stroke
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.reporting.style import ORANGE, YELLOW

_GRAB_PX = 14.0
_DASHES = {"--": Qt.PenStyle.DashLine, ":": Qt.PenStyle.DotLine}


@dataclass(frozen=True, eq=False)
class Drawing:
    """What lies over the picture, in picture pixels (row, column)."""

    strokes: Sequence[Stroke] = ()
    handles: Sequence[Handle] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    note: str = ""
    bar_px: float = 0.0


class XrayView(QWidget):
    """A square picture with handles. Wheel: magnify about the mouse; double click: the whole field again.

    `dragged` gives the name of a handle, its (row, column) and whether the mouse was let go.
    """

    dragged = Signal(str, object, bool)
    measured = Signal(float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Simulated X-ray, {name}")
        self.setMinimumSize(180, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.inverted = False
        self.mm_per_px = 0.0
        self._grey: AnyArray | None = None
        self._drawing = Drawing()
        self._grabbed: str | None = None
        self._moved = False
        self._ruler: tuple[FloatArray, FloatArray] | None = None
        self._zoom, self._middle = 1.0, np.array([255.5, 255.5])

    def sizeHint(self) -> QSize:  # Qt's name
        """Square."""
        return QSize(320, 320)

    def set_picture(self, grey: AnyArray | None) -> None:
        """uint8 (rows, columns); kept, not copied: call again after it was drawn into."""
        if grey is not None and (self._grey is None or self._grey.shape != grey.shape):
            self.whole(grey.shape)
        self._grey = grey
        self.update()

    def set_drawing(self, drawing: Drawing) -> None:
        """What lies over it."""
        self._drawing = drawing
        self.update()

    def whole(self, shape: tuple[int, ...]) -> None:
        """Show the whole field."""
        self._zoom, self._middle = 1.0, (np.array(shape[:2]) - 1) / 2

    def center_on(self, at_px: FloatArray, zoom: float) -> None:
        """Magnify about a pixel."""
        self._zoom, self._middle = zoom, np.array(at_px, dtype=float)
        self.update()

    @property
    def dragging(self) -> bool:
        """Whether a handle is held."""
        return self._grabbed is not None

    # geometry of the screen -----------------------------------------------------------------------------------------

    def _scale(self) -> float:
        rows, columns = (512, 512) if self._grey is None else self._grey.shape
        return self._zoom * min(self.width() / columns, self.height() / rows)

    def to_screen(self, at_px: FloatArray) -> QPointF:
        """Where a picture pixel (row, column) is on the widget."""
        row, column = (np.asarray(at_px) - self._middle) * self._scale()
        return QPointF(self.width() / 2 + float(column), self.height() / 2 + float(row))

    def _polygon(self, line_px: FloatArray) -> QPolygonF:
        at = (line_px - self._middle) * self._scale() + [self.height() / 2, self.width() / 2]
        return QPolygonF([QPointF(x, y) for y, x in at.tolist()])

    def to_picture(self, at: QPointF) -> FloatArray:
        """The picture pixel (row, column) at a place of the widget."""
        away = np.array([at.y() - self.height() / 2, at.x() - self.width() / 2])
        return np.asarray(away / self._scale() + self._middle)

    # drawing --------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # Qt's name
        """Draw all of it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("black"))
        if self._grey is None:
            painter.setPen(QColor("#DDDDDD"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "X-rays appear here\nafter Plan")
            painter.end()
            return
        rows, columns = self._grey.shape
        image = QImage(self._grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
        if self.inverted:
            image = image.copy()
            image.invertPixels()
        corner, end = self.to_screen(np.array([-0.5, -0.5])), self.to_screen(np.array([rows - 0.5, columns - 0.5]))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(corner, end), image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for stroke in self._drawing.strokes:
            painter.setPen(QPen(QColor(stroke.color), 1.6, _DASHES.get(stroke.dash, Qt.PenStyle.SolidLine)))
            painter.drawPolyline(self._polygon(stroke.at_px))
        for handle in self._drawing.handles:
            _furniture.knob(painter, self.to_screen(handle.at), handle)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._furniture(painter)
        painter.end()

    def _furniture(self, painter: QPainter) -> None:
        _furniture.bold(painter, self)
        _furniture.letters(painter, self, self._drawing.letters, 2 if self._drawing.note else 1)
        _furniture.title(painter, self, self._drawing.title)
        _furniture.title(painter, self, self._drawing.note, YELLOW, line=1)
        right = self.width() - painter.fontMetrics().horizontalAdvance("SIMULATED") - 4
        _furniture.write(painter, right, self.height() - 6, "SIMULATED", ORANGE)
        if self._drawing.bar_px:
            _furniture.scale_bar(painter, self, self._drawing.bar_px * self._scale(), "20 mm")
        if self._ruler is not None:
            a, b = self._ruler
            painter.setPen(QPen(QColor(YELLOW), 1.5))
            painter.drawLine(self.to_screen(a), self.to_screen(b))
            length_mm = float(np.linalg.norm(b - a)) * self.mm_per_px
            at = self.to_screen(b)
            words = f"{length_mm:.1f} mm at the isocentre"
            x = min(at.x() + 8, self.width() - painter.fontMetrics().horizontalAdvance(words) - 4)
            _furniture.write(painter, x, max(at.y() - 4, 20.0), words, YELLOW)

    # mouse ----------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Grab a handle, or with Shift begin to measure."""
        at = event.position()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._grey is not None:
            self._ruler = (self.to_picture(at), self.to_picture(at))
            return
        self._ruler = None
        near = [(_distance(self.to_screen(h.at), at), h.name) for h in self._drawing.handles]
        if near and min(near)[0] <= _GRAB_PX:
            self._grabbed, self._moved = min(near)[1], False
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Drag."""
        at = self.to_picture(event.position())
        if self._grabbed is not None:
            self._moved = True
            self.dragged.emit(self._grabbed, at, False)
        elif self._ruler is not None:
            self._ruler = (self._ruler[0], at)
            self.measured.emit(float(np.linalg.norm(at - self._ruler[0])) * self.mm_per_px)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Let go."""
        grabbed, self._grabbed = self._grabbed, None
        if grabbed is not None and self._moved:  # a click alone moves nothing
            self.dragged.emit(grabbed, self.to_picture(event.position()), True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """The whole field again."""
        if self._grey is not None:
            self.whole(self._grey.shape)
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:  # Qt's name
        """Magnify about the mouse."""
        before = self.to_picture(event.position())
        self._zoom = float(np.clip(self._zoom * 1.0015 ** event.angleDelta().y(), 1.0, 8.0))
        self._middle = self._middle + before - self.to_picture(event.position())
        self.update()


def _distance(a: QPointF, b: QPointF) -> float:
    return float(np.hypot(a.x() - b.x(), a.y() - b.y()))
