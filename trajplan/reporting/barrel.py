"""Down the barrel: planes across the path every 3 mm, with the needle's disc and the ring of clearance it must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.reporting.reslice import PartMasks, across_path
from trajplan.reporting.slices import draw_parts, isthmus_depth, show_ct

if TYPE_CHECKING:
    from trajplan.case import CaseResult

STEP_MM = 3.0
_HALF_MM = 13.0
_COLUMNS, _CELL_IN, _GAP_IN = 6, 1.0, 0.03
_ABOVE_IN, _BELOW_IN, _NAME_IN = 0.48, 0.64, 0.15


def barrel_picture(result: CaseResult, side: Side, masks: PartMasks) -> Picture | None:
    """A sheet of planes from the bone entry to the tip; None without a path."""
    path = next((t for t in result.trajectories if t.side is side), None)
    if path is None:
        return None
    depths = barrel_depths(path.capsule.length_mm)
    rows = -(-len(depths) // _COLUMNS)
    width = _COLUMNS * _CELL_IN + 0.1
    height = rows * (_CELL_IN + _NAME_IN) + _ABOVE_IN + _BELOW_IN
    figure = Figure(figsize=(width, height), dpi=style.DPI, facecolor="white")
    style.add_title(
        figure, f"{side.value.upper()}  down the barrel, every {STEP_MM:g} mm",
        f"the path is {path.verdict.value.upper()}; depth from the bone entry, least clearance there", path.verdict,
    )  # fmt: skip
    pedicle = None if result.vertebra is None else result.vertebra.pedicles.get(side)
    isthmus = None if pedicle is None else isthmus_depth(path.capsule, pedicle.isthmus_center_lps)
    used: dict[str, Line2D] = {}
    for number, depth in enumerate(depths):
        row, column = divmod(number, _COLUMNS)
        left = 0.05 + column * _CELL_IN + _GAP_IN / 2
        top = height - _ABOVE_IN - row * (_CELL_IN + _NAME_IN) - _NAME_IN
        size = _CELL_IN - _GAP_IN
        axes = figure.add_axes(
            (left / width, (top - size) / height, size / width, size / height), xticks=[], yticks=[]
        )  # fmt: skip
        room, color, words = room_at(path, float(depth), result.request.settings.wall_margin_mm)
        for handle in _cell(axes, result, path, float(depth), masks, color):
            used.setdefault(str(handle.get_label()), handle)
        near = isthmus is not None and abs(isthmus - depth) <= STEP_MM / 2
        figure.text(
            (left + size / 2) / width, (top + 0.02) / height, f"{depth:.0f} mm: {room}" + ("  isthmus" if near else ""),
            fontsize=6.6, ha="center", va="bottom", fontweight="bold" if near or words != "kept" else "normal",
            color="black" if words == "kept" else style.UNSAFE_TEXT,
        )  # fmt: skip
        if column == 0 and row == 0:
            plane = across_path(path.capsule, float(depth), _HALF_MM)
            style.add_letters(axes, plane.right_lps, plane.down_lps, size=7, inset=0.09)
        if number == len(depths) - 1:
            style.add_scale_bar(axes, 1.0, length_mm=10.0)
    style.add_legend(figure, _legend(used, result.request.settings.wall_margin_mm), columns=5)
    return Picture(
        f"{side.value}_barrel.png",
        f"{side.value.capitalize()}: down the barrel, every {STEP_MM:g} mm",
        "Planes square to the needle from the bone entry to the tip. Orange disc: the needle at true size. Ring: the "
        "margin around it; green where it is kept, yellow where it is not, red where a wall is crossed. Before the "
        "pedicle the needle is on its way in and the ring may leave the bone.",
        side.value,
        style.finish(figure),
        figure,
    )


def barrel_depths(length_mm: float) -> FloatArray:
    """Depths of the planes: every `STEP_MM` from the entry, and the tip.

    >>> barrel_depths(7.0).tolist()
    [0.0, 3.0, 6.0, 7.0]
    """
    return np.append(np.arange(0.0, length_mm - 0.5, STEP_MM), length_mm)


def room_at(path: Trajectory, depth_mm: float, margin_mm: float) -> tuple[str, str, str]:
    """Clearance within half a step of a depth: in words, as a colour, and whether the margin is kept."""
    depths, rooms = np.asarray(path.clearance.profile, dtype=np.float64).reshape(-1, 2).T
    near = rooms[(np.abs(depths - depth_mm) <= STEP_MM / 2) & np.isfinite(rooms)]
    if not near.size:
        return "-", "white", "kept"
    least = float(near.min())
    if least < 0:
        return f"{least:.1f}".replace("-", "−"), style.WARNING, "crossed"
    return (
        f"{least:.1f}",
        style.GREEN if least >= margin_mm else style.YELLOW,
        "kept" if least >= margin_mm else "short",
    )


def _cell(
    axes: Axes, result: CaseResult, path: Trajectory, depth_mm: float, masks: PartMasks, color: str
) -> list[Line2D]:
    plane = across_path(path.capsule, depth_mm, _HALF_MM)
    show_ct(axes, result, plane)
    handles = draw_parts(axes, plane, masks, width=0.8)
    r = path.instrument.radius_mm
    axes.add_patch(Circle((0, 0), r, facecolor=style.TROCAR, alpha=0.55, edgecolor=style.TROCAR, lw=0.8))
    ring = r + result.request.settings.wall_margin_mm
    axes.add_patch(Circle((0, 0), ring, fill=False, edgecolor="black", lw=1.8))
    axes.add_patch(Circle((0, 0), ring, fill=False, edgecolor=color, lw=1.1))
    return handles


def _legend(used: dict[str, Line2D], margin_mm: float) -> list[Line2D]:
    needle = Line2D([], [], color=style.TROCAR, lw=4, alpha=0.7, label="needle")
    ring = Line2D([], [], ls="", marker="o", mfc="none", mec=style.GREEN, ms=6, label=f"{margin_mm:g} mm about it")
    return [*used.values(), needle, ring]
