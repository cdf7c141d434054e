"""The command that segments and measures: ``segment``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trajplan.cli_answers import answering
from trajplan.cli_options import (
    DEFAULT_BACKEND,
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
    from trajplan.reading.answers import Answers


@answering
def segment(
    source: InputArgument,
    out: Annotated[Path, typer.Option("--out", help="Label file to write (.nrrd, .nii.gz or .nii).")],
    answers: Answers,
    seed: Annotated[str | None, typer.Option(help="A point in the vertebral body: x,y,z in LPS mm.")] = None,
    level: LevelOption = None,
    backend: BackendOption = DEFAULT_BACKEND,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Every vertebra in view, found without a seed (--backend network); --seed and --level name them all.",
        ),
    ] = False,
    parts: Annotated[
        Path | None,
        typer.Option(help="Also write body, pedicles, posterior elements and canal as labels 1 to 5 to this file."),
    ] = None,
    measures: Annotated[Path | None, typer.Option(help="Also write what --json prints to this .json file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Segment a vertebra (at a seed, or a level looked for) or all, measure, and write labels (VerSe ids)."""
    from trajplan.anatomy.backends import get_backend
    from trajplan.anatomy.second_opinion import leading
    from trajplan.exports.atomic import write_atomically
    from trajplan.exports.labels_file import label_suffix, write_labels
    from trajplan.exports.segmentation_facts import all_facts, one_facts
    from trajplan.reading import read_scan
    from trajplan.segmenting import parts_of, segment_all, segment_one
    from trajplan.target import Segmented, require_inside

    for file in (out, *([parts] if parts else [])):
        label_suffix(file)
    if measures is not None and measures.suffix != ".json":
        raise InputError(f"--measures must end in .json, got {measures.name!r}", code="usage")
    if seed is None and level is None and not every:
        raise InputError("say which vertebra: --seed, --level or --all", code="usage")
    point = parse_point(seed, "--seed") if seed is not None else None
    chosen = get_backend(backend)
    if every and leading(chosen) is not chosen:
        raise InputError("--all takes one back-end: a second opinion is asked of one vertebra", code="usage")
    if (every or point is None) and leading(chosen).name != "network":
        raise InputError(
            "finding vertebrae without a seed, or --all of them, needs --backend network",
            code="usage",
        )
    scan = read_scan(source, answers)
    if point is not None:
        require_inside(scan.volume, point)
    with progress_bar() as progress:
        if every:
            done = segment_all(scan.volume, point, level, progress)
        else:
            done = segment_one(chosen, scan.volume, point, level, progress)
    split = parts_of(done.vertebrae, done.labels) if parts is not None else None
    files = {"file": out.name}
    write_labels(done.labels, out, Segmented(chosen.name, done.ratings))
    if parts is not None and split is not None:
        write_labels(split, parts)
        files["parts"] = parts.name
    facts = {**files, "backend": chosen.name, **(all_facts(done) if every else one_facts(done))}
    if measures is not None:
        write_atomically(measures, (json.dumps(facts, indent=2, allow_nan=False) + "\n").encode())
    _print(facts, as_json)


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
