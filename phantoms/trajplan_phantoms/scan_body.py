"""The body of one labelled vertebra of a real scan: frame and end-plate columns, from the labels alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, BoolArray, Float32Array, FloatArray, unit
from trajplan.geometry.frame import Frame
from trajplan.geometry.grid import Grid
from trajplan.geometry.pieces import largest
from trajplan.geometry.resample import resample_mask
from trajplan.geometry.volume import LabelMap
from trajplan.levels import LEVEL_NAMES

STEP_MM = 0.8
"""Spacing of the grids the body is measured on; ends of columns are found between the nodes."""
ROUNDS = 3
_MARGIN_MM = 6.0
_CLOSINGS_MM = (0.0, 1.6, 3.2, 4.8)
_MIN_HOLE_MM2 = 60.0
_CROSS = ndimage.generate_binary_structure(2, 1)[None]


@dataclass(frozen=True, eq=False)
class BodyColumns:
    """Ends of the body's columns along w on a (v, u) lattice of the frame.

    Attributes
    ----------
    frame : Frame
        u patient left, v posterior, w superior along the mean end-plate normal; origin at the body centre.
    u_mm, v_mm : ndarray, shape (U,), (V,)
    top_mm, bottom_mm : ndarray, shape (V, U)
        w of both ends; NaN outside the footprint.
    top_plane, bottom_plane : ndarray, shape (3,)
        Robust planes w = a u + b v + c.
    front_mm, back_mm : float
        v of the front and of the posterior wall in the midsagittal slab.
    half_width_mm : float
    """

    frame: Frame
    u_mm: FloatArray
    v_mm: FloatArray
    top_mm: FloatArray
    bottom_mm: FloatArray
    top_plane: FloatArray
    bottom_plane: FloatArray
    front_mm: float
    back_mm: float
    half_width_mm: float

    @property
    def depth_mm(self) -> float:
        """Midsagittal depth."""
        return self.back_mm - self.front_mm

    @property
    def middle_mm(self) -> float:
        """v of the middle of the body."""
        return 0.5 * (self.front_mm + self.back_mm)


def measure_body(labels: LabelMap, level_id: int, frame_hint: Frame | None = None) -> BodyColumns:
    """Frame and columns of the body of one vertebra.

    The body is what lies anterior of the canal (the hole of the vertebra's shadow along w). With `frame_hint` its
    axes are kept and only the origin moves to the body centre.

    Raises
    ------
    InputError
        ``level_not_in_labels``, ``no_canal`` (the label has no closed ring), ``no_body``.
    """
    share, grid = occupancy(labels, level_id)
    frame = frame_hint or _first_guess(share > 0.5, grid)
    for _ in range(ROUNDS):
        frame = _look(share, grid, frame, level_id, turn=frame_hint is None)[1]
    return _look(share, grid, frame, level_id, turn=False)[0]


def measured_ends(labels: LabelMap, level_id: int, body: BodyColumns) -> tuple[FloatArray, FloatArray]:
    """Bottom and top w (mm, (V, U), NaN outside) of the columns of `body` on other labels, in the same frame."""
    share, grid = occupancy(labels, level_id)
    reach = float(np.nanmax(body.top_mm)) + 6.0, float(np.nanmin(body.bottom_mm)) - 6.0
    w = np.arange(reach[1], reach[0], STEP_MM)
    corner = np.array([body.u_mm[0], body.v_mm[0], w[0]])
    shape = (len(w), len(body.v_mm), len(body.u_mm))
    box = Grid(shape, body.frame.to_world(corner), (STEP_MM,) * 3, body.frame.rotation.T)
    turned = resample_mask(share, grid, box)
    known = np.isfinite(body.top_mm)
    top, bottom = column_ends((turned > 0.5) & known[None], turned, w)
    return np.where(known, bottom, np.nan), np.where(known, top, np.nan)


def occupancy(labels: LabelMap, level_id: int) -> tuple[Float32Array, Grid]:
    """Share 0..1 of one label on an isotropic LPS grid about it, its 0.5 surface smooth across thick slices."""
    mask = labels.array == level_id
    if not mask.any():
        present = ", ".join(LEVEL_NAMES.get(i, f"id {i}") for i in labels.ids()) or "none"
        name = LEVEL_NAMES.get(level_id, f"id {level_id}")
        raise InputError(
            f"{name} is not in the labels; found: {present}. Ask for one of these, or check the label scheme",
            code="level_not_in_labels",
            numbers={"level_id": level_id},
        )
    pad = np.ceil(_MARGIN_MM / labels.grid.spacing_zyx).astype(int) + 2
    low, high = bounds(mask)
    box = tuple(slice(int(max(a - p, 0)), int(b + p + 1)) for a, b, p in zip(low, high, pad, strict=True))
    near = labels.cropped(np.array([s.start for s in box]), np.array([s.stop for s in box]))
    soft = ndimage.gaussian_filter((near.array == level_id).astype(np.float32), 0.5, truncate=3.0)
    corners = labels.grid.cropped(low, high + 1).corners_lps()
    grid = Grid.isotropic(corners.min(axis=0) - _MARGIN_MM, corners.max(axis=0) + _MARGIN_MM, STEP_MM)
    return resample_mask(soft, near.grid, grid), grid


def bounds(mask: BoolArray) -> tuple[AnyArray, AnyArray]:
    """First and last index (z, y, x) of a mask that is not empty."""
    spans = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    return np.array([s[0] for s in spans]), np.array([s[-1] for s in spans])


def _first_guess(solid: BoolArray, grid: Grid) -> Frame:
    """Origin in the thickest part, v towards the rest of the bone, w up."""
    depth = ndimage.distance_transform_edt(np.pad(solid, 1))[1:-1, 1:-1, 1:-1]
    seed = grid.index_to_world(ndimage.center_of_mass(largest(depth > 0.6 * depth.max())))
    away = grid.index_to_world(ndimage.center_of_mass(solid)) - seed
    away[2] = 0.0
    v = unit(away) if np.linalg.norm(away) > 1.0 else np.array([0.0, 1.0, 0.0])
    w = np.array([0.0, 0.0, 1.0])
    return Frame(seed, np.array([np.cross(v, w), v, w]))


def frame_box(share: Float32Array, grid: Grid, frame: Frame) -> tuple[Float32Array, FloatArray, FloatArray, FloatArray]:
    """`share` on a lattice along the frame: array [w, v, u] and its u, v, w coordinates, mm."""
    local = frame.to_local(grid.index_to_world(np.argwhere(share > 0.5)))
    first = np.floor((local.min(axis=0) - 3.0) / STEP_MM).astype(int)
    last = np.ceil((local.max(axis=0) + 3.0) / STEP_MM).astype(int)
    count = last - first + 1
    box = Grid(tuple(count[::-1]), frame.to_world(first * STEP_MM), (STEP_MM,) * 3, frame.rotation.T)
    u, v, w = (STEP_MM * (first[i] + np.arange(count[i])) for i in range(3))
    return resample_mask(share, grid, box), u, v, w


def _look(share: Float32Array, grid: Grid, frame: Frame, level_id: int, *, turn: bool) -> tuple[BodyColumns, Frame]:
    """Measure in a trial frame; also the frame improved by what was seen."""
    turned, u, v, w = frame_box(share, grid, frame)
    bone = turned > 0.5
    hole = _canal_hole(bone, u, v, level_id)
    block = bone & (v < v[hole.any(axis=1)].min() - 0.5)[None, :, None]
    body = largest(ndimage.binary_opening(block, iterations=3))
    area = body.sum(axis=(1, 2))
    if not area.any():
        raise InputError(
            f"no body found anterior of the canal of {LEVEL_NAMES.get(level_id, level_id)}; check the labels",
            code="no_body",
        )
    core = area > 0.5 * np.percentile(area[area > 0], 80)
    foot = largest(body[core].mean(axis=0) > 0.6)
    # the opening found the footprint; the columns themselves keep the corners that it rounds off
    top, bottom = column_ends(largest(block & foot[None]), turned, w)
    rim = ndimage.distance_transform_edt(np.pad(foot, 1))[1:-1, 1:-1] * STEP_MM
    inner = rim > min(4.0, 0.4 * float(rim.max()))
    top_plane, bottom_plane = plane(top, inner, u, v), plane(bottom, inner, u, v)
    slab = np.flatnonzero(foot[:, np.abs(u) <= 4.0].mean(axis=1) > 0.5)
    if len(slab) < 8:
        raise InputError(
            f"the body of {LEVEL_NAMES.get(level_id, level_id)} is only {len(slab) * STEP_MM:.0f} mm deep in the "
            "midsagittal slab; check the labels",
            code="no_body",
            numbers={"depth_mm": len(slab) * STEP_MM},
        )
    front, back = float(v[slab[0]] - 0.5 * STEP_MM), float(v[slab[-1]] + 0.5 * STEP_MM)
    _, i = np.nonzero(foot)
    half_width = 0.5 * float(np.ptp(u[i]) + STEP_MM)
    columns = BodyColumns(frame, u, v, top, bottom, top_plane, bottom_plane, front, back, half_width)
    u0, v0 = float(u[i].mean()), 0.5 * (front + back)
    origin = frame.to_world([u0, v0, 0.5 * float((top_plane + bottom_plane) @ [u0, v0, 1.0])])
    if not turn:
        return columns, Frame(origin, frame.rotation)
    normals = [unit([-p[0], -p[1], 1.0]) for p in (top_plane, bottom_plane)]
    new_w = unit(frame.direction_to_world(normals[0] + normals[1]))
    jh, ih = np.nonzero(hole)
    to_canal = frame.to_world([float(u[ih].mean()), float(v[jh].mean()), 0.0]) - origin
    new_v = unit(to_canal - (to_canal @ new_w) * new_w)
    return columns, Frame(origin, np.array([np.cross(new_v, new_w), new_v, new_w]))


def _canal_hole(bone: BoolArray, u: FloatArray, v: FloatArray, level_id: int) -> BoolArray:
    """The hole of the bony ring behind the body, (v, u): open in most of the slices [w] that have one.

    Where the arch is open (thin lamina, thick slices) the bone is closed step by step until a ring holds.
    """
    zone = (v[:, None] > 4.0) & (np.abs(u)[None, :] < 22.0)
    for closing in _CLOSINGS_MM:
        reach = round(closing / STEP_MM)
        margin = reach + 1
        padded = np.pad(bone, ((0, 0), (margin, margin), (margin, margin)))
        ring = ndimage.binary_closing(padded, _CROSS, iterations=reach) if reach else padded
        holes = np.array([ndimage.binary_fill_holes(one) for one in ring])[:, margin:-margin, margin:-margin]
        holes = largest(ndimage.binary_opening(holes & ~bone & zone, _CROSS, iterations=2))
        rows = np.flatnonzero(holes.sum(axis=(1, 2)) * STEP_MM**2 >= _MIN_HOLE_MM2)
        if len(rows) * STEP_MM >= 3.0:
            return np.asarray(holes[rows].mean(axis=0) >= 0.5)
    raise InputError(
        f"no spinal canal found behind the body of {LEVEL_NAMES.get(level_id, level_id)}: the label has no closed ring "
        f"even after closing gaps of {_CLOSINGS_MM[-1]} mm. Use labels that hold the posterior elements",
        code="no_canal",
    )


def column_ends(body: BoolArray, share: Float32Array, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Top and bottom w (mm) of each column of `body` [w, v, u], where `share` crosses 0.5; NaN where empty."""
    last = body.shape[0] - 1
    filled = body.any(axis=0)
    high = np.where(filled, last - body[::-1].argmax(axis=0), 0)
    low = np.where(filled, body.argmax(axis=0), 0)
    top = w[high] + STEP_MM * _crossing(share, high, np.minimum(high + 1, last))
    bottom = w[low] - STEP_MM * _crossing(share, low, np.maximum(low - 1, 0))
    return np.where(filled, top, np.nan), np.where(filled, bottom, np.nan)


def plane(height: FloatArray, where: BoolArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """Robust plane (a, b, c) of w = a u + b v + c through a height map (v, u)."""
    j, i = np.nonzero(where & np.isfinite(height))
    if len(j) < 20:
        raise InputError("too few end-plate columns were found in the labels; check them", code="no_body")
    terms, z = np.column_stack([u[i], v[j], np.ones(len(i))]), height[j, i]
    weight = np.ones(len(i))
    found: FloatArray = np.zeros(3)
    for _ in range(10):
        found = np.asarray(np.linalg.lstsq(terms * weight[:, None], z * weight, rcond=None)[0], dtype=np.float64)
        residual = z - terms @ found
        scale = 1.4826 * float(np.median(np.abs(residual))) + 0.3
        weight = 1.0 / np.sqrt(1.0 + np.square(residual / scale))
    return found


def _crossing(share: Float32Array, inside: AnyArray, outside: AnyArray) -> FloatArray:
    a = np.take_along_axis(share, inside[None], axis=0)[0].astype(np.float64)
    b = np.take_along_axis(share, outside[None], axis=0)[0].astype(np.float64)
    ok = (a > 0.5) & (b < 0.5)
    return np.where(ok, (a - 0.5) / np.where(ok, a - b, 1.0), 0.5)
