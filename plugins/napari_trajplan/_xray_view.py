"""One X-ray on the screen: picture, outlines, letters, scale bar, handles that can be dragged. Draws only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.reporting.style import ORANGE, YELLOW

_GRAB_PX = 14.0


@dataclass(frozen=True, eq=False)
class Handle:
    """An end of a path on the picture: (row, column), and what it is called when it is dragged."""

    name: str
    at_px: FloatArray
    color: str


@dataclass(frozen=True, eq=False)
class Drawing:
    """What lies over the picture, in picture pixels (row, column)."""

    lines: Sequence[tuple[FloatArray, str]] = ()
    handles: Sequence[Handle] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
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
        for line, color in self._drawing.lines:
            painter.setPen(QPen(QColor(color), 1.6))
            painter.drawPolyline(self._polygon(line))
        for handle in self._drawing.handles:
            painter.setPen(QPen(QColor("black"), 1.5))
            painter.setBrush(QColor(handle.color))
            painter.drawEllipse(self.to_screen(handle.at_px), 5.0, 5.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._furniture(painter)
        painter.end()

    def _furniture(self, painter: QPainter) -> None:
        font = QFont(self.font())
        font.setBold(True)
        painter.setFont(font)
        places = {
            "left": (4, self.height() / 2), "right": (self.width() - 20, self.height() / 2),
            "top": (self.width() / 2, 30), "bottom": (self.width() / 2, self.height() - 6),
        }  # fmt: skip
        for edge, (x, y) in places.items():
            _text(painter, x, y, self._drawing.letters.get(edge, ""), YELLOW)
        _text(painter, 4, 14, self._drawing.title, "#FFFFFF")
        _text(painter, self.width() - painter.fontMetrics().horizontalAdvance("SIMULATED") - 4,
              self.height() - 6, "SIMULATED", ORANGE)  # fmt: skip
        if self._drawing.bar_px:
            length = self._drawing.bar_px * self._scale()
            painter.setPen(QPen(QColor("white"), 3))
            painter.drawLine(QPointF(6, self.height() - 20), QPointF(6 + length, self.height() - 20))
            _text(painter, 6, self.height() - 6, "20 mm", "#FFFFFF")
        if self._ruler is not None:
            a, b = self._ruler
            painter.setPen(QPen(QColor(YELLOW), 1.5))
            painter.drawLine(self.to_screen(a), self.to_screen(b))
            length_mm = float(np.linalg.norm(b - a)) * self.mm_per_px
            at = self.to_screen(b)
            _text(painter, at.x() + 8, at.y() - 4, f"{length_mm:.1f} mm at the isocentre", YELLOW)

    # mouse ----------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Grab a handle, or with Shift begin to measure."""
        at = event.position()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._grey is not None:
            self._ruler = (self.to_picture(at), self.to_picture(at))
            return
        self._ruler = None
        near = [(_distance(self.to_screen(h.at_px), at), h.name) for h in self._drawing.handles]
        if near and min(near)[0] <= _GRAB_PX:
            self._grabbed = min(near)[1]
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Drag."""
        at = self.to_picture(event.position())
        if self._grabbed is not None:
            self.dragged.emit(self._grabbed, at, False)
        elif self._ruler is not None:
            self._ruler = (self._ruler[0], at)
            self.measured.emit(float(np.linalg.norm(at - self._ruler[0])) * self.mm_per_px)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Let go."""
        if self._grabbed is not None:
            grabbed, self._grabbed = self._grabbed, None
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


def _text(painter: QPainter, x: float, y: float, text: str, color: str) -> None:
    painter.setPen(QColor("black"))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(QPointF(x + dx, y + dy), text)
    painter.setPen(QColor(color))
    painter.drawText(QPointF(x, y), text)


def _distance(a: QPointF, b: QPointF) -> float:
    return float(np.hypot(a.x() - b.x(), a.y() - b.y()))
