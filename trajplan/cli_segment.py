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
    from trajplan.anatomy.backend import Backend, LabelResult
    from trajplan.geometry import Volume
    from trajplan.reading.answers import Answers

_WHOLE_SPINE = 24


@answering
def segment(
    source: InputArgument,
    seed: Annotated[str, typer.Option(help="A point in the vertebral body: x,y,z in LPS mm.")],
    out: Annotated[Path, typer.Option("--out", help="Label file to write (.nrrd).")],
    answers: Answers,
    level: LevelOption = None,
    backend: BackendOption = "simpleitk",
    every: Annotated[
        bool, typer.Option("--all", help="Every whole vertebra in view, counted from --level; with --backend network.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Segment the vertebra at a seed, measure it, and write its label map (VerSe ids)."""
    from trajplan.exports.labels_file import write_labels
    from trajplan.levels import LEVEL_NAMES, level_id
    from trajplan.reading import read_scan
    from trajplan.target import Segmented, require_inside

    if out.suffix != ".nrrd":
        raise InputError(f"--out must end in .nrrd, got {out.name!r}", code="usage")
    point = parse_point(seed, "--seed")
    chosen = _backend(backend, every, level)
    scan = read_scan(source, answers)
    require_inside(scan.volume, point)
    with progress_bar() as progress:
        result = chosen.segment(scan.volume, point, level_id(level) if level else None, progress)
        measured = _measured(scan.volume, result, result.target_id)
        others = {}
        if every:
            ids = [i for i in result.labels.ids() if i != result.target_id]
            others = {LEVEL_NAMES[i]: _measured(scan.volume, result, i) for i in ids}
    write_labels(result.labels, out, Segmented(chosen.name, result.target_id, result.confidence))
    facts: dict[str, Any] = {
        "file": out.name,
        "backend": chosen.name,
        "target_id": result.target_id,
        "labels": [LEVEL_NAMES.get(i, "unknown") for i in result.labels.ids()],
        "confidence": round(result.confidence.score, 3),
        "values": {k: round(float(v), 3) for k, v in result.confidence.values.items()},
        "check": list(result.confidence.check),
        **measured,
    }
    if as_json:
        print_facts(facts | ({"others": others} if every else {}), as_json)
        return
    print_facts({k: v for k, v in facts.items() if k != "measures"}, as_json)
    for name, other in others.items():
        print_facts({name: {k: v for k, v in other.items() if k != "measures"}}, as_json)


def _backend(name: str, every: bool, level: str | None) -> Backend:
    """The back-end asked for; ``--all`` needs the network, and a level to count from."""
    from trajplan.anatomy.backends import get_backend
    from trajplan.anatomy.network_backend import NetworkBackend

    chosen = get_backend(name)
    if not every:
        return chosen
    if not isinstance(chosen, NetworkBackend) or level is None:
        raise InputError("--all needs --level, to count from, and --backend network", code="usage")
    return NetworkBackend(reach=_WHOLE_SPINE)


def _measured(ct: Volume, result: LabelResult, identifier: int) -> dict[str, Any]:
    """Heights, fracture and measures of a segmented vertebra, or why it cannot be measured."""
    from trajplan.anatomy.measure import measure_vertebra
    from trajplan.errors import AnatomyError
    from trajplan.exports.measures import measures_facts
    from trajplan.levels import LEVEL_NAMES

    level = LEVEL_NAMES.get(identifier)
    try:
        vertebra = measure_vertebra(
            ct, result.labels, identifier, level=level, level_confirmed=level is not None, source="segmented"
        )
    except AnatomyError as error:
        return {"not_measured": f"{error.code}: {error}"}
    return measures_facts(vertebra)
