"""The C-arm positions and instruments of a plan.json as objects again, to draw its X-rays anew."""

from __future__ import annotations

from typing import Final

import numpy as np

from trajplan.errors import InputError
from trajplan.exports.path_model import TrajectoryModel
from trajplan.exports.plan_model import PlanDocument, ViewModel
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.lines import Line, lines_of, path_lines
from trajplan.geometry import Capsule, Frame
from trajplan.geometry.arrays import FloatArray, unit

VIEWS: Final = ("ap", "lateral", "en_face_left", "en_face_right", "oblique_left", "oblique_right")
_OUTSIDE_MM: Final = 60.0  # of the shaft that is drawn behind the bone entry


def carm_of_plan(plan: PlanDocument, view: str) -> CArm:
    """The C-arm of one of the plan's views.

    Raises
    ------
    InputError
        The plan has no such view.
    """
    found: ViewModel | None = getattr(plan.views, view, None) if view in VIEWS else None
    numbers = (
        None
        if found is None
        else (
            found.isocenter_lps,
            found.source_detector_mm,
            found.source_isocenter_mm,
            found.detector_px,
            found.pixel_mm,
        )
    )
    if found is None or numbers is None or any(value is None for value in numbers):
        known = ", ".join(name for name in VIEWS if getattr(plan.views, name) is not None) or "none"
        raise InputError(f"the plan has no view {view!r}; it has {known}", code="view_missing")
    isocenter, detector, source, size, pixel = numbers
    return CArm(
        found.primary_deg, found.secondary_deg, np.array(isocenter), float(detector or 0), float(source or 0),
        size or (512, 512), float(pixel or 0),
    )  # fmt: skip


def paths_in_view(plan: PlanDocument, view: str) -> list[TrajectoryModel]:
    """The paths that a view shows: all, or only that of the side in its name."""
    own = [t for t in plan.trajectories if view.endswith(t.side)]
    return own if view.endswith(("left", "right")) else list(plan.trajectories)


def path_of_plan(plan: PlanDocument, side: str | None) -> TrajectoryModel:
    """The plan's path on one side, or its only path.

    Raises
    ------
    InputError
        No path there, or a side is needed to choose.
    """
    paths = [t for t in plan.trajectories if side in (None, t.side)]
    if len(paths) != 1:
        sides = ", ".join(t.side for t in plan.trajectories) or "none"
        raise InputError(f"choose a path of the plan with --side; it has: {sides}", code="path_missing")
    return paths[0]


def depth_of_stage(path: TrajectoryModel, stage: str) -> float:
    """Depth of a stage by its name or its number from 1, mm.

    Raises
    ------
    InputError
        No such stage.
    """
    for number, found in enumerate(path.stages, start=1):
        if stage in (found.name, str(number)):
            return found.depth_mm
    names = ", ".join(f"{n} {s.name}" for n, s in enumerate(path.stages, start=1)) or "none"
    raise InputError(f"the {path.side} path has no stage {stage!r}; it has: {names}", code="stage_missing")


def lines_of_plan(plan: PlanDocument, path: TrajectoryModel | None, depth_mm: float = 0.0) -> tuple[Line, ...]:
    """What can be drawn over the plan's views; the tip stands `depth_mm` beyond the bone entry.

    Raises
    ------
    InputError
        The plan holds no vertebra.
    """
    v = plan.vertebra
    if v is None:
        raise InputError(
            "the plan holds no vertebra, so there is nothing to draw over its views", code="plan_incomplete"
        )
    rings = {} if v.endplates is None else {
        "superior": np.array(v.endplates.superior_lps), "inferior": np.array(v.endplates.inferior_lps)
    }  # fmt: skip
    found = lines_of(
        frame_of_plan(plan), {p.side: np.array(p.outline_lps) for p in plan.pedicles}, np.array(v.posterior_wall_lps),
        rings,
    )  # fmt: skip
    if path is None:
        return found
    return (*found, *path_lines(path.side, path.entry_lps, path.target_lps, needle_at(path, depth_mm).end_lps))


def frame_of_plan(plan: PlanDocument) -> Frame:
    """The vertebra's frame.

    Raises
    ------
    InputError
        The plan holds no vertebra.
    """
    if plan.vertebra is None:
        raise InputError("the plan holds no vertebra", code="plan_incomplete")
    f = plan.vertebra.frame
    u, v = unit(f.u), np.array(f.v)
    v = unit(v - (v @ u) * u)  # written with a limited number of digits
    return Frame(f.origin_lps, np.stack([u, v, np.cross(u, v)]))


def needle_at(path: TrajectoryModel, depth_mm: float) -> Capsule:
    """The trocar with its tip `depth_mm` beyond the bone entry."""
    entry: FloatArray = np.array(path.entry_lps)
    along = np.array(path.target_lps) - entry
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    return Capsule(entry - _OUTSIDE_MM * along, entry + depth_mm * along, path.instrument.outer_diameter_mm / 2)
