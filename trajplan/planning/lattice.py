"""Lattice: wall clearances on a 1 mm grid in the vertebra frame, for trying many paths quickly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, map_coordinates

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray
from trajplan.planning.walls import Wall, WallField

SPACING_MM = 1.0
_LOWER_UVW = np.array([-15.0, -45.0, -40.0])
_UPPER_UVW = np.array([55.0, 70.0, 40.0])
_FAR_MM = 16.0
"""Farther from a wall than this no score changes: 2.5 sigma 60 mm deep, the widest margin and the thickest needle."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Per-point knowledge on a grid whose u axis points to the planned side (so both sides look alike).

    Parameters
    ----------
    origin_uvw : ndarray, shape (3,)
        (side * u, v, w) of lattice point (0, 0, 0), mm.
    walls : ndarray of float32, shape (nu, nv, nw, 7)
        Point clearance by `Wall`, mm; capped at 16 mm; -5 mm outside the bone and its neighbourhood.
    bone, obstacle : ndarray of float32, shape (nu, nv, nw)
        Occupancy of the target's bone, and of other bone.
    pedicle : ndarray of float32
        Occupancy of this side's pedicle.
    """

    origin_uvw: FloatArray
    walls: Float32Array
    bone: Float32Array
    obstacle: Float32Array
    pedicle: Float32Array


def make_lattice(vertebra: Vertebra, field: WallField) -> Lattice:
    """Sample a wall field about one pedicle."""
    axes = [np.arange(lo, hi + 0.5, SPACING_MM) for lo, hi in zip(_LOWER_UVW, _UPPER_UVW, strict=True)]
    local = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    local[..., 0] *= field.side.sign
    world = vertebra.frame.to_world(local)
    shape = world.shape[:-1]
    index = field.grid.world_to_index(world).reshape(-1, 3).T

    def sample(volume: AnyArray) -> Float32Array:
        values = map_coordinates(volume.astype(np.float32), index, order=1, mode="constant", cval=0.0)
        return np.asarray(values.reshape(shape), dtype=np.float32)

    bone = sample(field.bone_field)
    near = binary_dilation(bone >= 0.5, iterations=2)
    walls = np.full((*shape, len(Wall)), -5.0, dtype=np.float32)
    walls[..., Wall.CANAL] = _FAR_MM
    # both ends: an infinite value would turn into NaN between two lattice points
    walls[near] = np.clip(field.point_clearance(world[near], _FAR_MM), -_FAR_MM, _FAR_MM)
    # the canal side must be known beyond the bone too: a path may graze it between two processes
    canal_near = ~near & (sample(field.canal_field) >= 0.01)
    walls[canal_near, Wall.CANAL] = -1.0
    return Lattice(_LOWER_UVW.copy(), walls, bone, sample(vertebra.other_bone), sample(field.pedicle_field))
