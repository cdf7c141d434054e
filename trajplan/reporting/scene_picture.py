"""The vertebra with its needles and its cement in space, from behind, from the left and from the feet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trajplan.geometry import Capsule, Grid
from trajplan.geometry.arrays import BoolArray, FloatArray, unit
from trajplan.geometry.surface import occupancy, surface_of
from trajplan.parts import Part
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.reporting.scene_points import PIXEL_MM, Cloud, Eye, render
from trajplan.reporting.shaft import outer_lps
from trajplan.reporting.words import verdict_words, worst_verdict

if TYPE_CHECKING:
    from trajplan.anatomy.vertebra import Vertebra
    from trajplan.case import CaseResult

_BONE, _CANAL, _CEMENT = (0.93, 0.88, 0.78), to_rgb(style.WARNING), to_rgb(style.PURPLE)
_HALF_MM, _CELL_IN = 52.0, 2.25
_BELOW_IN = 0.52
_STEP_MM = 0.15
_VIEWS = (
    ("from behind and above", (-1.0, 0.0, 0.0), (0.0, 0.5, -0.87)),
    ("from the left", (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    ("from the feet, as an axial slice", (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
)
"""What the eye sees, where the picture's right and down point (about; made square to each other below)."""


def scene_picture(result: CaseResult) -> Picture | None:
    """Three shaded views; None without a vertebra."""
    vertebra, paths = result.vertebra, list(result.trajectories)
    if vertebra is None:
        return None
    width, height = 3 * _CELL_IN + 0.1, _CELL_IN + 1.15
    figure = Figure(figsize=(width, height), dpi=style.DPI, facecolor="white")
    said = f"the paths are: {verdict_words(paths)}" if paths else "no path is offered"
    style.add_title(figure, "In space", f"{said}; bone is drawn see-through", worst_verdict(paths))
    clouds = [*_bone(vertebra), *(_needle(Capsule(outer_lps(p, result.scan.volume.grid), p.target_lps,
              p.instrument.radius_mm)) for p in paths)]  # fmt: skip
    cement = None if result.augmentation is None else result.augmentation.cement
    if cement is not None:
        clouds.append(_cloud(cement.labels.array > 0, cement.labels.grid, _CEMENT, 0.85))
    for number, (name, right, down) in enumerate(_VIEWS):
        eye = _eye(vertebra, right, down)
        axes = figure.add_axes(
            ((0.05 + number * _CELL_IN + 0.02) / width, _BELOW_IN / height, (_CELL_IN - 0.04) / width,
             (_CELL_IN - 0.04) / height), xticks=[], yticks=[],
        )  # fmt: skip
        image = render(clouds, eye)
        axes.imshow(image, interpolation="bilinear")
        axes.set_xlim(-0.5, image.shape[1] - 0.5)
        axes.set_ylim(image.shape[0] - 0.5, -0.5)
        style.add_letters(axes, eye.right_lps, eye.down_lps, size=8, inset=0.05)
        style.add_scale_bar(axes, PIXEL_MM)
        figure.text(
            (0.05 + (number + 0.5) * _CELL_IN) / width, (_BELOW_IN + _CELL_IN - 0.02) / height, name, fontsize=7.5,
            ha="center", va="bottom",
        )  # fmt: skip
    style.add_legend(
        figure,
        [
            Line2D([], [], color=_BONE, lw=5, label="vertebra"),
            Line2D([], [], color=_CANAL, lw=4, label="spinal canal"),
            *([Line2D([], [], color=style.TROCAR, lw=4, label="trocar")] if paths else []),
            *([Line2D([], [], color=_CEMENT, lw=4, label="cement")] if cement is not None else []),
        ],
        columns=4,
    )
    return Picture(
        "scene.png", "In space",
        "The vertebra as it was segmented, see-through, with the spinal canal"
        + (" and the trocars at true diameter; a path that is not safe is named in the title." if paths else ".")
        + (" Cement: all that may be filled, cavities and the layer about them." if cement is not None else ""),
        "overview", style.finish(figure), figure,
    )  # fmt: skip


def _eye(vertebra: Vertebra, right: tuple[float, ...], down: tuple[float, ...]) -> Eye:
    """A view in the vertebra's own frame, its middle between body and spinous process."""
    frame = vertebra.frame
    axes = np.stack([frame.u, frame.v, frame.w])
    x = unit(np.array(right) @ axes)
    y = np.array(down) @ axes
    return Eye(frame.origin_lps + 16.0 * frame.v, x, unit(y - (y @ x) * x), _HALF_MM)


def _bone(vertebra: Vertebra) -> list[Cloud]:
    parts = vertebra.parts
    clouds = []
    for mask, color, opacity in (
        ((parts.array > 0) & (parts.array != Part.CANAL), _BONE, 0.62),
        (parts.array == Part.CANAL, _CANAL, 0.35),
    ):
        clouds.append(_cloud(mask, parts.grid, color, opacity))
    return clouds


def _cloud(mask: BoolArray, grid: Grid, color: tuple[float, float, float], opacity: float) -> Cloud:
    surface = surface_of(occupancy(mask, grid), grid)
    return Cloud(surface.points_lps, surface.normals_lps, color, opacity)


def _needle(shaft: Capsule) -> Cloud:
    axis = shaft.direction_lps
    across = unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    ring: FloatArray = np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * np.cross(axis, across)
    along = np.arange(0.0, shaft.length_mm, _STEP_MM)
    points = (shaft.start_lps + along[:, None] * axis)[:, None] + shaft.radius_mm * ring[None]
    normals = np.broadcast_to(ring, points.shape)
    return Cloud(points.reshape(-1, 3), normals.reshape(-1, 3), to_rgb(style.TROCAR))
