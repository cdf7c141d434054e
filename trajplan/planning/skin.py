"""The way in from the skin: where the path leaves the body, and whether bone, gas or a joint is in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray, unit

AIR_HU = -400.0
"""Between lung or air (below) and fat (above -150)."""

BONE_HU = 300.0
"""Cortical bone on the soft-tissue way; contrast-filled muscle does not exist, vessels there are small."""

_STEP_MM = 0.5
_OUTSIDE_RUN_MM = 8.0
_DOCKING_MM = 4.0

_BODY_WALL_MM = 10.0
"""Tissue this thick beyond gas is the wall of the body (gas: lung, bowel); a table top or a blanket is thinner."""

_SHEET_MM = 3.0
"""A layer between air thinner than this, outside the body, is cloth."""

_FOAM_HU = -200.0
"""No tissue is as light as this all through: a mat or its cover, blurred by thick slices (fat is above -150)."""

_RING = 8
"""Lines on the instrument's surface along which it is tried against other bone."""


@dataclass(frozen=True, eq=False)
class SkinWay:
    """What lies between entry and skin.

    `skin_lps` is None when the scan ends before the skin; `bone_mm` is the length of bone met on the axis, `gas_mm`
    that of lung or other gas inside the body, `seen_mm` how far the scan was followed. `grazed_mm` is the length over
    which the instrument's surface, not its axis, runs through other bone. `border` is True where the air that ended
    the way is one constant value: it may be the border of the field of view.
    """

    skin_lps: FloatArray | None
    bone_mm: float
    seen_mm: float
    gas_mm: float = 0.0
    grazed_mm: float = 0.0
    border: bool = False


def way_from_skin(ct: Volume, entry_lps: FloatArray, direction_lps: FloatArray) -> SkinWay:
    """Walk from the entry back out along -`direction_lps` (unit, into the body) through the CT.

    The skin is the last tissue before at least 8 mm of air, so that a pocket of gas or a fold is not taken for it;
    air with 10 mm of tissue behind it is lung or bowel, not the outside.
    """
    steps = np.arange(0.0, 250.0, _STEP_MM)
    points = entry_lps - steps[:, None] * direction_lps
    in_scan = ct.grid.contains(points)
    last = int(np.argmin(in_scan)) if not in_scan.all() else len(steps)
    if last == 0:
        return SkinWay(None, 0.0, 0.0)
    hu = map_coordinates(ct.array, ct.grid.world_to_index(points[:last]).T, order=1, mode="nearest").astype(float)
    bone = (hu > BONE_HU) & (steps[:last] > _DOCKING_MM)
    air = _without_sheets(hu < AIR_HU, hu)
    run = round(_OUTSIDE_RUN_MM / _STEP_MM)
    for i in range(_end_of_body(air), last):
        # air up to the scan's edge also is outside, if the edge comes within the run
        ahead = air[i : i + run]
        if ahead.all() and (len(ahead) == run or len(ahead) * _STEP_MM >= 2.0):
            beyond = hu[i + run // 2 : i + 2 * run]
            return SkinWay(
                points[max(i - 1, 0)],
                float(bone[:i].sum() * _STEP_MM),
                float(steps[i]),
                gas_mm=float(air[:i].sum() * _STEP_MM),
                border=len(beyond) > 0 and float(np.ptp(beyond)) == 0.0,
            )
    gas_mm = float(air.sum() * _STEP_MM)
    return SkinWay(None, float(bone.sum() * _STEP_MM), float(steps[last - 1]), gas_mm=gas_mm)


def _without_sheets(air: BoolArray, hu: FloatArray) -> BoolArray:
    """Air with thin or light layers beyond the body (a sheet, a gown, a mat and its cover) counted as air."""
    out = air.copy()
    edges = np.flatnonzero(np.diff(np.r_[True, air, True].astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        thick_mm = (end - start) * _STEP_MM
        light = thick_mm < _BODY_WALL_MM and float(hu[start:end].max(initial=-np.inf)) < _FOAM_HU
        if start > _end_of_body(air) and (thick_mm < _SHEET_MM or light):
            out[start:end] = True
    return out


def _end_of_body(air: BoolArray) -> int:
    """Index just after the last stretch of tissue thick enough to be the wall of the body; 0 when there is none."""
    edges = np.flatnonzero(np.diff(np.r_[True, air, True].astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    thick = (ends - starts) * _STEP_MM >= _BODY_WALL_MM
    return int(ends[thick][-1]) if thick.any() else 0


def through_other_bone(
    other_bone: BoolArray,
    grid: Grid,
    entry_lps: FloatArray,
    direction_lps: FloatArray,
    radius_mm: float,
    reach_mm: float = 60.0,
) -> tuple[float, float]:
    """Length (mm) behind the entry over which the axis, and the surface of the instrument, run through other bone.

    The first 1.5 mm are left out: that is where the tip docks. Beyond the grid nothing is known and nothing counted.
    """
    steps = np.arange(1.5, reach_mm, _STEP_MM)
    axis = entry_lps - steps[:, None] * direction_lps
    helper = np.eye(3)[int(np.argmin(np.abs(direction_lps)))]
    first = unit(np.cross(direction_lps, helper))
    second = np.cross(direction_lps, first)
    turn = np.linspace(0.0, 2 * np.pi, _RING, endpoint=False)
    ring = radius_mm * (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)
    on_axis = _hit(other_bone, grid, axis)
    on_surface = _hit(other_bone, grid, axis[:, None] + ring).any(axis=1)
    return float(on_axis.sum() * _STEP_MM), float((on_surface | on_axis).sum() * _STEP_MM)


def _hit(mask: AnyArray, grid: Grid, points_lps: FloatArray) -> BoolArray:
    index = np.rint(grid.world_to_index(points_lps)).astype(int)
    known = ((index >= 0) & (index < grid.shape_zyx)).all(axis=-1)
    index = np.clip(index, 0, np.array(grid.shape_zyx) - 1)
    return np.asarray(known & mask[tuple(np.moveaxis(index, -1, 0))].astype(bool))
