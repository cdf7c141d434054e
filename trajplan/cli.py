"""The command line. Exit status: 0 done, 1 a check disagrees, 2 input, usage or output refused, 3 planned honestly to
"no safe path", 4 out of memory or an error of the program, 128 + n stopped by signal n (130 is Ctrl-C).

Heavy imports happen inside the commands, so that ``trajplan --help`` answers at once.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trajplan import DISCLAIMER, __version__
from trajplan.cli_answers import answering
from trajplan.cli_atlas import atlas_app
from trajplan.cli_drr import drr
from trajplan.cli_export import export
from trajplan.cli_fracture import fracture
from trajplan.cli_options import (
    DEFAULT_BACKEND,
    BackendOption,
    InputArgument,
    JsonOption,
    KeepNameOption,
    LevelOption,
    OutFolder,
    SchemeOption,
    SeedOption,
    named,
    parse_point,
    progress_bar,
    refuse_a_file,
)
from trajplan.cli_samples import phantom, samples_app
from trajplan.cli_scan import inspect
from trajplan.cli_segment import segment
from trajplan.errors import InputError
from trajplan.leaving import run_to_the_end

if TYPE_CHECKING:
    from trajplan.case import CaseRequest, CaseResult
    from trajplan.reading.answers import Answers
    from trajplan.reading.scan import Scan

app = typer.Typer(
    help=f"Plan balloon kyphoplasty access on CT. {DISCLAIMER}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

EXIT_NO_PATH = 3


class ApproachOption(StrEnum):
    """Values of --approach (mirrors trajplan.planning.plan.Approach, without importing the planner)."""

    AUTO = "auto"
    BIPEDICULAR = "bipedicular"
    UNIPEDICULAR_LEFT = "unipedicular-left"
    UNIPEDICULAR_RIGHT = "unipedicular-right"
    EXTRAPEDICULAR_LEFT = "extrapedicular-left"
    EXTRAPEDICULAR_RIGHT = "extrapedicular-right"


class ExecutionOption(StrEnum):
    """Values of --execution (mirrors trajplan.planning.execution.PRESETS, without importing the planner)."""

    FREEHAND = "freehand-single-shot"
    FLUOROSCOPY = "fluoroscopy-corrected"
    NAVIGATED = "navigated"


class FigureOption(StrEnum):
    """Values of --figures: forms of a figure beside PNG."""

    SVG = "svg"
    TIFF = "tiff"


def _version(value: bool) -> None:
    if value:
        typer.echo(f"trajplan {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


@app.command()
@answering
def plan(
    source: InputArgument,
    out: OutFolder,
    answers: Answers,
    level: LevelOption = None,
    seed: SeedOption = None,
    labels: Annotated[Path | None, typer.Option(help="Vertebra label map on the same scan.")] = None,
    scheme: Annotated[SchemeOption | None, typer.Option(help="Numbering of --labels; it is never guessed.")] = None,
    instrument: Annotated[str, typer.Option(help="8G, 10G, 11G or 13G, drill, or one of --catalogue.")] = "11G",
    catalogue: Annotated[Path | None, typer.Option(help="TOML file with instruments and balloons of your own.")] = None,
    approach: Annotated[ApproachOption, typer.Option(help="Which way in.")] = ApproachOption.AUTO,
    execution: Annotated[
        ExecutionOption, typer.Option(help="How exactly it is carried out: for the chance of a breach.")
    ] = ExecutionOption.FLUOROSCOPY,
    free_breathing: Annotated[
        bool, typer.Option("--free-breathing", help="Add the motion of breathing to the chance of a breach.")
    ] = False,
    backend: BackendOption = DEFAULT_BACKEND,
    confirm_mask: Annotated[
        str | None,
        typer.Option(help="SHA-256 (first 8 digits or more) of the mask in a plan whose contours you found right."),
    ] = None,
    balloon: Annotated[str | None, typer.Option(help="Balloon of the catalogue, e.g. '15 mm'; else what fits.")] = None,
    balloon_ml: Annotated[float | None, typer.Option(help="Most to fill into a balloon, ml.")] = None,
    candidacy: Annotated[
        Path | None, typer.Option(help="TOML or JSON file with what you know of the patient's case; see the docs.")
    ] = None,
    figures: Annotated[
        list[FigureOption] | None, typer.Option(help="Write every figure in this form too; repeatable.")
    ] = None,
    keep_name: KeepNameOption = False,
    as_json: JsonOption = False,
) -> None:
    """Plan the safest transpedicular path on a CT and write report, plan.json and pictures to --out."""
    from trajplan.augmentation.asked import augmentation_settings
    from trajplan.case import CaseRequest
    from trajplan.exports.segmentation_note import segmented_in
    from trajplan.levels import level_id
    from trajplan.planning.execution import carried_out
    from trajplan.planning.execution import execution as find_execution
    from trajplan.planning.instruments import SHIPPED, read_catalogue
    from trajplan.planning.plan import Approach, PlanSettings
    from trajplan.reading import Scheme, check_same_space, read_labels_with_findings, read_scan

    if (labels is None) != (scheme is None):
        raise InputError("--labels and --scheme go together: the numbering is never guessed", code="usage")
    identifier = level_id(level) if level else None
    seed_lps = parse_point(seed, "--seed") if seed else None
    known = SHIPPED if catalogue is None else read_catalogue(catalogue)
    settings = PlanSettings(
        instrument=known.needle(instrument), approach=Approach(approach), balloons=tuple(known.balloons.values())
    )
    settings = carried_out(settings, find_execution(execution), free_breathing)
    augmentation = augmentation_settings(balloon, balloon_ml, candidacy, settings)
    refuse_a_file(out)
    read = read_scan(source, answers)
    scan = named(read, source, keep_name)
    label_map, segmented = None, None
    if labels is not None and scheme is not None:
        label_map, said = read_labels_with_findings(
            labels, Scheme(scheme), level_id=identifier, nifti_form=answers.nifti_form
        )
        said += check_same_space(label_map, scan.volume)
        segmented = segmented_in(labels, label_map)
        scan = dataclasses.replace(scan, findings=scan.findings + said)
    labels_source = None if labels is None else (labels.name if keep_name else "label file")
    reading = {**dataclasses.asdict(answers), "scheme": scheme and str(scheme), "keep_name": keep_name}
    request = CaseRequest(
        level, seed_lps, label_map, labels_source, settings, backend, segmented, confirm_mask, augmentation, reading
    )
    _run_and_write(scan, request, out, as_json, [f".{form}" for form in figures or ()])


@app.command()
def demo(
    out: OutFolder = Path("demo-report"),
    as_json: JsonOption = False,
) -> None:
    """Plan a fractured L1 phantom end to end: no data needed."""
    from trajplan.case import CaseRequest
    from trajplan.exports.atomic import output_folder_lock
    from trajplan.planning.plan import PlanSettings
    from trajplan.reading.scan import Scan
    from trajplan_phantoms import demo_phantom

    refuse_a_file(out)
    with output_folder_lock(out), progress_bar() as progress:
        progress(0.02, "building the phantom")
        phantom = demo_phantom()
        scan = Scan.of_volume(phantom.ct, path_name="demo phantom (wedge fracture of L1)", kind="phantom")
        request = CaseRequest("L1", None, phantom.labels, "phantom truth labels", PlanSettings())
        result, files = _compute(scan, request, out, lambda f, what: progress(0.2 + 0.8 * f, what))
    _finish(result, files, out, as_json)


for command in (inspect, segment, drr, phantom, fracture, export):
    app.command()(command)
app.add_typer(samples_app, name="samples")
app.add_typer(atlas_app, name="atlas")


@app.command()
@answering
def check(
    plan_file: Annotated[Path, typer.Argument(help="plan.json written by trajplan plan.")],
    answers: Answers,
    source: Annotated[Path | None, typer.Argument(help="The scan it was planned on (not needed for the demo).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute a plan by an independent route; fails on any disagreement above 0.3 mm or 0.5 px.

    A plan whose scan, mask or parameters have changed since is stale and refused.
    """
    from trajplan.exports.handover import plan_and_parts
    from trajplan.exports.stale import require_current
    from trajplan.reading import read_scan
    from trajplan.verification.recheck import recheck

    document, parts = plan_and_parts(plan_file)
    if source is None:
        if document.input.kind != "phantom":
            raise InputError("name the scan this plan was made on: trajplan check plan.json INPUT", code="usage")
        from trajplan_phantoms import demo_phantom

        sha256 = demo_phantom().ct.sha256()
    else:
        scan = read_scan(source, answers)
        sha256 = scan.sha256
    require_current(document, sha256, parts)
    lines = recheck(document.model_dump(mode="json"), parts, sha256)
    failed = [line for line in lines if not line.agrees]
    if as_json:
        typer.echo(json.dumps([line.as_dict() for line in lines], indent=1, allow_nan=False))
    else:
        for line in lines:
            typer.echo(line.sentence())
        typer.echo(f"{len(lines) - len(failed)} of {len(lines)} quantities agree")
    if failed:
        raise typer.Exit(1)


def _run_and_write(scan: Scan, request: CaseRequest, out: Path, as_json: bool, suffixes: Sequence[str]) -> None:
    from trajplan.exports.atomic import output_folder_lock

    with output_folder_lock(out), progress_bar() as progress:
        result, files = _compute(scan, request, out, progress, suffixes)
    _finish(result, files, out, as_json)


def _compute(
    scan: Scan,
    request: CaseRequest,
    out: Path,
    progress: Callable[[float, str], None],
    suffixes: Sequence[str] = (),
) -> tuple[CaseResult, list[Path]]:
    from trajplan.case import run_case
    from trajplan.first_use import compiling
    from trajplan.reporting.write import write_report

    with compiling(lambda what: progress(0.0, what)):
        result = run_case(scan, request, lambda f, what: progress(0.75 * f, what))
    files = write_report(result, out, lambda f, what: progress(0.75 + 0.25 * f, what), suffixes)
    return result, files


def _finish(result: CaseResult, files: list[Path], out: Path, as_json: bool) -> None:
    """Say what was planned; exit with 3 when no path is offered."""
    from trajplan.reporting.augmentation_lines import augmentation_lines

    if as_json:
        typer.echo((out / "plan.json").read_text(encoding="utf-8"))
    else:
        for note in result.notes:
            typer.echo(f"note: {note}")
        for t in result.trajectories:
            typer.echo(
                f"{t.side} {t.approach}: {str(t.verdict).upper()}, {t.instrument.name}, clearance "
                f"{t.clearance.min_mm:.1f} mm, grade {t.gertzbein_robbins}, breach chance {100 * t.breach.any:.1f} %"
            )
            for reason in t.reasons:
                typer.echo(f"  {reason}")
        for r in result.refusals:
            typer.echo(f"refused ({r.code}): {r.message}")
        if result.augmentation is not None:
            for line in augmentation_lines(result.augmentation):
                typer.echo(line)
        typer.echo(f"report: {out / 'report.html'} ({len(files)} files)")
        typer.echo(DISCLAIMER)
    if not result.has_path:
        raise typer.Exit(EXIT_NO_PATH)


def main() -> None:
    """Entry point: whatever happens, one clear line on stderr and a status that is not 0."""
    run_to_the_end(app)


if __name__ == "__main__":
    main()
