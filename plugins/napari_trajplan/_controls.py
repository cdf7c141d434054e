"""Small parts that the forms of all steps are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget


def button(text: str, tip: str, pressed: Callable[[], Any]) -> QPushButton:
    """A push button with its tooltip; an ampersand in the text names its key."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAccessibleName(text.replace("&", ""))
    made.clicked.connect(lambda _checked=False: pressed())
    return made


def row_of(*parts: QWidget) -> QWidget:
    """Parts beside one another."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return row


def fill_box(box: QComboBox, items: list[tuple[str, Any]]) -> None:
    """New items; what was chosen stays chosen where it still is there."""
    if [(box.itemText(i), box.itemData(i)) for i in range(box.count())] == items:
        return
    before = box.currentData()
    box.clear()
    for text, data in items:
        box.addItem(text, data)
    at = next((i for i, (_, data) in enumerate(items) if data is before), len(items) - 1)
    box.setCurrentIndex(at)
