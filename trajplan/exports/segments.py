"""Segments: parts and solids as masks on one grid that holds them all, overlapping where they do in the plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.exports.handover import Handover
from trajplan.exports.solids import Color, solids_of
from trajplan.geometry import Grid
from trajplan.geometry.arrays import AnyArray
from trajplan.parts import PART_NAMES, Part

_MARGIN_VOXELS = 2
PART_COLOR: dict[int, Color] = {
    Part.BODY: (0.94, 0.89, 0.26),
    Part.PEDICLE_LEFT: (0.34, 0.71, 0.91),
    Part.PEDICLE_RIGHT: (0.0, 0.62, 0.45),
    Part.POSTERIOR: (0.0, 0.45, 0.70),
    Part.CANAL: (0.84, 0.37, 0.0),
}


@dataclass(frozen=True)
class Segment:
    """One segment: its label value in its layer, its name and what it is (``part``, ``trocar``, ``balloon``, ...)."""

    name: str
    title: str
    kind: str
    layer: int
    value: int
    color: Color


@dataclass(frozen=True, eq=False)
class Segments:
    """Label maps of all segments.

    Parameters
    ----------
    grid : Grid
        That of the parts, continued until it holds every solid.
    layers : ndarray of uint8, shape (layers, z, y, x)
        Layer 0 holds the parts; each solid has a layer of its own.
    found : tuple of Segment
    """

    grid: Grid
    layers: AnyArray
    found: tuple[Segment, ...]

    def mask(self, segment: Segment) -> AnyArray:
        """Where one segment is, shape (z, y, x)."""
        return np.asarray(self.layers[segment.layer] == segment.value)


def segments_of(handover: Handover) -> Segments:
    """Parts and solids of a plan on one grid."""
    solids, parts = solids_of(handover), handover.parts
    start, stop = np.zeros(3), np.array(parts.grid.shape_zyx) - 1.0
    for solid in solids:
        at = parts.grid.world_to_index(solid.mesh.vertices_lps)
        start, stop = np.minimum(start, at.min(axis=0)), np.maximum(stop, at.max(axis=0))
    first = np.floor(start).astype(int) - _MARGIN_VOXELS
    last = np.ceil(stop).astype(int) + _MARGIN_VOXELS
    grid = parts.grid.cropped(first, last + 1)
    layers = np.zeros((1 + len(solids), *grid.shape_zyx), np.uint8)
    inner = tuple(slice(-f, -f + n) for f, n in zip(first, parts.array.shape, strict=True))
    layers[0][inner] = parts.array
    found = [
        Segment(f"part_{Part(i).name.lower()}", PART_NAMES[i].capitalize(), "part", 0, i, PART_COLOR[i])
        for i in parts.ids()
        if i in PART_NAMES
    ]
    for number, solid in enumerate(solids, start=1):
        at = grid.world_to_index(solid.mesh.vertices_lps)
        low = np.maximum(np.floor(at.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(at.max(axis=0)).astype(int) + 1, grid.shape_zyx)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        layers[number][box] = solid.inside(grid.cropped(low, high).points_lps())
        found.append(Segment(solid.name, solid.title, solid.kind, number, 1, solid.color))
    return Segments(grid, layers, tuple(found))
