"""The walls a path must not cross, by direction, as sub-voxel distance fields of one pedicle of one vertebra."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.surface import Surface, WallDistance, inside, occupancy, surface_of
from trajplan.parts import Part, Side


class Wall(IntEnum):
    """Walls in the order of every per-wall array."""

    MEDIAL = 0
    LATERAL = 1
    SUPERIOR = 2
    INFERIOR = 3
    ANTERIOR = 4
    ENDPLATE = 5
    CANAL = 6


BONE = (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR)

CANAL_GAP_MM = 1.5
"""Farther than this from a height the wall of the canal does not count as known there."""

_STEEP = 0.7
"""|cosine| from which a surface normal counts as facing along an axis (45 deg)."""


@dataclass(frozen=True, eq=False)
class WallField:
    """Signed clearance of a *point* (not yet an instrument) to each wall on one side.

    `pedicle_field` and `bone_field` are smooth occupancies on `grid`; `distances` holds one `WallDistance` a `Wall`.
    """

    side: Side
    grid: Grid
    bone_field: Float32Array
    canal_field: Float32Array
    pedicle_field: Float32Array
    distances: tuple[WallDistance, ...]

    def in_bone(self, points_lps: ArrayLike) -> BoolArray:
        """Whether LPS points lie in the target's bone."""
        return inside(self.bone_field, self.grid, points_lps)

    def in_pedicle(self, points_lps: ArrayLike) -> BoolArray:
        """Whether LPS points lie in this side's pedicle."""
        return inside(self.pedicle_field, self.grid, points_lps)

    def point_clearance(self, points_lps: ArrayLike, within_mm: float = np.inf) -> FloatArray:
        """Signed distance (..., 7) of LPS points to each `Wall`, mm; never over-stated, `inf` where a wall is missing.

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
            if wall != Wall.CANAL and left.any():
                clearance[left, wall] = self.distances[wall].signed(points[left], False, within_mm)
        return clearance


def wall_field(vertebra: Vertebra, side: Side) -> WallField:
    """Walls of one side from the vertebra's parts.

    Raises
    ------
    AnatomyError
        ``no_canal`` or ``no_pedicle``: without them nothing can be called safe.
    """
    parts, grid = vertebra.parts.array, vertebra.parts.grid
    if not (parts == Part.CANAL).any():
        raise AnatomyError("the spinal canal is not known, so no path can be called safe", code="no_canal")
    if not (parts == side.pedicle).any():
        raise AnatomyError(f"the {side} pedicle was not found in the mask", code="no_pedicle")
    bone_field = occupancy(np.isin(parts, BONE), grid)
    canal_field = occupancy(parts == Part.CANAL, grid)
    # wide enough to bridge the pedicle's own cortex: "in the pedicle" is a zone, not a wall
    pedicle_field = occupancy(parts == side.pedicle, grid)
    bone_surface = surface_of(bone_field, grid)
    kind = _classify(vertebra, bone_surface, side)
    canal_surface = surface_of(canal_field, grid)
    _require_canal_beside(vertebra, canal_surface, side)
    walls = [WallDistance(bone_surface.subset(kind == wall)) for wall in Wall if wall != Wall.CANAL]
    return WallField(side, grid, bone_field, canal_field, pedicle_field, (*walls, WallDistance(canal_surface)))


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


def _classify(vertebra: Vertebra, surface: Surface, side: Side) -> np.ndarray:
    """The `Wall` of each surface sample, or -1 for surfaces that are no wall for this side.

    Pedicle: by the dominant direction of the normal across the pedicle axis. Body: end plates by normals along w,
    the posterior wall counts as medial (behind it lies the canal), the front half's forward surface is anterior, the
    rest lateral. The posterior elements are where the instrument enters; they are no wall.
    """
    part = vertebra.parts.array[tuple(surface.inside_zyx.T)]
    normal = vertebra.frame.direction_to_local(surface.normals_lps)
    outward_u, v, w = normal[:, 0] * side.sign, normal[:, 1], normal[:, 2]
    kind = np.full(len(surface), -1)

    pedicle = part == side.pedicle
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
    return kind
