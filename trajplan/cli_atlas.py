"""The commands for a user's own atlases: ``atlas add``, ``atlas list`` and ``atlas remove``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trajplan.cli_answers import answering
from trajplan.cli_options import InputArgument, JsonOption, SchemeOption, print_facts
from trajplan.errors import AnatomyError, InputError

if TYPE_CHECKING:
    from trajplan.reading.answers import Answers

atlas_app = typer.Typer(
    help="Atlases of your own for --backend simpleitk, beside the built-in phantoms.", no_args_is_help=True
)


@atlas_app.command()
@answering
def add(
    source: InputArgument,
    labels: Annotated[Path, typer.Argument(help="Vertebra label map on the same scan.")],
    scheme: Annotated[SchemeOption, typer.Option(help="Numbering of the labels; it is never guessed.")],
    name: Annotated[str, typer.Option(help="What to call it; choose one that names no patient.")],
    answers: Answers,
    level: Annotated[str | None, typer.Option(help="One level only; for --scheme mask, the level of the mask.")] = None,
) -> None:
    """Keep the labelled vertebrae of a CT as atlases: a piece of that CT stays in your data folder until removed."""
    from trajplan.anatomy.atlas import atlas_of
    from trajplan.anatomy.atlas_store import save_atlas
    from trajplan.levels import LEVEL_NAMES, level_id
    from trajplan.reading import Scheme, check_same_space, read_labels, read_scan
    from trajplan.target import PLANNABLE_IDS

    wanted = level_id(level) if level else None
    scan = read_scan(source, answers)
    found = read_labels(labels, Scheme(scheme), level_id=wanted, nifti_form=answers.nifti_form)
    check_same_space(found, scan.volume)
    ids = [i for i in found.ids() if i in PLANNABLE_IDS and wanted in (None, i)]
    if not ids:
        raise InputError("the labels hold no such level from T4 to L5", code="level_not_in_labels")
    kept = 0
    for one in ids:
        try:
            save_atlas(atlas_of(name, scan.volume, found, one, scan.sha256))
        except AnatomyError as reason:
            typer.echo(f"{LEVEL_NAMES[one]} left out: {reason}")
            continue
        typer.echo(f"{LEVEL_NAMES[one]} kept as {name}")
        kept += 1
    if not kept:
        raise InputError("no vertebra of these labels can serve as an atlas", code="no_atlas")


@atlas_app.command("list")
def list_atlases(as_json: JsonOption = False) -> None:
    """Name the atlases there are, and where they lie."""
    from trajplan.anatomy.atlas_store import atlas_folder, load_atlases

    levels: dict[str, list[str]] = {}
    for one in load_atlases():
        levels.setdefault(one.name, []).append(one.level)
    print_facts({"folder": str(atlas_folder()), "atlases": levels}, as_json)


@atlas_app.command()
def remove(name: Annotated[str, typer.Argument(help="A name that `trajplan atlas list` shows.")]) -> None:
    """Delete an atlas and the piece of CT it holds."""
    from trajplan.anatomy.atlas_store import remove_atlas

    typer.echo(f"removed {remove_atlas(name)} vertebrae of {name}")
