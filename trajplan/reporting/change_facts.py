"""What would change this plan: figures nearest to their limits, knowledge that is missing. Computes nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trajplan.planning.plan import PlanSettings, Trajectory, Verdict
from trajplan.reporting.wall_margins import wall_margins
from trajplan.reporting.words import chance, degrees, mm

if TYPE_CHECKING:
    from trajplan.case import CaseResult

_CLOSE_MM = 0.65
"""One voxel of the working grid: a wall that is drawn one voxel elsewhere moves by as much."""


def change_items(result: CaseResult) -> tuple[str, ...]:
    """Sentences, the weightiest first."""
    vertebra, settings = result.vertebra, result.request.settings
    if vertebra is None:
        return (
            "A vertebra that can be found: a seed point or a label map of the target, or a scan that shows it whole.",
        )
    items: list[str] = []
    if not vertebra.level_confirmed:
        items.append("The level: if the vertebrae are counted differently, this is the plan of another vertebra.")
    for reason in vertebra.confidence.check:
        items.append(f"The mask, where it is doubtful: {reason}.")
    for path in result.trajectories:
        items += _of_path(path, settings)
    for r in result.refusals:
        who = "The case" if r.side is None else f"{r.side.value.capitalize()} side"
        items.append(f"{who} ({r.approach}): refused because {r.message}.")
    if any(f.severity == "warning" for f in result.scan.findings):
        items.append("The scan: its warnings above; a better scan could move every figure.")
    items.append(
        "The position of the patient: the scan was made lying as scanned, the procedure is done prone on bolsters."
    )
    return tuple(items)


def _of_path(path: Trajectory, settings: PlanSettings) -> list[str]:
    side = path.side.value.capitalize()
    walls = wall_margins(path.clearance, settings)
    known = sorted((w.clearance_mm - w.margin_mm, w.short, w.margin_mm) for w in walls if w.clearance_mm is not None)
    items = []
    if known:
        spare, wall, margin = known[0]
        if spare < 0:
            items.append(f"{side} path: {mm(-spare)} are missing at the {wall} (margin {mm(margin)}).")
        else:
            near = " That is less than a voxel of the mask." if spare < _CLOSE_MM else ""
            items.append(
                f"{side} path: nearest to its limit is the {wall}, with {mm(spare)} more than the margin of "
                f"{mm(margin)}. A wall drawn that much nearer, a tool that much wider in radius or a path moved by as "
                f"much would make it unsafe.{near}"
            )
    missing = [w.short for w in walls if w.clearance_mm is None]
    if missing:
        items.append(
            f"{side} path: the distance to the {', '.join(missing)} is not known; knowing it could change the verdict."
        )
    if path.cone is not None:
        met = f", where it meets the {path.cone.worst} wall" if path.cone.worst else ""
        items.append(f"{side} path: a needle turned about its entry by {degrees(path.cone.least_deg)}{met}.")
    b = path.breach
    worst = f", most often {b.worst}" if b.worst else ""
    items.append(
        f"{side} path: an operator less exact than {b.entry_sigma_mm:g} mm and {b.angle_sigma_deg:g}° (one sigma); "
        f"with that, a breach has a chance of {chance(b.any, b.samples)}{worst}."
    )
    if path.verdict is Verdict.UNKNOWN:
        items.append(f"{side} path: its verdict is unknown, and would be settled by: {'; '.join(path.reasons)}.")
    return items
