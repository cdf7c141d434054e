"""The Report step: where the report goes, what it is written for beside, and the case saved to go on with."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QLineEdit, QWidget

from napari_trajplan import _words
from napari_trajplan._controls import button, row_of
from napari_trajplan._planner import Planner
from napari_trajplan._session import State, Step
from trajplan.exports.case_pack import SUFFIX

CASE_FILTER = f"Case of trajplan (*{SUFFIX})"
_A_ROW = 3


class ReportForm(QWidget):
    """Writes the verified plan, and saves the case."""

    def __init__(self, planner: Planner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._planner = planner
        self.folder = QLineEdit(str(Path.home() / "trajplan-report"))
        self.folder.setAccessibleName("Folder of the report")
        self.folder.setToolTip("The folder of the report; made if missing, an earlier report in it is replaced")
        choose = button("C&hoose", "Choose another folder (Alt+H)", self._choose_folder)
        self.report_button = button("&Write report", "HTML, PDF, plan.json, labels and figures (Alt+W)", self.write)
        self.open_button = button("&Open", "Open the report in your browser (Alt+O)", self._open)
        self.save_button = button(
            "&Save case", "Plan, labels, moved paths and settings in one file, to go on later; not the CT (Ctrl+Alt+S)",
            self.save_case,
        )  # fmt: skip
        self.save_button.setShortcut("Ctrl+Alt+S")
        self.kinds = {kind: QCheckBox(kind) for kind in _words.KIND_TIPS}
        for kind, box in self.kinds.items():
            box.setToolTip(f"{_words.KIND_TIPS[kind]}; in a folder ...-exports beside the report")
        boxes = list(self.kinds.values())
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.folder)
        form.addRow("Also for", row_of(*boxes[:_A_ROW]))
        form.addRow("", row_of(*boxes[_A_ROW:]))
        form.addRow(row_of(choose, self.report_button, self.open_button))
        form.addRow(self.save_button)

    def refresh(self) -> None:
        """Enable what can be pressed."""
        session, busy = self._planner.session, self._planner.busy
        current = session.state(Step.PLAN) is State.DONE and session.state(Step.VERIFY) is State.DONE
        self.report_button.setEnabled(not busy and current)
        self.open_button.setEnabled(session.state(Step.REPORT) is State.DONE)
        self.save_button.setEnabled(not busy and session.inputs.scan is not None)

    def write(self, *, every: bool = False) -> None:
        """Write the report; with `every`, all exports beside it."""
        if every:
            for box in self.kinds.values():
                box.setChecked(True)
        kinds = tuple(kind for kind, box in self.kinds.items() if box.isChecked())
        self._planner.report(Path(self.folder.text()).expanduser(), kinds)

    def save_case(self) -> None:
        """Ask for a file and save the case."""
        start = str(Path(self.folder.text()).with_name(f"case{SUFFIX}"))
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the case", start, CASE_FILTER)
        if chosen:
            path = Path(chosen)
            self._planner.save(path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the report", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _open(self) -> None:
        written = self._planner.session.product(Step.REPORT)
        if written:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(written[0])))
