"""What is seen on a plane: grey values, outlines of the parts and of the trocars, in mm on the plane. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from skimage.measure import find_contours

from trajplan.geometry import Capsule, Volume
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray
from trajplan.parts import Part
from trajplan.reporting.reslice import PartMasks, Plane, sample_ct, sample_tool
from trajplan.reporting.style import PART_COLOR, TROCAR

_OUTLINE_STEPS = 2.0
"""Outlines are sought on samples this much wider apart than those of the picture: they are smooth."""

_TOOL_STEPS = 0.15
"""Samples of a trocar's outline, in radii."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A line on a plane: x and y in mm from its centre, shape (N, 2)."""

    xy_mm: FloatArray
    color: str
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class Cut:
    """What the scan and the parts are on a plane."""

    plane: Plane
    hu: Float32Array
    outlines: tuple[Outline, ...]


def cut(volume: Volume, masks: PartMasks | None, plane: Plane) -> Cut:
    """Sample a plane."""
    return Cut(plane, sample_ct(volume, plane), () if masks is None else tuple(_parts(masks, plane)))


def greys(hu: Float32Array, window_hu: tuple[float, float]) -> AnyArray:
    """uint8 (rows, columns): black up to the lower end of the window, white from the upper."""
    low, high = window_hu
    scaled = (hu - np.float32(low)) * np.float32(255.0 / max(high - low, 1e-3))
    return np.clip(scaled, 0.0, 255.0, out=scaled).astype(np.uint8)


def shaft_outline(shaft: Capsule, plane: Plane) -> Outline | None:
    """The true outline of an instrument where it crosses a plane; None where it does not.

    Only its own surroundings are sampled, as finely as its radius asks for.
    """
    ends = plane.project(np.stack([shaft.start_lps, shaft.end_lps]))
    reach = shaft.radius_mm * 1.3
    near = _within(ends, reach)
    if near is None:
        return None
    room = np.array([plane.half_width_mm, plane.half_height_mm])
    low = np.maximum(near.min(axis=0) - reach, -room)
    high = np.minimum(near.max(axis=0) + reach, room)
    if (high - low <= 0).any():
        return None
    middle = (low + high) / 2
    part = replace(
        plane,
        center_lps=np.asarray(plane.center_lps + middle[0] * plane.right_lps + middle[1] * plane.down_lps),
        half_width_mm=float(high[0] - low[0]) / 2,
        half_height_mm=float(high[1] - low[1]) / 2,
        step_mm=_TOOL_STEPS * shaft.radius_mm,
    )
    rings = _contours(np.pad(sample_tool(shaft, part), 1, constant_values=reach), part, 0.0, padded=1)
    return Outline(max(rings, key=len) + middle, TROCAR) if rings else None


def _within(ends: FloatArray, reach: float) -> FloatArray | None:
    """The part of an axis (x, y, off the plane; two ends) whose surroundings meet the plane, as x and y; None: none."""
    (a, b), span = ends, ends[1, 2] - ends[0, 2]
    if abs(span) < 1e-9:
        return ends[:, :2] if abs(a[2]) <= reach else None
    shares = np.clip(np.sort((np.array([-reach, reach]) - a[2]) / span), 0.0, 1.0)
    return None if shares[0] == shares[1] else np.asarray(a[:2] + shares[:, None] * (b - a)[:2])


def _parts(masks: PartMasks, plane: Plane) -> Iterable[Outline]:
    coarse = replace(plane, step_mm=_OUTLINE_STEPS * plane.step_mm)
    for part, occupancy in masks.sample(coarse).items():
        for ring in _contours(occupancy, coarse, 0.5):
            yield Outline(ring, PART_COLOR.get(part, "#FFFFFF"), dashed=part == Part.CANAL)


def _contours(values: AnyArray, plane: Plane, level: float, padded: int = 0) -> list[FloatArray]:
    x, y = plane.axes_mm()
    found = find_contours(values, level)
    steps = np.array([x[1] - x[0], y[1] - y[0]])
    return [np.asarray((ring[:, ::-1] - padded) * steps + [x[0], y[0]]) for ring in found if len(ring) > 2]
