"""A case whose paths a person has moved: graded by the planner's own code, judged on the views anew, and told so."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from trajplan.anatomy.backend import Progress
from trajplan.case import CaseResult, run_case
from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.edit import Editor
from trajplan.planning.grade import mask_doubt
from trajplan.planning.plan import Refusal, Trajectory
from trajplan.planning.planner import PlanSet
from trajplan.planning.routes import Route
from trajplan.target import Target

Ends = tuple[FloatArray, FloatArray]
"""Entry and target of one path, each of shape (3,), LPS mm."""


def editor_of(result: CaseResult, target: Target, side: Side) -> Editor:
    """What grades the paths of one side of a case, with the settings and the doubt about the mask it was planned with.

    Raises
    ------
    InputError
        ``no_path``: the case offers no path on this side.
    """
    path = _path(result, side)
    return Editor(
        result.scan.volume,
        target.vertebra,
        result.request.settings,
        Route(side, path.approach),
        mask_doubt(target.automatic, target.spacing_mm),
        path.safety,
    )


def edited_case(
    result: CaseResult,
    target: Target,
    moved: Mapping[Side, Trajectory],
    progress: Progress = lambda _fraction, _what: None,
) -> CaseResult:
    """The case with moved paths in place of the planner's.

    Parameters
    ----------
    result : CaseResult
        As planned.
    target : Target
        That `result` was planned on, as confirmed.
    moved : mapping
        By side, from ``Editor.grade(..., live=False)``.

    Returns
    -------
    CaseResult
        A note for every moved path says by how much it was moved, and the provenance holds where from.
    """
    paths = tuple(moved.get(t.side, t) for t in result.trajectories)
    request = dataclasses.replace(result.request, confirmed_mask=None)
    again = run_case(
        result.scan,
        request,
        progress,
        target=dataclasses.replace(target, notes=()),
        planned=PlanSet(paths, result.refusals, result.options),
    )
    planned = {t.side: t for t in result.trajectories}
    told = tuple(_told(planned[side], path) for side, path in moved.items())
    kept = tuple(note for note in result.notes if not note.startswith(tuple(f"{side.value} path: " for side in moved)))
    facts = {side.value: _facts(planned[side]) for side in moved}
    return dataclasses.replace(
        again,
        request=result.request,
        notes=(*told, *kept, *(n for n in again.notes if n not in kept)),
        provenance={**result.provenance, "moved_by_a_person": facts},
    )


def graded(editor: Editor, ends: Ends) -> Trajectory:
    """All that a plan says of a moved path.

    Raises
    ------
    InputError
        The path cannot be graded or has no way in; the message says what to move.
    """
    found = editor.grade(*ends, live=False)
    if isinstance(found, Refusal):
        raise InputError(found.message, code=found.code, numbers=found.numbers)
    return found


def _path(result: CaseResult, side: Side) -> Trajectory:
    for path in result.trajectories:
        if path.side is side:
            return path
    raise InputError(f"there is no {side.value} path to move", code="no_path")


def _told(before: Trajectory, after: Trajectory) -> str:
    entry, tip = (
        float(np.linalg.norm(a - b))
        for a, b in ((after.entry_lps, before.entry_lps), (after.target_lps, before.target_lps))
    )
    return (
        f"The {after.side.value} path was moved by a person: entry {entry:.1f} mm and tip {tip:.1f} mm from the "
        "planner's."
    )


def _facts(before: Trajectory) -> dict[str, list[float]]:
    return {
        "planned_entry_lps": [round(float(v), 3) for v in before.entry_lps],
        "planned_target_lps": [round(float(v), 3) for v in before.target_lps],
    }
