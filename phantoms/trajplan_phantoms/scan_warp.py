"""The map of a fracture on a real scan: along w only, piecewise linear in every column, so its inverse is exact.

Because nothing moves sideways, the Jacobian determinant is the slope of the column's map; it is positive everywhere as
long as no two knots change places, whatever the displacement does from one column to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.frame import Frame
from trajplan.geometry.grid import Grid
from trajplan.geometry.volume import LabelMap, Volume
from trajplan_phantoms.fracture import ANTERIOR_COLUMN, CRUSH_POSTERIOR_SHARE, POSTERIOR_COLUMN
from trajplan_phantoms.scan_body import STEP_MM, BodyColumns
from trajplan_phantoms.warp_kernels import pull_labels, pull_volume, shift_points

PLATE_MM = 1.5
"""Half of the layer about each end plate that moves as one, so that plates are neither thinned nor doubled."""
PLATE_OF_NEIGHBOUR_MM = 1.0
MIN_GAP_MM = 0.6
WANTED_SLOPE = 0.35
"""Discs and joint spaces are not squeezed to less than this share, if a choice of tilts allows it."""
LEAST_SLOPE = 0.12
SIDE_MM, FRONT_MM, BACK_MM = (48.0, 105.0), (70.0, 130.0), (65.0, 100.0)
"""From the body: up to here what lies above moves wholly, from there on not at all."""
PEDICLE_INNER_MM, PEDICLE_OUTER_MM = 7.0, 10.0
_TILTS = ((0.6, 0.6), (0.7, 0.6), (0.8, 0.7), (0.9, 0.8), (1.0, 0.9), (1.0, 1.0))
"""Share of the fracture's tilt that the next vertebra above takes, and the factor from there to each further one."""


@dataclass(frozen=True, eq=False)
class Neighbour:
    """End-plate planes (a, b, c) of a vertebra in the target's frame: w = a u + b v + c."""

    bottom: FloatArray
    top: FloatArray


@dataclass(frozen=True, eq=False)
class ScanWarp:
    """Knots of the map along w on a (v, u) lattice of a frame.

    Attributes
    ----------
    frame : Frame
        Of the fractured vertebra.
    start_uv : ndarray, shape (2,)
        First node of the lattice, mm; its spacing is `STEP_MM`.
    before_mm, after_mm : ndarray, shape (V, U, K)
        w of the knots in the scan and in the fractured scan; below the first one nothing moves.
    """

    frame: Frame
    start_uv: FloatArray
    before_mm: FloatArray
    after_mm: FloatArray

    def to_fractured(self, points_lps: ArrayLike) -> FloatArray:
        """Where points (..., 3) of the scan lie after the fracture, LPS mm."""
        return self._along(points_lps, self.before_mm, self.after_mm)[0]

    def to_source(self, points_lps: ArrayLike) -> FloatArray:
        """Where points (..., 3) of the fractured scan lay before, LPS mm; the exact inverse of `to_fractured`."""
        return self._along(points_lps, self.after_mm, self.before_mm)[0]

    def jacobian(self, points_lps: ArrayLike) -> FloatArray:
        """Determinant of the derivative of `to_fractured` at points (..., 3) of the scan."""
        return self._along(points_lps, self.before_mm, self.after_mm)[1]

    def _along(self, points_lps: ArrayLike, given: FloatArray, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
        points = np.asarray(points_lps, dtype=np.float64)
        local = np.ascontiguousarray(self.frame.to_local(points).reshape(-1, 3))
        move, slope = shift_points(local, self.start_uv, STEP_MM, given, wanted)
        shape = points.shape[:-1]
        return points + move.reshape(*shape, 1) * self.frame.w, slope.reshape(shape)

    @property
    def slopes(self) -> FloatArray:
        """Determinants between the knots of every column, shape (V, U, K - 1)."""
        return np.asarray(np.diff(self.after_mm, axis=-1) / np.diff(self.before_mm, axis=-1))

    def fractured_volume(self, ct: Volume) -> Volume:
        """The CT after the fracture, linear; what comes from beyond the scan is its lowest value."""
        out = np.empty_like(ct.array)
        whole = bool(np.issubdtype(ct.array.dtype, np.integer))
        pull_volume(ct.array, out, *self._placed(ct.grid), self.start_uv, STEP_MM, self.after_mm, self.before_mm,
                    float(ct.array.min()), whole)  # fmt: skip
        return Volume(out, ct.grid)

    def fractured_labels(self, labels: LabelMap) -> LabelMap:
        """The labels after the fracture; in every voxel the label with the largest linear share."""
        out = np.empty_like(labels.array)
        pull_labels(
            labels.array, out, *self._placed(labels.grid), self.start_uv, STEP_MM, self.after_mm, self.before_mm
        )
        return LabelMap(out, labels.grid, labels.names)

    def _placed(self, grid: Grid) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Index (z, y, x) to the frame: matrix and offset; and one mm along w in index units."""
        offset = self.frame.to_local(grid.index_to_world(np.zeros(3)))
        linear = (self.frame.to_local(grid.index_to_world(np.eye(3))) - offset).T
        along = grid.world_to_index(self.frame.w) - grid.world_to_index(np.zeros(3))
        return np.ascontiguousarray(linear), np.ascontiguousarray(offset), np.ascontiguousarray(along)


def build_warp(
    body: BodyColumns, kind: str, loss: float, above: Sequence[Neighbour], below: Neighbour
) -> tuple[ScanWarp, float]:
    """The map of a fracture, and how far what lies far above moves down, mm.

    Parameters
    ----------
    body : BodyColumns
        Of the target.
    kind : {"wedge", "biconcave", "crush"}
    loss : float
        0..0.8 of the anterior (wedge, crush) or middle (biconcave, crush) height; see `Fracture`.
    above : sequence of Neighbour
        The vertebrae above, nearest first; at least one.
    below : Neighbour
    """
    u = STEP_MM * np.arange(-np.ceil((SIDE_MM[1] + 2) / STEP_MM), np.ceil((SIDE_MM[1] + 2) / STEP_MM) + 1)
    first, last = body.front_mm - FRONT_MM[1] - 2.0, body.back_mm + BACK_MM[1] + 2.0
    v = STEP_MM * np.arange(np.floor(first / STEP_MM), np.ceil(last / STEP_MM) + 1)
    top = _extended(body, body.top_mm, body.top_plane, u, v)
    bottom = _extended(body, body.bottom_mm, body.bottom_plane, u, v)
    height = np.maximum(top - bottom, 4.0)
    down, up = _drops(body, kind, loss, u, v, height)
    fit = _affine(body, down, u, v) if kind != "biconcave" else np.zeros(3)
    tilted = _plane_at(fit, body, u, v, 5.0, 5.0)
    mean = float(fit @ [0.0, body.middle_mm, 1.0])
    share = _share_of_body(body, u, v)
    reach = _reach(body, u, v)
    candidates = []
    for tilt, factor in _TILTS:
        before, moved = _knots(body, u, v, (bottom, top), (down, up), above, below, share, [
            mean + tilt * factor**k * (tilted - mean) for k in range(len(above))
        ])  # fmt: skip
        after = before + moved * reach[..., None]
        candidates.append(ScanWarp(body.frame, np.array([u[0], v[0]]), before, np.ascontiguousarray(after)))
        # the layers of the body itself (knots 1..4) follow the request and do not depend on the tilt
        squeezed = float(candidates[-1].slopes[..., 4:].min())
        if squeezed >= WANTED_SLOPE:
            return candidates[-1], mean
    best = max(candidates, key=lambda one: float(one.slopes[..., 4:].min()))
    return _unfolded(best), mean


def _unfolded(warp: ScanWarp) -> ScanWarp:
    """Above the body, lift knots that would come closer than `LEAST_SLOPE`: narrow joints give way, only there."""
    after = warp.after_mm.copy()
    for k in range(5, after.shape[-1]):
        room = LEAST_SLOPE * (warp.before_mm[..., k] - warp.before_mm[..., k - 1])
        after[..., k] = np.maximum(after[..., k], after[..., k - 1] + room)
    return ScanWarp(warp.frame, warp.start_uv, warp.before_mm, after)


def _knots(
    body: BodyColumns, u: FloatArray, v: FloatArray, plates: tuple[FloatArray, FloatArray],
    drops: tuple[FloatArray, FloatArray], above: Sequence[Neighbour], below: Neighbour, share: FloatArray,
    moves: Sequence[FloatArray],
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Knots (V, U, K) bottom to top and how far each moves up, mm."""
    bottom, top = plates
    down, up = drops[0] * share, drops[1] * share
    height = top - bottom
    # a layer about each plate moves as one, as thick as leaves the inside a sixth of its height
    layer = np.clip(0.5 * (height - (down + up) / 0.85), 0.1, PLATE_MM)
    zero = np.zeros_like(top)
    places = [_plane_at(below.top, body, u, v) + PLATE_OF_NEIGHBOUR_MM, bottom - layer, bottom + layer]
    places += [top - layer, top + layer]
    shifts = [zero, up, up, -down, -down]
    places[0] = np.minimum(places[0], places[1] - 2.0)
    typical = float(np.median(height))
    for neighbour, move in zip(above, moves, strict=True):
        # behind the body the arch of the upper vertebra hangs lower: the gap closes between the pedicles
        raised = (1.0 - share) * 0.45 * typical
        places += [_plane_at(neighbour.bottom, body, u, v) - PLATE_OF_NEIGHBOUR_MM + raised,
                   _plane_at(neighbour.top, body, u, v) + PLATE_OF_NEIGHBOUR_MM]  # fmt: skip
        shifts += [-move, -move]
    for index in range(1, len(places)):
        places[index] = np.maximum(places[index], places[index - 1] + (MIN_GAP_MM if index < 5 else 1.2))
    return np.stack(places, axis=-1), np.stack(shifts, axis=-1)


def _drops(
    body: BodyColumns, kind: str, loss: float, u: FloatArray, v: FloatArray, height: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How far the superior plate comes down and the inferior one up, (V, U) mm; the kinds of `Fracture`."""
    depth, (at, across) = body.depth_mm, np.meshgrid(v - body.middle_mm, u, indexing="ij")
    front, back = ANTERIOR_COLUMN * depth, POSTERIOR_COLUMN * depth
    zero = np.zeros_like(height)
    measured = body.top_mm - body.bottom_mm
    if kind == "wedge":
        along = np.clip((back - at) / (back - front), 0.0, 1.1)
        return np.minimum(along**1.2 * loss * column_height(body, measured, front), 0.88 * height), zero
    if kind == "biconcave":
        radius2 = np.square(across / (0.88 * body.half_width_mm)) + np.square(at / back)
        bump = np.square(np.maximum(1.0 - radius2, 0.0)) * (0.5 * loss * column_height(body, measured, 0.0))
        bump = np.minimum(bump, 0.44 * height)
        return bump, bump
    share = np.clip(at / back, 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    return height * ((1.0 - (1.0 - CRUSH_POSTERIOR_SHARE) * share) * loss), zero


def column_height(body: BodyColumns, height: FloatArray, at_mm: float) -> float:
    """Median height of the body's columns |u| <= 4 mm, 1.2 mm about `at_mm` behind the middle of the body."""
    rows = np.abs(body.v_mm - body.middle_mm - at_mm) <= 1.2
    return float(np.nanmedian(height[np.ix_(rows, np.abs(body.u_mm) <= 4.0)]))


def _extended(body: BodyColumns, ends: FloatArray, fit: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """An end plate on the whole lattice: its plane, and about the footprint what the plate differs from it."""
    rest = ends - (body.v_mm[:, None] * fit[1] + body.u_mm[None, :] * fit[0] + fit[2])
    known = np.isfinite(rest)
    j0, i0 = round(float(body.v_mm[0] - v[0]) / STEP_MM), round(float(body.u_mm[0] - u[0]) / STEP_MM)
    amount, weight = np.zeros((len(v), len(u))), np.zeros((len(v), len(u)))
    window = (slice(j0, j0 + len(body.v_mm)), slice(i0, i0 + len(body.u_mm)))
    amount[window], weight[window] = np.where(known, rest, 0.0), known
    smooth = [ndimage.gaussian_filter(one, 1.0 / STEP_MM) for one in (amount, weight)]
    wide = [ndimage.gaussian_filter(one, 4.0 / STEP_MM) for one in (amount, weight)]
    near = smooth[0] / np.maximum(smooth[1], 1e-6)
    far = wide[0] / (wide[1] + 0.05)
    return np.asarray(_plane_at(fit, body, u, v, 8.0, 8.0) + far + smooth[1] * (near - far))


def _plane_at(
    fit: FloatArray, body: BodyColumns, u: FloatArray, v: FloatArray, front_mm: float = 25.0, back_mm: float = 40.0
) -> FloatArray:
    """A plane on the lattice, (V, U), level beyond some mm before and behind and 1.5 half widths beside the body."""
    side = 1.5 * body.half_width_mm
    clipped = np.clip(v, body.front_mm - front_mm, body.back_mm + back_mm)
    return np.asarray(fit[0] * np.clip(u, -side, side)[None, :] + fit[1] * clipped[:, None] + fit[2])


def _affine(body: BodyColumns, values: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """Least-squares plane of a (V, U) map over the footprint's box."""
    rows = (v >= body.front_mm) & (v <= body.back_mm)
    columns = np.abs(u) <= 0.8 * body.half_width_mm
    at, across = np.meshgrid(v[rows], u[columns], indexing="ij")
    terms = np.column_stack([across.ravel(), at.ravel(), np.ones(at.size)])
    return np.asarray(np.linalg.lstsq(terms, values[np.ix_(rows, columns)].ravel(), rcond=None)[0], dtype=np.float64)


def _share_of_body(body: BodyColumns, u: FloatArray, v: FloatArray) -> FloatArray:
    """1 in the body, 0 in arch and pedicles, which keep their shape; across the canal it falls more slowly."""
    lateral = smoothstep((np.abs(u) - PEDICLE_INNER_MM) / (PEDICLE_OUTER_MM - PEDICLE_INNER_MM))[None, :]
    behind = (v - body.back_mm)[:, None]
    start, length = -4.0 * lateral, 10.0 - 3.0 * lateral
    return np.asarray(1.0 - smoothstep((behind - start) / length))


def _reach(body: BodyColumns, u: FloatArray, v: FloatArray) -> FloatArray:
    """1 about the spine, falling to 0 towards flanks, front and skin."""
    side = 1.0 - smoothstep((np.abs(u) - SIDE_MM[0]) / (SIDE_MM[1] - SIDE_MM[0]))
    front = 1.0 - smoothstep((body.front_mm - v - FRONT_MM[0]) / (FRONT_MM[1] - FRONT_MM[0]))
    back = 1.0 - smoothstep((v - body.back_mm - BACK_MM[0]) / (BACK_MM[1] - BACK_MM[0]))
    return np.asarray((front * back)[:, None] * side[None, :])


def smoothstep(x: AnyArray) -> FloatArray:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(x, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))
