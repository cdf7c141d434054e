"""What the commands share: option types, points and folders, the progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trajplan.errors import InputError

if TYPE_CHECKING:
    from trajplan.reading.scan import Scan

InputArgument = Annotated[Path, typer.Argument(help="NIfTI, NRRD or MetaImage file, or a DICOM folder.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the results; created when needed.")]
LevelOption = Annotated[str | None, typer.Option(help="Level of the target, e.g. L1: as you counted it.")]
SeedOption = Annotated[str | None, typer.Option(help="A point in the vertebral body: x,y,z in LPS mm.")]
DEFAULT_BACKEND = "network"
"""`trajplan.anatomy.backends.DEFAULT`, without importing it; a test holds them together."""

BackendOption = Annotated[
    str,
    typer.Option(
        help="Who segments: network (default), simpleitk (no learning, slower), or one that a package adds. "
        "network+simpleitk: the second segments too, and where they disagree the mask is flagged."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print machine-readable output.")]
KeepNameOption = Annotated[
    bool,
    typer.Option("--keep-name", help="Put the input's file or folder name into the results; it may name the patient."),
]


SEVERITIES = {"mild": 22.0, "moderate": 32.0, "severe": 50.0}
"""Height losses in the middle of Genant's grades 1, 2 and 3 (above 40 %)."""


class SchemeOption(StrEnum):
    """Values of --scheme (mirrors trajplan.reading.labels.Scheme)."""

    VERSE = "verse"
    TOTALSEG_V2 = "totalseg-v2"
    TOTALSEG_V1 = "totalseg-v1"
    MASK = "mask"


def parse_point(text: str, option: str) -> Any:
    """Three numbers separated by commas as a float64 array."""
    import numpy as np

    try:
        values = np.array([float(part) for part in text.split(",")])
    except ValueError:
        values = np.array([])
    if values.shape != (3,) or not np.isfinite(values).all():
        raise InputError(f"{option} needs three numbers separated by commas, got {text!r}", code="usage")
    return values


def parse_loss(text: str) -> float:
    """A height loss in %, from a number or a word."""
    try:
        return SEVERITIES[text] if text in SEVERITIES else float(text)
    except ValueError:
        raise InputError(
            f"--severity needs a height loss in % or one of {', '.join(SEVERITIES)}, got {text!r}", code="usage"
        ) from None


def refuse_a_file(out: Path) -> None:
    """Refuse an output folder that is a file, before anything is computed."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out.name} is a file; name a folder", code="usage")


def named(scan: Scan, source: Path, keep_name: bool) -> Scan:
    """The scan without the input's file and folder names, unless they are asked for."""
    from trajplan.exports.nameless import nameless

    return scan if keep_name else nameless(scan, source)


def print_facts(facts: dict[str, Any], as_json: bool) -> None:
    """Facts as JSON, or one a line."""
    if as_json:
        typer.echo(json.dumps(facts, indent=1, allow_nan=False))
    else:
        for name, value in facts.items():
            typer.echo(f"{name:12} {value}")


@contextmanager
def progress_bar() -> Iterator[Callable[[float, str], None]]:
    """A progress bar on stderr, and only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _fraction, _what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda fraction, what: bar.update(task, completed=fraction, description=what)
