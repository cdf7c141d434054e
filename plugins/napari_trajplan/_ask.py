"""What only a person can decide about a scan, asked in the window: which series, which place, whether to go on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from napari_trajplan._terms import in_window
from trajplan.errors import InputError
from trajplan.reading import Answers, Doubt, Question

T = TypeVar("T")
_TITLE = "Open a scan (trajplan)"
_ALL_THE_SAME = {
    "assume_hu": "Take its values as Hounsfield units all the same? The report will say so.",
    "resample_irregular": "Interpolate the slices all the same? The report will say so.",
}
"""What sets a doubt aside -> how it is asked."""


def answered(read: Callable[[Answers], T]) -> tuple[T, Answers]:
    """What `read` makes of a scan, and the answers it took; each question is put to the user as it comes up.

    Raises
    ------
    InputError
        What `read` raises where there is nothing to ask, or nobody answers.
    """
    answers = Answers()
    while True:
        try:
            return read(answers), answers
        except InputError as error:
            more = _more(error, answers)
            if more is None or more == answers:
                raise
            answers = more


def _more(error: InputError, answers: Answers) -> Answers | None:
    """The answers with that to this error; None where it asks nothing, or the user puts it away."""
    window = _window()
    if window is None:
        return None
    if isinstance(error, Question):
        choice = _choose(window, error)
        return None if choice is None else error.answered(answers, choice)
    if isinstance(error, Doubt) and _agreed(window, f"{in_window(error.asked)}\n\n{_ALL_THE_SAME[error.field]}"):
        return error.overruled(answers)
    return None


def _choose(window: Any, question: Question) -> str | None:
    from qtpy.QtWidgets import QInputDialog

    rows = {f"{n}. {holds}   [{answer[-24:]}]": answer for n, (answer, holds) in enumerate(question.choices.items(), 1)}
    row, taken = QInputDialog.getItem(window, _TITLE, f"{question.asked}. Which one?", list(rows), 0, False)
    return rows[row] if taken else None


def _agreed(window: Any, text: str) -> bool:
    from qtpy.QtWidgets import QMessageBox

    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
    return bool(QMessageBox.question(window, _TITLE, text, yes | no, no) == yes)


def _window() -> Any:
    """The window that is open, or None: scans are also read by scripts, with no Qt or nobody to ask."""
    qt = sys.modules.get("qtpy.QtWidgets")
    if qt is None or qt.QApplication.instance() is None:
        return None
    return next((w for w in qt.QApplication.topLevelWidgets() if isinstance(w, qt.QMainWindow) and w.isVisible()), None)
