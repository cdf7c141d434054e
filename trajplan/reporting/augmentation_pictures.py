"""Pictures of what follows access: balloons and cement in slices and X-rays, instruments with their depth marks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy import ndimage

from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.cement import Cement
from trajplan.augmentation.inflation import Inflation
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.reporting import style
from trajplan.reporting.augmentation_xrays import GROUP, augmentation_xrays, path_of
from trajplan.reporting.depth_marks import counts_from_skin, draw_marks
from trajplan.reporting.heights_picture import heights_picture
from trajplan.reporting.picture import Picture
from trajplan.reporting.reslice import Plane, along_path, axial, coronal, sagittal, sample_tool
from trajplan.reporting.shaft import outer_lps
from trajplan.reporting.slices import show_ct
from trajplan.reporting.words import worst_verdict

if TYPE_CHECKING:
    from trajplan.case import CaseResult

_STEPS = ("#FFF7BC", "#FEE391", "#FEC44F", "#FE9929", "#EC7014", "#CC4C02")
"""Light to dark with volume (ColorBrewer YlOrBr)."""

_CEMENT = style.PURPLE
_HALF_MM = 34.0
_FAR = 99.0


def augmentation_pictures(result: CaseResult) -> list[Picture]:
    """All pictures of the augmentation of a case; none without one, or where no balloon fits."""
    a = result.augmentation
    if a is None or result.vertebra is None or not a.sequences:
        return []
    pictures = [_instruments(result, s) for s in a.sequences]
    if a.inflations:
        pictures += _balloons(result, a)
        if a.restoration is not None:
            pictures.append(heights_picture(a.restoration))
    if a.cement is not None:
        pictures += _cement(result, a, a.cement)
    return pictures + augmentation_xrays(result, a)


def _slice(
    result: CaseResult, plane: Plane, title: str, draw: Callable[[Axes], list[Line2D]], subtitle: str, rows: int
) -> bytes:
    figure, axes = style.image_figure(
        plane.half_height_mm / plane.half_width_mm,
        title=title, subtitle=subtitle, legend_rows=rows, verdict=worst_verdict(result.trajectories),
    )  # fmt: skip
    show_ct(axes, result, plane)
    handles = draw(axes)
    style.add_letters(axes, plane.right_lps, plane.down_lps)
    style.add_scale_bar(axes, 1.0)
    style.add_legend(figure, handles)
    return style.finish(figure)


def _instruments(result: CaseResult, sequence: InstrumentSequence) -> Picture:
    path = path_of(result, sequence)
    plane = along_path(path.capsule, 40.0)
    side = sequence.side.value
    png = _slice(
        result, plane, f"{side.upper()}  instruments along the path",
        partial(_draw_instruments, plane=plane, sequence=sequence, outer=outer_lps(path, result.scan.volume.grid)),
        _depth_words(sequence), 2,
    )  # fmt: skip
    return Picture(
        f"augmentation_{side}_instruments.png", f"{side.capitalize()}: instruments along the path",
        "Where each instrument has done its work; the numbers are depths in mm "
        + ("from the skin." if counts_from_skin([sequence]) else "from the bone entry (the skin is not in the scan)."),
        GROUP, png,
    )  # fmt: skip


def _draw_instruments(axes: Axes, plane: Plane, sequence: InstrumentSequence, outer: FloatArray) -> list[Line2D]:
    """Cannula and drilled channel at true width, and the marks."""
    x, y = plane.axes_mm()
    handles = []
    for name, tool, color in (
        ("working cannula", sequence.cannula, style.SKY),
        ("drill", sequence.drill, style.YELLOW),
    ):
        step = sequence.step(name)
        if step is not None:
            distance = sample_tool(Capsule(outer, step.tip_lps, tool.radius_mm), plane)
            if distance.min() < 0 < distance.max():
                axes.contour(x, y, distance, levels=[0.0], colors=[color], linewidths=0.9)
            handles.append(Line2D([], [], color=color, lw=1, label=f"{tool.name} {tool.outer_diameter_mm:.1f} mm"))
    return handles + draw_marks(axes, lambda p: plane.project(p)[..., :2], [sequence])


def _depth_words(sequence: InstrumentSequence) -> str:
    hub = sequence.step("working cannula")
    if hub is None or hub.from_hub_mm is None:
        return f"{sequence.cannula.name} cannula"
    return f"{sequence.cannula.name} cannula, {hub.from_hub_mm:.0f} mm of it stay outside below the hub"


def _balloons(result: CaseResult, a: Augmentation) -> list[Picture]:
    middle = np.mean([i.final.envelope.center_lps for i in a.inflations], axis=0)
    planes = {"axial": axial(middle, _HALF_MM), "coronal": coronal(middle, _HALF_MM)}
    for i in a.inflations:
        planes[f"sagittal, {i.side.value} balloon"] = sagittal(i.final.envelope.center_lps, _HALF_MM)
    volumes = ", ".join(f"{i.side.value} {i.final.volume_ml:.1f} ml" for i in a.inflations)
    return [
        Picture(
            f"balloon_{name.replace(', ', '_').replace(' balloon', '')}.png", f"Balloons, {name}",
            "Each line is one inflation step, from light to dark; the thick one is where the balloon is stopped. It "
            "grows where bone is weak and packs the bone aside; it never crosses a cortex.",
            GROUP,
            _slice(
                result, plane, f"Balloons  {name}", partial(_draw_steps, plane=plane, inflations=a.inflations),
                f"{volumes}; simulated, sizes not verified", 2,
            ),
        )
        for name, plane in planes.items()
    ]  # fmt: skip


def _draw_steps(axes: Axes, plane: Plane, inflations: tuple[Inflation, ...]) -> list[Line2D]:
    x, y = plane.axes_mm()
    points = plane.points_lps()
    labels: dict[str, str] = {}
    for inflation in inflations:
        shown = inflation.steps
        for k, step in enumerate(shown):
            height = np.nan_to_num(step.envelope.height_above(points), posinf=_FAR)
            color = _STEPS[round(k * (len(_STEPS) - 1) / max(len(shown) - 1, 1))]
            if height.min() < 0 < height.max():
                last = k == len(shown) - 1
                axes.contour(x, y, height, levels=[0.0], colors=[color], linewidths=1.8 if last else 0.8)
                labels[f"{step.volume_ml:.1f} ml"] = color
    names = sorted(labels, key=lambda text: float(text.split()[0]))
    keep = names if len(names) <= 6 else [names[round(k * (len(names) - 1) / 5)] for k in range(6)]
    return [Line2D([], [], color=labels[name], lw=1.6, label=name) for name in keep]


def _cement(result: CaseResult, a: Augmentation, cement: Cement) -> list[Picture]:
    where = cement.labels.grid.index_to_world(np.argwhere(cement.labels.array > 0))
    if not len(where):
        return []
    middle, one = where.mean(axis=0), a.inflations[0]
    planes = {
        "axial": axial(middle, _HALF_MM),
        f"sagittal, {one.side.value}": sagittal(one.final.envelope.center_lps, _HALF_MM),
        "coronal": coronal(middle, _HALF_MM),
    }
    return [
        Picture(
            f"cement_{name.split(',')[0]}.png", f"Cement, {name}",
            "What cement may fill: the cavities and a layer between the trabeculae about them. It stops at the dashed "
            "line, the posterior quarter of the body.",
            GROUP,
            _slice(
                result, plane, f"Cement  {name}", partial(_draw_cement, plane=plane, cement=cement),
                f"{cement.planned_ml:.1f} ml planned, {100 * cement.body_share:.0f} % of the body; simulated", 1,
            ),
        )
        for name, plane in planes.items()
    ]  # fmt: skip


def _draw_cement(axes: Axes, plane: Plane, cement: Cement) -> list[Line2D]:
    x, y = plane.axes_mm()
    index = np.moveaxis(cement.labels.grid.world_to_index(plane.points_lps()), -1, 0)
    inside = ndimage.gaussian_filter((cement.labels.array > 0).astype(np.float32), 0.7)
    image = ndimage.map_coordinates(inside, index, order=1, mode="constant")
    if image.max() > 0.5:
        axes.contourf(x, y, image, levels=[0.5, 2.0], colors=[_CEMENT], alpha=0.55)
        axes.contour(x, y, image, levels=[0.5], colors=[_CEMENT], linewidths=1.3)
    handles = [Line2D([], [], color=_CEMENT, lw=4, alpha=0.7, label="cement")]
    line = plane.project(cement.stop_line_lps)
    if abs(plane.right_lps[1]) > 0.7:  # it is a line in sagittal planes only
        axes.plot(line[:, 0], line[:, 1], color=style.VERMILLION, lw=1.4, ls="--", zorder=6)
        handles.append(Line2D([], [], color=style.VERMILLION, lw=1.4, ls="--", label="stop line"))
    return handles
