"""The safety map of one side: which entries and angles leave how much room, and the safe cone of the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from trajplan.parts import Part, Side
from trajplan.planning.plan import SafeCone, SafetyMap, Trajectory
from trajplan.reporting import style
from trajplan.reporting.picture import Picture

if TYPE_CHECKING:
    from trajplan.anatomy.vertebra import Vertebra
    from trajplan.case import CaseResult

BANDS_MM = (-2.0, 0.0, 1.0, 2.0, 4.0)
"""Clearance bands: crossed, 0-1, 1-2, 2 mm and more (clinical proposal, section 8 of the reference)."""

_COLORS = ListedColormap([style.VERMILLION, style.ORANGE, style.YELLOW, style.GREEN])
_NORM = BoundaryNorm(BANDS_MM, _COLORS.N)


def safety_picture(result: CaseResult, side: Side) -> Picture | None:
    """Map of entries, window of angles and safe cone; None without a path that carries them."""
    path = next((t for t in result.trajectories if t.side is side), None)
    if path is None or path.safety is None or path.cone is None or result.vertebra is None:
        return None
    figure = Figure(figsize=(style.WIDTH_IN, 4.7), dpi=style.DPI, facecolor="white")
    _entries(figure.add_axes((0.14, 0.53, 0.66, 0.35)), result.vertebra, path, path.safety)
    _window(figure.add_axes((0.14, 0.15, 0.34, 0.25)), path, path.safety)
    round_axes = PolarAxes(figure, (0.60, 0.14, 0.30, 0.225))
    figure.add_axes(round_axes)
    _cone(round_axes, path, path.cone)
    bar = figure.colorbar(
        ScalarMappable(_NORM, _COLORS), cax=figure.add_axes((0.83, 0.55, 0.03, 0.31)), ticks=BANDS_MM[1:-1]
    )
    bar.set_label("best clearance, mm", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    style.add_title(
        figure,
        f"{side.value.upper()}  safety map",
        f"the path is {path.verdict.value.upper()}",
        path.verdict,
    )
    return Picture(
        f"{side.value}_safety.png",
        f"{side.value.capitalize()}: safety map",
        "Above: the bone seen from behind; each place is coloured by the least clearance of the best path that enters "
        "there. Below: the best clearance at each angle, and how far the planned path may be turned about its entry "
        "before it crosses a wall. The cross is the planned path.",
        side.value,
        style.finish(figure),
        figure,
    )


def _entries(axes: Axes, vertebra: Vertebra, path: Trajectory, safety: SafetyMap) -> None:
    grid = vertebra.parts.grid
    bone = np.argwhere((vertebra.parts.array > 0) & (vertebra.parts.array != Part.CANAL))
    outline = vertebra.frame.to_local(grid.index_to_world(bone[:: max(1, len(bone) // 40000)]))
    axes.plot(-outline[:, 0], outline[:, 2], ",", color="0.82", zorder=0, rasterized=True)
    at = vertebra.frame.to_local(safety.entry_lps)
    order = np.argsort(safety.entry_mm)
    axes.scatter(
        -at[order, 0], at[order, 2], c=safety.entry_mm[order].clip(-1.9, 3.9), cmap=_COLORS, norm=_NORM, s=6, lw=0
    )
    entry = vertebra.frame.to_local(path.entry_lps)
    axes.plot(-entry[0], entry[2], "x", color=style.BLACK, ms=7, mew=1.6)
    middle = at.mean(axis=0)
    axes.set_aspect("equal", adjustable="box")
    axes.set_xlim(-middle[0] - 27, -middle[0] + 27)
    axes.set_ylim(middle[2] - 19, middle[2] + 19)
    axes.set_xlabel("from behind, patient's left on the left, mm", fontsize=7)
    axes.set_ylabel("up, mm", fontsize=7)
    axes.tick_params(labelsize=7)


def _window(axes: Axes, path: Trajectory, safety: SafetyMap) -> None:
    shown = np.ma.masked_invalid(safety.window_mm.clip(-1.9, 3.9))
    axes.pcolormesh(safety.convergence_deg, safety.craniocaudal_deg, shown, cmap=_COLORS, norm=_NORM, shading="nearest")
    axes.plot(path.convergence_deg, path.craniocaudal_deg, "x", color=style.BLACK, ms=7, mew=1.6)
    axes.set_xlabel("convergence, °", fontsize=7)
    axes.set_ylabel("caudal, °", fontsize=7)
    axes.tick_params(labelsize=7)


def _cone(axes: PolarAxes, path: Trajectory, cone: SafeCone) -> None:
    # drawn as seen from behind: lateral is to the left on the patient's left
    lateral = 180.0 if path.side is Side.LEFT else 0.0
    turn = np.radians(lateral + np.where(path.side is Side.LEFT, -1, 1) * cone.azimuth_deg)
    closed = np.r_[turn, turn[0]], np.r_[cone.angle_deg, cone.angle_deg[0]]
    axes.fill(*closed, color=style.GREEN, alpha=0.35, lw=0)
    axes.plot(*closed, color=style.GREEN, lw=1.4)
    axes.set_rlim(0, 15)
    axes.set_rticks([5, 10, 15])
    axes.set_xticks(np.radians([0, 90, 180, 270]))
    names = ["lat", "up", "med", "down"] if path.side is Side.RIGHT else ["med", "up", "lat", "down"]
    axes.set_xticklabels(names)
    axes.tick_params(labelsize=6.5, pad=-2)
    axes.set_title(f"safe cone {cone.least_deg:.1f}°", fontsize=7, pad=2)
