"""`trajplan export`: a finished plan for 3D Slicer, PACS, printers, spreadsheets and scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trajplan import DISCLAIMER
from trajplan.cli_answers import answering
from trajplan.cli_options import OutFolder, progress_bar, refuse_a_file
from trajplan.errors import InputError

if TYPE_CHECKING:
    from trajplan.reading.answers import Answers


@answering
def export(
    plan_file: Annotated[Path, typer.Argument(help="plan.json written by trajplan plan.")],
    to: Annotated[
        list[str], typer.Option("--to", help="slicer, dicom, mesh, csv, figures, script or all; repeatable.")
    ],
    out: OutFolder,
    answers: Answers,
    source: Annotated[Path | None, typer.Argument(help="The scan it was planned on (not needed for the demo).")] = None,
    keep_identity: Annotated[
        bool,
        typer.Option("--keep-identity", help="Put the patient's name and numbers of a DICOM scan into DICOM exports."),
    ] = False,
) -> None:
    """Write a plan in the formats that other programs read; a stale plan is refused."""
    from trajplan.exports.atomic import output_folder_lock
    from trajplan.exports.handover import hand_over
    from trajplan.exports.plan_json import read_plan
    from trajplan.hand_on import Wish, write_exports
    from trajplan.reading import read_scan
    from trajplan.reading.origin import find_origin

    refuse_a_file(out)
    if source is None:
        if read_plan(plan_file).input.kind != "phantom":
            raise InputError("name the scan this plan was made on: trajplan export plan.json INPUT", code="usage")
        from trajplan.reading.scan import Scan
        from trajplan_phantoms import demo_phantom

        scan, origin = Scan.of_volume(demo_phantom().ct, path_name="demo phantom", kind="phantom"), None
    else:
        scan, origin = read_scan(source, answers), find_origin(source, answers)
    handover = hand_over(plan_file, scan.volume, scan.sha256, origin)
    with output_folder_lock(out), progress_bar() as progress:
        files = write_exports(handover, to, out, Wish(keep_identity), progress)
    typer.echo(f"wrote {len(files)} files to {out}. {DISCLAIMER}")
