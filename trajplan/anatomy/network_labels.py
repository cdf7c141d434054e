"""What the network saw as one label map on a 1 mm grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trajplan.anatomy.network_pass import Look
from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.arrays import BoolArray, Float32Array
from trajplan.geometry.pieces import largest
from trajplan.geometry.resample import resample_mask
from trajplan.levels import LEVEL_NAMES

OUTPUT_SPACING_MM = 1.0
_ROOM_MM = 4.0


def output_grid(looks: Sequence[Look]) -> Grid:
    """A 1 mm grid that holds the target as any of the looks saw it."""
    points = np.concatenate([one.grid.index_to_world(np.argwhere(one.target_share > 0.3)) for one in looks])
    return Grid.isotropic(points.min(axis=0) - _ROOM_MM, points.max(axis=0) + _ROOM_MM, OUTPUT_SPACING_MM)


def mean_share(grid: Grid, looks: Sequence[Look]) -> Float32Array:
    """Mean target probability of the looks on `grid`; where only some of them reach, theirs."""
    total, weight = np.zeros(grid.shape_zyx, np.float32), np.zeros(grid.shape_zyx, np.float32)
    for one in looks:
        weight += resample_mask(np.ones(one.grid.shape_zyx, dtype=np.float32), one.grid, grid)
        total += resample_mask(one.target_share, one.grid, grid)
    return np.asarray(total / np.maximum(weight, 1e-3), dtype=np.float32)


def with_neighbours(
    mask: BoolArray, grid: Grid, target_id: int, neighbours: Mapping[int, Look]
) -> tuple[LabelMap, float | None]:
    """The target's mask and those of its neighbours (by VerSe id) in one map; the target keeps what it has.

    Also the largest share of the target that a neighbour claims; None without neighbours.
    """
    names = {i: LEVEL_NAMES.get(i, "vertebra of unknown level") for i in (target_id, *neighbours)}
    if not neighbours:
        return LabelMap(np.where(mask, target_id, 0).astype(np.uint8), grid, names), None
    corners = np.concatenate([grid.corners_lps(), *(_corners(one) for one in neighbours.values())])
    # whole voxels are added to the target's own grid, so that its mask is carried without resampling
    low = np.floor(grid.world_to_index(corners).min(axis=0)).astype(int)
    high = np.ceil(grid.world_to_index(corners).max(axis=0)).astype(int) + 1
    wide = grid.cropped(low, high)
    array = np.zeros(wide.shape_zyx, dtype=np.uint8)
    inner = tuple(slice(-a, -a + n) for a, n in zip(low, grid.shape_zyx, strict=True))
    overlaps = []
    for identifier, one in neighbours.items():
        theirs = largest(resample_mask(one.target_share, one.grid, wide) > 0.5)
        array[theirs] = identifier
        overlaps.append(np.count_nonzero(theirs[inner] & mask) / np.count_nonzero(mask))
    array[inner][mask] = target_id
    return LabelMap(array, wide, names), float(max(overlaps))


def _corners(one: Look) -> np.ndarray:
    """Of the box about what `one` sees."""
    at = np.argwhere(one.target_share > 0.5)
    return one.grid.index_to_world(np.array([at.min(axis=0) - 3, at.max(axis=0) + 3]))
