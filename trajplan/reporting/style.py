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
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from trajplan import DISCLAIMER
from trajplan.geometry.arrays import unit
from trajplan.parts import Part, Side
from trajplan.planning.plan import Verdict

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
UNSAFE_TEXT = "#A84700"
UNKNOWN_TEXT = "#6A3D7C"
"""Bluish green, vermillion and purple, darkened until white text on them has a contrast of at least 4.5 to 1."""
VERDICT_COLOR: dict[str, str] = {
    Verdict.SAFE: SAFE_TEXT,
    Verdict.UNSAFE: UNSAFE_TEXT,
    Verdict.UNKNOWN: UNKNOWN_TEXT,
}
POSTERIOR_WALL = PURPLE
SIDE_COLOR: dict[Side, str] = {Side.LEFT: SKY, Side.RIGHT: GREEN}
PART_COLOR: dict[int, str] = {
    Part.BODY: YELLOW,
    Part.PEDICLE_LEFT: SIDE_COLOR[Side.LEFT],
    Part.PEDICLE_RIGHT: SIDE_COLOR[Side.RIGHT],
    Part.POSTERIOR: BLUE,
    Part.CANAL: VERMILLION,
}

DPI = 190
WIDTH_IN = 3.5
"""Pictures are drawn at the width they are printed at, two to a page, so that their letters are as large as stated."""
_EDGE_IN = 0.07
_TITLE_IN = 0.45
_LEGEND_ROW_IN = 0.14
_DISCLAIMER_IN = 0.29
SCALE_BAR_MM = 20.0
_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))
_SECOND_LETTER_FROM = 0.38
HALO = [withStroke(linewidth=2.2, foreground=BLACK)]
_BAR_HALO = [withStroke(linewidth=5, foreground="black")]  # wider than the bar, so that it reads on white


def letters_of(direction_lps: ArrayLike) -> str:
    """Where a direction points: one letter of L R A P S I, or two where the plane is oblique by over 22 degrees.

    >>> letters_of([1.0, 0.0, 0.0]), letters_of([0.0, -0.8, 0.6])
    ('L', 'AS')
    """
    d = unit(direction_lps)
    order = np.argsort(-np.abs(d), kind="stable")
    chosen = [order[0]] + ([order[1]] if abs(d[order[1]]) > _SECOND_LETTER_FROM else [])
    return "".join(_LETTERS[axis][0 if d[axis] > 0 else 1] for axis in chosen)


def image_figure(
    aspect: float, *, title: str, subtitle: str, legend_rows: int, verdict: Verdict | None = None, ticks: bool = False
) -> tuple[Figure, Axes]:
    """A figure with one dark picture (height = `aspect` x width), a title above and room for a legend below.

    Laid out in inches, so that the picture keeps its true shape and nothing overlaps whatever the aspect.
    """
    below = legend_rows * _LEGEND_ROW_IN + _DISCLAIMER_IN + 0.06 + (0.27 if ticks else 0.0)
    picture = WIDTH_IN - 2 * _EDGE_IN
    height = _TITLE_IN + picture * aspect + below
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((_EDGE_IN / WIDTH_IN, below / height, picture / WIDTH_IN, picture * aspect / height))
    axes.set_facecolor("black")
    axes.set_xticks([])
    axes.set_yticks([])
    add_title(figure, title, subtitle, verdict)
    if verdict is not None and verdict is not Verdict.SAFE:
        for spine in axes.spines.values():
            spine.set(color=VERDICT_COLOR[verdict], linewidth=3)
    return figure, axes


_SUBTITLE_CHARACTERS_AN_IN = 17.0
"""What fits at 7 points; a longer line is set smaller rather than cut off."""


def add_title(figure: Figure, title: str, subtitle: str, verdict: Verdict | None) -> None:
    """Title and subtitle; on a dark band in the colour of the verdict unless the path is safe (or there is none)."""
    width, height = (float(v) for v in figure.get_size_inches())
    marked = verdict is not None and verdict is not Verdict.SAFE
    if verdict is not None and marked:
        figure.add_artist(
            Rectangle((0, 1 - _TITLE_IN * 0.93 / height), 1, 1, facecolor=VERDICT_COLOR[verdict], edgecolor="none")
        )
    figure.text(
        0.5, 1 - 0.055 / height, title, fontsize=9 if width < 4 else 10, fontweight="bold", ha="center", va="top",
        color="white" if marked else "black",
    )  # fmt: skip
    size_pt = min(7.0, 7.0 * _SUBTITLE_CHARACTERS_AN_IN * width / max(1, len(subtitle)))
    figure.text(
        0.5, 1 - 0.255 / height, subtitle, fontsize=size_pt, ha="center", va="top",
        color="white" if marked else "#333333",
    )  # fmt: skip


def add_legend(figure: Figure, handles: list[Line2D], columns: int = 3) -> None:
    """The legend under the picture, read row by row."""
    rows = -(-len(handles) // columns)
    cells = [(r * columns + c) for c in range(columns) for r in range(rows)]
    ordered = [handles[cell] for cell in cells if cell < len(handles)]
    if ordered:
        figure.legend(
            handles=ordered,
            loc="lower center",
            bbox_to_anchor=(0.5, (_DISCLAIMER_IN - 0.01) / float(figure.get_figheight())),
            ncol=columns,
            fontsize=7,
            frameon=False,
            handlelength=1.5,
            handletextpad=0.5,
            columnspacing=1.0,
            labelspacing=0.3,
            borderpad=0.1,
        )


def add_text(axes: Axes, x: float, y: float, text: str, *, color: str = "white", size: float = 9) -> None:
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
        bbox={"boxstyle": "round,pad=0.18", "facecolor": "black", "alpha": 0.5, "edgecolor": "none"},
        zorder=20,
    )


def add_letters(
    axes: Axes, right_lps: ArrayLike, down_lps: ArrayLike, *, size: float = 10.5, inset: float = 0.045, top: bool = True
) -> None:
    """The orientation letters on the edges; `right_lps` and `down_lps` are the image's axes in the world."""
    right, down = unit(right_lps), unit(down_lps)
    tall = abs(float(np.diff(axes.get_ylim())[0]) / float(np.diff(axes.get_xlim())[0]))
    x, y = inset, inset / tall
    edges = [(1 - x, 0.5, right), (x, 0.5, -right), (0.5, y, down)]
    for across, up, direction in edges + ([(0.5, 1 - y, -down)] if top else []):
        add_text(axes, across, up, letters_of(direction), color=YELLOW, size=size)


def add_scale_bar(axes: Axes, mm_per_unit: float, note: str = "", length_mm: float = SCALE_BAR_MM) -> None:
    """A bar, 20 mm unless told otherwise, lower left; `mm_per_unit` is what one data unit along x measures."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    length = length_mm / mm_per_unit
    x0, y0 = left + 0.04 * (right - left), bottom + 0.045 * (top - bottom)
    axes.plot(
        [x0, x0 + length], [y0, y0], color="white", lw=3, solid_capstyle="butt", path_effects=_BAR_HALO, zorder=20
    )
    axes.text(
        x0,
        y0 + 0.022 * (top - bottom),
        f"{length_mm:.0f} mm{note}",
        color="white",
        fontsize=7.5,
        ha="left",
        va="bottom",
        path_effects=HALO,
        zorder=20,
    )


def finish(figure: Figure) -> bytes:
    """Burn the disclaimer in and return the PNG; nothing of the machine or the patient is stored in it."""
    width, height = (float(v) for v in figure.get_size_inches())
    text = DISCLAIMER if width > 4 else DISCLAIMER.replace(" Not for", "\nNot for")
    figure.text(0.5, 0.03 / height, text, ha="center", va="bottom", fontsize=7, color="#333333", linespacing=1.1)
    canvas: Any = FigureCanvasAgg(figure)  # its methods carry no types
    canvas.draw()
    picture = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    buffer = io.BytesIO()
    _few_colors(picture).save(buffer, format="PNG", compress_level=5, dpi=(DPI, DPI))
    return buffer.getvalue()


def _few_colors(picture: PIL.Image.Image) -> PIL.Image.Image:
    """At most 256 colours, half the bytes: every second grey, and the rest for the marks."""
    rgb = np.asarray(picture)
    red, green, blue = (rgb[..., i].astype(np.int16) for i in range(3))
    grey = (np.abs(red - green) < 8) & (np.abs(green - blue) < 8)
    marks = rgb[~grey]
    palette = [np.repeat(np.arange(0, 256, 2, dtype=np.uint8)[:, None], 3, axis=1)]
    palette[0][-1] = 255
    if len(marks):
        side = PIL.Image.fromarray(np.ascontiguousarray(marks[None])).quantize(127, method=PIL.Image.Quantize.MEDIANCUT)
        index = np.asarray(side)[0]
        colors = np.array(side.getpalette(), dtype=np.uint8).reshape(-1, 3)
        palette.append(colors[: int(index.max()) + 1])
    pixels = (green // 2).astype(np.uint8)
    if len(marks):
        pixels[~grey] = 128 + index
    few = PIL.Image.fromarray(pixels)
    few.putpalette(np.concatenate(palette).tobytes())
    return few
