"""`trajplan drr`: simulated X-rays of a CT, at any angle or as a plan sets them, with instruments and physics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trajplan import DISCLAIMER
from trajplan.cli_answers import answering
from trajplan.cli_options import InputArgument, parse_point
from trajplan.errors import InputError

if TYPE_CHECKING:
    from trajplan.exports.plan_model import PlanDocument
    from trajplan.fluoroscopy.carm import CArm
    from trajplan.reading.answers import Answers

_QUALITIES = ("fast", "joseph", "siddon", "preview")


@answering
def drr(
    source: InputArgument,
    out: Annotated[
        Path, typer.Option("--out", help="PNG (picture), TIFF or NRRD (line integrals), GIF (the needle's advance).")
    ],
    answers: Answers,
    primary: Annotated[float | None, typer.Option(help="Primary angle, deg: LAO +, RAO -; 0 AP, 90 lateral.")] = None,
    secondary: Annotated[float | None, typer.Option(help="Secondary angle, deg: CRA +, CAU -.")] = None,
    isocenter: Annotated[str | None, typer.Option(help="x,y,z in LPS mm; default the centre of the scan.")] = None,
    quality: Annotated[str, typer.Option(help="fast, joseph, siddon or preview.")] = "fast",
    size: Annotated[int | None, typer.Option(help="Pixels along each edge of the detector.")] = None,
    plan: Annotated[Path | None, typer.Option(help="A plan.json of this scan: its views, paths and stages.")] = None,
    view: Annotated[str, typer.Option(help="With --plan: ap, lateral, en_face_left or en_face_right.")] = "ap",
    side: Annotated[str | None, typer.Option(help="With --plan: whose needle, left or right.")] = None,
    stage: Annotated[str | None, typer.Option(help="With --plan: needle at this stage, by name or number.")] = None,
    tool: Annotated[
        list[str] | None, typer.Option(help="A steel rod: x,y,z:x,y,z:DIAMETER in LPS mm, tip second; repeatable.")
    ] = None,
    kvp: Annotated[float | None, typer.Option(help="Take it with X-ray physics at this tube voltage, 60..120.")] = None,
    dose: Annotated[float, typer.Option(help="With --kvp: nGy at the detector in one frame; 5..35 is usual.")] = 20.0,
    frames: Annotated[int, typer.Option(help="With --kvp: frames averaged; more for a last image hold.")] = 1,
    seed: Annotated[int, typer.Option(help="With --kvp: of the noise.")] = 0,
    invert: Annotated[bool, typer.Option("--invert", help="Bone black on white.")] = False,
) -> None:
    """Render one simulated X-ray of a CT at any C-arm angle, or the advance of a planned needle as an animation."""
    from trajplan.exports.atomic import write_atomically
    from trajplan.fluoroscopy.projector import compiling_notice
    from trajplan.fluoroscopy.tools import steel_tool
    from trajplan.reading import read_scan
    from trajplan.reporting.xray_files import SUFFIXES, advance_gif

    suffix = out.suffix.lower()
    if quality not in _QUALITIES:
        raise InputError(f"--quality must be one of {', '.join(_QUALITIES)}, got {quality!r}", code="usage")
    if suffix not in (*SUFFIXES, ".gif"):
        raise InputError(f"--out must end in {', '.join(SUFFIXES)} or .gif, got {out.name!r}", code="usage")
    if plan is None and (stage or side or suffix == ".gif"):
        raise InputError("--stage, --side and a .gif need --plan", code="usage")
    if size is not None and not 16 <= size <= 4096:
        raise InputError(f"--size must be 16 to 4096 pixels, got {size}", code="usage")
    capsules = [_rod(text) for text in tool or ()]
    center = parse_point(isocenter, "--isocenter") if isocenter else None
    document = _plan(plan) if plan else None
    scan = read_scan(source, answers)
    if document is not None and document.input.sha256 != scan.sha256:
        raise InputError("the plan was made on another scan (SHA-256 differs)", code="stale_plan")
    notice = compiling_notice()
    if notice:
        typer.echo(notice, err=True)

    def arm(name: str) -> CArm:
        from trajplan.exports.plan_views import carm_of_plan
        from trajplan.fluoroscopy.carm import CArm

        base = CArm(0.0, 0.0, scan.volume.grid.center_lps) if document is None else carm_of_plan(document, name)
        found = replace(
            base,
            primary_deg=base.primary_deg if primary is None else primary,
            secondary_deg=base.secondary_deg if secondary is None else secondary,
            isocenter_lps=base.isocenter_lps if center is None else center,
        )
        if size is None:
            return found
        return replace(found, detector_px=(size, size), pixel_mm=found.pixel_mm * found.detector_px[0] / size)

    if document is not None and suffix == ".gif":
        from trajplan.fluoroscopy.projector import prepare, project

        prepared = prepare(scan.volume)
        anatomies = {name: project(prepared, arm(name), quality=quality) for name in ("ap", "lateral")}
        write_atomically(out, advance_gif(anatomies, *_advance(document, side), inverted=invert))
        typer.echo(f"wrote {out}: AP and lateral. SIMULATED. {DISCLAIMER}")
        return
    if document is not None and (stage or side):
        from trajplan.exports.plan_views import depth_of_stage, needle_at, path_of_plan

        path = path_of_plan(document, side)
        capsules.append(needle_at(path, depth_of_stage(path, stage or str(len(path.stages)))))
    carm = arm(view)
    data = _take(scan.volume, carm, [steel_tool(c) for c in capsules], quality, suffix, invert, kvp, dose, frames, seed)
    write_atomically(out, data)
    typer.echo(f"wrote {out}: magnification {carm.magnification:.2f} at the isocentre. SIMULATED. {DISCLAIMER}")


def _take(
    volume: Any, carm: CArm, tools: list[Any], quality: str, suffix: str, invert: bool, kvp: float | None, dose: float,
    frames: int, seed: int
) -> bytes:  # fmt: skip
    from trajplan.fluoroscopy.projector import project
    from trajplan.reporting.xray_files import xray_bytes

    if kvp is None:
        return xray_bytes(project(volume, carm, tools, quality=quality), suffix, inverted=invert)
    from trajplan.fluoroscopy.physics import Physics, expose, thicknesses

    physics = Physics(kvp=kvp, detector_dose_ngy=dose, held_frames=frames, seed=seed)
    taken = expose(thicknesses(volume, carm, tools, quality=quality), physics)
    note = f"{kvp:g} kVp, {taken.dose_words()}"
    return xray_bytes(taken.drr, suffix, inverted=invert, note=note)


def _plan(path: Path) -> PlanDocument:
    from trajplan.exports.plan_json import read_plan

    return read_plan(path)


def _advance(document: PlanDocument, side: str | None) -> tuple[list[Any], list[Any]]:
    """The needle at 25 depths from the bone to the end of the path, and the outline of its pedicle."""
    import numpy as np

    from trajplan.exports.plan_views import needle_at, path_of_plan

    path = path_of_plan(document, side)
    depths = np.linspace(0.0, path.length_in_bone_mm, 25)
    outlines = [np.array(p.outline_lps) for p in document.pedicles if p.side == path.side and len(p.outline_lps) > 2]
    return [needle_at(path, float(d)) for d in depths], outlines


def _rod(text: str) -> Any:
    from trajplan.geometry import Capsule

    parts = text.split(":")
    try:
        diameter = float(parts[2])
        ends = [parse_point(part, "--tool") for part in parts[:2]]
    except (IndexError, ValueError):
        diameter, ends = 0.0, []
    if len(parts) != 3 or not 0 < diameter < 50:
        raise InputError(f"--tool needs x,y,z:x,y,z:DIAMETER in mm, got {text!r}", code="usage")
    return Capsule(ends[0], ends[1], diameter / 2)
