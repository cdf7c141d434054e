"""The sections of a report, in their order. A further part of a report is a function here and a row in `SECTIONS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from trajplan import DISCLAIMER, __version__
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting.augmentation_facts import augmentation_facts
from trajplan.reporting.augmentation_xrays import GROUP as AUGMENTED
from trajplan.reporting.change_facts import change_items
from trajplan.reporting.content import Block, Gallery, Report, Section, Table, Words
from trajplan.reporting.facts import badges_of, notices_of, summary_of, title_of
from trajplan.reporting.path_facts import StageRow, path_facts
from trajplan.reporting.picture import Picture
from trajplan.reporting.provenance_facts import LIMITS, METHODS, provenance_rows
from trajplan.reporting.threshold_facts import threshold_rows
from trajplan.reporting.vertebra_facts import vertebra_facts
from trajplan.reporting.words import readable

if TYPE_CHECKING:
    from trajplan.case import CaseResult

Pictures = Sequence[Picture]
_CURVE = "_clearance.png"


def report_of(result: CaseResult, pictures: Pictures) -> Report:
    """The report of a case; computes nothing new."""
    provenance = provenance_rows(result)
    made = [section for build in SECTIONS for section in build(result, pictures)]
    return Report(
        title=title_of(result),
        subtitle=f"{provenance[0][1]}; made {result.created}; trajplan {__version__}",
        badges=badges_of(result),
        disclaimer=DISCLAIMER,
        summary=summary_of(result),
        notices=notices_of(result),
        sections=tuple(section for section in made if section.blocks),
        created=result.created,
        version=__version__,
    )


def _refusals(result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    blocks: list[Block] = []
    for r in result.refusals:
        who = f"{'Whole vertebra' if r.side is None else r.side.value.capitalize() + ' side'}, {r.approach}"
        blocks.append(Words((f"{who}: {r.message}",)))
        if r.numbers:
            blocks.append(Table(tuple(readable(name, value) for name, value in r.numbers.items())))
    yield Section("Refusals: what is not offered, and why", tuple(blocks))


def _verdicts(result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    for path in result.trajectories:
        blocks = (Words(tuple(path.reasons), listed=True),) if path.reasons else ()
        yield Section(f"{path.side.value.capitalize()} side: verdict", blocks, path.verdict.value)


def _side_pictures(result: CaseResult, pictures: Pictures) -> Iterable[Section]:
    for side in Side:
        shown = tuple(p for p in pictures if p.group == side.value and not p.name.endswith(_CURVE))
        path = _path(result, side)
        title = f"{side.value.capitalize()} side: {'pictures' if path else 'no path'}"
        yield Section(title, (Gallery(shown),) if shown else (), path.verdict.value if path else "")


def _space(_result: CaseResult, pictures: Pictures) -> Iterable[Section]:
    shown = tuple(p for p in pictures if p.group == "overview")
    yield Section("Context", (Gallery(shown),) if shown else ())


def _xrays(result: CaseResult, pictures: Pictures) -> Iterable[Section]:
    shown = tuple(p for p in pictures if p.group == "xray")
    rows = []
    for name, view in result.views.items():
        residuals = ", ".join(" ".join(readable(k, v)) for k, v in view.residuals.items())
        c = view.carm
        rows.append((name.replace("_", " "), f"{c.primary_deg:+.1f}°", f"{c.secondary_deg:+.1f}°", residuals))
    table = Table(
        tuple(rows), ("View", "Primary", "Secondary", "Residuals"), "C-arm positions (LAO + / RAO −, CRA + / CAU −)",
        (1, 2), (0.16, 0.11, 0.13, 0.6),
    )  # fmt: skip
    blocks: tuple[Block, ...] = (Gallery(shown),) if shown else ()
    yield Section("Simulated X-ray views", (*blocks, table) if rows else blocks)


def _paths(result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    for path in result.trajectories:
        facts = path_facts(path, result.stages.get(path.side, ()), result.request.settings)
        clearance = Table(
            tuple((r.wall, r.clearance, r.margin, r.kept) for r in facts.clearance),
            ("Wall", "Clearance", "Margin asked", "Kept"),
            "Clearance by direction, instrument surface to wall (negative: crossed)",
            (1, 2), (0.46, 0.2, 0.2, 0.14), (3,),
        )  # fmt: skip
        stages: Block = Words(("The stages could not be checked for this path.",))
        if facts.stages:
            stages = Table(
                tuple((f"{s.number}. {s.name}", s.depth, s.result, s.margin, _said(s)) for s in facts.stages),
                ("Stage", "Depth", "Result", "Margin", "Rule, and where the tip is"),
                "Stages of the insertion, checked on the true AP and lateral views",
                (1, 3), (0.17, 0.08, 0.1, 0.14, 0.51), (2,),
            )  # fmt: skip
        title = f"{path.side.value.capitalize()} side: figures"
        yield Section(title, (Table(facts.rows), clearance, stages), path.verdict.value)


def _said(stage: StageRow) -> str:
    return f"{stage.rule}. {stage.place}" if stage.place else stage.rule


def _vertebra(result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    if result.vertebra is None:
        return
    facts = vertebra_facts(result.vertebra)
    pedicles = Table(
        facts.pedicles, ("Side", "Width", "Height", "Centre, LPS mm"), "Pedicles at the isthmus", (1, 2),
        (0.2, 0.2, 0.2, 0.4),
    )  # fmt: skip
    trust = Table(facts.confidence, caption="How far the outlines can be trusted")
    yield Section("The vertebra", (Table(facts.rows), pedicles, trust))


def _augmentation(result: CaseResult, pictures: Pictures) -> Iterable[Section]:
    """Instruments, balloons, height, cement, leaks and candidacy facts, after their pictures."""
    shown = tuple(p for p in pictures if p.group == AUGMENTED)
    yield Section("Balloon, height and cement", (Gallery(shown),) if shown else ())
    if result.augmentation is None:
        return
    yield from augmentation_facts(result.augmentation)


def _curves(_result: CaseResult, pictures: Pictures) -> Iterable[Section]:
    shown = tuple(p for p in pictures if p.name.endswith(_CURVE))
    yield Section("Clearance along the depth", (Gallery(shown),) if shown else ())


def _thresholds(result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    rows = threshold_rows(result.request.settings)
    table = Table(rows, ("Threshold", "Value", "Source"), "", (), (0.34, 0.22, 0.44))
    yield Section("Every threshold, and where it comes from", (table,))


def _changes(result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    yield Section("What would change this plan", (Words(change_items(result), listed=True),))


def _limits(_result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    yield Section("Limits", (Words(LIMITS, listed=True),))
    yield Section("Methods", (Words(METHODS, listed=True),))


def _provenance(result: CaseResult, _pictures: Pictures) -> Iterable[Section]:
    yield Section("Inputs, versions, parameters and timings", (Table(provenance_rows(result), code=True),))


def _path(result: CaseResult, side: Side) -> Trajectory | None:
    return next((t for t in result.trajectories if t.side is side), None)


SECTIONS: tuple[Callable[[CaseResult, Pictures], Iterable[Section]], ...] = (
    _verdicts,
    _refusals,
    _side_pictures,
    _xrays,
    _space,
    _paths,
    _vertebra,
    _augmentation,
    _curves,
    _thresholds,
    _changes,
    _limits,
    _provenance,
)
