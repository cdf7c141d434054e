"""The command that segments and measures: ``segment``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trajplan.cli_answers import answering
from trajplan.cli_options import (
    BackendOption,
    InputArgument,
    JsonOption,
    LevelOption,
    parse_point,
    print_facts,
    progress_bar,
)
from trajplan.errors import InputError

if TYPE_CHECKING:
    from trajplan.anatomy.backend import Backend, Progress
    from trajplan.anatomy.vertebra import Confidence
    from trajplan.geometry import LabelMap, Volume
    from trajplan.geometry.arrays import FloatArray
    from trajplan.reading.answers import Answers


@answering
def segment(
    source: InputArgument,
    out: Annotated[Path, typer.Option("--out", help="Label file to write (.nrrd).")],
    answers: Answers,
    seed: Annotated[str | None, typer.Option(help="A point in the vertebral body: x,y,z in LPS mm.")] = None,
    level: LevelOption = None,
    backend: BackendOption = "simpleitk",
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Every vertebra in view, found without a seed (--backend network); --seed and --level name them all.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Segment a vertebra (at a seed, or a level looked for) or all, measure, and write labels (VerSe ids)."""
    from trajplan.anatomy.backends import get_backend
    from trajplan.exports.labels_file import write_labels
    from trajplan.reading import read_scan
    from trajplan.target import Segmented, require_inside

    if out.suffix != ".nrrd":
        raise InputError(f"--out must end in .nrrd, got {out.name!r}", code="usage")
    if seed is None and level is None and not every:
        raise InputError("say which vertebra: --seed, --level (with --backend network) or --all", code="usage")
    point = parse_point(seed, "--seed") if seed is not None else None
    chosen = get_backend(backend)
    if (every or point is None) and chosen.name != "network":
        raise InputError(
            "finding vertebrae without a seed, or --all of them, needs --backend network "
            "(pip install 'trajplan[network]')",
            code="usage",
        )
    scan = read_scan(source, answers)
    if point is not None:
        require_inside(scan.volume, point)
    with progress_bar() as progress:
        if every:
            labels, ratings, facts = _all(scan.volume, point, level, progress)
        else:
            labels, ratings, facts = _one(chosen, scan.volume, point, level, progress)
    write_labels(labels, out, Segmented(chosen.name, ratings))
    _print({"file": out.name, "backend": chosen.name, **facts}, as_json)


def _one(
    backend: Backend, ct: Volume, point: FloatArray | None, level: str | None, progress: Progress
) -> tuple[LabelMap, dict[int, Confidence], dict[str, Any]]:
    """The vertebra at a seed; without one, that of a level."""
    from trajplan.anatomy.seeded import segment_at_seed
    from trajplan.anatomy.without_seed import seed_of_level
    from trajplan.exports.column_facts import level_facts
    from trajplan.levels import LEVEL_NAMES, level_id

    found: dict[str, Any] = {}
    if point is None:
        point, levels = seed_of_level(ct, str(level), progress)
        found = {"levels": level_facts(levels), "seed_lps": [round(float(v), 2) for v in point]}
    result = segment_at_seed(backend, ct, point, level_id(level) if level else None, progress)
    measured = _measured(ct, result.labels, result.target_id, level if not found else None, result.confidence)
    facts = {
        "target_id": result.target_id,
        "labels": [LEVEL_NAMES.get(i, "unknown") for i in result.labels.ids()],
        "confidence": round(result.confidence.score, 3),
        "values": {k: round(float(v), 3) for k, v in result.confidence.values.items()},
        "check": list(result.confidence.check),
        **found,
        **measured,
    }
    return result.labels, {result.target_id: result.confidence}, facts


def _all(
    ct: Volume, point: FloatArray | None, level: str | None, progress: Progress
) -> tuple[LabelMap, dict[int, Confidence], dict[str, Any]]:
    """Every vertebra in view, named as far as the evidence or the user goes."""
    from trajplan.anatomy.network_column import find_column_by_network
    from trajplan.anatomy.network_confidence import judge_looks
    from trajplan.anatomy.spine_labels import column_ids, spine_labels
    from trajplan.anatomy.without_seed import named_at, require_level
    from trajplan.exports.column_facts import level_facts, vertebra_facts

    column = find_column_by_network(ct, lambda share, what: progress(0.4 * share, what))
    named = None if point is None or level is None else named_at(column, point, level)
    levels = column.levels(named)
    if level is not None and named is None:
        require_level(column, levels, level)
    ids = column_ids(levels.names)
    labels = spine_labels(column.vertebrae, ids, levels.names)
    vertebrae, ratings = [], {}
    for k, (one, frame, name) in enumerate(zip(column.vertebrae, column.frames, levels.names, strict=True)):
        progress(0.4 + 0.6 * k / len(ids), f"measuring {name or f'vertebra {k + 1}'}")
        share = one.seen.target_share
        ratings[ids[k]] = confidence = judge_looks(one.seen, None, share, one.mask, 0.0)
        vertebrae.append(
            {
                "level": name,
                "label_id": ids[k],
                **vertebra_facts(one, frame),
                "confidence": round(confidence.score, 3),
                "check": list(confidence.check),
                **_measured(ct, labels, ids[k], name if named else None, confidence),
            }
        )
    return labels, ratings, {"levels": level_facts(levels), "vertebrae": vertebrae}


def _measured(
    ct: Volume, labels: LabelMap, identifier: int, level: str | None, confidence: Confidence
) -> dict[str, Any]:
    """Heights, fracture and measures of a segmented vertebra, or why it cannot be measured.

    `level` is the name when a person stated it.
    """
    from trajplan.anatomy.measure import measure_vertebra
    from trajplan.errors import AnatomyError
    from trajplan.exports.measures import measures_facts

    try:
        vertebra = measure_vertebra(
            ct,
            labels,
            identifier,
            level=level,
            level_confirmed=level is not None,
            source="segmented",
            confidence=confidence,
        )
    except AnatomyError as error:
        return {"not_measured": f"{error.code}: {error}"}
    return measures_facts(vertebra)


def _print(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_facts(facts, as_json)
        return
    vertebrae = facts.pop("vertebrae", [])
    levels = facts.pop("levels", None)
    print_facts({k: v for k, v in facts.items() if k != "measures"}, as_json)
    if levels is not None:
        counted = [f"{one['anchor']} ({one['level']})" for one in levels["evidence"]] or ["nothing to count from"]
        print_facts({"levels": f"{levels['status']}: {', '.join(counted)}"}, as_json)
        for reason in levels["reasons"]:
            print_facts({"": reason}, as_json)
    for one in vertebrae:
        print_facts({one["level"] or f"id {one['label_id']}": _line(one)}, as_json)


def _line(one: dict[str, Any]) -> str:
    """A vertebra in one line."""
    center = ", ".join(f"{v:.0f}" for v in one["center_lps"])
    said = one.get("not_measured")
    if said is None:
        loss = "" if one["loss_percent"] is None else f", loss {one['loss_percent']:.0f} %"
        grade = "" if one["genant_grade"] is None else f", {one['fracture']} (Genant {one['genant_grade']})"
        said = "heights " + "/".join(f"{h:.1f}" for h in one["heights_mm"]) + f" mm{loss}{grade}"
    return f"({center}) {said}" + ("; check" if one["check"] else "")
