"""Evaluating functions given in some frame on the part of an image grid that can matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.grid import Grid
from trajplan_phantoms.shapes import Coordinates, corners
from trajplan_phantoms.spine import Placement, Spine
from trajplan_phantoms.vertebra import Select

Box = tuple[slice, slice, slice]


def world_place(spine: Spine, index: int, world: Placement) -> Placement:
    """Where a vertebra of the spine lies in the world; `world` places the patient."""
    return spine.placements[index].then(world.linear, world.origin)


@dataclass(frozen=True, eq=False)
class Sampler:
    """Own coordinates of the voxel centres of a grid, for something placed in the world."""

    grid: Grid
    place: Placement

    def box(self, lower: FloatArray, upper: FloatArray) -> Box | None:
        """Index slices (z, y, x) that hold a box given in own mm; None where it misses the grid."""
        index = self.grid.world_to_index(self.place.to_patient(corners(lower, upper)))
        start = np.clip(np.floor(index.min(axis=0)).astype(int), 0, self.grid.shape_zyx)
        stop = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, 0, self.grid.shape_zyx)
        if not (stop > start).all():
            return None
        z, y, x = (slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        return z, y, x

    def coordinates(self, box: Box) -> Coordinates:
        """Own (u, v, w) of the voxel centres in a box, three float32 arrays (z, y, x)."""
        step = self.place.linear.T @ self.grid.direction * self.grid.spacing_xyz
        base = self.place.to_own(self.grid.origin_lps)
        k, j, i = (np.arange(s.start, s.stop, dtype=np.float64) for s in box)
        out = []
        for axis in range(3):
            plane = (base[axis] + step[axis, 2] * k[:, None]) + step[axis, 1] * j[None, :]
            out.append((plane[:, :, None] + step[axis, 0] * i).astype(np.float32))
        return out[0], out[1], out[2]

    def select(self, box: Box, margin_mm: float = 6.0) -> Select:
        """A selector of the part of `box` that something within (lower, upper) own mm can reach, blends included."""

        def inside(lower: FloatArray, upper: FloatArray) -> Box | None:
            found = self.box(lower - margin_mm, upper + margin_mm)
            if found is None:
                return None
            part = [
                slice(max(f.start, b.start) - b.start, min(f.stop, b.stop) - b.start)
                for f, b in zip(found, box, strict=True)
            ]
            if any(s.stop <= s.start for s in part):
                return None
            return part[0], part[1], part[2]

        return inside
