"""Instruments in the beam as exact capsules added to a finished line-integral image; the anatomy is not redrawn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numba as nb
import numpy as np

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.attenuation import DEFAULT_ENERGY_KEV, material_mu_per_mm
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.overlay import tool_outline_px
from trajplan.fluoroscopy.rays import detector_rays
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Tool:
    """A solid instrument: its shape and what it adds to the attenuation, per mm."""

    capsule: Capsule
    mu_per_mm: float


def steel_tool(capsule: Capsule, energy_kev: float = DEFAULT_ENERGY_KEV) -> Tool:
    """A solid instrument of 316L stainless steel.

    The tissue it displaces is not taken off the image: about 2 % of the steel's own shadow.
    """
    return Tool(capsule, material_mu_per_mm("steel_316l", energy_kev))


def add_tools(drr: Drr, tools: Iterable[Tool]) -> Drr:
    """A new image with the chord length of every tool, times its attenuation, added ray by ray.

    Only the pixels that a tool can touch are visited. Where tools overlap their attenuation adds up, so pass one
    capsule for a needle inside its cannula.
    """
    image = np.array(drr.line_integral, dtype=np.float32)
    for tool in tools:
        box = _touched(tool.capsule, drr.carm)
        if box is not None:
            _add(image, box, tool.capsule, tool.mu_per_mm, drr.carm)
    image.setflags(write=False)
    return replace(drr, line_integral=image)


def chord_mm(capsule: Capsule, source_lps: FloatArray, direction_lps: FloatArray, length_mm: float = 1e6) -> float:
    """Length inside `capsule` of the ray from `source_lps` along the unit vector `direction_lps`, mm."""
    return float(
        _chord(
            *(float(v) for v in source_lps),
            *(float(v) for v in direction_lps),
            length_mm,
            np.array(capsule.start_lps),
            np.array(capsule.end_lps),
            capsule.radius_mm,
        )
    )


def _touched(capsule: Capsule, carm: CArm) -> tuple[int, int, int, int] | None:
    """First and end row and column of the silhouette, None when it is beside the detector."""
    rows, columns = carm.detector_px
    try:
        outline = tool_outline_px(capsule, carm)
    except GeometryError:  # it reaches the source: any pixel may be touched
        return 0, rows, 0, columns
    low = np.maximum(np.floor(outline.min(axis=0)) - 1, 0).astype(int)
    high = np.minimum(np.ceil(outline.max(axis=0)) + 2, carm.detector_px).astype(int)
    if not (high > low).all():
        return None
    return int(low[0]), int(high[0]), int(low[1]), int(high[1])


def _add(image: Any, box: tuple[int, int, int, int], capsule: Capsule, mu: float, carm: CArm) -> None:
    rays = detector_rays(carm)
    _add_chords(
        image, *box, np.array(rays.source), np.array(rays.corner), np.array(rays.row_step), np.array(rays.column_step),
        np.array(capsule.start_lps), np.array(capsule.end_lps), capsule.radius_mm, float(mu),
    )  # fmt: skip


@nb.njit(cache=True)
def _chord(
    sx: float, sy: float, sz: float, ux: float, uy: float, uz: float, length: float, start: Any, end: Any, radius: float
) -> Any:
    """Chord of the ray s + t u, 0 <= t <= length, |u| = 1. Convex solid: one interval, lowest entry to highest exit."""
    ex, ey, ez = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    axis = math.sqrt(ex * ex + ey * ey + ez * ez)
    if axis > 0:
        ex, ey, ez = ex / axis, ey / axis, ez / axis
    # measure t from the point of the ray nearest the start: half a metre off, r^2 would drown in rounding
    near = (start[0] - sx) * ux + (start[1] - sy) * uy + (start[2] - sz) * uz
    ox, oy, oz = sx + near * ux - start[0], sy + near * uy - start[1], sz + near * uz - start[2]
    o_along, u_along = ox * ex + oy * ey + oz * ez, ux * ex + uy * ey + uz * ez
    low, high = np.inf, -np.inf
    px, py, pz = ox - o_along * ex, oy - o_along * ey, oz - o_along * ez
    vx, vy, vz = ux - u_along * ex, uy - u_along * ey, uz - u_along * ez
    a = vx * vx + vy * vy + vz * vz
    if axis > 0 and a > 1e-14:
        b = px * vx + py * vy + pz * vz
        d = b * b - a * (px * px + py * py + pz * pz - radius * radius)
        if d <= 0:
            return 0.0
        t0, t1 = (-b - math.sqrt(d)) / a, (-b + math.sqrt(d)) / a
        if abs(u_along) > 1e-14:
            c0, c1 = -o_along / u_along, (axis - o_along) / u_along
            t0, t1 = max(t0, min(c0, c1)), min(t1, max(c0, c1))
        elif o_along < 0 or o_along > axis:
            t1 = t0
        if t1 > t0:
            low, high = t0, t1
    for k in range(2):
        qx, qy, qz = ox - k * axis * ex, oy - k * axis * ey, oz - k * axis * ez
        b = qx * ux + qy * uy + qz * uz
        d = b * b - (qx * qx + qy * qy + qz * qz - radius * radius)
        if d > 0:
            low, high = min(low, -b - math.sqrt(d)), max(high, -b + math.sqrt(d))
    return max(0.0, min(high, length - near) - max(low, -near))


@nb.njit(cache=True)
def _add_chords(
    image: Any, r0: int, r1: int, c0: int, c1: int, source: Any, corner: Any, row_step: Any, column_step: Any,
    start: Any, end: Any, radius: float, mu: float
) -> None:  # fmt: skip
    for r in range(r0, r1):
        for c in range(c0, c1):
            x = corner[0] + r * row_step[0] + c * column_step[0]
            y = corner[1] + r * row_step[1] + c * column_step[1]
            z = corner[2] + r * row_step[2] + c * column_step[2]
            n = math.sqrt(x * x + y * y + z * z)
            chord = _chord(source[0], source[1], source[2], x / n, y / n, z / n, n, start, end, radius)
            if chord > 0:
                image[r, c] += np.float32(mu * chord)
