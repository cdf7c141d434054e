"""Grading of a dragged path beside the GUI: the newest question of a side wins, older ones are never answered."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import QObject, Signal

from napari_trajplan._newest import Newest
from trajplan.anatomy.vertebra import Vertebra
from trajplan.edited import Ends, graded
from trajplan.errors import TrajplanError
from trajplan.fluoroscopy.carm import CArm
from trajplan.parts import Side
from trajplan.planning.edit import Editor, docked
from trajplan.planning.plan import Refusal, Trajectory
from trajplan.verification.place import WallMap
from trajplan.verification.stages import Stage, check_stages


@dataclass(frozen=True, eq=False)
class Question:
    """One place of a path. `full` asks for all that a plan says; `keep` is a move, its entry put onto the bone."""

    side: Side
    ends: Ends
    full: bool
    keep: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of it: the graded path and its stages, or `problem` in words."""

    question: Question
    path: Trajectory | None = None
    stages: tuple[Stage, ...] = ()
    problem: str = ""


class Judge:
    """Grades one case: the editors of both sides, the true AP and lateral, the wall; made once a plan."""

    def __init__(self, editors: dict[Side, Editor], vertebra: Vertebra, ap: CArm, lateral: CArm) -> None:
        self.editors, self.vertebra = editors, vertebra
        self._ap, self._lateral = ap, lateral
        self._wall: WallMap | None = None

    def answer(self, question: Question) -> Answer:
        """Never raises for a path that a person can draw: says what is wrong with it."""
        editor = self.editors.get(question.side)
        if editor is None:
            return Answer(question, problem=f"there is no {question.side.value} path to move")
        try:
            ends = question.ends
            if question.full:
                ends = (docked(*ends, editor), ends[1]) if question.keep else ends
                path: Trajectory | Refusal = graded(editor, ends)
            else:
                path = editor.grade(*ends)
            if isinstance(path, Refusal):
                return Answer(question, problem=path.message)
            # made here, in the grader's thread: it takes longer than a window may stand still
            self._wall = self._wall or WallMap(self.vertebra)
            stages = check_stages(path, self.vertebra, self._ap, self._lateral, self._wall)
        except TrajplanError as error:
            return Answer(question, problem=str(error))
        return Answer(question, path, stages)


class LiveGrader(QObject):
    """Answers questions in a thread of its own; `answered` arrives in the GUI thread."""

    answered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._judge: Judge | None = None
        self._newest = Newest(self)
        self._newest.done.connect(self._done)

    def use(self, judge: Judge | None) -> None:
        """Grade another case from now on."""
        self._judge = judge
        self._newest.forget()

    def ask(self, question: Question) -> None:
        """Replace whatever was not looked at yet."""
        judge = self._judge
        if judge is not None:
            self._newest.ask(question.side, lambda: (judge, judge.answer(question)))

    @property
    def ready(self) -> bool:
        """Whether there is a case to grade."""
        return self._judge is not None

    def close(self) -> None:
        """End the thread."""
        self._newest.close()

    def _done(self, _side: Side, value: tuple[Judge, Answer] | Exception) -> None:
        if isinstance(value, Exception):
            raise value
        judge, answer = value
        if judge is self._judge:
            self.answered.emit(answer)
