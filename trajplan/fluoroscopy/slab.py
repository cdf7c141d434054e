"""The fast projector: slices composed into slabs without gathers, slabs merged, one warp to the detector.

Let d be the volume axis closest to the beam, p and q the other two, p the one contiguous in memory. Seen from the
source, slice k and a *virtual image* on the plane d = isocentre differ by a scale and a shift that are separate in p
and q, whatever the C-arm angle. So:

1. `compose_slabs` adds each group of 16 neighbouring slices on the plane at the middle of the group, on a grid aligned
   with the voxels. The scale is within a percent or two of 1, so the source index minus the grid index stays constant
   over long runs and every inner loop walks memory in order. Rows are the outer loop and slices the inner one: for a
   beam along y the sixteen rows then lie side by side in memory (AP 30 -> 24 CPU ms for this step, and no need to pad
   rows).
2. `merge_slabs` resamples the few slab planes onto the virtual image (Catmull-Rom, separable).
3. `warp_to_detector` reads the virtual image where each ray crosses its plane, times the path length per slice. All
   obliquity and tilt is in this step.

A slice counts with its full thickness along d; across, voxels reach to their outer faces, as in the exact projector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.rays import detector_rays, ends_inside
from trajplan.fluoroscopy.slab_kernels import compose_slabs, merge_slabs, warp_to_detector
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray

_SLICES = 16
_MARGIN = 3  # virtual samples around the window, for the 4 x 4 kernel of the warp
_STEEPEST = 0.15  # smallest |cosine| between a ray and d that the method is used for
_ORDERS = ((0, 1, 2), (1, 0, 2), (2, 0, 1))  # (d, p, q) as indices into (x, y, z), by dominant axis


@dataclass(frozen=True, eq=False)
class _Layout:
    """The volume and the beam in (d, p, q) order."""

    order: tuple[int, int, int]
    voxels: AnyArray
    stride_d: int
    stride_q: int
    count: tuple[int, int, int]
    origin: FloatArray
    spacing: FloatArray
    source: FloatArray
    plane: float


def can_project(prepared: PreparedVolume, carm: CArm) -> bool:
    """Whether the slab method holds: source and detector outside the volume, no ray nearly parallel to the slices."""
    if min(prepared.volume.grid.shape_zyx) < 2 or ends_inside(prepared.volume.grid, carm):
        return False
    rays = detector_rays(carm)
    axis = int(np.argmax(np.abs(carm.beam_lps)))
    corners = _corner_rays(carm)
    cosine = corners[:, axis] * np.sign(carm.beam_lps[axis]) / np.linalg.norm(corners, axis=1)
    return bool(cosine.min() > _STEEPEST and np.isfinite(rays.source).all())


def slab_line_integral(prepared: PreparedVolume, carm: CArm) -> Float32Array:
    """Line integrals (rows, columns) float32 by slab compositing; see `can_project` for when it may be called."""
    layout = _layout(prepared, carm)
    rays = detector_rays(carm)
    turn = list(layout.order)
    window = _window(layout, carm)
    ratios, slabs, scale = _slabs(layout, window)
    virtual = np.zeros((window.shape[1], window.shape[0]), dtype=np.float32)
    if len(slabs):
        stack = np.empty((len(slabs), max(4, slabs[:, 5].max()), max(4, slabs[:, 4].max())), dtype=np.float32)
        source = (layout.source[1:] - layout.origin[1:]) / layout.spacing[1:]
        compose_slabs(
            layout.voxels, layout.stride_d, layout.stride_q, layout.count[1], layout.count[2], slabs,
            float(source[0]), float(source[1]), ratios, stack,
        )  # fmt: skip
        column_at = _slab_index(layout, window, scale, slabs, 0)
        row_at = _slab_index(layout, window, scale, slabs, 1)
        first, taps = _taps(column_at, slabs[:, 4])
        merge_slabs(stack, slabs, first, taps, row_at, virtual)
    out = np.empty(carm.detector_px, dtype=np.float32)
    warp_to_detector(
        virtual, layout.source, rays.corner[turn], rays.row_step[turn], rays.column_step[turn], layout.plane,
        float(window.start[0]), float(window.pitch[0]), float(window.start[1]), float(window.pitch[1]),
        float(prepared.mu_per_count * layout.spacing[0]), out,
    )  # fmt: skip
    return out


def _layout(prepared: PreparedVolume, carm: CArm) -> _Layout:
    axis = int(np.argmax(np.abs(carm.beam_lps)))
    order = _ORDERS[axis]
    grid = prepared.volume.grid
    nz, ny, nx = grid.shape_zyx
    stride_d, stride_q = ((nz * ny, ny), (nx, ny * nx), (ny * nx, nx))[axis]
    size = (nx, ny, nz)
    turn = list(order)
    return _Layout(
        order,
        (prepared.xzy if axis == 0 else prepared.zyx).reshape(-1),
        stride_d,
        stride_q,
        (size[order[0]], size[order[1]], size[order[2]]),
        grid.origin_lps[turn],
        grid.spacing_xyz[turn],
        carm.source_lps[turn],
        float(carm.isocenter_lps[axis]),
    )


@dataclass(frozen=True, eq=False)
class _Window:
    """The virtual image: first sample and pitch along (p, q), mm, and its size (p, q)."""

    start: FloatArray
    pitch: FloatArray
    shape: tuple[int, int]

    @property
    def end(self) -> FloatArray:
        return np.asarray(self.start + (np.array(self.shape) - 1) * self.pitch)


def _corner_rays(carm: CArm) -> FloatArray:
    rows, columns = carm.detector_px
    row, column = np.array([0, 0, rows - 1, rows - 1.0]), np.array([0, columns - 1.0, 0, columns - 1.0])
    return detector_rays(carm).of(row, column)


def _window(layout: _Layout, carm: CArm) -> _Window:
    """Bounding rectangle, on the virtual plane, of the four corner rays of the detector."""
    rays = _corner_rays(carm)[:, list(layout.order)]
    hit = layout.source[1:] + rays[:, 1:] * ((layout.plane - layout.source[0]) / rays[:, :1])
    low, high = hit.min(axis=0), hit.max(axis=0)
    beam = carm.beam_lps[list(layout.order)]
    stretch = np.hypot(beam[0], beam[1:]) / abs(beam[0])  # an oblique ray spreads pixels on the plane
    # no coarser than half a voxel, or the second interpolation would blur what a coarse detector samples sharply
    pitch = np.minimum(carm.pixel_mm / carm.magnification * stretch, 0.5 * layout.spacing[1:])
    size = np.ceil((high - low) / pitch).astype(int) + 1 + 2 * _MARGIN
    return _Window(np.asarray(low - _MARGIN * pitch), np.asarray(pitch), (int(size[0]), int(size[1])))


def _slabs(layout: _Layout, window: _Window) -> tuple[FloatArray, AnyArray, FloatArray]:
    """Depth of slices over that of their slab plane; the slab table of `compose_slabs`; scale of each slab plane."""
    depth = layout.origin[0] + np.arange(layout.count[0]) * layout.spacing[0] - layout.source[0]
    reach = layout.plane - layout.source[0]
    seen = np.flatnonzero(depth / reach > 0.02)  # behind the source, or so near that the box would hold it
    ratios = np.ones(layout.count[0])
    rows: list[list[int]] = []
    scales: list[float] = []
    if not len(seen):
        return ratios, np.zeros((0, 6), dtype=np.int64), np.zeros(0)
    source = (layout.source[1:] - layout.origin[1:]) / layout.spacing[1:]
    edge = np.array([window.start, window.end])
    for k0 in range(int(seen[0]), int(seen[-1]) + 1, _SLICES):
        k1 = min(k0 + _SLICES, int(seen[-1]) + 1)
        middle = 0.5 * (depth[k0] + depth[k1 - 1])
        ratios[k0:k1] = depth[k0:k1] / middle
        scale = middle / reach
        asked = (layout.source[1:] + (edge - layout.source[1:]) * scale - layout.origin[1:]) / layout.spacing[1:]
        faces = np.array([[-0.5, -0.5], [layout.count[1] - 0.5, layout.count[2] - 0.5]])
        filled = np.concatenate([source + (faces - source) / ratios[k] for k in (k0, k1 - 1)])
        low = np.maximum(np.floor(asked[0]) - 2, np.floor(filled.min(axis=0)) - 3).astype(int)
        high = np.minimum(np.ceil(asked[1]) + 3, np.ceil(filled.max(axis=0)) + 4).astype(int)
        size = np.maximum(high - low, 0)
        if (size >= 4).all():
            rows.append([k0, k1, int(low[0]), int(low[1]), int(size[0]), int(size[1])])
            scales.append(float(scale))
    return ratios, np.array(rows, dtype=np.int64).reshape(-1, 6), np.array(scales)


def _slab_index(layout: _Layout, window: _Window, scale: FloatArray, slabs: AnyArray, axis: int) -> FloatArray:
    """Position on each slab grid of each virtual sample along p (axis 0) or q (axis 1), shape (slabs, samples)."""
    place = window.start[axis] + np.arange(window.shape[axis]) * window.pitch[axis]
    source = layout.source[1 + axis]
    world = source + (place - source) * scale[:, None]
    return np.asarray((world - layout.origin[1 + axis]) / layout.spacing[1 + axis] - slabs[:, 2 + axis, None])


def _taps(at: FloatArray, size: AnyArray) -> tuple[AnyArray, Float32Array]:
    """First of four slab columns and the Catmull-Rom weights, zero where a sample lies outside the slab."""
    whole = np.floor(at)
    inside = (whole >= 1) & (whole <= size[:, None] - 3)
    first = np.where(inside, whole - 1, 0).astype(np.uint32)
    f = np.where(inside, at - whole, 0.0)
    g = 1.0 - f
    weights = np.stack(
        [-0.5 * f * g * g, 1 + f * f * (1.5 * f - 2.5), 1 + g * g * (1.5 * g - 2.5), -0.5 * g * f * f], axis=1
    )
    return first, np.ascontiguousarray(weights * inside[:, None, :], dtype=np.float32)
