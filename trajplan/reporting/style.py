"""One look for every picture: the Okabe-Ito colours, orientation letters, scale bars and the burned-in disclaimer."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from trajplan import DISCLAIMER
from trajplan.geometry.arrays import unit
from trajplan.parts import Part, Side

# Okabe and Ito, "Color Universal Design" (2008): told apart with every common colour vision.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"

TROCAR = ORANGE
WARNING = VERMILLION
SAFE_TEXT = "#00664B"
"""Bluish green and vermillion, darkened until white text on them has a contrast of at least 4.5 to 1."""
UNSAFE_TEXT = "#A84700"
POSTERIOR_WALL = PURPLE
SIDE_COLOR: dict[Side, str] = {Side.LEFT: SKY, Side.RIGHT: GREEN}
PART_COLOR: dict[int, str] = {
    Part.BODY: YELLOW,
    Part.PEDICLE_LEFT: SIDE_COLOR[Side.LEFT],
    Part.PEDICLE_RIGHT: SIDE_COLOR[Side.RIGHT],
    Part.POSTERIOR: BLUE,
    Part.CANAL: VERMILLION,
}

DPI = 150
SCALE_BAR_MM = 20.0
_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))
_SECOND_LETTER_FROM = 0.38
HALO = [withStroke(linewidth=2.2, foreground=BLACK)]


def letters_of(direction_lps: ArrayLike) -> str:
    """Where a direction points: one letter of L R A P S I, or two where the plane is oblique by over 22 degrees.

    >>> letters_of([1.0, 0.0, 0.0]), letters_of([0.0, -0.8, 0.6])
    ('L', 'AS')
    """
    d = unit(direction_lps)
    order = np.argsort(-np.abs(d), kind="stable")
    chosen = [order[0]] + ([order[1]] if abs(d[order[1]]) > _SECOND_LETTER_FROM else [])
    return "".join(_LETTERS[axis][0 if d[axis] > 0 else 1] for axis in chosen)


def image_figure(aspect: float, *, title: str, subtitle: str, ticks: bool = False) -> tuple[Figure, Axes]:
    """A figure with one dark picture (height = `aspect` x width), a title above and room for a legend below.

    Laid out in inches, so that the picture keeps its true shape and nothing overlaps whatever the aspect.
    """
    width, above, below = 4.6, 0.5, 0.86 + (0.27 if ticks else 0.0)
    picture = width - 0.16
    height = above + picture * aspect + below
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.08 / width, below / height, picture / width, picture * aspect / height))
    axes.set_facecolor("black")
    axes.set_xticks([])
    axes.set_yticks([])
    figure.text(0.5, 1 - 0.05 / height, title, fontsize=11.5, fontweight="bold", ha="center", va="top")
    figure.text(0.5, 1 - 0.3 / height, subtitle, fontsize=7.5, ha="center", va="top", color="#333333")
    return figure, axes


def add_legend(figure: Figure, handles: list[Line2D]) -> None:
    """The legend under the picture, three columns, read row by row."""
    rows = -(-len(handles) // 3)
    ordered = [handles[r * 3 + c] for c in range(3) for r in range(rows) if r * 3 + c < len(handles)]
    if ordered:
        figure.legend(
            handles=ordered,
            loc="lower center",
            bbox_to_anchor=(0.5, 0.17 / float(figure.get_figheight())),
            ncol=3,
            fontsize=7.5,
            frameon=False,
            handlelength=1.7,
            columnspacing=1.3,
            labelspacing=0.35,
            borderpad=0.2,
        )


def add_text(
    axes: Axes, x: float, y: float, text: str, *, color: str = "white", size: float = 11, **where: str
) -> None:
    """Text at axes fractions, with a dark halo so that it reads on bone and on air."""
    axes.text(
        x,
        y,
        text,
        transform=axes.transAxes,
        color=color,
        fontsize=size,
        fontweight="bold",
        ha="center",
        va="center",
        path_effects=HALO,
        zorder=20,
    )


def add_letters(axes: Axes, right_lps: ArrayLike, down_lps: ArrayLike, *, size: float = 13, top: bool = True) -> None:
    """The orientation letters on the edges; `right_lps` and `down_lps` are the image's axes in the world."""
    right, down = unit(right_lps), unit(down_lps)
    edges = [(0.965, 0.5, right), (0.035, 0.5, -right), (0.5, 0.035, down)]
    for x, y, direction in edges + ([(0.5, 0.965, -down)] if top else []):
        inset = 0.012 * (size < 10)
        add_text(
            axes,
            min(max(x, 0.035 + 2 * inset), 0.965 - 2 * inset),
            max(y, 0.035 + 2 * inset),
            letters_of(direction),
            color=YELLOW,
            size=size,
        )


def add_scale_bar(axes: Axes, mm_per_unit: float, note: str = "") -> None:
    """A 20 mm bar in the lower left corner; `mm_per_unit` is what one data unit along x measures."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    length = SCALE_BAR_MM / mm_per_unit
    x0, y0 = left + 0.04 * (right - left), bottom + 0.055 * (top - bottom)
    axes.plot([x0, x0 + length], [y0, y0], color="white", lw=3, solid_capstyle="butt", path_effects=HALO, zorder=20)
    axes.text(
        x0,
        y0 + 0.022 * (top - bottom),
        f"{SCALE_BAR_MM:.0f} mm{note}",
        color="white",
        fontsize=8.5,
        ha="left",
        va="bottom",
        path_effects=HALO,
        zorder=20,
    )


def finish(figure: Figure) -> bytes:
    """Burn the disclaimer in and return the PNG; nothing of the machine or the patient is stored in it."""
    height_in = float(figure.get_figheight())
    figure.text(0.5, 0.04 / height_in, DISCLAIMER, ha="center", va="bottom", fontsize=6.8, color="#333333")
    canvas: Any = FigureCanvasAgg(figure)  # its methods carry no types
    canvas.draw()
    picture = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", compress_level=4, dpi=(DPI, DPI))
    return buffer.getvalue()
