"""The Vertebra step: a table of the levels found, a click in a slice or a typed point; and the level, confirmed."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_trajplan import _views
from napari_trajplan._controls import button, fill_box, row_of
from napari_trajplan._levels import LevelRow, Levels
from napari_trajplan._planner import Planner
from napari_trajplan._tell import Telling
from napari_trajplan._terms import in_window
from trajplan.errors import InputError
from trajplan.levels import LEVEL_IDS
from trajplan.reporting.words import mm

_COLUMNS = {
    "Level": "Name by the labels, or as the program counts; not confirmed until you choose it under Level",
    "Heights mm": "Body heights at the front, in the middle and at the back, mm",
    "Loss": "Largest loss of height against what is expected from the neighbours, percent",
    "Genant": "Shape and grade of the fracture: 0 none, 1 from 20 %, 2 from 25 %, 3 from 40 % loss of height",
}
_ROWS_SHOWN = 5


class VertebraForm(QWidget):
    """Which vertebra is meant, and which level it is."""

    def __init__(self, planner: Planner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._planner = planner
        self._rows: tuple[LevelRow, ...] = ()
        self._of: Any = None
        self.pick_button = button("C&lick in a slice", "Then click on the body of the vertebra (Alt+L)", self._pick)
        self.pick_button.setCheckable(True)
        self.find_button = button(
            "F&ind all", "List every vertebra in view with its heights; choose one in the table (Alt+I)", self.find
        )
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.setAccessibleName("Vertebrae found")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for n, tip in enumerate(_COLUMNS.values()):
            self.table.horizontalHeaderItem(n).setToolTip(tip)
        self.table.cellClicked.connect(lambda row, _column: self._choose(row))
        self.table.cellActivated.connect(lambda row, _column: self._choose(row))
        self.table.setVisible(False)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setVisible(False)
        self.place = QLineEdit()
        self.place.setPlaceholderText("left, back, up: 12.5, -30, 842")
        self.place.setToolTip("A point in the vertebral body, patient LPS mm, as the status bar shows it; then Return")
        self.place.setAccessibleName("Point in the vertebra, patient LPS millimetres")
        self.place.returnPressed.connect(self._typed)
        self.level = QComboBox()
        self.level.addItem("not counted", None)
        for name in LEVEL_IDS:
            self.level.addItem(name, name)
        self.level.setToolTip(
            "The level as you have counted it; a level nobody has stated is said to be unconfirmed everywhere"
        )
        self.level.activated.connect(lambda _i: planner.session.set_level(self.level.currentData()))
        self.labels = QComboBox()
        self.labels.setToolTip("Labels of the vertebrae that belong to this scan, or a segmentation by the program")
        self.labels.activated.connect(lambda i: planner.choices.use_labels(self.labels.itemData(i)))
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(row_of(self.pick_button, self.find_button))
        form.addRow(self.table)
        form.addRow(self.told)
        form.addRow("&Point", self.place)
        form.addRow("Le&vel", self.level)
        form.addRow("La&bels", self.labels)

    def refresh(self) -> None:
        """Show what is chosen now."""
        now, choices = self._planner.session.inputs, self._planner.choices
        self.pick_button.setChecked(choices.picking)
        self.find_button.setEnabled(not self._planner.busy and now.scan is not None)
        if now.seed_lps is not None and not self.place.hasFocus():
            self.place.setText(", ".join(f"{v:.1f}" for v in now.seed_lps))
        elif now.seed_lps is None and not self.place.hasFocus():
            self.place.clear()
        self.level.setCurrentIndex(max(0, self.level.findData(now.level)))
        fill_box(self.labels, [("none: segment", None), *((one.name, one) for one in choices.label_layers())])
        if now.labels is None:
            self.labels.setCurrentIndex(0)
        elif self.labels.count() > 1 and self.labels.currentIndex() == 0:
            self.labels.setCurrentIndex(self.labels.count() - 1)
        if self._of is not None and self._of != self._made_from():
            self._show(None)

    def find(self) -> None:
        """List every vertebra in view."""
        self._planner.find_levels(self._found)

    def _made_from(self) -> Any:
        now = self._planner.session.inputs
        return (now.scan.sha256 if now.scan else None, now.labels_sha256)

    def _found(self, found: Levels) -> None:
        self._of = self._made_from()
        self._show(found)
        self._planner.told.emit(f"{len(found.rows)} vertebrae found: choose one in the table under Vertebra.")

    def _show(self, found: Levels | None) -> None:
        self._rows = () if found is None else found.rows
        if found is None:
            self._of = None
        self.table.setRowCount(len(self._rows))
        worst = max((r.loss_percent or 0.0 for r in self._rows), default=0.0)
        for n, row in enumerate(self._rows):
            for column, text in enumerate(_cells(row)):
                item = QTableWidgetItem(text)
                item.setToolTip(_tip(row))
                font = item.font()
                font.setBold(bool(row.loss_percent) and row.loss_percent == worst)
                item.setFont(font)
                self.table.setItem(n, column, item)
        self.table.setVisible(bool(self._rows))
        header = self.table.horizontalHeader().sizeHint().height()
        rows = min(len(self._rows), _ROWS_SHOWN)
        self.table.setFixedHeight(header + rows * (self.table.rowHeight(0) if rows else 0) + 4)
        self.told.setText("" if found is None else in_window(found.told))
        self.told.setVisible(bool(found and found.told))

    def _choose(self, index: int) -> None:
        row = self._rows[index]
        session = self._planner.session
        if session.inputs.labels is None and session.inputs.backend != "network":
            session.set_backend("network")  # what found it is what can segment it from this point
        self._planner.choices.choose_at(row.center_lps)
        _views.look_at(self._planner.viewer, row.center_lps)
        name = row.level or "This vertebra"
        confirm = f" If you count {row.level} too, choose it under Level." if row.level else ""
        self._planner.told.emit(f"{name} chosen.{confirm} Press Plan.")

    def _typed(self) -> None:
        with Telling(self._planner.told):
            try:
                x, y, z = (float(v) for v in self.place.text().replace(";", ",").split(","))
            except ValueError:
                raise InputError(
                    "a point needs three numbers, left, back and up in mm, such as 12.5, -30, 842", code="point_invalid"
                ) from None
            self._planner.choices.choose_at((x, y, z))
            _views.look_at(self._planner.viewer, (x, y, z))

    def _pick(self) -> None:
        self._planner.choices.pick(self.pick_button.isChecked())
        if self.pick_button.isChecked():
            self._planner.told.emit("Click on the body of the vertebra in a slice.")

    def keyPressEvent(self, event: Any) -> None:  # Qt's name
        """Return in the table chooses; some styles do not activate cells by it."""
        if self.table.hasFocus() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self.table.currentRow())
            return
        super().keyPressEvent(event)


def _cells(row: LevelRow) -> tuple[str, ...]:
    heights = "not measured" if row.heights_mm is None else " / ".join(f"{h:.1f}" for h in row.heights_mm)
    loss = "" if row.loss_percent is None else f"{row.loss_percent:.0f} %"
    grade = "" if row.genant is None else f"{row.genant}" + (f" {row.fracture}" if row.genant else "")
    return row.level or "?", heights + (" *" if row.problem or row.check else ""), loss, grade


def _tip(row: LevelRow) -> str:
    at = ", ".join(f"{v:.0f}" for v in row.center_lps)
    lines = [f"{row.level or 'Level not known'}, centre ({at}) LPS mm"]
    if row.heights_mm is not None:
        front, middle, back = row.heights_mm
        lines.append(f"front {mm(front)}, middle {mm(middle)}, back {mm(back)}")
    lines += [in_window(one) for one in (row.problem, *row.check) if one]
    return "\n".join(lines)
