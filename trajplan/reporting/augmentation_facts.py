"""What a report says of balloon, height, cement, leak findings and candidacy: paragraphs and tables."""

from __future__ import annotations

from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.cement import Cement
from trajplan.augmentation.inflation import Inflation
from trajplan.augmentation.published import Published
from trajplan.augmentation.restoration import Restoration
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.reporting.columns import fitting
from trajplan.reporting.content import Section, Table, Words
from trajplan.reporting.words import degrees, mm

PRESSURE = (
    "No pressure is computed: none of the sources supports one. Published in cadavers: 175 ± 37 psi (KYPHON), 160 ± 36 "
    "psi (Globus with sleeve); in-vitro study of an outer sleeve, read."
)
_PLACES = ("Anterior", "Middle", "Posterior")


def augmentation_facts(a: Augmentation) -> tuple[Section, ...]:
    """The sections, in the order of the procedure; candidacy facts last."""
    found = [_instruments(a.sequences)] if a.sequences else []
    if a.inflations:
        found.append(_balloons(a.inflations))
    if a.restoration is not None:
        found.append(_heights(a.restoration, a.notes))
    elif a.notes:
        found.append(_section("Height", a.notes, ()))
    if a.cement is not None:
        found.append(_cement(a.cement))
    found.append(_leaks(a))
    found.append(_candidacy(a))
    return tuple(found)


def _section(title: str, words: tuple[str, ...], tables: tuple[Table, ...]) -> Section:
    """Paragraphs, then the tables that have rows."""
    return Section(title, (*((Words(words),) if words else ()), *(t for t in tables if t.rows)))


def _table(caption: str, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Table:
    return Table(rows, head, caption, (), fitting((head, *rows)) if head and rows else ())


def _cited(items: tuple[Published, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((p.text, p.source, p.evidence) for p in items)


_CITED_HEAD = ("Published", "Source", "Checked")


def _instruments(sequences: tuple[InstrumentSequence, ...]) -> Section:
    tables = []
    for s in sequences:
        rows = tuple(
            (
                step.name.capitalize(),
                step.instrument,
                mm(step.depth_mm),
                mm(step.from_skin_mm),
                "" if step.instrument == getattr(s.balloon, "name", None) else mm(step.from_hub_mm),
                step.rule.cited,
            )
            for step in s.steps
        )
        head = ("Step", "Instrument", "From the bone", "From the skin", "Left below the hub", "Rule")
        tables.append(_table(f"{s.side.value.capitalize()} side: depth of each tip or marker", head, rows))
    words = tuple(
        f"{s.side.value.capitalize()}: {text}"
        for s in sequences
        for text in (f"least clearance with the {s.cannula.name} cannula {mm(s.cannula_clearance_mm)}.", *s.warnings)
    )
    return _section("Instruments and depths", words, tuple(tables))


def _balloons(inflations: tuple[Inflation, ...]) -> Section:
    words = []
    tables = []
    for i in inflations:
        strict = (
            "" if i.strict_ml is None
            else f" A rule that counts end plates as well would have stopped it at {i.strict_ml:.1f} ml."
        )  # fmt: skip
        words.append(
            f"{i.side.value.capitalize()}: {i.balloon.name} balloon, stopped at {i.final.volume_ml:.1f} ml by "
            f"{i.stop}: {i.why}.{strict}"
        )
        names = tuple(i.steps[0].nearest_mm)
        rows = tuple(
            (
                f"{s.volume_ml:.1f}",
                f"{s.diameter_mm:.1f} × {s.length_mm:.0f}",
                *(f"{s.nearest_mm[n]:.1f}" for n in names),
                ", ".join(s.contact) or "none",
            )
            for s in i.steps
        )
        head = ("ml", "Size, mm", *(n.capitalize() for n in names), "Contact")
        tables.append(_table(f"{i.side.value.capitalize()} balloon: distance to each wall, mm", head, rows))
    return _section("Balloons", (*words, PRESSURE), tuple(tables))


def _heights(r: Restoration, notes: tuple[str, ...]) -> Section:
    rows = [
        (f"{place} height", mm(r.before.heights_mm[k]), mm(r.predicted.heights_mm[k]), f"+{mm(r.gain_mm[k])}",
         mm(r.expected_mm[k]))
        for k, place in enumerate(_PLACES)
    ]  # fmt: skip
    rows.append(("Wedge angle", degrees(r.before.wedge_deg), degrees(r.predicted.wedge_deg),
                 degrees(r.predicted.wedge_deg - r.before.wedge_deg), ""))  # fmt: skip
    if r.before.local_kyphosis_deg is not None and r.predicted.local_kyphosis_deg is not None:
        before, after = r.before.local_kyphosis_deg, r.predicted.local_kyphosis_deg
        rows.append(
            ("Local kyphosis, if the neighbours follow", degrees(before), degrees(after), degrees(after - before), "")
        )
    head = ("", "Before", "Predicted, inflated", "Change", "Neighbours suggest")
    failed = f"End plates taken to have come down: {r.failed}. Lifted volume {r.steps[-1].lifted_ml:.1f} ml."
    return _section(
        "Height, before and predicted",
        (*notes, failed),
        (
            _table("Measured and predicted", head, tuple(rows)),
            _table("What is published of height regained and kept", _CITED_HEAD, _cited(r.kept)),
        ),
    )


def _cement(c: Cement) -> Section:
    rows = (
        ("Cavities", f"{c.cavity_ml:.1f} ml"),
        ("Cavities and the bone about them", f"{c.fill_ml:.1f} ml"),
        ("Planned at most", f"{c.planned_ml:.1f} ml (proposed bound of this body: {c.cap_ml:.1f} ml)"),
        ("Share of the body", f"{100 * c.body_share:.0f} % as it is, {100 * c.restored_share:.0f} % as predicted"),
        ("Behind the stop line, left out", f"{c.held_back_ml:.1f} ml"),
        ("Nearest to the posterior wall", mm(c.posterior_wall_mm)),
        ("End plates within 1 mm", ", ".join(c.touches) or "none"),
    )
    return _section(
        "Cement",
        ("A volume is not an aim: sources disagree on whether more cement means less pain.",),
        (
            _table("The planned fill", (), rows),
            _table("What is published of fill volumes", _CITED_HEAD, _cited(c.published)),
        ),
    )


def _leaks(a: Augmentation) -> Section:
    state = {True: "found", False: "not found", None: "not judged"}
    rows = tuple(
        (
            f.code.replace("_", " ").capitalize(),
            "measured" if f.code == "posterior_wall" else state[f.present],
            f.text,
            "" if f.published is None else f.published.cited,
        )
        for f in a.leaks
    )
    return _section(
        "What cement may leak by",
        ("Findings in the CT, listed. They are not added up to a chance: no source gives one.",),
        (_table("Findings", ("What", "Result", "In this CT", "Published"), rows),),
    )


def _candidacy(a: Augmentation) -> Section:
    sheet = a.candidacy
    criteria = tuple((c.name, c.speaks, c.because, c.published.cited) for c in sheet.criteria)
    return _section(
        "Candidacy facts (no recommendation)",
        ("Entered by the user, measured in the CT, and what is published, beside each other. Nothing is weighed.",),
        (
            _table("Entered", (), sheet.entered),
            _table("Measured", (), sheet.measured),
            _table("Published criteria", ("Criterion", "Speaks", "Because", "Published"), criteria),
            _table("Where the literature disagrees", _CITED_HEAD, _cited(sheet.disagreements)),
        ),
    )
