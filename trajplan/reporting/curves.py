"""The clearance along the depth of one path, with the margins it had to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.reporting.slices import isthmus_depth

if TYPE_CHECKING:
    from trajplan.case import CaseResult


def clearance_picture(result: CaseResult, side: Side) -> Picture | None:
    """Smallest clearance against depth; None without a path."""
    path = next((t for t in result.trajectories if t.side is side), None)
    if path is None or len(path.clearance.profile) == 0:
        return None
    figure = Figure(figsize=(style.WIDTH_IN, 2.75), dpi=style.DPI, facecolor="white")
    axes = figure.add_axes((0.125, 0.245, 0.85, 0.565))
    draw_curve(axes, result, path)
    style.add_title(
        figure,
        f"{side.value.upper()}  clearance along the path",
        f"the path is {path.verdict.value.upper()}",
        path.verdict,
    )
    return Picture(
        f"{side.value}_clearance.png",
        f"{side.value.capitalize()}: clearance along the path",
        "Distance from the trocar's outer surface to the nearest wall at every depth. Below the dashed line the margin "
        "is not kept; below zero the wall is crossed.",
        side.value,
        style.finish(figure),
        figure,
    )


def draw_curve(axes: Axes, result: CaseResult, path: Trajectory) -> None:
    """The curve of one path with its margin, its least value and the isthmus."""
    depth, clearance = np.asarray(path.clearance.profile, dtype=np.float64).T
    margin = result.request.settings.wall_margin_mm
    known = clearance[np.isfinite(clearance)]
    low = min(-1.2, float(known.min()) - 0.5) if known.size else -1.2
    high = max(3.5, 1.35 * float(known.max())) if known.size else 3.5
    axes.axhspan(low, 0, color=style.WARNING, alpha=0.22, lw=0)
    axes.axhspan(0, margin, color=style.ORANGE, alpha=0.16, lw=0)
    axes.axhline(0, color=style.WARNING, lw=1.2)
    axes.axhline(margin, color=style.ORANGE, lw=1.2, ls="--")
    axes.plot(depth, clearance, color=style.BLUE, lw=1.8)
    length = path.capsule.length_mm
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0}
    axes.text(0.99 * length, 0, "wall crossed below 0", fontsize=7, ha="right", va="top", bbox=box)
    axes.text(0.99 * length, margin, f"margin {margin:.1f} mm", fontsize=7, ha="right", va="bottom", bbox=box)
    if known.size:
        least = int(np.nanargmin(np.where(np.isfinite(clearance), clearance, np.nan)))
        axes.plot(depth[least], clearance[least], "o", color=style.BLUE, ms=5)
        axes.annotate(
            f"least {clearance[least]:.1f} mm, {depth[least]:.0f} mm deep",
            (depth[least], clearance[least]),
            xytext=(0.62, 0.92),
            textcoords="axes fraction",
            ha="center",
            va="center",
            fontsize=7.5,
            fontweight="bold",
            bbox=box,
            arrowprops={"arrowstyle": "-", "color": style.BLUE, "lw": 0.8, "shrinkB": 3},
        )
    pedicle = None if result.vertebra is None else result.vertebra.pedicles.get(path.side)
    if pedicle is not None:
        at = isthmus_depth(path.capsule, pedicle.isthmus_center_lps)
        axes.axvline(at, color="#555555", lw=1, ls=":")
        axes.text(at, high, "isthmus", fontsize=7, va="bottom", ha="center", color="#333333")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlim(0, length)
    axes.set_ylim(low, high)
    axes.set_xlabel("depth from the bone entry, mm", fontsize=7.5)
    axes.set_ylabel("surface to wall, mm", fontsize=7.5)
    axes.tick_params(labelsize=7)
    axes.grid(color="#dddddd", lw=0.5)
    axes.set_axisbelow(True)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
