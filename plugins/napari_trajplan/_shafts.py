"""Where every path is at this moment, under the mouse or as planned, and how far its trocar is in. No Qt."""

from __future__ import annotations

import dataclasses

import numpy as np

from trajplan.case import CaseResult
from trajplan.edited import Ends
from trajplan.geometry import Capsule
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting.shaft import outer_lps


class Shafts:
    """The paths of one plan; `use` begins with another."""

    def __init__(self) -> None:
        self.use(None)

    def use(self, result: CaseResult | None) -> None:
        """The paths of a plan where the planner put them, their trocars fully in."""
        self._result = result
        self._planned = {} if result is None else {t.side: t for t in result.trajectories}
        self._ends: dict[Side, Ends] = {}
        self._depth_mm: dict[Side, float] = {}

    def move(self, side: Side, ends: Ends) -> None:
        """Put a path elsewhere."""
        self._ends[side] = ends

    def advance(self, side: Side, depth_mm: float) -> None:
        """Let a trocar be `depth_mm` in from the bone; infinite for as far as its path goes."""
        self._depth_mm[side] = depth_mm

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that have a path."""
        return tuple(self._planned)

    def path(self, side: Side) -> Trajectory | None:
        """The planner's path with its ends where they are now; its figures are still those of the plan."""
        planned = self._planned.get(side)
        if planned is None:
            return None
        ends = self.ends(side)
        return planned if ends is None else dataclasses.replace(planned, entry_lps=ends[0], target_lps=ends[1])

    def ends(self, side: Side) -> Ends | None:
        """Entry and target of a path."""
        planned = self._planned.get(side)
        if planned is None:
            return None
        return self._ends.get(side, (planned.entry_lps, planned.target_lps))

    def depth_mm(self, side: Side) -> float:
        """How far the tip is from the bone entry; 0 without a path."""
        path = self.path(side)
        return 0.0 if path is None else min(self._depth_mm.get(side, np.inf), path.capsule.length_mm)

    def shaft(self, side: Side) -> Capsule | None:
        """The trocar from the skin, as far behind the bone as planned, or from the border of the scan, to its tip."""
        planned, path = self._planned.get(side), self.path(side)
        if planned is None or path is None or self._result is None:
            return None
        tip = path.entry_lps + self.depth_mm(side) * path.direction_lps
        if planned.skin_lps is None:
            outer = outer_lps(path, self._result.scan.volume.grid)
        else:
            behind = (planned.length_from_skin_mm or 0.0) - planned.length_in_bone_mm
            outer = path.entry_lps - max(0.0, behind) * path.direction_lps
        return Capsule(outer, tip, planned.instrument.radius_mm)
