"""One task at a time in the worker: begun, cancelled, failed, done; it knows steps, not what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_trajplan._session import Session, Step, short_message
from napari_trajplan._work import Job, Workshop
from trajplan.errors import AnatomyError, InputError
from trajplan.reading.scan import Scan

Keys = Mapping[Step, Any]
"""What the inputs were when a task began."""


class Runner(QObject):
    """Runs tasks of `_tasks` for one session.

    `told` is a line for the user, `progressed` the share done and what is being done, `ended` follows every task
    whatever became of it, `changed` its beginning.
    """

    told = Signal(str)
    progressed = Signal(float, str)
    changed = Signal()
    ended = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._workshop = Workshop()
        self._workshop.warm_up()
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether a task is running."""
        return self._job is not None

    def require_idle(self) -> None:
        """Refuse (``busy``) while a task is running."""
        if self._job is not None:
            running = self._session.running
            raise InputError(f"{running} is still running: wait, or press Cancel first", code="busy")

    def begin(
        self,
        step: Step,
        task: str,
        scan: Scan,
        arguments: tuple[Any, ...],
        done: Callable[[Any, Keys], None],
        *,
        refuses: bool = True,
    ) -> None:
        """Begin a task of a step; `done` gets what it made, and the keys of the inputs it was made from.

        An error is told; the step then counts as refused, unless `refuses` is False (the task makes no product).

        Raises
        ------
        InputError
            ``busy``: another one is running.
        """
        self.require_idle()
        session = self._session
        keys = {one: session.key(one) for one in Step}
        job = Job(self._workshop, scan, task, arguments, self)
        self._job, session.running = job, step
        job.told.connect(self.progressed)
        job.done.connect(lambda value: self._done(done, value, keys))
        job.failed.connect(lambda error: self._failed(step, error, keys, refuses))
        job.cancelled.connect(lambda: self.told.emit(f"{step.value} was cancelled; nothing was changed."))
        job.ended.connect(self._ended)
        if step is not Step.VERIFY:  # it begins by itself after a move: what was said before is still true
            self.told.emit("")
        self.changed.emit()
        job.start()

    def cancel(self) -> None:
        """Stop the running task now."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Stop everything and wait for it: the window closes."""
        if self._job is not None:
            self._job.cancel()
            self._job.wait()
        self._workshop.stop()

    def _done(self, done: Callable[[Any, Keys], None], value: Any, keys: Keys) -> None:
        self._session.running = None
        done(value, keys)

    def _failed(self, step: Step, error: BaseException, keys: Keys, refuses: bool) -> None:
        at = Step.SEGMENT if refuses and isinstance(error, AnatomyError) else step
        self._session.running = None
        if refuses:
            self._session.refused(at, short_message(error), keys[at])
        self.told.emit(f"{at.value}: {short_message(error)}")

    def _ended(self) -> None:
        self._job, self._session.running = None, None
        self.progressed.emit(1.0, "")
        self.ended.emit()
