"""One step of the column: a header with its state that opens and closes, and what is under it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_trajplan._session import State, Step

MARK = {State.TODO: "○", State.RUNNING: "◔", State.DONE: "●", State.STALE: "◌", State.REFUSED: "✘"}
COLOR = {
    State.TODO: "#999999", State.RUNNING: "#56B4E9", State.DONE: "#009E73", State.STALE: "#E69F00",
    State.REFUSED: "#D55E00",
}  # fmt: skip


class Section(QWidget):
    """A step. State is told by sign, word and colour, never by colour alone."""

    def __init__(self, step: Step, opened: bool) -> None:
        super().__init__()
        self._step = step
        self.header = QToolButton()
        self.header.setCheckable(True)
        self.header.setChecked(opened)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.header.toggled.connect(self._open)
        self.content = QWidget()
        self.form = QFormLayout(self.content)
        self.form.setContentsMargins(8, 2, 2, 6)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.content)
        self._open(opened)

    def show_state(self, state: State) -> None:
        """Say what the step's product is worth."""
        self.header.setText(f"{MARK[state]}  {self._step.value} - {state.value}")
        self.header.setAccessibleName(f"{self._step.value}, {state.value}")
        self.header.setStyleSheet(
            f"QToolButton {{ text-align: left; color: {COLOR[state]}; border: none;"
            " background: rgba(128, 128, 128, 60); padding: 3px; font-weight: bold; }"
        )

    def _open(self, opened: bool) -> None:
        self.header.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.content.setVisible(opened)
