"""The fast projector: slices composed into slabs without gathers, slabs merged, one warp to the detector.

Let d be the volume axis closest to the beam, p and q the other two. Seen from the source, slice k and a *virtual
image* on the plane d = isocentre differ by a scale and a shift that are separate in p and q, whatever the C-arm
angle. So:

1. `compose_slabs` adds each group of 16 neighbouring slices on the plane at the middle of the group, on a grid aligned
   with the voxels. The scale is within a percent or two of 1, so a block of 16 grid columns needs one shift and a
   weight that grows evenly along it: every load is of neighbours, and the sum over slices stays in registers. CT
   numbers become attenuation on the way, from the CT's own memory, turned where the beam runs along the rows of the
   CT; four groups are done together then, because a line of memory holds 32 slices and its neighbour comes with it.
2. `merge_slabs` resamples the few planes onto the virtual image (Catmull-Rom, separable), half a voxel fine: what the
   voxels hold is not finer, however many pixels the detector has.
3. `warp_to_detector` reads the virtual image where each ray crosses its plane, times the path length per slice. All
   obliquity and tilt is in this step.

A slice counts with its full thickness along d; across, the outermost voxels fade to nothing within one voxel.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.lanes import LANES
from trajplan.fluoroscopy.layout import Layout, VirtualWindow, layout_of, window_of
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.slab_kernels import compose_slabs, merge_slabs
from trajplan.fluoroscopy.warp import to_detector
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray

_PLANES: Final = (2, 4)  # of 16 slices each, composed together; more where slices lie side by side in memory
_LINE: Final = 32  # voxels in a line of memory
_FIRST_LINE: Final = 24  # first voxel at which a line begins: large arrays start 16 bytes behind one (glibc)
_FINENESS: Final = 0.5  # of the virtual image, in voxels
_LANE: Final = np.arange(LANES, dtype=np.float32)


def slab_line_integral(prepared: PreparedVolume, carm: CArm) -> Float32Array:
    """Line integrals (rows, columns) float32 by slab compositing; `layout.can_project` says when it may be called."""
    layout = layout_of(prepared, carm)
    window = window_of(layout, carm, _FINENESS)
    planes = _PLANES[layout.across]
    ratios, slabs, scale = _slabs(layout, window, planes)
    virtual = np.zeros((window.size[1], window.size[0]), dtype=np.float32)
    if len(slabs):
        width = -(-int(slabs[:, 4].max()) // LANES) * LANES
        stack = np.empty((len(slabs) * planes, int(slabs[:, 5].max()), width), dtype=np.float32)
        stride, count, source = layout.stride, layout.count, layout.source_index
        compose_slabs(
            prepared.hu, layout.across, *stride[:1], stride[2], stride[1], count[1], count[2], slabs, planes,
            float(source[0]), float(source[1]), ratios, prepared.curve.kernel, _LANE, stack,
        )  # fmt: skip
        first = np.repeat(slabs[:, 2:4], planes, axis=0)
        sizes = np.repeat(slabs[:, 4:6], planes, axis=0) * (scale > 0)[:, None]
        merge_slabs(stack, sizes, *(_places(layout, window, scale, first[:, axis], axis) for axis in (0, 1)), virtual)
    return to_detector(virtual, layout, window, carm)


def _slabs(layout: Layout, window: VirtualWindow, planes: int) -> tuple[FloatArray, AnyArray, FloatArray]:
    """Depth of each slice over that of its plane; the table of `compose_slabs`; scale of each plane, 0 if empty."""
    depth, reach = layout.depth_mm, layout.reach_mm
    begin, end = layout.seen()
    ratios = np.ones(layout.count[0])
    rows: list[list[int]] = []
    scales: list[float] = []
    source = layout.source_index
    edge = np.array([window.start, window.end])
    faces = np.array([[-1.0, -1.0], [layout.count[1], layout.count[2]]])
    lead = (_FIRST_LINE - begin) % _LINE if layout.across else 0
    starts = [begin] * (lead > 0) + list(range(begin + lead, end, planes * LANES))
    for k0, k1 in zip(starts, [*starts[1:], end], strict=True):
        low, high = np.full(2, np.inf), np.full(2, -np.inf)
        plane_scales = [0.0] * planes
        for plane, first in enumerate(range(k0, k1, LANES)):
            last = min(first + LANES, k1)
            middle = 0.5 * (depth[first] + depth[last - 1])
            ratios[first:last] = depth[first:last] / middle
            scale = plane_scales[plane] = float(middle / reach)
            asked = (layout.source[1:] + (edge - layout.source[1:]) * scale - layout.origin[1:]) / layout.spacing[1:]
            filled = np.concatenate([source + (faces - source) / ratios[k] for k in (first, last - 1)])
            low = np.minimum(low, np.maximum(np.floor(asked[0]) - 2, np.floor(filled.min(axis=0)) - 2))
            high = np.maximum(high, np.minimum(np.ceil(asked[1]) + 3, np.ceil(filled.max(axis=0)) + 3))
        size = (high - low).astype(int)
        if (size >= 4).all():
            rows.append([k0, k1, int(low[0]), int(low[1]), int(size[0]), int(size[1])])
            scales += plane_scales
    return ratios, np.array(rows, dtype=np.int64).reshape(-1, 6), np.array(scales)


def _places(layout: Layout, window: VirtualWindow, scale: FloatArray, first: AnyArray, axis: int) -> FloatArray:
    """Position on each plane of the first virtual sample along p (axis 0) or q (axis 1), and step, (planes, 2)."""
    source, origin, spacing = layout.source[1 + axis], layout.origin[1 + axis], layout.spacing[1 + axis]
    start = (source + (window.start[axis] - source) * scale - origin) / spacing - first
    return np.stack([start, window.pitch[axis] * scale / spacing], axis=1)
