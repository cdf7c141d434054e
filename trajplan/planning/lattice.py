"""Lattice: wall clearances on a 1 mm grid in the vertebra frame, for trying many paths quickly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numba as nb
import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray
from trajplan.planning.kernels import between
from trajplan.planning.walls import Wall, WallField
from trajplan.threads import each

SPACING_MM = 1.0
_BEHIND_MM = np.array([-12.0, -12.0, -30.0])
_BEYOND_MM = np.array([27.0, 38.0, 21.0])
"""The box reaches this far from the isthmus, and forward to the end of the body."""

_FAR_MM = 16.0
"""Farther from a wall than this no score changes: 2.5 sigma 60 mm deep, the widest margin and the thickest needle."""

_BEYOND_MM2 = (_FAR_MM + 4.0) ** 2
"""Samples farther than that from a node are not looked for."""

_CANAL = int(Wall.CANAL)

FACET = len(Wall)
"""Kind of the samples of other bone (the level above, ribs), after those of the walls."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Per-point knowledge on a grid whose u axis points to the planned side (so both sides look alike).

    Parameters
    ----------
    origin_uvw : ndarray, shape (3,)
        (side * u, v, w) of lattice point (0, 0, 0), mm.
    walls : ndarray of float32, shape (nu, nv, nw, 8)
        Point clearance by `Wall`, mm; capped at 16 mm.
    bone, obstacle : ndarray of float32, shape (nu, nv, nw)
        Occupancy of the target's bone, and of other bone.
    pedicle : ndarray of float32
        Occupancy of the zone of the paths: this side's pedicle, or the body for extrapedicular ones.
    guard_mm : float
        What the clearances were lowered by so as never to flatter.
    """

    origin_uvw: FloatArray
    walls: Float32Array
    bone: Float32Array
    obstacle: Float32Array
    pedicle: Float32Array
    guard_mm: float = 0.0

    @cached_property
    def cell_mm(self) -> Float32Array:
        """The least clearance to any wall at the eight corners of each cell, mm, (nu - 1, nv - 1, nw - 1)."""
        return np.asarray(_least_of_cells(self.walls))


def index_of_side(field: WallField, vertebra: Vertebra) -> tuple[FloatArray, FloatArray]:
    """Matrix (3, 3) and offset (3,) from (side * u, v, w) mm to (z, y, x) indices of the parts' grid."""
    flip = np.array([field.side.sign, 1.0, 1.0])
    origin = field.grid.world_to_index(vertebra.frame.to_world(np.zeros(3)))
    columns = field.grid.world_to_index(vertebra.frame.to_world(np.eye(3) * flip)) - origin
    return np.ascontiguousarray(columns.T), np.asarray(origin)


def make_lattice(vertebra: Vertebra, field: WallField) -> Lattice:
    """Sample a wall field about one pedicle."""
    flip = np.array([field.side.sign, 1.0, 1.0])
    isthmus = vertebra.frame.to_local(vertebra.pedicles[field.side].isthmus_center_lps) * flip
    lower = isthmus + _BEHIND_MM
    lower[0] = min(lower[0], -12.0)
    lower[1] = min(field.samples_uvw[:, 1].min(), lower[1]) - 2.0
    lower = np.floor(lower)
    shape = tuple(int(n) for n in np.ceil(isthmus + _BEYOND_MM - lower) + 1)
    to_index, at_index = index_of_side(field, vertebra)

    def sample(volume: AnyArray) -> Float32Array:
        return np.asarray(_sampled(volume, to_index, at_index, lower, shape))

    bone, canal = sample(field.bone_field), sample(field.canal_field)
    guard = field.distances[Wall.CANAL].guard_mm
    by_kind = _nearest(field.samples_uvw - lower, field.kinds, len(Wall), shape)
    distance = np.ascontiguousarray(np.moveaxis(by_kind, 0, -1))
    walls = _signed(distance, bone, canal, np.float32(field.distances[Wall.CANAL].reach_mm ** 2), np.float32(guard))
    obstacle = sample(vertebra.other_bone.astype(np.float32))
    return Lattice(lower, walls, bone, obstacle, sample(field.zone_field), guard)


@nb.njit(cache=True, nogil=True)
def _least_of_cells(walls):  # type: ignore[no-untyped-def]
    """The least value at the corners of each cell of a lattice (nu, nv, nw, walls), (nu - 1, nv - 1, nw - 1)."""
    nx, ny, nz, count = walls.shape
    least = np.empty((nx, ny, nz), dtype=np.float32)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                value = walls[i, j, k, 0]
                for w in range(1, count):
                    value = min(value, walls[i, j, k, w])
                least[i, j, k] = value
    out = np.empty((nx - 1, ny - 1, nz - 1), dtype=np.float32)
    for i in range(nx - 1):
        for j in range(ny - 1):
            for k in range(nz - 1):
                value = least[i, j, k]
                for n in range(1, 8):
                    value = min(value, least[i + n // 4, j + n // 2 % 2, k + n % 2])
                out[i, j, k] = value
    return out


def zone_on(lattice: Lattice, vertebra: Vertebra, field: WallField) -> Float32Array:
    """The zone of another route on a lattice that was made before."""
    to_index, at_index = index_of_side(field, vertebra)
    return np.asarray(_sampled(field.zone_field, to_index, at_index, lattice.origin_uvw, lattice.bone.shape))


@nb.njit(cache=True, nogil=True)
def _sampled(volume, to_index, at_index, lower, shape):  # type: ignore[no-untyped-def]
    """A (z, y, x) volume on the lattice, (nu, nv, nw) float32."""
    out = np.empty(shape, dtype=np.float32)
    for k in range(shape[2]):  # rows of the volume lie along u, more or less
        for j in range(shape[1]):
            for i in range(shape[0]):
                x, y, z = lower[0] + i, lower[1] + j, lower[2] + k
                out[i, j, k] = between(
                    volume,
                    to_index[0, 0] * x + to_index[0, 1] * y + to_index[0, 2] * z + at_index[0],
                    to_index[1, 0] * x + to_index[1, 1] * y + to_index[1, 2] * z + at_index[1],
                    to_index[2, 0] * x + to_index[2, 1] * y + to_index[2, 2] * z + at_index[2],
                )
    return out


@nb.njit(cache=True, nogil=True)
def _signed(distance, bone, canal, reach2, guard):  # type: ignore[no-untyped-def]
    """Clearances from the distances to the nearest samples, as `WallField.point_clearance`; capped at 16 mm."""
    nu, nv, nw, count = distance.shape
    far, none = np.float32(_FAR_MM), np.float32(0.0)
    out = np.empty(distance.shape, dtype=np.float32)
    for i in range(nu):
        for j in range(nv):
            for k in range(nw):
                left = -1
                if bone[i, j, k] < 0.5:
                    # out of the bone: beyond the nearest of its walls, and beyond that one only
                    left = 0
                    for w in range(1, count):
                        if w < _CANAL and distance[i, j, k, w] < distance[i, j, k, left]:
                            left = w
                for w in range(count):
                    d = distance[i, j, k, w]
                    if w == left or (w == _CANAL and canal[i, j, k] >= 0.5):
                        value = -d - guard
                    else:
                        value = np.sqrt(max(d * d - reach2, none)) - guard
                    out[i, j, k, w] = min(max(value, -far), far)
    return out


def _nearest(points: FloatArray, kinds: AnyArray, count: int, shape: tuple[int, ...]) -> Float32Array:
    """Distance (count, nu, nv, nw) from every node to the nearest sample of each kind, handed on from node to node.

    A node asks its neighbours for their nearest sample (eight sweeps over the grid). That may miss a nearer one, at one
    node in thirty by more than 0.05 mm and at worst by 0.35 mm (0.005 in the mean): good enough to choose paths, which
    are then judged on the samples themselves.
    """
    out = np.empty((count, *shape), dtype=np.float32)
    each(lambda kind: _nearest_of(points, kinds, kind, shape, out[kind]), range(count))
    return out


@nb.njit(cache=True, nogil=True)
def _nearest_of(points, kinds, kind, shape, best):  # type: ignore[no-untyped-def]
    """That of one kind into `best`, where the squares stand until the end."""
    owner = np.full(shape, -1, dtype=np.int32)
    best[:] = np.float32(_BEYOND_MM2)
    # when a row was last changed, and when it last asked along each of the six directions: an unchanged neighbour
    # has nothing new to tell
    changed = np.zeros(shape[:2], dtype=np.int64)
    asked = np.full((6, shape[0], shape[1]), -1, dtype=np.int64)
    now = 0
    for n in range(len(points)):
        if kinds[n] != kind:
            continue
        i0, j0, k0 = int(np.floor(points[n, 0])), int(np.floor(points[n, 1])), int(np.floor(points[n, 2]))
        for i in range(max(i0, 0), min(i0 + 2, shape[0])):
            for j in range(max(j0, 0), min(j0 + 2, shape[1])):
                for k in range(max(k0, 0), min(k0 + 2, shape[2])):
                    if _offer(owner, best, points, n, i, j, k):
                        changed[i, j] = 1
    for sweep in range(8):
        di, dj, dk = 1 - 2 * (sweep & 1), 1 - (sweep & 2), 1 - (sweep & 4) // 2
        for a in range(shape[0]):
            i = a if di > 0 else shape[0] - 1 - a
            for b in range(shape[1]):
                j = b if dj > 0 else shape[1] - 1 - b
                for way in range(3):
                    si, sj = i - di * (way == 0), j - dj * (way == 1)
                    along = 2 * way + ((di, dj, dk)[way] > 0)
                    if not (0 <= si < shape[0] and 0 <= sj < shape[1]) or changed[si, sj] <= asked[along, i, j]:
                        continue
                    now += 2
                    asked[along, i, j] = now
                    shift = dk if way == 2 else 0
                    for c in range(shift * dk, shape[2]):
                        k = c if dk > 0 else shape[2] - 1 - c
                        n = owner[si, sj, k - shift]
                        if n >= 0 and n != owner[i, j, k] and _offer(owner, best, points, n, i, j, k):
                            changed[i, j] = now + 1 - way // 2
    for i in range(shape[0]):
        for j in range(shape[1]):
            for k in range(shape[2]):
                best[i, j, k] = np.sqrt(best[i, j, k])


@nb.njit(cache=True, inline="always")
def _offer(owner, best, points, n, i, j, k):  # type: ignore[no-untyped-def]
    """Whether sample n is nearer to a node than what it knew."""
    d2 = (points[n, 0] - i) ** 2 + (points[n, 1] - j) ** 2 + (points[n, 2] - k) ** 2
    if d2 < best[i, j, k]:
        best[i, j, k] = d2
        owner[i, j, k] = n
        return True
    return False
