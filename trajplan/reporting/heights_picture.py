"""Heights before and predicted: the midsagittal outline of the body, and each height against the filling volume."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trajplan.augmentation.restoration import Restoration
from trajplan.reporting import style
from trajplan.reporting.picture import Picture

PLACES = ("anterior", "middle", "posterior")
_COLORS = (style.VERMILLION, style.BLUE, style.GREEN)
_HEIGHT_IN = 4.6


def heights_picture(r: Restoration) -> Picture:
    """End plates before and predicted, and the three heights over the volume of all balloons with what was expected."""
    figure = Figure(figsize=(style.WIDTH_IN, _HEIGHT_IN), dpi=style.DPI, facecolor="white")
    style.add_title(figure, "Heights, before and predicted", "upper bound: balloons inflated, no load", None)
    outline = figure.add_axes((0.13, 0.575, 0.84, 0.29))
    _outline(outline, r)
    chart = figure.add_axes((0.13, 0.19, 0.84, 0.27))
    _chart(chart, r)
    return Picture(
        "augmentation_heights.png",
        "Heights, before and predicted",
        "Above: the end plates in the midsagittal plane before (grey) and with the balloons inflated (black). Below: "
        "each height against the volume in all balloons; the dotted lines are what the neighbours suggest. Much or all "
        "of a gain may be lost when the balloons are deflated.",
        "augmentation",
        style.finish(figure),
    )


def _outline(axes: Axes, r: Restoration) -> None:
    step = float(r.grid.spacing_zyx[0])
    middle = int(np.argmax(np.isfinite(r.top_mm).sum(axis=0)))
    v = step * np.arange(r.top_mm.shape[0])
    for top, bottom, color, width, label in (
        (r.top_mm, r.bottom_mm, "#999999", 1.4, "before"),
        (r.top_mm + r.lift_top_mm, r.bottom_mm - r.lift_bottom_mm, "black", 1.6, "predicted"),
    ):
        band = slice(max(0, middle - 3), middle + 4)
        high, low = (np.array([np.nanmedian(row) if np.isfinite(row).any() else np.nan for row in m[:, band]])
                     for m in (top, bottom))  # fmt: skip
        known = np.flatnonzero(np.isfinite(high) & np.isfinite(low))[2:-2]  # the rounded rims are no end plate
        axes.plot(v[known], high[known], color=color, lw=width, label=label)
        axes.plot(v[known], low[known], color=color, lw=width)
    axes.set_aspect("equal")
    axes.set_ylabel("mm", fontsize=7)
    axes.tick_params(labelsize=6.5)
    axes.legend(fontsize=6.5, frameon=False, loc="center")
    axes.text(0.01, 0.97, "A", transform=axes.transAxes, fontsize=9, fontweight="bold", va="top")
    axes.text(0.99, 0.97, "P", transform=axes.transAxes, fontsize=9, fontweight="bold", va="top", ha="right")
    axes.set_title("end plates, midsagittal", fontsize=7, pad=2)


def _chart(axes: Axes, r: Restoration) -> None:
    volume = [s.volume_ml for s in r.steps]
    for k, (name, color) in enumerate(zip(PLACES, _COLORS, strict=True)):
        axes.plot(volume, [s.heights_mm[k] for s in r.steps], color=color, lw=1.4, marker="o", ms=2.5, label=name)
        axes.axhline(r.expected_mm[k], color=color, lw=0.8, ls=":")
    axes.set_xlabel("volume in all balloons, ml", fontsize=7)
    axes.set_ylabel("height, mm", fontsize=7)
    axes.tick_params(labelsize=6.5)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=6.5, frameon=False, ncol=3, loc="upper center", bbox_to_anchor=(0.5, -0.3))
