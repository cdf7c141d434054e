"""The command that breaks a vertebra of a real scan: ``fracture``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trajplan import DISCLAIMER
from trajplan.cli_answers import answering
from trajplan.cli_options import (
    InputArgument,
    JsonOption,
    OutFolder,
    SchemeOption,
    parse_loss,
    progress_bar,
    refuse_a_file,
)

if TYPE_CHECKING:
    from trajplan.reading.answers import Answers


class KindOption(StrEnum):
    """Values of --kind (mirrors trajplan_phantoms.warp)."""

    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"


@answering
def fracture(
    source: InputArgument,
    labels: Annotated[Path, typer.Option(help="Vertebra label map on the same scan.")],
    scheme: Annotated[SchemeOption, typer.Option(help="Numbering of --labels; it is never guessed.")],
    level: Annotated[str, typer.Option(help="Level to break, e.g. L1.")],
    out: OutFolder,
    answers: Answers,
    kind: Annotated[KindOption, typer.Option(help="Shape of the fracture.")] = KindOption.WEDGE,
    severity: Annotated[
        str, typer.Option(help="Height loss, % (above 0 to 80), or mild, moderate, severe (22, 32, 50 %).")
    ] = "moderate",
    as_json: JsonOption = False,
) -> None:
    """Break one vertebra of a labelled CT; writes the fractured CT, its labels (VerSe ids) and truth.json to --out."""
    from trajplan.exports.atomic import output_folder_lock
    from trajplan.exports.fracture_files import write_fracture
    from trajplan.exports.plain import plain
    from trajplan.fractured import fracture_level
    from trajplan.levels import level_id
    from trajplan.reading import Scheme, check_same_space, read_labels, read_scan

    identifier, loss = level_id(level), parse_loss(severity)
    refuse_a_file(out)
    scan = read_scan(source, answers)
    label_map = read_labels(labels, Scheme(scheme), level_id=identifier, nifti_form=answers.nifti_form)
    check_same_space(label_map, scan.volume)
    with output_folder_lock(out), progress_bar() as progress:
        progress(0.1, f"breaking {level}")
        done = fracture_level(scan.volume, label_map, level, kind.value, loss)
        progress(0.8, "writing")
        written = write_fracture(done.made.ct, done.made.labels, done.to_dict(), out)
    if as_json:
        typer.echo(json.dumps(plain(done.to_dict()), indent=1, allow_nan=False))
        return
    for name, heights in (
        ("before", done.made.heights_before),
        ("after", done.made.heights_after),
        ("on the labels", done.heights_on_labels),
    ):
        typer.echo(
            f"{name:14} anterior {heights.ha_mm:.1f}, middle {heights.hm_mm:.1f}, posterior {heights.hp_mm:.1f} mm"
        )
    typer.echo(f"height loss {done.made.loss_percent:.1f} %; smallest Jacobian {done.made.jacobian_min:.2f}")
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo(DISCLAIMER)
