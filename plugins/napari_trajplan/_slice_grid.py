"""The linked views in a grid, and the row under them that says which are shown and whose path they follow."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from napari_trajplan._slice_planes import SLICES, View
from napari_trajplan._slice_view import SliceView
from trajplan import DISCLAIMER

_GROUPS = {"All six": tuple(View), "Slices": tuple(SLICES), "Path": tuple(v for v in View if v not in SLICES)}


class SliceGrid(QWidget):
    """Six views, all or some of them in sight. `arranged` follows every change of which."""

    arranged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build()

    def _build(self) -> None:
        self.views = {
            view: SliceView(view.value, "after Plan" if view not in SLICES else "open a scan") for view in View
        }
        self.side, self.group = QComboBox(), QComboBox()
        for box in (self.side, self.group):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.side.setToolTip("The path that the planes along and across follow")
        self.group.addItems(list(_GROUPS))
        self.group.setToolTip("Which views are shown; double click on a view for that one alone")
        self.group.textActivated.connect(lambda name: self.show_only(_GROUPS[name]))
        whole = self.whole_button = QPushButton("Whole")
        whole.setToolTip("All views back to their first size and place")
        disclaimer = QLabel(DISCLAIMER.split(" Not for")[0])
        disclaimer.setStyleSheet("color: #E69F00; font-size: 11px;")
        disclaimer.setToolTip(DISCLAIMER)
        row = QHBoxLayout()
        row.setSpacing(2)
        for part in (self.group, self.side, whole):
            row.addWidget(part)
        row.addStretch()
        row.addWidget(disclaimer)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(4, 2, 4, 2)
        self._grid.setSpacing(3)
        for n, (view, widget) in enumerate(self.views.items()):
            self._grid.addWidget(widget, n // 3, n % 3)
            widget.alone.connect(partial(self._alone, view))
            widget.setToolTip(
                "Click: crosshair. Drag an end of a path. Right and drag: grey window. Wheel: "
                + ("slices" if view in SLICES else "depth of the tip")
                + ". Ctrl+wheel: magnify. Shift+drag: shift. Double click: alone. S is the head, I the feet."
            )
        self._grid.addLayout(row, 2, 0, 1, 3)

    def _alone(self, view: View) -> None:
        shown = [one for one in View if not self.views[one].isHidden()]
        self.show_only(_GROUPS[self.group.currentText()] if shown == [view] else (view,))

    def show_only(self, views: tuple[View, ...]) -> None:
        """Some of the views, in as few rows as they need."""
        for widget in self.views.values():
            self._grid.removeWidget(widget)
        for n, view in enumerate(views):
            self._grid.addWidget(self.views[view], n // 3, n % 3)
        for view, widget in self.views.items():
            widget.setVisible(view in views)
        self.arranged.emit()
