"""One of the linked views on the screen: picture, outlines, crosshair, handles, and what the mouse asks for."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_trajplan import _furniture
from napari_trajplan._shown import Shown
from trajplan.geometry.arrays import FloatArray
from trajplan.reporting.style import SKY

_GRAB_PX = 12.0
_GAP_PX = 9.0
_NOTCH = 120.0
_KEYS = {
    Qt.Key.Key_PageUp: (0, 0, 1), Qt.Key.Key_PageDown: (0, 0, -1), Qt.Key.Key_Left: (-1, 0, 0),
    Qt.Key.Key_Right: (1, 0, 0), Qt.Key.Key_Up: (0, -1, 0), Qt.Key.Key_Down: (0, 1, 0),
}  # fmt: skip


class SliceView(QWidget):
    """A picture in mm. What the mouse asks for is told by signals; the panel answers with another picture.

    Left: move the crosshair, or drag a handle. Right and drag: grey window. Middle, or Shift and left: shift the
    picture. Wheel: through the slices. Ctrl and wheel: magnify. Double click: this view alone, or all again.
    """

    pointed = Signal(object)
    dragged = Signal(str, object, bool)
    windowed = Signal(float, float)
    shifted = Signal(object)
    scrolled = Signal(float)
    magnified = Signal(float)
    nudged = Signal(object)
    alone = Signal()
    resized = Signal()

    def __init__(self, name: str, empty: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self._empty = name, empty
        self.setAccessibleName(name)
        self.setMinimumSize(110, 90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.mm_per_px = 0.5
        self.shown: Shown | None = None
        self._grabbed: str | None = None
        self._moved = False
        self._held: Qt.MouseButton | None = None
        self._last = QPointF()

    def sizeHint(self) -> QSize:  # Qt's name
        """A sixth of the panel."""
        return QSize(220, 170)

    def show_picture(self, shown: Shown | None) -> None:
        """Another picture; None for the words that say when there will be one."""
        self.shown = shown
        self.update()

    # geometry of the screen -----------------------------------------------------------------------------------------

    def half_mm(self) -> tuple[float, float]:
        """Half of the width and height of what is seen, mm."""
        return self.width() / 2 * self.mm_per_px, self.height() / 2 * self.mm_per_px

    def to_screen(self, xy_mm: FloatArray) -> QPointF:
        """Where a place of the picture is on the widget."""
        x, y = np.asarray(xy_mm, dtype=float) / self.mm_per_px
        return QPointF(self.width() / 2 + float(x), self.height() / 2 + float(y))

    def to_mm(self, at: QPointF) -> FloatArray:
        """The place of the picture at a point of the widget."""
        return np.array([at.x() - self.width() / 2, at.y() - self.height() / 2]) * self.mm_per_px

    # drawing --------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # Qt's name
        """Draw all of it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("black"))
        shown = self.shown
        if shown is None:
            painter.setPen(QColor("#DDDDDD"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, f"{self.name}\n{self._empty}")
        else:
            self._paint(painter, shown)
        if self.hasFocus():
            painter.setPen(QPen(QColor(SKY), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _paint(self, painter: QPainter, shown: Shown) -> None:
        rows, columns = shown.grey.shape
        image = QImage(shown.grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(self.rect()), image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for outline in shown.outlines:
            style = Qt.PenStyle.DashLine if outline.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(outline.color), 1.3, style))
            painter.drawPolyline(self._polygon(outline.xy_mm))
        for ring in shown.rings:
            radius = ring.radius_mm / self.mm_per_px
            color = QColor(ring.color)
            if ring.filled:
                painter.setPen(QPen(color, 1.2))
                color.setAlpha(130)
                painter.setBrush(color)
                painter.drawEllipse(self.to_screen(ring.center_mm), radius, radius)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                continue
            for edge, width in (("black", 3.4), (ring.color, 1.8)):
                painter.setPen(QPen(QColor(edge), width))
                painter.drawEllipse(self.to_screen(ring.center_mm), radius, radius)
        if shown.cross_mm is not None:
            self._cross(painter, self.to_screen(shown.cross_mm))
        for handle in shown.handles:
            _furniture.knob(painter, self.to_screen(handle.at), handle)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _furniture.bold(painter, self)
        _furniture.letters(painter, self, shown.letters, 2 if shown.note else 1)
        _furniture.title(painter, self, shown.title)
        _furniture.title(painter, self, shown.note, shown.note_color, line=1)
        bar = 10.0 if 20.0 / self.mm_per_px > 0.4 * self.width() else 20.0
        _furniture.scale_bar(painter, self, bar / self.mm_per_px, f"{bar:.0f} mm")

    def _cross(self, painter: QPainter, at: QPointF) -> None:
        painter.setPen(QPen(QColor(240, 228, 66, 170), 1.0))
        painter.drawLine(QPointF(0, at.y()), QPointF(at.x() - _GAP_PX, at.y()))
        painter.drawLine(QPointF(at.x() + _GAP_PX, at.y()), QPointF(self.width(), at.y()))
        painter.drawLine(QPointF(at.x(), 0), QPointF(at.x(), at.y() - _GAP_PX))
        painter.drawLine(QPointF(at.x(), at.y() + _GAP_PX), QPointF(at.x(), self.height()))

    def _polygon(self, xy_mm: FloatArray) -> QPolygonF:
        at = xy_mm / self.mm_per_px + [self.width() / 2, self.height() / 2]
        return QPolygonF([QPointF(x, y) for x, y in at.tolist()])

    # mouse and keys -------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Grab a handle, the crosshair, the grey window or the picture."""
        if self.shown is None:
            return
        self._last, at = event.position(), event.position()
        self._held = event.button()
        if self._held is Qt.MouseButton.LeftButton and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._held = Qt.MouseButton.MiddleButton
        if self._held is not Qt.MouseButton.LeftButton:
            return
        near = [(_distance(self.to_screen(handle.at), at), handle.name) for handle in self.shown.handles]
        if near and min(near)[0] <= _GRAB_PX:
            self._grabbed, self._moved = min(near)[1], False
        else:
            self.pointed.emit(self.to_mm(at))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Go on with it."""
        at, before = event.position(), self._last
        self._last = at
        if self._held is Qt.MouseButton.RightButton:
            self.windowed.emit(at.x() - before.x(), at.y() - before.y())
        elif self._held is Qt.MouseButton.MiddleButton:
            self.shifted.emit(self.to_mm(at) - self.to_mm(before))
        elif self._grabbed is not None:
            self._moved = True
            self.dragged.emit(self._grabbed, self.to_mm(at), False)
        elif self._held is Qt.MouseButton.LeftButton:
            self.pointed.emit(self.to_mm(at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """Let go."""
        grabbed, self._grabbed, self._held = self._grabbed, None, None
        if grabbed is not None and self._moved:  # a click alone moves nothing
            self.dragged.emit(grabbed, self.to_mm(event.position()), True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # Qt's name
        """This view alone, or all of them again."""
        self._held = None
        if event.button() is Qt.MouseButton.LeftButton:
            self.alone.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:  # Qt's name
        """Through the slices, or with Ctrl nearer and farther."""
        notches = event.angleDelta().y() / _NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.magnified.emit(0.85**notches)
        else:
            self.scrolled.emit(notches)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # Qt's name
        """Arrows: crosshair. Page keys: slices. Plus and minus: magnify."""
        key = Qt.Key(event.key())
        if key in _KEYS:
            x, y, through = _KEYS[key]
            if through:
                self.scrolled.emit(float(through))
            else:
                self.nudged.emit(np.array([x, y], dtype=float))
        elif event.text() in ("+", "-"):
            self.magnified.emit(0.85 if event.text() == "+" else 1 / 0.85)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # Qt's name
        """Another shape needs another picture."""
        super().resizeEvent(event)
        self.resized.emit()


def _distance(a: QPointF, b: QPointF) -> float:
    return float(np.hypot(a.x() - b.x(), a.y() - b.y()))
