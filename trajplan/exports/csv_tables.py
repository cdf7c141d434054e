"""The measures of a plan as CSV, safe to open in a spreadsheet: a text never starts a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from trajplan import DISCLAIMER
from trajplan.exports.model_base import Model
from trajplan.exports.plan_model import PlanDocument

Cell = str | float | int | bool | None
_STARTS_FORMULA = ("=", "+", "-", "@")
_UNITS = {"_mm": "mm", "_deg": "deg", "_hu": "HU", "_ml": "ml", "_percent": "%"}


def csv_tables(document: PlanDocument) -> dict[str, bytes]:
    """File name -> contents: measures, clearance along the depth, stages, points and options."""
    paths = document.trajectories
    tables: dict[str, tuple[tuple[str, ...], list[Sequence[Cell]]]] = {
        "measures": (("group", "side", "quantity", "value", "unit"), [*_measures(document)]),
        "clearance": (("side", "depth_mm", "clearance_mm"), [(t.side, *row) for t in paths for row in
                      t.clearance.profile]),
        "stages": (("side", "stage", "depth_mm", "passed", "margin_mm", "rule"), [(t.side, s.name, s.depth_mm, s.passed,
                   s.margin_mm, s.rule) for t in paths for s in t.stages]),
        "points": (("side", "point", "x_lps_mm", "y_lps_mm", "z_lps_mm"), [*_points(document)]),
        "options": (("side", "approach", "verdict", "code", "clearance_mm", "breach", "published"), [(o.side,
                    o.approach, o.verdict, o.code, o.clearance_mm, o.breach, o.published) for o in document.options]),
    }  # fmt: skip
    return {f"{name}.csv": csv_bytes(head, rows) for name, (head, rows) in tables.items()}


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """One table, UTF-8, comma separated; what is not known is empty, numbers are left as they are."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return stream.getvalue().encode()


def _cell(value: Cell) -> str:
    """A text that a spreadsheet would compute gets a quote in front.

    >>> _cell("=cmd|' /C calc'!A0"), _cell(-1.5), _cell(None)
    ("'=cmd|' /C calc'!A0", '-1.5', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        text = "".join(c if c.isprintable() else " " for c in value)
        return "'" + text if text.lstrip().startswith(_STARTS_FORMULA) else text
    return repr(value)


def _measures(document: PlanDocument) -> Iterable[Sequence[Cell]]:
    yield ("plan", "", "disclaimer", DISCLAIMER, "")
    yield ("plan", "", "scan_sha256", document.input.sha256, "")
    yield ("plan", "", "input", document.input.path_name, "")
    yield ("plan", "", "created", document.created, "")
    vertebra = document.vertebra
    if vertebra is not None:
        confirmed = vertebra.level_confirmed
        yield ("vertebra", "", "level", vertebra.level, "")
        yield ("vertebra", "", "level_confirmed", confirmed, "")
        yield from _numbers("vertebra", "", vertebra)
        for part in (vertebra.heights, vertebra.fracture, vertebra.measures, vertebra.confidence):
            if part is not None:
                yield from _numbers("vertebra", "", part)
    for pedicle in document.pedicles:
        yield from _numbers("pedicle", pedicle.side, pedicle)
    for path in document.trajectories:
        yield ("path", path.side, "verdict", path.verdict, "")
        yield ("path", path.side, "reasons", "; ".join(path.reasons), "")
        yield ("path", path.side, "approach", path.approach, "")
        yield ("path", path.side, "instrument", path.instrument.name, "")
        yield ("path", path.side, "gertzbein_robbins", path.gertzbein_robbins, "")
        for of_path in (path, path.instrument, path.angles):
            yield from _numbers("path", path.side, of_path)
        yield from _numbers("clearance", path.side, path.clearance)
        yield from _numbers("breach_probability", path.side, path.breach_probability)
        yield from _numbers("en_face", path.side, path.en_face)
        for balloon in path.balloons:
            yield from _numbers(f"balloon {balloon.name}", path.side, balloon)
    yield from _augmentation(document)
    for refusal in document.refusals:
        yield ("refusal", refusal.side or "", refusal.code, refusal.message, "")


def _numbers(group: str, side: str, model: Model) -> Iterable[Sequence[Cell]]:
    """Every plain number of a part of the plan, with its unit."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield (group, side, name, value, next((u for end, u in _UNITS.items() if name.endswith(end)), ""))


def _augmentation(document: PlanDocument) -> Iterable[Sequence[Cell]]:
    """Balloons as inflated, heights before and predicted, cement; what cement may leak by."""
    a = document.augmentation
    if a is None:
        return
    for inflation in a.inflations:
        last = inflation.steps[-1]
        yield ("inflated balloon", inflation.side, "balloon", inflation.balloon, "")
        yield ("inflated balloon", inflation.side, "stopped_by", f"{inflation.stop}: {inflation.why}", "")
        yield from _numbers("inflated balloon", inflation.side, last)
    if a.restoration is not None:
        for name, shape in (("before", a.restoration.before), ("predicted", a.restoration.predicted)):
            for place, height in zip(("anterior", "middle", "posterior"), shape.heights_mm, strict=True):
                yield (f"height {name}", "", f"{place}_mm", height, "mm")
            yield from _numbers(f"height {name}", "", shape)
    if a.cement is not None:
        yield from _numbers("cement", "", a.cement)
    for leak in a.leaks:
        yield ("leak finding", "", leak.code, leak.present, "")


def _points(document: PlanDocument) -> Iterable[Sequence[Cell]]:
    for path in document.trajectories:
        named = [("skin", path.skin_lps), ("bone entry", path.entry_lps)]
        named += [(f"stage {stage.name}", stage.tip_lps) for stage in path.stages]
        for name, place in [*named, ("tip", path.target_lps)]:
            if place is not None:
                yield (path.side, name, *place)
    for pedicle in document.pedicles:
        yield (pedicle.side, "pedicle isthmus", *pedicle.isthmus_center_lps)
