"""Simulated X-ray pictures: the anatomy with steel trocars, and the outlines the staged rule looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import display_window, edge_letters, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.overlay import pedicle_outline_px, posterior_wall_px
from trajplan.fluoroscopy.tools import add_tools, steel_tool
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.verification.stages import Stage

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
    "ap": "The tip must stay lateral of the medial pedicle border until the lateral view shows it past the posterior "
    "wall. Numbered marks are the stages of the table.",
    "lateral": "Read with the AP: the purple points are the posterior wall of the body; the last mark lies in front "
    "of it and behind the anterior wall.",
    "en_face_left": "Looking down the left needle: end-on it is a disc inside the pedicle outline.",
    "en_face_right": "Looking down the right needle: end-on it is a disc inside the pedicle outline.",
}

_EMPTY = "The view as it would be set; no needle is shown because no path is offered."


def shaft(path: Trajectory, depth_mm: float) -> Capsule:
    """The trocar over its whole usable length with the tip at `depth_mm` from the bone entry."""
    tip = path.entry_lps + depth_mm * path.direction_lps
    return Capsule(tip - path.instrument.length_mm * path.direction_lps, tip, path.instrument.radius_mm)


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
                _CAPTIONS.get(name, "") if paths else _EMPTY,
                "xray",
                _draw(result, name, drr, paths),
            )
        )
    return pictures


def show(axes: Axes, drr: Drr, tools: list[Capsule], center_lps: FloatArray, half_field_mm: float) -> None:
    """The X-ray with tools around `center_lps`; greys are those of the anatomy alone."""
    window = display_window(drr)
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
    """Pedicle outlines of `sides`, and the posterior wall points if asked."""
    vertebra = result.vertebra
    if vertebra is None:
        return
    for side in sides:
        if side in vertebra.pedicles:
            ring = pedicle_outline_px(vertebra.pedicles[side], carm)
            ring = np.concatenate([ring, ring[:1]])
            axes.plot(ring[:, 1], ring[:, 0], color=style.SIDE_COLOR[side], lw=width, zorder=5)
    if wall:
        points = posterior_wall_px(vertebra, carm)
        axes.plot(points[:, 1], points[:, 0], ".", color=style.POSTERIOR_WALL, ms=2.2 * width, zorder=5)


def stage_color(stage: Stage) -> str:
    """Colour of a stage mark; the shape says the same without colour."""
    return style.YELLOW if stage.passed is None else style.SKY if stage.passed else style.WARNING


def stage_marker(stage: Stage) -> str:
    """Circle: passed. Cross: broken. Square: cannot be judged."""
    return "s" if stage.passed is None else "o" if stage.passed else "X"


def _draw(result: CaseResult, name: str, drr: Drr, paths: list[Trajectory]) -> bytes:
    carm = drr.carm
    title = _TITLES.get(name, f"Simulated {name}")
    figure, axes = style.image_figure(1.0, title=title, subtitle=_position(carm))
    center = carm.isocenter_lps if result.vertebra is None else result.vertebra.frame.origin_lps
    show(axes, drr, [shaft(p, p.capsule.length_mm) for p in paths], center, HALF_FIELD_MM)
    sides = [p.side for p in paths] if name.startswith("en_face") else list(Side)
    lateral = name == "lateral"
    outlines(axes, result, carm, wall=lateral, sides=sides, width=1.4)
    handles = [Line2D([], [], color=style.SIDE_COLOR[side], lw=1.6, label=f"{side.value} pedicle") for side in sides]
    if lateral:
        handles.append(Line2D([], [], ls="", marker=".", color=style.POSTERIOR_WALL, label="posterior wall"))
    if name in ("ap", "lateral"):
        handles += _stage_marks(axes, result, paths, carm, lateral=lateral)
    _furniture(axes, carm)
    style.add_legend(figure, handles)
    return style.finish(figure)


def drr_png(drr: Drr) -> bytes:
    """One simulated X-ray as a PNG, whole field: letters, scale bar, "SIMULATED" and the disclaimer are burned in."""
    rows, columns = drr.carm.detector_px
    title = "Simulated X-ray" if drr.quality == "fast" else f"Simulated X-ray ({drr.quality})"
    figure, axes = style.image_figure(rows / columns, title=title, subtitle=_position(drr.carm))
    axes.imshow(to_display(drr), cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    _furniture(axes, drr.carm)
    return style.finish(figure)


def _stage_marks(axes: Axes, result: CaseResult, paths: list[Trajectory], carm: CArm, *, lateral: bool) -> list[Line2D]:
    used: dict[str, Stage] = {}
    for order, path in enumerate(paths):
        for number, stage in enumerate(result.stages.get(path.side, ()), start=1):
            row, column = carm.project(stage.tip_lps)
            color, marker = stage_color(stage), stage_marker(stage)
            used.setdefault(marker, stage)
            axes.plot([column], [row], marker=marker, ms=5.5, mfc=color, mec="black", mew=0.8, zorder=9)
            if lateral and order > 0:
                continue  # both sides all but coincide on the lateral: one set of numbers can be read, two cannot
            above = number % 2 == 1
            axes.annotate(
                str(number),
                (column, row),
                xytext=(0, 6 if above else -6),
                textcoords="offset points",
                fontsize=7.5,
                color="white",
                ha="center",
                va="bottom" if above else "top",
                fontweight="bold",
                path_effects=style.HALO,
                zorder=10,
            )
    names = {"o": "stage passed", "X": "stage broken", "s": "stage not judged"}
    return [
        Line2D([], [], ls="", marker=m, mfc=stage_color(s), mec="black", ms=5.5, label=names[m])
        for m, s in used.items()
    ]


def _furniture(axes: Axes, carm: CArm) -> None:
    letters = edge_letters(carm)
    for edge, x, y in (("left", 0.035, 0.5), ("right", 0.965, 0.5), ("top", 0.5, 0.965), ("bottom", 0.5, 0.035)):
        style.add_text(axes, x, y, letters[edge], color=style.YELLOW, size=13)
    style.add_text(axes, 0.815, 0.955, "SIMULATED", color=style.ORANGE, size=12)
    style.add_scale_bar(axes, carm.pixel_mm / carm.magnification, " at the isocentre")


def _position(carm: CArm) -> str:
    return (
        f"primary {_angle(carm.primary_deg, 'LAO', 'RAO')}, secondary {_angle(carm.secondary_deg, 'CRA', 'CAU')}, "
        f"magnification {carm.magnification:.2f} at the isocentre"
    )


def _angle(value_deg: float, positive: str, negative: str) -> str:
    if abs(value_deg) < 0.05:
        return "0.0°"
    return f"{abs(value_deg):.1f}° {positive if value_deg > 0 else negative}"
