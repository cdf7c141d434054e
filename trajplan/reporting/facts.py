"""What a report says first: title, the result of each side, warnings, and one sentence on each path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trajplan.parts import Side
from trajplan.planning.plan import Verdict
from trajplan.reporting.content import Badge, Notice
from trajplan.reporting.vertebra_facts import level_text
from trajplan.reporting.words import mm

if TYPE_CHECKING:
    from trajplan.case import CaseResult

BADGE_TEXT: dict[str, str] = {
    Verdict.SAFE: "SAFE: all margins and rules kept",
    Verdict.UNSAFE: "UNSAFE: do not take as a plan",
    Verdict.UNKNOWN: "UNKNOWN: not shown to be safe",
    "none": "NO PATH is offered",
}


def title_of(result: CaseResult) -> str:
    """Which level, and how well that is known; never who."""
    return f"Kyphoplasty access plan: {level_text(result.vertebra)}"


def badges_of(result: CaseResult) -> tuple[Badge, ...]:
    """The result of each side that was looked at."""
    found = {t.side: Badge(t.side.value, t.verdict.value, BADGE_TEXT[t.verdict]) for t in result.trajectories}
    for refusal in result.refusals:
        if refusal.side is not None:
            found.setdefault(refusal.side, Badge(refusal.side.value, "none", BADGE_TEXT["none"]))
    ordered = tuple(found[side] for side in Side if side in found)
    return ordered or (Badge("", "none", BADGE_TEXT["none"]),)


def summary_of(result: CaseResult) -> str:
    """Level, paths, verdicts and least clearances in a sentence."""
    vertebra = result.vertebra
    if vertebra is None:
        return "No vertebra could be planned in this scan; the reason is below. No path is offered."
    name = vertebra.level or "The vertebra (level unknown)"
    if not result.trajectories:
        return f"{name}: no path is offered; the refusals below give the numbers."
    parts = []
    for t in result.trajectories:
        text = (
            f"{t.side.value} {t.approach} path with {t.instrument.name} ({t.instrument.outer_diameter_mm:.2f} mm): "
            f"{t.verdict.value.upper()}, least clearance {mm(t.clearance.min_mm)}, "
            f"{mm(t.length_in_bone_mm)} in bone"
        )
        parts.append(text)
    worst = {t.verdict for t in result.trajectories}
    end = ""
    if Verdict.UNSAFE in worst:
        end = " A path marked UNSAFE must not be taken as a plan."
    elif Verdict.UNKNOWN in worst:
        end = " A path marked UNKNOWN lacks knowledge that safety depends on."
    return f"{name}: " + "; ".join(parts) + "." + end


def notices_of(result: CaseResult) -> tuple[Notice, ...]:
    """What a reader must know before anything else, warnings first."""
    found: list[Notice] = []
    vertebra = result.vertebra
    if vertebra is not None and not vertebra.level_confirmed:
        stated = f"nobody has stated that this is {vertebra.level}" if vertebra.level else "the level is not known"
        found.append(Notice("warning", f"Level not confirmed: {stated}; count the vertebrae before relying on it."))
    found += [Notice("warning", f"{r.message}") for r in result.refusals if r.side is None]
    found += [
        Notice("warning", f"No path on the {r.side.value} ({r.approach}): {r.message}")
        for r in result.refusals
        if r.side is not None
    ]
    for t in result.trajectories:
        if t.verdict is not Verdict.SAFE:
            why = "; ".join(t.reasons) or "no reason was given"
            found.append(Notice("warning", f"The {t.side.value} path is {t.verdict.value.upper()}: {why}"))
    if vertebra is not None:
        if vertebra.touches_edge:
            found.append(Notice("warning", "The vertebra reaches the border of the scan: part of it may be missing."))
        found += [Notice("warning", f"Check by eye: {reason}") for reason in vertebra.confidence.check]
    order = {"warning": "warning", "repair": "warning"}
    found += [Notice(order.get(f.severity, "note"), f"Scan: {f.message}") for f in result.scan.findings]
    said = {n.text for n in found}
    found += [Notice("note", note) for note in result.notes if note not in said]
    return tuple(sorted(found, key=lambda n: n.kind != "warning"))
