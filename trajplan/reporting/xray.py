"""Simulated X-ray pictures: the anatomy with steel trocars, and the outlines the staged rule looks at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.coverage import cut_rays, label_places
from trajplan.fluoroscopy.display import Window, display_window, edge_letters, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.lines import Line, anatomy_lines, chosen
from trajplan.fluoroscopy.overlay import pedicle_outline_px, posterior_wall_px
from trajplan.fluoroscopy.reach import nearest_reachable, out_of_reach_deg
from trajplan.fluoroscopy.tools import add_tools, steel_tool
from trajplan.fluoroscopy.views import SolvedView
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.reporting.shaft import outer_lps, outer_name, shaft
from trajplan.reporting.stage_marks import draw_stage_marks
from trajplan.reporting.words import verdict_words, worst_verdict
from trajplan.verification.landmarks import lateral_landmarks

if TYPE_CHECKING:
    from trajplan.case import CaseResult

HALF_FIELD_MM = 50.0
_TITLES = {
    "ap": "Simulated true AP",
    "lateral": "Simulated true lateral",
    "en_face_left": "Simulated en-face, left",
    "en_face_right": "Simulated en-face, right",
}
_CAPTIONS = {
    "ap": "Numbered: the stages of the table. The tip must stay lateral of the medial pedicle border until the lateral "
    "view shows it past the posterior wall.",
    "lateral": "Read with the AP. Purple: the posterior wall that the stages are judged by. Numbers above: left path; "
    "below: right path.",
    "en_face_left": "Looking down the left needle: end-on it is a disc inside the pedicle outline.",
    "en_face_right": "Looking down the right needle: end-on it is a disc inside the pedicle outline.",
}

LINE_LOOK = {
    "pedicles": (style.SIDE_COLOR[Side.LEFT], "-"),
    "posterior_wall": (style.POSTERIOR_WALL, "-"),
    "end_plates": (style.ORANGE, "-"),
    "midline": ("#BBBBBB", "--"),
    "path": (style.YELLOW, ":"),
    "tip": (style.YELLOW, "-"),
}

_EMPTY = "The view as it would be set; no needle is shown because no path is offered."


_RESIDUALS = {
    "superior_endplate_tilt_deg": "upper end plate {:.1f}° off the beam",
    "inferior_endplate_tilt_deg": "lower end plate {:.1f}°",
    "pedicle_symmetry_mm": "pedicles {:.1f} mm uneven about the midline",
    "spinous_offset_mm": "spinous process {:.1f} mm off the middle",
    "pedicle_overlap_mm": "pedicles {:.1f} mm apart",
    "posterior_rim_overlap_mm": "posterior rims {:.1f} mm apart",
    "beam_error_deg": "beam {:.1f}° off the path",
}


def residual_words(view: SolvedView | None) -> str:
    """How flat and how centred a solved view is, and whether the C-arm reaches it."""
    if view is None:
        return ""
    told = [text.format(view.residuals[name]) for name, text in _RESIDUALS.items() if name in view.residuals]
    beyond = view.residuals.get("out_of_reach_deg", 0.0)
    near = nearest_reachable(view.carm)
    reach = f" OUT OF REACH by {beyond:.1f}°; the nearest the C-arm reaches is {_angles(near)}." if beyond > 0 else ""
    return (f"How true the view is: {', '.join(told)}." if told else "") + reach


def xray_pictures(result: CaseResult) -> list[Picture]:
    """One picture for every simulated view of the case, all planned trocars in the AP and the lateral."""
    pictures = []
    for name, drr in result.drrs.items():
        side = next((s for s in Side if name.endswith(s.value)), None)
        paths = [t for t in result.trajectories if side is None or t.side is side]
        pictures.append(
            Picture(
                f"xray_{name}.png",
                _TITLES.get(name, f"Simulated {name}"),
                " ".join(
                    text
                    for text in (_CAPTIONS.get(name, "") if paths else _EMPTY, residual_words(result.views.get(name)))
                    if text
                ),
                "xray",
                _draw(result, name, drr, paths),
            )
        )
    return pictures


def show(
    axes: Axes, drr: Drr, window: Window, tools: list[Capsule], center_lps: FloatArray, half_field_mm: float
) -> None:
    """The X-ray with tools around `center_lps`; greys are those of the anatomy alone, whose window is given."""
    axes.imshow(
        to_display(add_tools(drr, [steel_tool(c) for c in tools]), window=window),
        cmap="gray",
        vmin=0,
        vmax=255,
        interpolation="bilinear",
    )
    row, column = drr.carm.project(center_lps)
    half = half_field_mm * drr.carm.magnification / drr.carm.pixel_mm
    axes.set_xlim(column - half, column + half)
    axes.set_ylim(row + half, row - half)
    axes.set_aspect("equal")


def outlines(axes: Axes, result: CaseResult, carm: CArm, *, wall: bool, sides: list[Side], width: float) -> None:
    """Pedicle outlines of `sides`, and if asked the posterior wall line that the staged rule looks at."""
    vertebra = result.vertebra
    if vertebra is None:
        return
    for side in sides:
        if side in vertebra.pedicles:
            ring = pedicle_outline_px(vertebra.pedicles[side], carm)
            ring = np.concatenate([ring, ring[:1]])
            axes.plot(ring[:, 1], ring[:, 0], color=style.SIDE_COLOR[side], lw=width, zorder=5)
    if wall and len(vertebra.posterior_wall_lps):
        rows = posterior_wall_px(vertebra, carm)[:, 0]
        slope, offset = lateral_landmarks(vertebra, carm).posterior_line
        ends = np.array([rows.min(), rows.max()])
        axes.plot(slope * ends + offset, ends, color=style.POSTERIOR_WALL, lw=1.3 * width, zorder=5)


def draw_view(axes: Axes, result: CaseResult, name: str, drr: Drr, paths: list[Trajectory]) -> list[Line2D]:
    """One view with its trocars, outlines, stage marks, letters and scale bar; returns the legend entries."""
    carm = drr.carm
    center = carm.isocenter_lps if result.vertebra is None else result.vertebra.frame.origin_lps
    grid = result.scan.volume.grid
    show(axes, drr, display_window(drr), [shaft(p, p.capsule.length_mm, grid) for p in paths], center, HALF_FIELD_MM)
    sides = [p.side for p in paths] if name.startswith("en_face") else list(Side)
    lateral = name == "lateral"
    outlines(axes, result, carm, wall=lateral, sides=sides, width=1.2)
    handles = [Line2D([], [], color=style.SIDE_COLOR[side], lw=1.6, label=f"{side.value} pedicle") for side in sides]
    if result.vertebra is not None and name in ("ap", "lateral"):
        layers = ("end_plates",) if lateral else ("end_plates", "midline")
        draw_lines(axes, chosen(anatomy_lines(result.vertebra), layers), carm, 0.7)
        handles += [
            Line2D([], [], color=LINE_LOOK[k][0], ls=LINE_LOOK[k][1], lw=1.0, label=k.replace("_", " ")) for k in layers
        ]
    if lateral:
        handles.append(Line2D([], [], color=style.POSTERIOR_WALL, lw=1.6, label="posterior wall"))
    if name in ("ap", "lateral"):
        marks: dict[str, Line2D] = {}
        for path in paths:
            _outer_mark(axes, path, carm, outer_lps(path, grid))
            found = draw_stage_marks(
                axes, path, result.stages.get(path.side, ()), carm,
                above=not lateral or path is paths[0],
                number_color=style.SIDE_COLOR[path.side] if lateral and len(paths) > 1 else "white",
            )  # fmt: skip
            marks |= {str(handle.get_label()): handle for handle in found}
        handles += marks.values()
    _scan_end(axes, drr)
    _furniture(axes, carm)
    return handles


def _draw(result: CaseResult, name: str, drr: Drr, paths: list[Trajectory]) -> bytes:
    carm = drr.carm
    title = _TITLES.get(name, f"Simulated {name}")
    subtitle = "; ".join(text for text in (verdict_words(paths), _position(carm)) if text)
    figure, axes = style.image_figure(1.0, title=title, subtitle=subtitle, legend_rows=2, verdict=worst_verdict(paths))
    handles = draw_view(axes, result, name, drr, paths)
    style.add_legend(figure, handles)
    return style.finish(figure)


def drr_png(drr: Drr, *, inverted: bool = False, note: str = "", lines: Iterable[Line] = ()) -> bytes:
    """One simulated X-ray as a PNG, whole field: letters, scale bar, "SIMULATED" and the disclaimer are burned in."""
    rows, columns = drr.carm.detector_px
    title = "Simulated X-ray" if drr.quality == "fast" else f"Simulated X-ray ({drr.quality})"
    blades, beyond = drr.carm.collimation_mm, out_of_reach_deg(drr.carm)
    told = (
        _angles(drr.carm) if note else _position(drr.carm),
        f"collimated to {blades[0]:g} x {blades[1]:g} mm" if blades else "",
        f"{beyond:.1f}° beyond the C-arm's reach" if beyond > 0 else "",
        note,
    )
    subtitle = "; ".join(text for text in told if text)
    figure, axes = style.image_figure(rows / columns, title=title, subtitle=subtitle, legend_rows=0)
    axes.imshow(to_display(drr, inverted=inverted), cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # a line that leaves the field must not widen it
    _scan_end(axes, drr)
    draw_lines(axes, lines, drr.carm, 1.1)
    _furniture(axes, drr.carm)
    return style.finish(figure)


def draw_lines(axes: Axes, lines: Iterable[Line], carm: CArm, width: float) -> None:
    """Overlays as thin lines of their layer's colour; a point is a cross."""
    for line in lines:
        pixels = line.px(carm)
        color, dashes = LINE_LOOK[line.layer]
        if line.name == "pedicle_right":
            color = style.SIDE_COLOR[Side.RIGHT]
        if len(pixels) == 1:
            axes.plot(pixels[:, 1], pixels[:, 0], "+", ms=9, mew=1.4, color=color, zorder=8, path_effects=style.HALO)
        else:
            axes.plot(pixels[:, 1], pixels[:, 0], color=color, lw=width, ls=dashes, zorder=5)


def _outer_mark(axes: Axes, path: Trajectory, carm: CArm, outer: FloatArray) -> None:
    """A bar across the outer end of the trocar with its name, when it lies in the field."""
    pixels = carm.project(np.stack([outer, path.target_lps]))[:, ::-1]
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    (x, y), inward = pixels[0], pixels[1] - pixels[0]
    if not (left < x < right and top < y < bottom) or np.linalg.norm(inward) < 1.0:
        return
    across = 3.0 * carm.magnification / carm.pixel_mm * np.array([-inward[1], inward[0]]) / np.linalg.norm(inward)
    axes.plot([x - across[0], x + across[0]], [y - across[1], y + across[1]], color=style.YELLOW, lw=1.6, zorder=7)
    outward = -inward / np.linalg.norm(inward)
    name, px_per_mm = outer_name(path), carm.magnification / carm.pixel_mm
    label = pixels[0] + px_per_mm * (0.45 * len(name) * abs(outward[0]) * outward + [0.0, 5.5])
    edge = (0.02 + 0.009 * len(name)) * (right - left)
    axes.text(
        min(max(label[0], left + edge), right - edge), label[1], name, fontsize=7, color=style.YELLOW, ha="center",
        va="center", path_effects=style.HALO, zorder=10, clip_on=True,
    )  # fmt: skip


def _scan_end(axes: Axes, drr: Drr) -> None:
    """A line where the scan ends inside the field, and the words."""
    cut = cut_rays(drr.ends_lps, drr.carm)
    if cut is None or cut.all():
        return
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for row, column in label_places(cut, (top, bottom), (left, right)):
        axes.text(
            column, row, "the scan ends here", fontsize=7, color=style.YELLOW, ha="center", va="center",
            path_effects=style.HALO, zorder=6, clip_on=True,
        )  # fmt: skip
    axes.contour(cut, levels=[0.5], colors=style.YELLOW, linewidths=0.8, linestyles="dashed", zorder=4)
    axes.set(xlim=(left, right), ylim=(bottom, top))


def _furniture(axes: Axes, carm: CArm) -> None:
    letters = edge_letters(carm)
    for edge, x, y in (("left", 0.045, 0.5), ("right", 0.955, 0.5), ("top", 0.5, 0.955), ("bottom", 0.5, 0.045)):
        style.add_text(axes, x, y, letters[edge], color=style.YELLOW, size=10.5)
    style.add_text(axes, 0.83, 0.955, "SIMULATED", color=style.ORANGE, size=9.5)
    style.add_scale_bar(axes, carm.pixel_mm / carm.magnification, " at the isocentre")


def _position(carm: CArm) -> str:
    return f"{_angles(carm)}, magnified {carm.magnification:.2f}×"


def _angles(carm: CArm) -> str:
    return f"{_angle(carm.primary_deg, 'LAO', 'RAO')}, {_angle(carm.secondary_deg, 'CRA', 'CAU')}"


def _angle(value_deg: float, positive: str, negative: str) -> str:
    if abs(value_deg) < 0.05:
        return f"0° {positive}/{negative}"
    return f"{abs(value_deg):.1f}° {positive if value_deg > 0 else negative}"
