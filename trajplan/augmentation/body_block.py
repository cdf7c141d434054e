"""BodyBlock: one vertebral body on the grid of its own frame: bone, end plates, neighbours, HU and walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import ArrayLike

from trajplan.anatomy.endplates import BodyColumns, body_columns, inner
from trajplan.anatomy.vertebra import Vertebra
from trajplan.anatomy.working_grid import frame_axes, frame_grid
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, Grid, Volume
from trajplan.geometry.arrays import AnyArray, BoolArray, Float32Array, FloatArray
from trajplan.geometry.resample import resample_mask, resample_volume
from trajplan.geometry.surface import Surface, WallDistance, inside, occupancy, surface_of
from trajplan.parts import Part
from trajplan.planning.walls import BONE

SPACING_MM = 0.65
ROOM_MM = 14.0
"""Beyond the body up and down: neighbours are seen that far."""

_STEEP = 0.7
"""|cosine| from which a normal faces along an axis (45 deg), as in the planner's walls."""

_HU_SIGMA_MM = 1.0
"""Noise is not stiffness: HU are smoothed by this before they are read as such."""


@dataclass(frozen=True, eq=False)
class BodyBlock:
    """What balloon, lift and cement are worked out on.

    Parameters
    ----------
    frame, grid : Frame, Grid
        Arrays are [w, v, u]; `u_mm`, `v_mm`, `w_mm` are the coordinates of its nodes.
    bone, body, other : ndarray
        Share 0..1 of the vertebra's bone and of its body, and whether other bone is there.
    hu : ndarray
        Smoothed CT.
    columns : BodyColumns
        Top and bottom of the body above each (v, u).
    top_mm, bottom_mm : ndarray, shape (V, U)
        The same everywhere: beyond the body its nearest column's.
    inner : ndarray of bool, shape (V, U)
        Columns within the rim.
    front, back : tuple of float
        Front and posterior wall as v = slope * w + offset; of a hollow posterior wall its most anterior tenth.
    reference_hu : float
        Trabecular median.
    bone_field, bone_grid
        Smooth occupancy of the bone in the world, for points.
    surface, wall : Surface, ndarray of int
        Samples of the body's surface and the index into `inflation.WALLS` of each.
    """

    frame: Frame
    grid: Grid
    u_mm: FloatArray
    v_mm: FloatArray
    w_mm: FloatArray
    bone: Float32Array
    body: Float32Array
    other: BoolArray
    hu: Float32Array
    columns: BodyColumns
    top_mm: FloatArray
    bottom_mm: FloatArray
    inner: BoolArray
    front: tuple[float, float]
    back: tuple[float, float]
    reference_hu: float
    bone_field: Float32Array
    bone_grid: Grid
    surface: Surface
    wall: AnyArray

    @property
    def spacing_mm(self) -> float:
        """Of the grid, isotropic."""
        return float(self.w_mm[1] - self.w_mm[0])

    def index_of(self, points_lps: ArrayLike) -> FloatArray:
        """Fractional (w, v, u) indices of LPS points, shape (3, ...)."""
        return np.moveaxis(self.grid.world_to_index(points_lps), -1, 0)

    def in_bone(self, points_lps: ArrayLike) -> BoolArray:
        """Whether LPS points lie in the vertebra's bone."""
        return inside(self.bone_field, self.bone_grid, points_lps)

    def map_at(self, values: FloatArray, u_mm: ArrayLike, v_mm: ArrayLike) -> FloatArray:
        """A map over the (v, u) columns at points, linear, its border value beyond."""
        at = np.stack(
            [(np.asarray(v_mm) - self.v_mm[0]) / self.spacing_mm, (np.asarray(u_mm) - self.u_mm[0]) / self.spacing_mm]
        )
        return np.asarray(ndi.map_coordinates(values, at, order=1, mode="nearest", output=np.float64))

    def wall_distance(self, index: int) -> WallDistance:
        """Distance to one of `inflation.WALLS`."""
        return WallDistance(self.surface.subset(self.wall == index))

    def line_v(self, line: tuple[float, float], w_mm: ArrayLike) -> FloatArray:
        """v (mm) of `front` or `back` at heights w."""
        return np.asarray(line[0] * np.asarray(w_mm) + line[1])


def body_block(ct: Volume, vertebra: Vertebra) -> BodyBlock:
    """The body of a measured vertebra on its own grid.

    Raises
    ------
    AnatomyError
        ``no_wall_line`` without points of front and posterior wall.
    """
    frame, parts = vertebra.frame, vertebra.parts
    solid, body = np.isin(parts.array, BONE), parts.array == Part.BODY
    points = frame.to_local(parts.grid.index_to_world(np.argwhere(body)))
    room = np.array([4.0, 4.0, ROOM_MM])
    grid = frame_grid(frame, points.min(axis=0) - room, points.max(axis=0) + room, SPACING_MM)
    u_mm, v_mm, w_mm = frame_axes(grid, frame)
    bone_field = occupancy(solid, parts.grid)
    share = resample_mask(body, parts.grid, grid)
    columns = body_columns(share > 0.5, share, w_mm)
    hu = ndi.gaussian_filter(resample_volume(ct, grid).array, _HU_SIGMA_MM / SPACING_MM)
    surface = surface_of(bone_field, parts.grid)
    surface = surface.subset(body[tuple(surface.inside_zyx.T)])
    return BodyBlock(
        frame, grid, u_mm, v_mm, w_mm,
        bone=resample_mask(solid, parts.grid, grid),
        body=share,
        other=resample_mask(vertebra.other_bone, parts.grid, grid) > 0.5,
        hu=hu,
        columns=columns,
        top_mm=spread(columns.top_mm, np.isfinite(columns.top_mm)),
        bottom_mm=spread(columns.bottom_mm, np.isfinite(columns.bottom_mm)),
        inner=inner(columns.footprint, SPACING_MM),
        front=_line(vertebra, vertebra.anterior_wall_lps, 50.0),
        back=_line(vertebra, vertebra.posterior_wall_lps, 10.0),
        reference_hu=vertebra.body_hu,
        bone_field=bone_field,
        bone_grid=parts.grid,
        surface=surface,
        wall=_walls(frame, surface),
    )  # fmt: skip


def spread(values: FloatArray, where: BoolArray) -> FloatArray:
    """A map with its value at the nearest of `where` everywhere else; zeros where there is none."""
    if not where.any():
        return np.zeros(values.shape)
    nearest = ndi.distance_transform_edt(~where, return_distances=False, return_indices=True)
    return np.asarray(values[tuple(nearest)])


def _walls(frame: Frame, surface: Surface) -> AnyArray:
    """Index into `inflation.WALLS` of every sample, by its normal."""
    normal = frame.direction_to_local(surface.normals_lps)
    in_front = frame.to_local(surface.points_lps)[:, 1] < 0
    kind = np.full(len(surface), 1)
    kind[in_front & (normal[:, 1] < -0.3)] = 0
    kind[~in_front & (normal[:, 1] > _STEEP)] = 2
    kind[normal[:, 2] > _STEEP] = 3
    kind[normal[:, 2] < -_STEEP] = 4
    return kind


def _line(vertebra: Vertebra, points_lps: FloatArray, percentile: float) -> tuple[float, float]:
    """v = slope * w + offset through wall points, shifted so that `percentile` of them lie anterior of it."""
    if len(points_lps) < 3:
        raise AnatomyError(
            f"a wall of the body is known at {len(points_lps)} points, 3 are needed: check the mask",
            code="no_wall_line",
            numbers={"points": float(len(points_lps))},
        )
    at = vertebra.frame.to_local(points_lps)
    v, w = at[:, 1], at[:, 2]
    slope = float(np.polyfit(w, v, 1)[0]) if np.ptp(w) > 2 else 0.0
    return slope, float(np.percentile(v - slope * w, percentile))
