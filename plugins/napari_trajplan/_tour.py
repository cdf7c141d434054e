"""Five hints for the first plan; dismissed for good by one press, and shown again on request."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_trajplan._controls import button

HINTS = (
    "<b>Open a scan</b>: File &gt; Open with trajplan as its reader, or File &gt; Open Sample &gt; trajplan.",
    "<b>Choose the vertebra</b>: <i>Find all</i> lists every level; or click in a slice. State the level you counted.",
    "<b>Plan</b> (Ctrl+Return) segments, plans and verifies. Orange is stale; a refusal says why.",
    "<b>Move a path</b>: drag entry or tip in a slice, in 3D or in an X-ray, or press arrow keys. Undo takes it back.",
    "<b>Step through it</b>: the slider under Verify advances the needle. Then write the report, or save the case.",
)


class Tour(QFrame):
    """A box with one hint at a time. `over` comes when it was dismissed or read to its end."""

    over = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trajplan tour")
        self.setStyleSheet("#trajplan\\ tour { border: 1px solid #56B4E9; border-radius: 4px; }")
        self._at = 0
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.count = QLabel()
        self.next_button = button("&Next", "The next hint (Alt+N)", lambda: self._go(1))
        self.back_button = button("Bac&k", "The hint before (Alt+K)", lambda: self._go(-1))
        self.close_button = button("&Dismiss", "Do not show these hints again; the command palette has them", self._end)
        row = QHBoxLayout()
        for part in (self.count, self.back_button, self.next_button, self.close_button):
            row.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addWidget(self.hint)
        layout.addLayout(row)
        self.setVisible(False)

    def start(self) -> None:
        """Show the first hint."""
        self._at = 0
        self._show()
        self.setVisible(True)

    def _go(self, by: int) -> None:
        self._at += by
        if self._at >= len(HINTS):
            self._end()
            return
        self._show()

    def _show(self) -> None:
        self.hint.setText(HINTS[self._at])
        self.count.setText(f"{self._at + 1} of {len(HINTS)}")
        self.back_button.setEnabled(self._at > 0)
        self.next_button.setText("&Done" if self._at == len(HINTS) - 1 else "&Next")

    def _end(self) -> None:
        self.setVisible(False)
        self.over.emit()
