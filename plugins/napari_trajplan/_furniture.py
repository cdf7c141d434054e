"""What every picture of the window has at its edges: name, orientation letters, a scale bar. Draws only."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPen
from qtpy.QtWidgets import QWidget

from napari_trajplan._shown import Handle
from trajplan.reporting.style import YELLOW


def write(painter: QPainter, x: float, y: float, text: str, color: str) -> None:
    """Text with a dark halo, so that it reads on bone and on air; `x`, `y` is where its base line begins."""
    painter.setPen(QColor("black"))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(QPointF(x + dx, y + dy), text)
    painter.setPen(QColor(color))
    painter.drawText(QPointF(x, y), text)


def bold(painter: QPainter, widget: QWidget) -> None:
    """The font of everything that is written over a picture."""
    font = QFont(widget.font())
    font.setBold(True)
    painter.setFont(font)


def letters(painter: QPainter, widget: QWidget, at: Mapping[str, str], lines: int = 1) -> None:
    """Orientation letters at ``left``, ``right``, ``top`` and ``bottom``; the top one below the `lines` of the name."""
    words = painter.fontMetrics()
    width, height, line = widget.width(), widget.height(), words.height()
    for edge, letter in at.items():
        wide = words.horizontalAdvance(letter)
        places = {
            "left": (4.0, (height + words.ascent()) / 2),
            "right": (width - wide - 4.0, (height + words.ascent()) / 2),
            "top": ((width - wide) / 2, (lines + 1.0) * line),
            "bottom": ((width - wide) / 2, height - 5.0),
        }
        write(painter, *places[edge], letter, YELLOW)


def title(painter: QPainter, widget: QWidget, text: str, color: str = "#FFFFFF", line: int = 0) -> None:
    """The name of the picture, upper left, or a `line` below it; what is too long loses its end, not its beginning."""
    words = painter.fontMetrics()
    shown = words.elidedText(text, Qt.TextElideMode.ElideRight, widget.width() - 6)
    write(painter, 4, words.ascent() + 1 + line * words.height(), shown, color)


def scale_bar(painter: QPainter, widget: QWidget, length_px: float, words: str) -> None:
    """A bar, lower left, `length_px` long on the screen, and what it measures."""
    y = widget.height() - 6.0
    bar = y - painter.fontMetrics().ascent() - 3
    for color, width in (("black", 5), ("white", 3)):
        painter.setPen(QPen(QColor(color), width))
        painter.drawLine(QPointF(6, bar), QPointF(6 + length_px, bar))
    write(painter, 6, y, words, "#FFFFFF")


def knob(painter: QPainter, at: QPointF, handle: Handle) -> None:
    """A handle that can be dragged; the entry is the larger, so that both are seen when one looks down the path."""
    radius = 7.0 if handle.name.endswith("0") else 4.5
    painter.setPen(QPen(QColor("black"), 1.5))
    painter.setBrush(QColor(handle.color))
    painter.drawEllipse(at, radius, radius)
