"""Moved paths with undo and redo. Plain data, no Qt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trajplan.edited import Ends
from trajplan.parts import Side


class Edits:
    """Where a person has put the paths of a plan: a line of states that can be walked back and forth.

    A state is a mapping of the sides that were moved to their ends; the planner's own paths are the empty one.
    """

    def __init__(self) -> None:
        self._states: list[Mapping[Side, Ends]] = [{}]
        self._at = 0

    @property
    def now(self) -> Mapping[Side, Ends]:
        """The sides that are moved, and where to."""
        return self._states[self._at]

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return self._at < len(self._states) - 1

    @property
    def key(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """What the state is, to a hundredth of a millimetre: the same after undo and redo."""
        return tuple(
            (side.value, tuple(float(v) for v in np.round(np.concatenate(self.now[side]), 2)))
            for side in Side
            if side in self.now
        )

    def move(self, side: Side, ends: Ends) -> None:
        """Put a path elsewhere; what was taken back before is gone."""
        self._push({**self.now, side: (np.array(ends[0], dtype=float), np.array(ends[1], dtype=float))})

    def snap(self, side: Side) -> None:
        """Back to the planner's path on one side; can itself be undone."""
        if side in self.now:
            self._push({other: ends for other, ends in self.now.items() if other is not side})

    def undo(self) -> None:
        """One step back, if there is one."""
        self._at = max(0, self._at - 1)

    def redo(self) -> None:
        """One step forth, if there is one."""
        self._at = min(len(self._states) - 1, self._at + 1)

    def _push(self, state: Mapping[Side, Ends]) -> None:
        del self._states[self._at + 1 :]
        self._states.append(state)
        self._at += 1
