"""ReportFacts: what a report says, in words and tables; the page and the PDF print the same facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trajplan import DISCLAIMER, __version__
from trajplan.parts import Side
from trajplan.planning.plan import Verdict
from trajplan.reporting.augmentation_facts import FactSection, augmentation_facts
from trajplan.reporting.path_facts import PathFacts, path_facts
from trajplan.reporting.provenance_facts import LIMITS, METHODS, provenance_rows
from trajplan.reporting.vertebra_facts import VertebraFacts, level_text, vertebra_facts
from trajplan.reporting.words import mm, readable

if TYPE_CHECKING:
    from trajplan.case import CaseResult

Row = tuple[str, str]
BADGE_TEXT: dict[str, str] = {
    Verdict.SAFE: "SAFE: all margins and rules kept",
    Verdict.UNSAFE: "UNSAFE: do not take as a plan",
    Verdict.UNKNOWN: "UNKNOWN: not shown to be safe",
    "none": "NO PATH is offered",
}


@dataclass(frozen=True)
class Notice:
    """One thing a reader must see before anything else. `kind` is ``warning`` or ``note``."""

    kind: str
    text: str


@dataclass(frozen=True)
class RefusalFacts:
    """Why there is no path, with the numbers behind it."""

    who: str
    message: str
    numbers: tuple[Row, ...]


@dataclass(frozen=True)
class Badge:
    """The result of one side at a glance. `verdict` is ``safe``, ``unsafe``, ``unknown`` or ``none`` (no path)."""

    side: str
    verdict: str
    text: str


@dataclass(frozen=True)
class ReportFacts:
    """Everything that a report says."""

    title: str
    badges: tuple[Badge, ...]
    disclaimer: str
    summary: str
    notices: tuple[Notice, ...]
    paths: tuple[PathFacts, ...]
    refusals: tuple[RefusalFacts, ...]
    vertebra: VertebraFacts | None
    views: tuple[tuple[str, str, str, str], ...]
    methods: tuple[str, ...]
    provenance: tuple[Row, ...]
    limits: tuple[str, ...]
    created: str
    version: str
    augmentation: tuple[FactSection, ...] = ()


def report_facts(result: CaseResult) -> ReportFacts:
    """The facts of a case; computes nothing new."""
    vertebra = result.vertebra
    return ReportFacts(
        title=f"Kyphoplasty access plan: {level_text(vertebra)}",
        badges=_badges(result),
        disclaimer=DISCLAIMER,
        summary=_summary(result),
        notices=_notices(result),
        paths=tuple(path_facts(t, result.stages.get(t.side, ()), result.request.settings) for t in result.trajectories),
        refusals=tuple(
            RefusalFacts(
                who=f"{'Whole vertebra' if r.side is None else r.side.value.capitalize() + ' side'}, {r.approach}",
                message=r.message,
                numbers=tuple(readable(name, value) for name, value in r.numbers.items()),
            )
            for r in result.refusals
        ),
        vertebra=None if vertebra is None else vertebra_facts(vertebra),
        views=_views(result),
        methods=METHODS,
        provenance=provenance_rows(result),
        limits=LIMITS,
        created=result.created,
        version=__version__,
        augmentation=() if result.augmentation is None else augmentation_facts(result.augmentation),
    )


def _badges(result: CaseResult) -> tuple[Badge, ...]:
    found = {t.side: Badge(t.side.value, t.verdict.value, BADGE_TEXT[t.verdict]) for t in result.trajectories}
    for refusal in result.refusals:
        if refusal.side is not None:
            found.setdefault(refusal.side, Badge(refusal.side.value, "none", BADGE_TEXT["none"]))
    ordered = tuple(found[side] for side in Side if side in found)
    return ordered or (Badge("", "none", BADGE_TEXT["none"]),)


def _summary(result: CaseResult) -> str:
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


def _notices(result: CaseResult) -> tuple[Notice, ...]:
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


def _views(result: CaseResult) -> tuple[tuple[str, str, str, str], ...]:
    rows = []
    for name, view in result.views.items():
        residuals = ", ".join(" ".join(readable(k, v)) for k, v in view.residuals.items())
        c = view.carm
        rows.append((name.replace("_", " "), f"{c.primary_deg:+.1f}°", f"{c.secondary_deg:+.1f}°", residuals))
    return tuple(rows)
