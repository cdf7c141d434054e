"""The CT and the beam in the order a projector walks them, and the virtual image that slices are resampled onto."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.lanes import LANES
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.rays import detector_rays, ends_inside
from trajplan.geometry.arrays import FloatArray

_MARGIN: Final = 3  # virtual samples around the window, for the 4 x 4 kernel of the warp
_ROWS: Final = 32  # of the virtual image, a task's share
_STEEPEST: Final = 0.15  # smallest |cosine| between a ray and d that slices are used for
_NEAREST: Final = 0.02  # slices nearer to the source than this share of its distance to the plane are left out
_ORDERS: Final = ((0, 1, 2), (1, 0, 2), (2, 0, 1))  # (d, p, q) as indices into (x, y, z), by dominant axis


@dataclass(frozen=True, eq=False)
class Layout:
    """CT and source in (d, p, q) order: d the axis closest to the beam; `stride` in voxels of the flat CT."""

    order: tuple[int, int, int]
    stride: tuple[int, int, int]
    count: tuple[int, int, int]
    origin: FloatArray
    spacing: FloatArray
    source: FloatArray
    plane: float

    @property
    def across(self) -> bool:
        """Whether it is the slices that lie side by side in memory."""
        return self.stride[0] == 1

    @property
    def source_index(self) -> FloatArray:
        """(p, q) of the source in voxels."""
        return np.asarray((self.source[1:] - self.origin[1:]) / self.spacing[1:])

    @property
    def depth_mm(self) -> FloatArray:
        """Distance of each slice from the source along d, signed as the axis."""
        return np.asarray(self.origin[0] + np.arange(self.count[0]) * self.spacing[0] - self.source[0])

    @property
    def reach_mm(self) -> float:
        """Distance of the virtual plane from the source along d, signed as the axis."""
        return float(self.plane - self.source[0])

    def seen(self) -> tuple[int, int]:
        """First and end slice in front of the source."""
        found = np.flatnonzero(self.depth_mm / self.reach_mm > _NEAREST)
        return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0)


@dataclass(frozen=True, eq=False)
class VirtualWindow:
    """The virtual image on the plane through the isocentre: first sample and pitch along (p, q), mm; size (p, q)."""

    start: FloatArray
    pitch: FloatArray
    size: tuple[int, int]

    @property
    def end(self) -> FloatArray:
        """Last sample, mm."""
        return np.asarray(self.start + (np.array(self.size) - 1) * self.pitch)


def layout_of(prepared: PreparedVolume, carm: CArm) -> Layout:
    """The order in which `carm` sees the CT."""
    axis = int(np.argmax(np.abs(carm.beam_lps)))
    order, grid = _ORDERS[axis], prepared.volume.grid
    nz, ny, nx = grid.shape_zyx
    stride, size, turn = (1, nx, nx * ny), (nx, ny, nz), list(order)
    return Layout(
        order,
        (stride[order[0]], stride[order[1]], stride[order[2]]),
        (size[order[0]], size[order[1]], size[order[2]]),
        grid.origin_lps[turn],
        grid.spacing_xyz[turn],
        carm.source_lps[turn],
        float(carm.isocenter_lps[axis]),
    )


def can_project(prepared: PreparedVolume, carm: CArm) -> bool:
    """Whether slices can be used: source and detector outside the volume, no ray nearly parallel to the slices."""
    if min(prepared.volume.grid.shape_zyx) < 2 or ends_inside(prepared.volume.grid, carm):
        return False
    axis = int(np.argmax(np.abs(carm.beam_lps)))
    corners = _corner_rays(carm)
    cosine = corners[:, axis] * np.sign(carm.beam_lps[axis]) / np.linalg.norm(corners, axis=1)
    return bool(cosine.min() > _STEEPEST)


def window_of(layout: Layout, carm: CArm, voxels: float) -> VirtualWindow:
    """Bounding rectangle of the four corner rays on the virtual plane, sampled every `voxels` voxels.

    Its size is rounded up to whole vectors along p and to `_ROWS` along q.
    """
    rays = _corner_rays(carm)[:, list(layout.order)]
    hit = layout.source[1:] + rays[:, 1:] * (layout.reach_mm / rays[:, :1])
    low, high = hit.min(axis=0), hit.max(axis=0)
    pitch = voxels * layout.spacing[1:]
    size = np.ceil((high - low) / pitch).astype(int) + 1 + 2 * _MARGIN
    size = -(-size // [LANES, _ROWS]) * [LANES, _ROWS]
    return VirtualWindow(np.asarray(low - _MARGIN * pitch), np.asarray(pitch), (int(size[0]), int(size[1])))


def _corner_rays(carm: CArm) -> FloatArray:
    rows, columns = carm.detector_px
    row, column = np.array([0, 0, rows - 1, rows - 1.0]), np.array([0, columns - 1.0, 0, columns - 1.0])
    return detector_rays(carm).of(row, column)
