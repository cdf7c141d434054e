"""The command line. Exit status: 0 done, 1 a check disagrees, 2 input, usage or output refused, 3 planned honestly to
"no safe path", 4 out of memory or an error of the program, 128 + n stopped by signal n (130 is Ctrl-C).

Heavy imports happen inside the commands, so that ``trajplan --help`` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trajplan import DISCLAIMER, __version__
from trajplan.cli_options import parse_point, refuse_a_file
from trajplan.cli_samples import phantom, samples_app
from trajplan.errors import InputError
from trajplan.leaving import run_to_the_end

if TYPE_CHECKING:
    from trajplan.case import CaseRequest, CaseResult
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


class SchemeOption(StrEnum):
    """Values of --scheme (mirrors trajplan.reading.labels.Scheme)."""

    VERSE = "verse"
    TOTALSEG_V2 = "totalseg-v2"
    TOTALSEG_V1 = "totalseg-v1"
    MASK = "mask"


InputArgument = Annotated[Path, typer.Argument(help="NIfTI, NRRD or MetaImage file, or a DICOM folder.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the results; created when needed.")]
SeriesOption = Annotated[
    str | None,
    typer.Option(help="DICOM SeriesInstanceUID, when a folder holds several CTs; UID#N for one group of it."),
]
AssumeHuOption = Annotated[
    bool, typer.Option("--assume-hu", help="Take the values as HU although the file speaks against it; is recorded.")
]
ResampleOption = Annotated[
    bool,
    typer.Option("--resample-irregular", help="Interpolate irregular or missing DICOM slices (to 6 mm); is recorded."),
]
LevelOption = Annotated[str | None, typer.Option(help="Level of the target, e.g. L1: as you counted it.")]
SeedOption = Annotated[str | None, typer.Option(help="A point in the vertebral body: x,y,z in LPS mm.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print machine-readable output.")]
KeepNameOption = Annotated[
    bool,
    typer.Option("--keep-name", help="Put the input's file or folder name into the results; it may name the patient."),
]


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
def plan(
    source: InputArgument,
    out: OutFolder,
    level: LevelOption = None,
    seed: SeedOption = None,
    labels: Annotated[Path | None, typer.Option(help="Vertebra label map on the same scan.")] = None,
    scheme: Annotated[SchemeOption | None, typer.Option(help="Numbering of --labels; it is never guessed.")] = None,
    instrument: Annotated[str, typer.Option(help="8G, 10G, 11G or 13G.")] = "11G",
    approach: Annotated[ApproachOption, typer.Option(help="Which pedicles.")] = ApproachOption.AUTO,
    series: SeriesOption = None,
    keep_name: KeepNameOption = False,
    assume_hu: AssumeHuOption = False,
    resample_irregular: ResampleOption = False,
    as_json: JsonOption = False,
) -> None:
    """Plan the safest transpedicular path on a CT and write report, plan.json and pictures to --out."""
    from trajplan.case import CaseRequest
    from trajplan.levels import level_id
    from trajplan.planning.instruments import instrument as find_instrument
    from trajplan.planning.plan import Approach, PlanSettings
    from trajplan.reading import Scheme, check_same_space, read_labels, read_scan

    if (labels is None) != (scheme is None):
        raise InputError("--labels and --scheme go together: the numbering is never guessed", code="usage")
    identifier = level_id(level) if level else None
    seed_lps = parse_point(seed, "--seed") if seed else None
    settings = PlanSettings(instrument=find_instrument(instrument), approach=Approach(approach))
    refuse_a_file(out)
    read = read_scan(source, series=series, assume_hu=assume_hu, resample_irregular=resample_irregular)
    scan = _named(read, source, keep_name)
    label_map = None
    if labels is not None and scheme is not None:
        label_map = read_labels(labels, Scheme(scheme), level_id=identifier)
        check_same_space(label_map, scan.volume)
    labels_source = None if labels is None else (labels.name if keep_name else "label file")
    request = CaseRequest(level, seed_lps, label_map, labels_source, settings)
    _run_and_write(scan, request, out, as_json)


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
    with output_folder_lock(out), _progress() as progress:
        progress(0.02, "building the phantom")
        phantom = demo_phantom()
        scan = Scan.of_volume(phantom.ct, path_name="demo phantom (wedge fracture of L1)", kind="phantom")
        request = CaseRequest("L1", None, phantom.labels, "phantom truth labels", PlanSettings())
        result, files = _compute(scan, request, out, lambda f, what: progress(0.2 + 0.8 * f, what))
    _finish(result, files, out, as_json)


@app.command()
def inspect(
    source: InputArgument,
    series: SeriesOption = None,
    keep_name: KeepNameOption = False,
    assume_hu: AssumeHuOption = False,
    resample_irregular: ResampleOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a scan holds and what was found while reading it; writes nothing."""
    from dataclasses import asdict

    from trajplan.reading import read_scan
    from trajplan.reading.findings import severity_of, to_do

    try:
        read = read_scan(source, series=series, assume_hu=assume_hu, resample_irregular=resample_irregular)
    except InputError as refused:
        if as_json:  # the reason in the same form as the findings of a scan that is read; then the status says no
            finding: dict[str, Any] = {"code": refused.code, "severity": severity_of(refused), "message": str(refused)}
            finding |= {"numbers": refused.numbers, "to_do": to_do(refused.code)}
            typer.echo(json.dumps({"path_name": source.name, "findings": [finding]}, indent=1, allow_nan=False))
        raise
    scan = _named(read, source, keep_name)
    lower, upper = scan.volume.grid.corners_lps().min(axis=0), scan.volume.grid.corners_lps().max(axis=0)
    facts: dict[str, Any] = {
        "path_name": scan.path_name,
        "kind": scan.kind,
        "sha256": scan.sha256,
        "size_zyx": list(scan.size_zyx),
        "spacing_zyx_mm": [round(float(s), 4) for s in scan.spacing_zyx_mm],
        "extent_lps_mm": [[round(float(v), 1) for v in lower], [round(float(v), 1) for v in upper]],
        "hu_min_max": [int(scan.volume.array.min()), int(scan.volume.array.max())],
    }
    content = asdict(scan.content) if scan.content else {}
    if as_json:
        findings = [
            {"code": f.code, "severity": f.severity, "message": f.message, "to_do": to_do(f.code)}
            for f in scan.findings
        ]
        typer.echo(json.dumps({**facts, "content": content, "findings": findings}, indent=1, allow_nan=False))
        return
    for name, value in (facts | content).items():
        typer.echo(f"{name:22} {'not found' if value is None else value}")
    for found in scan.findings:
        typer.echo(f"{found.severity:22} {found.code}: {found.message}. {to_do(found.code)}")


@app.command()
def segment(
    source: InputArgument,
    seed: Annotated[str, typer.Option(help="A point in the vertebral body: x,y,z in LPS mm.")],
    out: Annotated[Path, typer.Option("--out", help="Label file to write (.nrrd).")],
    level: LevelOption = None,
    series: SeriesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Segment the vertebra at a seed with SimpleITK and write its label map (VerSe ids)."""
    from trajplan.anatomy.simpleitk_backend import SimpleItkBackend
    from trajplan.exports.labels_file import write_labels
    from trajplan.levels import level_id
    from trajplan.reading import read_scan
    from trajplan.target import require_inside

    if out.suffix != ".nrrd":
        raise InputError(f"--out must end in .nrrd, got {out.name!r}", code="usage")
    point = parse_point(seed, "--seed")
    scan = read_scan(source, series=series)
    require_inside(scan.volume, point)
    with _progress() as progress:
        result = SimpleItkBackend().segment(scan.volume, point, level_id(level) if level else None, progress)
    write_labels(result.labels, out)
    facts = {
        "file": out.name,
        "target_id": result.target_id,
        "confidence": round(result.confidence.score, 3),
        "values": {k: round(float(v), 3) for k, v in result.confidence.values.items()},
        "check": list(result.confidence.check),
    }
    _print(facts, as_json)


@app.command()
def drr(
    source: InputArgument,
    out: Annotated[Path, typer.Option("--out", help="PNG to write.")],
    primary: Annotated[float, typer.Option(help="Primary angle, deg: LAO +, RAO -; 0 AP, 90 lateral.")] = 0.0,
    secondary: Annotated[float, typer.Option(help="Secondary angle, deg: CRA +, CAU -.")] = 0.0,
    isocenter: Annotated[str | None, typer.Option(help="x,y,z in LPS mm; default the centre of the scan.")] = None,
    quality: Annotated[str, typer.Option(help="fast or siddon.")] = "fast",
    series: SeriesOption = None,
) -> None:
    """Render one simulated X-ray of a CT at any C-arm angle."""
    from trajplan.exports.atomic import write_atomically
    from trajplan.fluoroscopy.carm import CArm
    from trajplan.fluoroscopy.projector import project
    from trajplan.reading import read_scan
    from trajplan.reporting.xray import drr_png

    if quality not in ("fast", "siddon"):
        raise InputError(f"--quality must be fast or siddon, got {quality!r}", code="usage")
    if out.suffix.lower() != ".png":
        raise InputError(f"--out must end in .png, got {out.name!r}", code="usage")
    center = parse_point(isocenter, "--isocenter") if isocenter else None
    scan = read_scan(source, series=series)
    carm = CArm(primary, secondary, scan.volume.grid.center_lps if center is None else center)
    image = project(scan.volume, carm, quality="siddon" if quality == "siddon" else "fast")
    write_atomically(out, drr_png(image))
    typer.echo(f"wrote {out}: magnification {carm.magnification:.2f} at the isocentre. SIMULATED. {DISCLAIMER}")


app.command()(phantom)
app.add_typer(samples_app, name="samples")


@app.command()
def check(
    plan_file: Annotated[Path, typer.Argument(help="plan.json written by trajplan plan.")],
    source: Annotated[Path | None, typer.Argument(help="The scan it was planned on (not needed for the demo).")] = None,
    series: SeriesOption = None,
    assume_hu: AssumeHuOption = False,
    resample_irregular: ResampleOption = False,
    as_json: JsonOption = False,
) -> None:
    """Recompute a plan by an independent route; fails on any disagreement above 0.3 mm or 0.5 px.

    A plan whose scan, mask or parameters have changed since is stale and refused.
    """
    from trajplan.exports.labels_file import read_parts
    from trajplan.exports.leftovers import is_interrupted
    from trajplan.exports.plan_json import read_plan
    from trajplan.exports.stale import require_current
    from trajplan.reading import read_scan
    from trajplan.verification.recheck import recheck

    if is_interrupted(plan_file.absolute().parent):
        raise InputError(
            f"a run was killed while it replaced the result beside {plan_file.name}; plan the case again",
            code="interrupted",
        )
    document = read_plan(plan_file)
    if document.files.parts is None:
        raise InputError(f"{plan_file.name} holds no vertebra mask, so there is nothing to check", code="no_mask")
    parts = read_parts(plan_file.parent / document.files.parts)
    if source is None:
        if document.input.kind != "phantom":
            raise InputError("name the scan this plan was made on: trajplan check plan.json INPUT", code="usage")
        from trajplan_phantoms import demo_phantom

        sha256 = demo_phantom().ct.sha256()
    else:
        scan = read_scan(source, series=series, assume_hu=assume_hu, resample_irregular=resample_irregular)
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


def _run_and_write(scan: Scan, request: CaseRequest, out: Path, as_json: bool) -> None:
    from trajplan.exports.atomic import output_folder_lock

    with output_folder_lock(out), _progress() as progress:
        result, files = _compute(scan, request, out, progress)
    _finish(result, files, out, as_json)


def _compute(
    scan: Scan, request: CaseRequest, out: Path, progress: Callable[[float, str], None]
) -> tuple[CaseResult, list[Path]]:
    from trajplan.case import run_case
    from trajplan.reporting.write import write_report

    result = run_case(scan, request, lambda f, what: progress(0.75 * f, what))
    files = write_report(result, out, lambda f, what: progress(0.75 + 0.25 * f, what))
    return result, files


def _finish(result: CaseResult, files: list[Path], out: Path, as_json: bool) -> None:
    """Say what was planned; exit with 3 when no path is offered."""
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
        typer.echo(f"report: {out / 'report.html'} ({len(files)} files)")
        typer.echo(DISCLAIMER)
    if not result.has_path:
        raise typer.Exit(EXIT_NO_PATH)


def _named(scan: Scan, source: Path, keep_name: bool) -> Scan:
    from trajplan.exports.nameless import nameless

    return scan if keep_name else nameless(scan, source)


def _print(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts, indent=1, allow_nan=False))
    else:
        for name, value in facts.items():
            typer.echo(f"{name:12} {value}")


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
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


def main() -> None:
    """Entry point: whatever happens, one clear line on stderr and a status that is not 0."""
    run_to_the_end(app)


if __name__ == "__main__":
    main()
