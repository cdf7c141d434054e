"""The walls a path must not cross, by direction, as sub-voxel distance fields of one pedicle of one vertebra."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import ArrayLike

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import AnyArray, BoolArray, Float32Array, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.surface import Surface, WallDistance, inside, occupancy, surface_of
from trajplan.parts import Part, Side
from trajplan.planning.edge import moved_to_edge


class Wall(IntEnum):
    """Walls in the order of every per-wall array."""

    MEDIAL = 0
    LATERAL = 1
    SUPERIOR = 2
    INFERIOR = 3
    ANTERIOR = 4
    ENDPLATE = 5
    CANAL = 6
    FORAMEN = 7


BONE = (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR)

ENTRY, ZONE, LATE = 0, 1, 2
"""From where on a wall is in play: the entry; the first point in the zone; a stretch beyond that."""

CANAL_GAP_MM = 1.5
"""Farther than this from a height the wall of the canal does not count as known there."""

_STEEP = 0.7
"""|cosine| from which a surface normal counts as facing along an axis (45 deg)."""

_FORWARD = -0.5
"""v of the normal of a surface that faces forward: the posterior elements' border of a foramen (60 deg about -v)."""

_ROOT_MM = 3.0
"""Posterior elements this near to the pedicle are its walls where they face sideways, up or down."""

_BEHIND_ISTHMUS_MM = 14.0
"""Walls lie in front of a plane this far behind the isthmus."""

_FORAMEN_REACH_MM = 8.0
"""The foramina are watched this far above and below the pedicle."""

NECK_BEHIND_MM, _NECK_ASIDE_MM = 6.5, 15.0
"""The zone of a path through the pedicle begins no later than this far behind its isthmus (and this far beside it),
whatever the parts say: behind a short neck (L5) the mask may call it a process where its walls are still near."""


@dataclass(frozen=True)
class Play:
    """When each wall comes into play along a path: `start` (ENTRY, ZONE or LATE) by `Wall`, and how far LATE is.

    The zone of a transpedicular path is the pedicle: before it the instrument is on its way in. That of an
    extrapedicular one is the body; it enters through the lateral wall, which counts from `late_mm` further on.
    """

    start: tuple[int, ...] = (ZONE, ZONE, ZONE, ZONE, ZONE, ZONE, ENTRY, ENTRY)
    late_mm: float = 0.0


THROUGH_PEDICLE = Play()
BESIDE_PEDICLE = Play((ENTRY, LATE, ENTRY, ENTRY, ZONE, ZONE, ENTRY, ENTRY), 8.0)


@dataclass(frozen=True, eq=False)
class BoneSurfaces:
    """What both sides share: smooth occupancies of bone and canal on the grid of the parts, and their surfaces.

    The samples of `bone` lie at the edge of the cortex in the CT where there is one (`trajplan.planning.edge`).
    """

    bone_field: Float32Array
    canal_field: Float32Array
    bone: Surface
    canal: Surface


def bone_surfaces(vertebra: Vertebra, ct: Volume | None = None) -> BoneSurfaces:
    """Surfaces of the target's bone and of its canal; without a CT the walls are those of the mask alone.

    Raises
    ------
    AnatomyError
        ``no_canal``: without it nothing can be called safe.
    """
    parts, grid = vertebra.parts.array, vertebra.parts.grid
    if not (parts == Part.CANAL).any():
        raise AnatomyError("the spinal canal is not known, so no path can be called safe", code="no_canal")
    bone_field = occupancy(np.isin(parts, BONE), grid)
    canal_field = zone_occupancy(parts == Part.CANAL, grid)
    bone = surface_of(bone_field, grid)
    if ct is not None:
        # what lies behind the pedicles is where the instrument enters, and no wall
        before = vertebra.frame.to_local(bone.points_lps)[:, 1] < _behind_pedicles(vertebra)
        bone = moved_to_edge(bone, ct, before)
    return BoneSurfaces(bone_field, canal_field, bone, surface_of(canal_field, grid))


def _behind_pedicles(vertebra: Vertebra) -> float:
    """v (mm) behind which no sample of the bone is a wall."""
    at = [vertebra.frame.to_local(p.isthmus_center_lps)[1] for p in vertebra.pedicles.values()]
    return float(max(at, default=np.inf)) + _BEHIND_ISTHMUS_MM


@dataclass(frozen=True, eq=False)
class WallField:
    """Signed clearance of a *point* (not yet an instrument) to each wall on one side.

    `zone_field`, `bone_field` and `canal_field` are smooth occupancies on `grid`; `distances` holds one `WallDistance`
    a `Wall`. `samples_uvw`, shape (N, 3), are all samples of the walls as (side * u, v, w) with their `kinds`.
    """

    side: Side
    grid: Grid
    bone_field: Float32Array
    canal_field: Float32Array
    zone_field: Float32Array
    distances: tuple[WallDistance, ...]
    any_surface: WallDistance
    any_kind: AnyArray
    samples_uvw: FloatArray
    kinds: AnyArray
    play: Play = THROUGH_PEDICLE

    def in_bone(self, points_lps: ArrayLike) -> BoolArray:
        """Whether LPS points lie in the target's bone."""
        return inside(self.bone_field, self.grid, points_lps)

    def in_zone(self, points_lps: ArrayLike) -> BoolArray:
        """Whether LPS points lie in the zone in which the bone walls come into play."""
        return inside(self.zone_field, self.grid, points_lps)

    def point_clearance(self, points_lps: ArrayLike, within_mm: float = np.inf) -> FloatArray:
        """Signed distance (..., 8) of LPS points to each `Wall`, mm; never over-stated, `inf` where a wall is missing.

        Bone walls are positive inside bone; the canal is positive outside the canal. A wall farther off than
        `within_mm` may be given as `inf`, which is quicker.
        """
        points = np.asarray(points_lps, dtype=np.float64)
        bone = self.in_bone(points)
        canal = inside(self.canal_field, self.grid, points)
        clearance = np.stack([distance.signed(points, True, within_mm) for distance in self.distances], axis=-1)
        clearance[..., Wall.CANAL] = self.distances[Wall.CANAL].signed(points, ~canal, within_mm)
        # a point outside the bone has left it through the nearest wall, and through that one only
        nearest = np.argmin(clearance[..., : Wall.CANAL], axis=-1)
        for wall in Wall:
            left = ~bone & (nearest == wall)
            if wall < Wall.CANAL and left.any():
                clearance[left, wall] = self.distances[wall].signed(points[left], False, within_mm)
        if (~bone).any():
            in_foramen = ~bone & (self.any_kind[self.any_surface.nearest(points)] == Wall.FORAMEN)
            if in_foramen.any():
                clearance[in_foramen, Wall.FORAMEN] = self.distances[Wall.FORAMEN].signed(
                    points[in_foramen], False, within_mm
                )
        return clearance


def wall_field(vertebra: Vertebra, side: Side, surfaces: BoneSurfaces | None = None) -> WallField:
    """Walls of one side from the vertebra's parts, for a path through the pedicle.

    Raises
    ------
    AnatomyError
        ``no_canal`` or ``no_pedicle``: without them nothing can be called safe.
    """
    surfaces = surfaces or bone_surfaces(vertebra)
    parts, grid = vertebra.parts.array, vertebra.parts.grid
    if not (parts == side.pedicle).any():
        raise AnatomyError(f"the {side} pedicle was not found in the mask", code="no_pedicle")
    kind = _classify(vertebra, surfaces.bone, side)
    _require_canal_beside(vertebra, surfaces.canal, side)
    of_wall = [surfaces.canal if wall == Wall.CANAL else surfaces.bone.subset(kind == wall) for wall in Wall]
    points = np.concatenate([s.points_lps for s in of_wall])
    return WallField(
        side,
        grid,
        surfaces.bone_field,
        surfaces.canal_field,
        zone_occupancy((parts == side.pedicle) | _behind_isthmus(vertebra, side), grid),
        tuple(WallDistance(s) for s in of_wall),
        WallDistance(surfaces.bone),
        kind,
        vertebra.frame.to_local(points) * np.array([side.sign, 1.0, 1.0]),
        np.concatenate([np.full(len(s), wall) for wall, s in zip(Wall, of_wall, strict=True)]),
    )


def beside_pedicle(field: WallField, vertebra: Vertebra) -> WallField:
    """The same walls for a path that enters the body beside the pedicle (extrapedicular)."""
    zone = zone_occupancy(vertebra.parts.array == Part.BODY, field.grid)
    return dataclasses.replace(field, zone_field=zone, play=BESIDE_PEDICLE)


def zone_occupancy(mask: BoolArray, grid: Grid) -> Float32Array:
    """`occupancy` of a mask that fills a small part of the grid, computed about that part only."""
    out = np.zeros(mask.shape, dtype=np.float32)
    box = tuple(
        slice(max(int(at.min()) - 6, 0), int(at.max()) + 7)
        for at in (np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
        if len(at)
    )
    if len(box) == 3:
        out[box] = occupancy(mask[box], grid)
    return out


def _behind_isthmus(vertebra: Vertebra, side: Side) -> BoolArray:
    """The voxels of processes up to `NECK_BEHIND_MM` behind the isthmus, along the axis of the pedicle."""
    parts, grid, pedicle = vertebra.parts.array, vertebra.parts.grid, vertebra.pedicles.get(side)
    out = np.zeros(parts.shape, dtype=bool)
    if pedicle is None:
        return out
    at, reach = grid.world_to_index(pedicle.isthmus_center_lps), np.ceil(_NECK_ASIDE_MM / grid.spacing_zyx)
    low = np.maximum(at - reach, 0).astype(int)
    box = tuple(slice(a, max(a, int(b) + 1)) for a, b in zip(low, at + reach, strict=True))
    found = np.argwhere(parts[box] == Part.POSTERIOR) + low
    off = grid.index_to_world(found) - pedicle.isthmus_center_lps
    along = off @ pedicle.axis_lps
    kept = (along <= 0.0) & (along >= -NECK_BEHIND_MM) & (np.linalg.norm(off, axis=1) < _NECK_ASIDE_MM)
    kept &= vertebra.frame.to_local(grid.index_to_world(found))[:, 0] * side.sign > 0
    out[tuple(found[kept].T)] = True
    return out


def _require_canal_beside(vertebra: Vertebra, canal: Surface, side: Side) -> None:
    """Refuse a canal that is a speck, or not there at the height of the pedicle: a path past it would look far off."""
    pedicle = vertebra.pedicles.get(side)
    if pedicle is None:
        return
    w = vertebra.frame.to_local(canal.points_lps)[:, 2]
    at = float(vertebra.frame.to_local(pedicle.isthmus_center_lps)[2])
    reach = pedicle.height_mm / 4
    missing = [mm for mm in (at - reach, at, at + reach) if not (np.abs(w - mm) < CANAL_GAP_MM).any()]
    if missing:
        raise AnatomyError(
            f"the spinal canal is not known at the height of the {side} pedicle ({len(canal)} points of its wall): "
            "no path can be called safe; check the mask",
            code="no_canal",
            numbers={"points": float(len(canal)), "heights_missing": float(len(missing))},
        )


def _at_root(vertebra: Vertebra, surface: Surface, side: Side, v: FloatArray) -> BoolArray:
    """Samples within 3 mm of the voxels of a pedicle that do not face backwards, where the instrument enters."""
    spacing = float(vertebra.parts.grid.spacing_zyx[0])
    reach = round(_ROOT_MM / spacing)
    near = np.zeros(vertebra.parts.array.shape, dtype=bool)
    mask = vertebra.parts.array == side.pedicle
    box = tuple(slice(max(int(a.min()) - reach - 1, 0), int(a.max()) + reach + 2) for a in np.nonzero(mask))
    if len(box) == 3:
        near[box] = ndi.distance_transform_edt(~mask[box]) * spacing < _ROOT_MM
    return np.asarray(near[tuple(surface.inside_zyx.T)] & (np.abs(v) < _STEEP))


def _classify(vertebra: Vertebra, surface: Surface, side: Side) -> np.ndarray:
    """The `Wall` of each surface sample, or -1 for surfaces that are no wall for this side.

    Pedicle: by the dominant direction of the normal across the pedicle axis. Body: end plates by normals along w,
    the posterior wall counts as medial (behind it lies the canal), the front half's forward surface is anterior, the
    rest lateral. The posterior elements are where the instrument enters; only what they turn forward to the foramina
    above and below the pedicle is a wall.
    """
    part = vertebra.parts.array[tuple(surface.inside_zyx.T)]
    normal = vertebra.frame.direction_to_local(surface.normals_lps)
    outward_u, v, w = normal[:, 0] * side.sign, normal[:, 1], normal[:, 2]
    kind = np.full(len(surface), -1)

    pedicle = (part == side.pedicle) | ((part == Part.POSTERIOR) & _at_root(vertebra, surface, side, v))
    across = np.abs(outward_u) >= np.abs(w)
    kind[pedicle & across] = np.where(outward_u > 0, Wall.LATERAL, Wall.MEDIAL)[pedicle & across]
    kind[pedicle & ~across] = np.where(w > 0, Wall.SUPERIOR, Wall.INFERIOR)[pedicle & ~across]

    body = part == Part.BODY
    flat = np.abs(w) > _STEEP
    kind[body & flat] = Wall.ENDPLATE
    rest = body & ~flat
    kind[rest] = Wall.LATERAL
    # beside the pedicle's root the body's flank faces forward too; only its front half is the anterior wall
    in_front = vertebra.frame.to_local(surface.points_lps)[:, 1] < 0
    kind[rest & in_front & (v < -0.3)] = Wall.ANTERIOR
    kind[rest & (v > _STEEP)] = Wall.MEDIAL

    own = vertebra.pedicles.get(side)
    if own is not None and len(own.outline_lps):
        outline = vertebra.frame.to_local(own.outline_lps)
        at = vertebra.frame.to_local(surface.points_lps)
        across_u, up_w = at[:, 0] * side.sign, at[:, 2]
        border = outline[:, 0] * side.sign
        near = (across_u > border.min()) & (across_u < border.max())
        near &= (up_w > outline[:, 2].min() - _FORAMEN_REACH_MM) & (up_w < outline[:, 2].max() + _FORAMEN_REACH_MM)
        kind[(part == Part.POSTERIOR) & near & (v < _FORWARD)] = Wall.FORAMEN
    return kind
