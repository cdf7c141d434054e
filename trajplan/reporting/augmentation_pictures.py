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
from trajplan.augmentation.in_beam import balloon_in_beam, instruments_in_beam, with_cement
from trajplan.augmentation.inflation import Inflation
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.fluoroscopy.display import display_window, edge_letters, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.tools import add_tools
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.reporting.heights_picture import heights_picture
from trajplan.reporting.picture import Picture
from trajplan.reporting.reslice import Plane, along_path, axial, coronal, sagittal, sample_tool
from trajplan.reporting.shaft import outer_lps
from trajplan.reporting.slices import show_ct
from trajplan.reporting.words import worst_verdict
from trajplan.reporting.xray import HALF_FIELD_MM

if TYPE_CHECKING:
    from trajplan.case import CaseResult

GROUP = "augmentation"
_STEPS = ("#FFF7BC", "#FEE391", "#FEC44F", "#FE9929", "#EC7014", "#CC4C02")
"""Light to dark with volume (ColorBrewer YlOrBr)."""

_CEMENT = style.PURPLE
_HALF_MM = 34.0
_FAR = 99.0
_MARKS = {
    "working cannula": ("cannula tip", style.SKY),
    "drill": ("drill tip", style.YELLOW),
    "balloon, near marker": ("balloon markers", style.VERMILLION),
    "balloon, far marker": ("balloon markers", style.VERMILLION),
}


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
    return pictures + _xrays(result, a)


def _path(result: CaseResult, sequence: InstrumentSequence) -> Trajectory:
    return next(t for t in result.trajectories if t.side is sequence.side)


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
    path = _path(result, sequence)
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
        + ("from the skin." if _from_skin([sequence]) else "from the bone entry (the skin is not in the scan)."),
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


def _from_skin(sequences: list[InstrumentSequence]) -> bool:
    return all(s.from_skin_mm is not None for one in sequences for s in one.steps)


def _depth_words(sequence: InstrumentSequence) -> str:
    hub = sequence.step("working cannula")
    if hub is None or hub.from_hub_mm is None:
        return f"{sequence.cannula.name} cannula"
    return f"{sequence.cannula.name} cannula, {hub.from_hub_mm:.0f} mm of it stay outside below the hub"


def draw_marks(
    axes: Axes, to_xy: Callable[[FloatArray], FloatArray], sequences: list[InstrumentSequence]
) -> list[Line2D]:
    """A bar across the axis at each tip and marker with its depth; returns the legend entries.

    Parameters
    ----------
    to_xy : callable
        LPS points (N, 3) to data coordinates (N, 2).
    """
    from_skin = _from_skin(sequences)
    handles: dict[str, Line2D] = {}
    for sequence in sequences:
        docked = sequence.steps[0].tip_lps
        far = sequence.steps[-1].tip_lps
        ends = to_xy(np.stack([docked, far]))
        axes.plot(ends[:, 0], ends[:, 1], color="white", lw=0.7, ls=(0, (4, 3)), zorder=7)
        along = ends[1] - ends[0]
        length = float(np.linalg.norm(along))
        across = np.array([-along[1], along[0]]) / max(length, 1e-9)
        scale = abs(float(np.diff(axes.get_xlim())[0])) / 100
        shown = sorted((s for s in sequence.steps if s.name in _MARKS), key=lambda s: s.depth_mm)
        for k, step in enumerate(shown):
            name, color = _MARKS[step.name]
            at = to_xy(step.tip_lps[None])[0]
            bar = np.stack([at - 2.2 * scale * across, at + 2.2 * scale * across])
            axes.plot(bar[:, 0], bar[:, 1], color=color, lw=2.0, zorder=8, path_effects=style.HALO)
            away = at + (5.0 if k % 2 else -5.0) * scale * across
            depth = step.from_skin_mm if from_skin and step.from_skin_mm is not None else step.depth_mm
            axes.text(
                away[0], away[1], f"{depth:.0f}", fontsize=6.5, color=color, ha="center", va="center",
                path_effects=style.HALO, zorder=9, clip_on=True,
            )  # fmt: skip
            handles[name] = Line2D([], [], color=color, lw=2, label=name)
    return list(handles.values())


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


def _xrays(result: CaseResult, a: Augmentation) -> list[Picture]:
    pictures = []
    for view in ("ap", "lateral"):
        drr = result.drrs.get(view)
        if drr is None:
            continue
        name = "AP" if view == "ap" else "lateral"
        if a.inflations:
            tools = [balloon_in_beam(i.final.envelope, drr.energy_kev) for i in a.inflations]
            for s in a.sequences:
                outer = outer_lps(_path(result, s), result.scan.volume.grid)
                tools += instruments_in_beam(s, outer, drr.energy_kev)
            pictures.append(
                Picture(
                    f"xray_{view}_balloon.png", f"Simulated {name} with balloons",
                    "Working cannulae; balloons filled with contrast medium (300 mg iodine/ml). Numbers: depths, mm.",
                    GROUP,
                    _xray(result, add_tools(drr, tools), drr, f"Simulated {name}, balloons", [*a.sequences], None),
                )
            )  # fmt: skip
        if a.cement is not None:
            pictures.append(
                Picture(
                    f"xray_{view}_cement.png", f"Simulated {name} with cement",
                    "PMMA with 30 % barium sulphate as planned. Watch the dashed stop line on the lateral view."
                    if view == "lateral" else "PMMA with 30 % barium sulphate as planned.",
                    GROUP, _xray(result, with_cement(drr, a.cement), drr, f"Simulated {name}, cement", [],
                                 a.cement if view == "lateral" else None),
                )
            )  # fmt: skip
    return pictures


def _xray(
    result: CaseResult, shown: Drr, anatomy: Drr, title: str, marked: list[InstrumentSequence], cement: Cement | None
) -> bytes:
    rows = 1 if marked or cement is not None else 0
    figure, axes = style.image_figure(
        1.0, title=title, subtitle="SIMULATED", legend_rows=rows, verdict=worst_verdict(result.trajectories)
    )
    carm = anatomy.carm
    image = to_display(shown, window=display_window(anatomy))
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    center = carm.isocenter_lps if result.vertebra is None else result.vertebra.frame.origin_lps
    row, column = carm.project(center)
    half = 0.7 * HALF_FIELD_MM * carm.magnification / carm.pixel_mm
    axes.set_xlim(column - half, column + half)
    axes.set_ylim(row + half, row - half)
    axes.set_aspect("equal")
    handles = draw_marks(axes, lambda p: carm.project(p)[..., ::-1], marked) if marked else []
    if cement is not None:
        line = carm.project(cement.stop_line_lps)
        axes.plot(line[:, 1], line[:, 0], color=style.VERMILLION, lw=1.4, ls="--", zorder=6)
        handles.append(Line2D([], [], color=style.VERMILLION, lw=1.4, ls="--", label="stop line"))
    letters = edge_letters(carm)
    for edge, x, y in (("left", 0.045, 0.5), ("right", 0.955, 0.5), ("top", 0.5, 0.955), ("bottom", 0.5, 0.045)):
        style.add_text(axes, x, y, letters[edge], color=style.YELLOW, size=10.5)
    style.add_text(axes, 0.83, 0.955, "SIMULATED", color=style.ORANGE, size=9.5)
    style.add_scale_bar(axes, carm.pixel_mm / carm.magnification, " at the isocentre")
    style.add_legend(figure, handles)
    return style.finish(figure)
