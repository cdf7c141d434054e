"""Volumes of the parts of a vertebra, counted on a grid that lies askew."""

from __future__ import annotations

import numpy as np

from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.grid import Grid
from trajplan.parts import Part
from trajplan_phantoms.curve import rotation
from trajplan_phantoms.sampling import Box, Sampler
from trajplan_phantoms.shapes import corners
from trajplan_phantoms.spine import Placement
from trajplan_phantoms.vertebra import Vertebra

_SLAB = 24
_TURN_DEG = (9.0, 13.0, 6.0)
"""No flat end lies along a plane of voxels then."""


def part_volumes(one: Vertebra, step_mm: float) -> dict[Part, float]:
    """Volume, mm3, of every part: voxels of `step_mm` whose centre lies in it."""
    place = Placement(rotation(*_TURN_DEG), np.zeros(3))
    lower, upper = np.minimum(one.box[0], one.canal.bounds()[0]), np.maximum(one.box[1], one.canal.bounds()[1])
    grid = _grid(place, lower, upper, step_mm)
    sampler, count = Sampler(grid, place), np.zeros(max(Part) + 1)
    z, y, x = grid.shape_zyx
    for start in range(0, z, _SLAB):
        box: Box = (slice(start, min(start + _SLAB, z)), slice(0, y), slice(0, x))
        p = sampler.coordinates(box)
        bone = one.value(p, sampler.select(box))
        near = (bone < 0) | (one.canal.value(p) < 0)
        if near.any():
            count += np.bincount(one.parts((p[0][near], p[1][near], p[2][near]), bone[near]), minlength=len(count))
    return {part: float(count[part]) * step_mm**3 for part in Part}


def _grid(place: Placement, lower: FloatArray, upper: FloatArray, step_mm: float) -> Grid:
    turned = place.to_patient(corners(lower, upper))
    return Grid.isotropic(turned.min(axis=0), turned.max(axis=0), step_mm)
