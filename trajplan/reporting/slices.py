"""Slice pictures: CT in a bone window with the parts, the trocar at its true diameter, letters and a scale bar."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import PART_NAMES, Part, Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.reporting.reslice import (
    PartMasks,
    Plane,
    across_path,
    along_path,
    axial,
    coronal,
    sagittal,
    sample_ct,
    sample_tool,
)
from trajplan.reporting.shaft import outer_lps

if TYPE_CHECKING:
    from trajplan.case import CaseResult

WINDOW_HU = (-450.0, 1050.0)
_OFF_PLANE_MM = 12.0
_SHORT: dict[int, str] = {Part.BODY: "body", Part.POSTERIOR: "posterior part", Part.CANAL: "canal"}
_CAPTIONS = {
    "axial": "Look for the dark gap between the trocar and the canal (dashed): the medial wall must stay whole.",
    "sagittal": "Look for the tip: behind the anterior wall, away from both end plates.",
    "coronal": "The trocar seen where it passes the narrowest part of the pedicle.",
    "along": "The whole path in one plane, at true diameter; depth from the bone entry is marked below.",
    "across": "Looking along the needle at the narrowest part: bone should surround the orange disc on all sides.",
}


def side_pictures(result: CaseResult, side: Side, masks: PartMasks) -> list[Picture]:
    """The slices of one side; without a path, the pedicle alone (axial, sagittal, coronal)."""
    vertebra = result.vertebra
    if vertebra is None or side not in vertebra.pedicles:
        return []
    isthmus = vertebra.pedicles[side].isthmus_center_lps
    path = next((t for t in result.trajectories if t.side is side), None)
    if path is None:
        middle = _between(isthmus, vertebra.frame.origin_lps)
        planes = {
            "axial": axial(_with(middle, 2, isthmus)),
            "sagittal": sagittal(_with(middle, 0, isthmus)),
            "coronal": coronal(_with(middle, 1, isthmus)),
        }
    else:
        capsule = path.capsule
        depth = isthmus_depth(capsule, isthmus)
        point = capsule.start_lps + depth * capsule.direction_lps
        middle = _between(point, path.target_lps)
        planes = {
            "axial": axial(_with(middle, 2, point)),
            "sagittal": sagittal(_with(middle, 0, path.target_lps)),
            "coronal": coronal(_with(vertebra.frame.origin_lps, 1, point)),
            "along": along_path(capsule),
            "across": across_path(capsule, depth),
        }
    where = {
        "axial": "axial, through the isthmus",
        "sagittal": "sagittal, through the target" if path else "sagittal, through the pedicle",
        "coronal": "coronal, through the isthmus",
        "along": "along the path",
        "across": "across the path, at the isthmus",
    }
    return [
        Picture(
            name=f"{side.value}_{name}.png",
            title=f"{side.value.capitalize()}: {where[name]}",
            caption=_CAPTIONS[name] if path else "No path on this side: the pedicle as it was segmented.",
            group=side.value,
            png=_draw(result, plane, f"{side.value.upper()}  {where[name]}", masks, path, along=name == "along"),
        )
        for name, plane in planes.items()
    ]


def overview_pictures(result: CaseResult, masks: PartMasks | None) -> list[Picture]:
    """The midsagittal slice of the vertebra with its neighbours, or the middle of the scan when none was found."""
    vertebra = result.vertebra
    if vertebra is None:
        corners = result.scan.volume.grid.corners_lps()
        low, high = corners.min(axis=0), corners.max(axis=0)
        half = np.clip((high - low) / 2 + 2.0, 25.0, 90.0)
        plane = dataclasses.replace(sagittal((low + high) / 2, half[1]), half_height_mm=float(half[2]))
    else:
        plane = sagittal(vertebra.frame.origin_lps, 70.0)
    title = "Mid-slice of the scan, sagittal" if vertebra is None else "Context, midsagittal"
    caption = (
        "No vertebra was found: check by eye what the scan shows."
        if vertebra is None
        else "Count the levels from here: the outlined vertebra is the one that was planned."
    )
    png = _draw(result, plane, title, masks, None, along=False)
    return [Picture("context_sagittal.png", title, caption, "overview", png)]


def isthmus_depth(capsule: Capsule, isthmus_lps: FloatArray) -> float:
    """Depth from the entry (mm) at which the path passes the isthmus."""
    depth = float((isthmus_lps - capsule.start_lps) @ capsule.direction_lps)
    return float(np.clip(depth, 0.0, capsule.length_mm))


def _draw(
    result: CaseResult, plane: Plane, title: str, masks: PartMasks | None, path: Trajectory | None, *, along: bool
) -> bytes:
    subtitle = "CT, bone window L300 W1500"
    if path is not None:
        subtitle = f"the path is {path.verdict.value.upper()}; {subtitle}"
    figure, axes = style.image_figure(
        plane.half_height_mm / plane.half_width_mm,
        title=title,
        subtitle=subtitle,
        legend_rows=0 if masks is None else 2 if path is None else 3,
        verdict=None if path is None else path.verdict,
        ticks=along,
    )
    show_ct(axes, result, plane)
    handles = [] if masks is None else draw_parts(axes, plane, masks)
    if path is not None:
        handles += draw_path(axes, plane, path, outer_lps(path, result.scan.volume.grid))
    style.add_letters(axes, plane.right_lps, plane.down_lps)
    style.add_scale_bar(axes, 1.0)
    if along and path is not None:
        _depth_ticks(axes, path.capsule.length_mm)
    style.add_legend(figure, handles)
    return style.finish(figure)


def show_ct(axes: Axes, result: CaseResult, plane: Plane) -> None:
    """The CT on a plane, in a bone window, in mm from the plane's centre."""
    axes.imshow(
        sample_ct(result.scan.volume, plane),
        cmap="gray",
        vmin=WINDOW_HU[0],
        vmax=WINDOW_HU[1],
        extent=plane.extent,
        interpolation="bilinear",
    )
    axes.set_xlim(plane.extent[:2])
    axes.set_ylim(plane.extent[2:])
    axes.set_aspect("equal")


def draw_parts(axes: Axes, plane: Plane, masks: PartMasks, width: float = 1.2) -> list[Line2D]:
    """Outlines of the parts on a plane; returns their legend entries."""
    x, y = plane.axes_mm()
    handles = []
    for part, image in masks.sample(plane).items():
        dash = "--" if part == Part.CANAL else "-"
        color = style.PART_COLOR.get(part, "white")
        if image.min() < 0.5:
            axes.contour(x, y, image, levels=[0.5], colors=[color], linewidths=width, linestyles=[dash])
        handles.append(
            Line2D([], [], color=color, ls=dash, lw=1.6, label=_SHORT.get(part, PART_NAMES.get(part, str(part))))
        )
    return handles


def draw_path(axes: Axes, plane: Plane, path: Trajectory, outside: FloatArray) -> list[Line2D]:
    """The trocar from `outside` (LPS) to its tip, its axis, entry and target; returns their legend entries."""
    x, y = plane.axes_mm()
    whole = Capsule(outside, path.target_lps, path.instrument.radius_mm)
    distance = sample_tool(whole, plane)
    if distance.min() < 0 < distance.max():
        axes.contourf(x, y, distance, levels=[-1e3, 0.0], colors=[style.TROCAR], alpha=0.45)
        axes.contour(x, y, distance, levels=[0.0], colors=[style.TROCAR], linewidths=1.3)
    ends = plane.project(np.stack([outside, path.target_lps]))
    axes.plot(ends[:, 0], ends[:, 1], color=style.TROCAR, lw=0.9, ls=(0, (4, 3)), zorder=6)
    handles = [
        Line2D([], [], color=style.TROCAR, lw=4, alpha=0.7, label=f"{path.instrument.name} trocar"),
        Line2D([], [], color=style.TROCAR, lw=1, ls=(0, (4, 3)), label="its axis"),
    ]
    for name, point, marker in (("entry", path.entry_lps, "^"), ("target", path.target_lps, "D")):
        px, py, off = plane.project(point)
        near = abs(px) < plane.half_width_mm and abs(py) < plane.half_height_mm and abs(off) < _OFF_PLANE_MM
        if near:
            filled = abs(off) <= path.instrument.radius_mm
            axes.plot(
                [px], [py], marker=marker, ms=6, mec="white", mew=1.2, mfc=style.TROCAR if filled else "none", zorder=8
            )
            label = name if filled else f"{name}, {abs(off):.0f} mm off"
            handles.append(
                Line2D([], [], ls="", marker=marker, ms=5, mec="#444444", mfc=style.TROCAR if filled else "none",
                       label=label)
            )  # fmt: skip
    return handles


def _depth_ticks(axes: Axes, length_mm: float) -> None:
    depths = np.arange(0.0, length_mm + 1e-6, 10.0)
    axes.set_xticks(depths - length_mm / 2, [f"{d:.0f}" for d in depths], fontsize=7)
    axes.tick_params(axis="x", length=3, pad=1.5)
    axes.set_xlabel("depth from the bone entry, mm", fontsize=7, labelpad=1)


def _between(a_lps: FloatArray, b_lps: FloatArray) -> FloatArray:
    return np.asarray((np.asarray(a_lps) + np.asarray(b_lps)) / 2)


def _with(point_lps: FloatArray, axis: int, other_lps: FloatArray) -> FloatArray:
    """`point_lps` with one coordinate (0 x, 1 y, 2 z) of `other_lps`."""
    out = np.array(point_lps, dtype=np.float64)
    out[axis] = other_lps[axis]
    return out
