"""The clearance along the depth of one path, with the margins it had to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from trajplan.parts import Side
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
    depth, clearance = np.asarray(path.clearance.profile, dtype=np.float64).T
    margin = result.request.settings.wall_margin_mm
    figure = Figure(figsize=(5.2, 3.4), dpi=style.DPI, facecolor="white")
    axes = figure.add_axes((0.12, 0.2, 0.85, 0.69))
    known = clearance[np.isfinite(clearance)]
    low = min(-0.5, float(known.min()) - 0.5) if known.size else -0.5
    high = max(2.5, 1.1 * float(known.max())) if known.size else 2.5
    axes.axhspan(low, 0, color=style.WARNING, alpha=0.22, lw=0)
    axes.axhspan(0, margin, color=style.ORANGE, alpha=0.16, lw=0)
    axes.axhline(0, color=style.WARNING, lw=1.4)
    axes.axhline(margin, color=style.ORANGE, lw=1.4, ls="--")
    axes.plot(depth, clearance, color=style.BLUE, lw=2.2)
    length = path.capsule.length_mm
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0}
    axes.text(0.99 * length, 0, "wall crossed below 0", fontsize=7.5, ha="right", va="top", bbox=box)
    axes.text(0.99 * length, margin, f"margin {margin:.1f} mm", fontsize=7.5, ha="right", va="bottom", bbox=box)
    if known.size:
        least = int(np.nanargmin(np.where(np.isfinite(clearance), clearance, np.nan)))
        axes.plot(depth[least], clearance[least], "o", color=style.BLUE, ms=6)
        to_right = depth[least] < 0.6 * length
        axes.annotate(
            f"least {clearance[least]:.1f} mm at {depth[least]:.0f} mm",
            (depth[least], clearance[least]),
            xytext=(8 if to_right else -8, 12),
            textcoords="offset points",
            ha="left" if to_right else "right",
            fontsize=8.5,
            fontweight="bold",
            bbox=box,
        )
    pedicle = None if result.vertebra is None else result.vertebra.pedicles.get(side)
    if pedicle is not None:
        at = isthmus_depth(path.capsule, pedicle.isthmus_center_lps)
        axes.axvline(at, color="#555555", lw=1, ls=":")
        axes.text(at, 0.99 * high, " isthmus", fontsize=7.5, va="top", ha="left", color="#333333")
    axes.set_xlim(0, length)
    axes.set_ylim(low, high)
    axes.set_xlabel("depth from the bone entry, mm", fontsize=9)
    axes.set_ylabel("surface to wall, mm", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(color="#dddddd", lw=0.5)
    axes.set_axisbelow(True)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    figure.suptitle(f"{side.value.upper()}  clearance along the path", fontsize=11, fontweight="bold", y=0.98)
    return Picture(
        f"{side.value}_clearance.png",
        f"{side.value.capitalize()}: clearance along the path",
        "Distance from the trocar's outer surface to the nearest wall at every depth. Below the dashed line the margin "
        "is not kept; below zero the wall is crossed.",
        side.value,
        style.finish(figure),
    )
