"""The facts of one planned path: verdict, clearance by direction, stages, lengths and points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.planning.evaluate import GERTZBEIN_ROBBINS
from trajplan.planning.heary import DEFINITION, heary_grade, nearest_wall
from trajplan.planning.plan import Breach, PlanSettings, Trajectory
from trajplan.reporting.wall_margins import wall_margins
from trajplan.reporting.words import chance, degrees, mm, point
from trajplan.verification.stages import Stage


@dataclass(frozen=True)
class ClearanceRow:
    """One wall: how far away, how far it had to be, and whether that was kept (``yes``, ``no``, ``not known``)."""

    wall: str
    clearance: str
    margin: str
    kept: str


@dataclass(frozen=True)
class StageRow:
    """One stage of the insertion."""

    number: int
    name: str
    depth: str
    result: str
    margin: str
    rule: str
    place: str = ""


@dataclass(frozen=True)
class PathFacts:
    """One planned path in words."""

    side: str
    verdict: str
    reasons: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    clearance: tuple[ClearanceRow, ...]
    stages: tuple[StageRow, ...]


def path_facts(path: Trajectory, stages: tuple[Stage, ...], settings: PlanSettings) -> PathFacts:
    """The facts of one path."""
    tool, b = path.instrument, path.breach
    unverified = "" if tool.diameter_verified else ", diameter not verified"
    unverified += "" if tool.length_verified else ", length not verified"
    nearest = nearest_wall(path.clearance)
    rows = (
        ("Instrument", f"{tool.name}, outer diameter {tool.outer_diameter_mm:.2f} mm, {tool.length_mm:.0f} mm long"
         + unverified),
        ("Approach", path.approach),
        ("Least clearance", mm(path.clearance.min_mm)),
        ("Gertzbein-Robbins grade", f"{path.gertzbein_robbins} ({GERTZBEIN_ROBBINS})"),
        ("Nearest wall", f"{nearest[0].replace('endplate', 'end plate')}, {mm(nearest[1])}"),
        ("Grade by direction", f"{heary_grade(path.clearance)} ({DEFINITION})"),
        ("HU along the path", _hu(path)),
        ("Chance of a breach", (f"{chance(b.any, b.samples)} in any direction (medial {chance(b.medial, b.samples)}, "
         f"lateral {chance(b.lateral, b.samples)}, superior {chance(b.superior, b.samples)}, "
         f"inferior {chance(b.inferior, b.samples)}); {b.samples} draws, entry error {b.entry_sigma_mm:.2f} mm, "
         f"angle error {b.angle_sigma_deg:.1f}° (one sigma)" + _interval(b))),
        ("Safe cone at the entry", _cone(path)),
        ("Balloons that fit", _balloons(path)),
        ("Convergence (to the midline)", degrees(path.convergence_deg)),
        ("Craniocaudal (caudal forward)", degrees(path.craniocaudal_deg)),
        ("Length in bone", mm(path.length_in_bone_mm)),
        ("Length from the skin", mm(path.length_from_skin_mm)),
        ("Skin entry, LPS mm", point(path.skin_lps)),
        ("Bone entry, LPS mm", point(path.entry_lps)),
        ("Target (tip), LPS mm", point(path.target_lps)),
        ("Candidates tried", str(path.candidates_tried)),
    )  # fmt: skip
    return PathFacts(
        side=path.side.value,
        verdict=path.verdict.value,
        reasons=tuple(path.reasons),
        rows=rows,
        clearance=tuple(
            _clearance_row(w.full, w.clearance_mm, w.margin_mm) for w in wall_margins(path.clearance, settings)
        ),
        stages=tuple(_stage_row(i, s) for i, s in enumerate(stages, start=1)),
    )


def _interval(b: Breach) -> str:
    if b.any_low is None or b.any_high is None:
        return ""
    preset = f", {b.execution}" if b.execution else ""
    return f"{preset}; between {100 * b.any_low:.1f} % and {100 * b.any_high:.1f} % with walls 0.25 mm off"


def _hu(path: Trajectory) -> str:
    """Hounsfield units in three thirds of the way through the bone."""
    if path.hu_profile is None or not len(path.hu_profile):
        return "not computed"
    thirds = [float(np.nanmean(part)) for part in np.array_split(path.hu_profile[:, 1], 3) if np.isfinite(part).any()]
    told = ", ".join(f"{value:.0f}" for value in thirds)
    return f"mean {told} HU in the first, second and last third of the way from the entry to the tip"


def _cone(path: Trajectory) -> str:
    if path.cone is None:
        return "not computed"
    met = f", then the {path.cone.worst} wall is met" if path.cone.worst else " or more"
    return f"{degrees(path.cone.least_deg)} in the worst direction{met}"


def _balloons(path: Trajectory) -> str:
    """The balloons that fit, largest first; sizes of which no source was opened are said to be so."""
    if not path.balloons:
        return "none with 2 mm from every cortex"
    margin = path.balloons[0].margin_mm
    said = [
        f"{f.balloon.name} to Ø {f.diameter_mm:.0f} x {f.length_mm:.0f} mm"
        + (f" (then {f.limit})" if f.limit else "")
        + ("" if f.balloon.verified else ", sizes not verified")
        for f in path.balloons
    ]
    return f"{'; '.join(said)}; {margin:.0f} mm kept from every cortex"


def _clearance_row(wall: str, value_mm: float | None, margin_mm: float) -> ClearanceRow:
    kept = "not known" if value_mm is None or value_mm != value_mm else "yes" if value_mm >= margin_mm else "no"
    return ClearanceRow(wall, mm(value_mm), mm(margin_mm), kept)


def _stage_row(number: int, stage: Stage) -> StageRow:
    result = "not judged" if stage.passed is None else "passed" if stage.passed else "BROKEN"
    margin = "-" if stage.margin_mm is None else mm(stage.margin_mm)
    margin += "" if stage.margin_px is None else f", {stage.margin_px:+.0f} px"
    return StageRow(number, stage.name, f"{stage.depth_mm:.0f} mm", result, margin, stage.rule, _place(stage))


def _place(stage: Stage) -> str:
    """Where the tip stands, and what the same rule says in space."""
    said = [] if stage.place is None else [f"Tip: {stage.place.sentence()}."]
    if stage.space_margin_mm is not None:
        kept = "kept" if stage.passed_in_space else "BROKEN"
        said.append(f"Judged in space: {kept}, margin {mm(stage.space_margin_mm)}.")
    if stage.disagrees:
        said.append("VIEWS AND SPACE DISAGREE.")
    return " ".join(said)
