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
    from trajplan.exports.path_model import TrajectoryModel
    from trajplan.exports.plan_model import PlanDocument
    from trajplan.fluoroscopy.carm import CArm
    from trajplan.fluoroscopy.lines import Line
    from trajplan.fluoroscopy.physics import Physics
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
    collimate: Annotated[
        str | None, typer.Option(help="HEIGHTxWIDTH that the blades leave open, mm at the isocentre, e.g. 100x80.")
    ] = None,
    table: Annotated[
        float | None, typer.Option(help="Height of the table over the floor, mm: refused where the C-arm cannot go.")
    ] = None,
    supine: Annotated[bool, typer.Option("--supine", help="With --table: the patient lies on the back.")] = False,
    plan: Annotated[Path | None, typer.Option(help="A plan.json of this scan: its views, paths and stages.")] = None,
    view: Annotated[
        str, typer.Option(help="With --plan: ap, lateral, en_face_left|right or oblique_left|right (Scotty dog).")
    ] = "ap",
    side: Annotated[str | None, typer.Option(help="With --plan: whose needle, left or right.")] = None,
    stage: Annotated[str | None, typer.Option(help="With --plan: needle at this stage, by name or number.")] = None,
    overlay: Annotated[
        str | None,
        typer.Option(
            help="With --plan: all, or some of pedicles,posterior_wall,end_plates,midline,path,tip; drawn over a PNG, "
            "and written into every file as pixels."
        ),
    ] = None,
    tool: Annotated[
        list[str] | None, typer.Option(help="A steel rod: x,y,z:x,y,z:DIAMETER in LPS mm, tip second; repeatable.")
    ] = None,
    kvp: Annotated[float | None, typer.Option(help="Take it with X-ray physics at this tube voltage, 60..120.")] = None,
    dose: Annotated[
        float | None,
        typer.Option(help="With --kvp: nGy at the detector in one frame (20); 5..35 is usual."),
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="With --kvp: frames averaged; 1 is live, 8 a last image hold.")
    ] = None,
    blur: Annotated[float | None, typer.Option(help="With --kvp: sigma of the detector's blur, mm (0.16).")] = None,
    scatter: Annotated[
        float | None, typer.Option(help="With --kvp: scattered over primary light behind the grid (0.7).")
    ] = None,
    heel: Annotated[
        float | None, typer.Option(help="With --kvp: share of light lost from the middle to the upper edge (0.08).")
    ] = None,
    saturation: Annotated[
        float | None, typer.Option(help="With --kvp: the detector is full at this multiple of its mean (20).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="With --kvp: of the noise.")] = None,
    invert: Annotated[bool, typer.Option("--invert", help="Bone black on white.")] = False,
) -> None:
    """Render one simulated X-ray of a CT at any C-arm angle, or the advance of a planned needle as an animation."""
    from trajplan.exports.atomic import write_atomically
    from trajplan.first_use import X_RAYS, uncompiled
    from trajplan.fluoroscopy.tools import steel_tool
    from trajplan.reading import read_scan
    from trajplan.reporting.xray_files import SUFFIXES, advance_gif, xray_bytes

    suffix = out.suffix.lower()
    if quality not in _QUALITIES:
        raise InputError(f"--quality must be one of {', '.join(_QUALITIES)}, got {quality!r}", code="usage")
    if suffix not in (*SUFFIXES, ".gif"):
        raise InputError(f"--out must end in {', '.join(SUFFIXES)} or .gif, got {out.name!r}", code="usage")
    if plan is None and (stage or side or overlay or suffix == ".gif"):
        raise InputError("--stage, --side, --overlay and a .gif need --plan", code="usage")
    if size is not None and not 16 <= size <= 4096:
        raise InputError(f"--size must be 16 to 4096 pixels, got {size}", code="usage")
    physics = _physics(
        kvp, {"detector_dose_ngy": dose, "held_frames": frames, "blur_mm": blur, "scatter_to_primary": scatter,
              "heel": heel, "saturation": saturation, "seed": seed}
    )  # fmt: skip
    capsules = [_rod(text) for text in tool or ()]
    center = parse_point(isocenter, "--isocenter") if isocenter else None
    opening = _opening(collimate) if collimate else None
    document = _plan(plan) if plan else None
    scan = read_scan(source, answers)
    if document is not None and document.input.sha256 != scan.sha256:
        raise InputError("the plan was made on another scan (SHA-256 differs)", code="stale_plan")
    if X_RAYS in uncompiled():
        typer.echo("compiling the X-ray projectors: once after an installation, half a minute", err=True)

    def arm(name: str) -> CArm:
        from trajplan.exports.plan_views import carm_of_plan
        from trajplan.fluoroscopy.carm import CArm
        from trajplan.fluoroscopy.reach import require_reachable
        from trajplan.fluoroscopy.views import SolvedView

        base = CArm(0.0, 0.0, scan.volume.grid.center_lps) if document is None else carm_of_plan(document, name)
        found = replace(
            base,
            primary_deg=base.primary_deg if primary is None else primary,
            secondary_deg=base.secondary_deg if secondary is None else secondary,
            isocenter_lps=base.isocenter_lps if center is None else center,
            collimation_mm=opening,
        )
        if document is not None and primary is None and secondary is None:
            require_reachable(SolvedView(name, found, {}))
        if size is None:
            return found
        return replace(found, detector_px=(size, size), pixel_mm=found.pixel_mm * found.detector_px[0] / size)

    if document is not None and suffix == ".gif":
        from trajplan.fluoroscopy.projector import prepare, project

        prepared = prepare(scan.volume)
        anatomies = {name: project(prepared, arm(name), quality=quality) for name in ("ap", "lateral")}
        needles, outlines = _advance(document, side)
        if overlay:
            from trajplan.exports.plan_views import lines_of_plan, path_of_plan
            from trajplan.fluoroscopy.lines import LAYERS, chosen

            wanted = [name for name in (LAYERS if overlay == "all" else overlay.split(",")) if name != "tip"]
            lines = lines_of_plan(document, path_of_plan(document, side))
            outlines = [line.points_lps for line in chosen(lines, wanted)]
        write_atomically(out, advance_gif(anatomies, needles, outlines, inverted=invert))
        typer.echo(f"wrote {out}: AP and lateral. SIMULATED. {DISCLAIMER}")
        return
    path, depth = None, 0.0
    if document is not None and (stage or side):
        from trajplan.exports.plan_views import depth_of_stage, needle_at, path_of_plan

        path = path_of_plan(document, side)
        depth = depth_of_stage(path, stage or str(len(path.stages)))
        capsules.append(needle_at(path, depth))
    carm = arm(view)
    lines = _lines(document, path, depth, carm, overlay) if document is not None and overlay else ()
    notes, tags = [], _standing(scan.volume, carm, table, not supine) if table is not None else {}
    if table is not None:
        notes.append(f"table {table:g} mm, isocentre {tags['isocenter_height_mm']:.0f} mm over the floor")
    taken = _take(scan.volume, carm, [steel_tool(c) for c in capsules], quality, physics)
    if physics is not None:
        notes.append(f"{physics.kvp:g} kVp, {taken[1].pop('words')}")
        tags |= taken[1]
    write_atomically(
        out, xray_bytes(taken[0], suffix, inverted=invert, note="; ".join(notes), lines=lines, more=tags)
    )  # fmt: skip
    typer.echo(f"wrote {out}: magnification {carm.magnification:.2f} at the isocentre. SIMULATED. {DISCLAIMER}")


def _take(
    volume: Any, carm: CArm, tools: list[Any], quality: str, physics: Physics | None
) -> tuple[Any, dict[str, Any]]:
    """The picture, and with physics how it was taken: settings, dose and words for the caption."""
    from dataclasses import asdict

    from trajplan.fluoroscopy.projector import project

    if physics is None:
        return project(volume, carm, tools, quality=quality), {}
    from trajplan.fluoroscopy.physics import expose, thicknesses

    taken = expose(thicknesses(volume, carm, tools, quality=quality), physics)
    return taken.drr, {
        "physics": asdict(physics),
        "entrance_dose_a_frame_ugy_uncalibrated": round(taken.entrance_dose_ugy, 3),
        "entrance_dose_ugy_uncalibrated": round(taken.entrance_dose_ugy * physics.held_frames, 3),
        "words": taken.dose_words(),
    }


def _physics(kvp: float | None, settings: dict[str, float | int | None]) -> Physics | None:
    given = {name: value for name, value in settings.items() if value is not None}
    if kvp is None:
        if given:
            raise InputError(
                "--dose, --frames, --blur, --scatter, --heel, --saturation and --seed need --kvp", code="usage"
            )
        return None
    from trajplan.fluoroscopy.physics import Physics

    return Physics(kvp=kvp, **given)  # type: ignore[arg-type]  # the names are those of the command line above


def _standing(volume: Any, carm: CArm, height_mm: float, prone: bool) -> dict[str, Any]:
    """Table and isocentre over the floor, once the C-arm is known to reach it."""
    from trajplan.fluoroscopy.reach import table_under

    under = table_under(volume, carm.isocenter_lps, height_mm, prone=prone)
    return {
        "table_height_mm": height_mm,
        "patient": "prone" if prone else "supine",
        "isocenter_height_mm": round(under.require_height(carm), 1),
    }


def _lines(
    document: PlanDocument, path: TrajectoryModel | None, depth_mm: float, carm: CArm, overlay: str
) -> tuple[Line, ...]:
    from trajplan.exports.plan_views import frame_of_plan, lines_of_plan
    from trajplan.fluoroscopy.lines import chosen, layers_for

    wanted = layers_for(carm, frame_of_plan(document)) if overlay == "all" else tuple(overlay.split(","))
    if path is None and {"path", "tip"} & set(wanted) and overlay != "all":
        raise InputError("the overlays path and tip need --side", code="usage")
    return chosen(lines_of_plan(document, path, depth_mm), wanted)


def _opening(text: str) -> tuple[float, float]:
    try:
        height, width = (float(part) for part in text.lower().split("x"))
    except ValueError:
        height = width = 0.0
    if not (0 < height < 1000 and 0 < width < 1000):
        raise InputError(f"--collimate needs HEIGHTxWIDTH in mm, got {text!r}", code="usage")
    return height, width


def _plan(path: Path) -> PlanDocument:
    from trajplan.exports.plan_json import read_plan

    return read_plan(path)


def _advance(document: PlanDocument, side: str | None) -> tuple[list[Any], list[Any]]:
    """The needle at 25 depths from the bone to the end of the path, and the outline of its pedicle."""
    import numpy as np

    from trajplan.exports.plan_views import needle_at, path_of_plan

    path = path_of_plan(document, side)
    depths = np.linspace(0.0, path.length_in_bone_mm, 25)
    rings = [p.outline_lps for p in document.pedicles if p.side == path.side and len(p.outline_lps) > 2]
    return [needle_at(path, float(d)) for d in depths], [np.array([*ring, ring[0]]) for ring in rings]


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
