"""How a plan that was made again differs from the one that was saved, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trajplan.exports.path_model import TrajectoryModel
from trajplan.exports.plan_model import PlanDocument

if TYPE_CHECKING:
    from trajplan.case import CaseResult

SAME_MM = 0.01
"""Ends of a path that lie closer are the same: plan.json holds four digits."""


def differences(saved: PlanDocument, made: CaseResult) -> tuple[str, ...]:
    """What a reader of the saved plan must know of the planner's paths made now; empty where they are the same.

    Paths that a person had moved are compared where the planner had put them.
    """
    told: list[str] = []
    mask = made.provenance.get("mask_sha256")
    if mask != saved.provenance.mask_sha256:
        told.append("The mask is not the saved one.")
    moved: Any = saved.provenance.details.get("moved_by_a_person") or {}
    now = {t.side.value: t for t in made.trajectories}
    then: dict[str, TrajectoryModel] = {t.side: t for t in saved.trajectories}
    for side in sorted(now.keys() ^ then.keys()):
        told.append(f"The {side} path is {'new' if side in now else 'no longer offered'}.")
    for side in sorted(now.keys() & then.keys()):
        path, old = now[side], then[side]
        planned = moved.get(side) or {}
        ends = planned.get("planned_entry_lps", old.entry_lps), planned.get("planned_target_lps", old.target_lps)
        away = max(
            float(np.linalg.norm(np.asarray(a, dtype=float) - b))
            for a, b in zip(ends, (path.entry_lps, path.target_lps), strict=True)
        )
        if away > SAME_MM:
            told.append(f"The {side} path lies {away:.1f} mm from the saved one.")
        elif not planned and path.verdict.value != old.verdict:
            told.append(f"The {side} path is {path.verdict.value} now and was {old.verdict}.")
    if told:
        told.append(f"It was saved by trajplan {saved.software.version}; what is shown is what this version finds.")
    return tuple(told)
