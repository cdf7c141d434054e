"""What the network saw as one label map on a 1 mm grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trajplan.anatomy.bone_edge import to_the_edge
from trajplan.anatomy.network_pass import Look
from trajplan.anatomy.steepest_edge import to_the_steepest
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.arrays import BoolArray, Float32Array
from trajplan.geometry.pieces import largest
from trajplan.geometry.resample import resample_mask, resample_volume
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


def settle(ct: Volume, share: Float32Array, grid: Grid) -> Float32Array:
    """A probability on `grid` as it settles on the CT's edges: voxels, then the outline as a whole, then voxels.

    The outline is pulled from as far as 2 mm, where a voxel by itself cannot be told from its surroundings.
    """
    hu = resample_volume(ct, grid).array
    drawn = to_the_steepest(to_the_edge(share, hu), hu, float(np.max(ct.grid.spacing_zyx)))
    return to_the_edge(drawn, hu)


def settled_share(ct: Volume, one: Look, grid: Grid) -> tuple[Float32Array, Float32Array]:
    """The target's probability in one look on `grid`, as it was seen and as it settles on the CT's edges."""
    seen = resample_mask(one.target_share, one.grid, grid)
    return seen, settle(ct, seen, grid)


def with_neighbours(
    ct: Volume, mask: BoolArray, grid: Grid, target_id: int, neighbours: Mapping[int, Look]
) -> tuple[LabelMap, float | None]:
    """The target's mask and those of its neighbours (by VerSe id) in one map; the target keeps what it has.

    The neighbours settle on the CT's edges as the target did, for its expected heights are theirs.
    Also the largest share of the target that a neighbour claims; None without neighbours.
    """
    names = {i: LEVEL_NAMES.get(i, "vertebra of unknown level") for i in (target_id, *neighbours)}
    if not neighbours:
        return LabelMap(np.where(mask, target_id, 0).astype(np.uint8), grid, names), None
    boxes = {i: box_in(grid, one) for i, one in neighbours.items()}
    # whole voxels are added to the target's own grid, so that its mask is carried without resampling
    low = np.min([np.zeros(3, dtype=int), *(a for a, _ in boxes.values())], axis=0)
    high = np.max([np.array(grid.shape_zyx), *(b for _, b in boxes.values())], axis=0)
    wide = grid.cropped(low, high)
    array, own = np.zeros(wide.shape_zyx, dtype=np.uint8), np.zeros(wide.shape_zyx, dtype=bool)
    own[tuple(slice(-a, -a + n) for a, n in zip(low, grid.shape_zyx, strict=True))] = mask
    overlaps = []
    for identifier, one in neighbours.items():
        start, stop = boxes[identifier]
        seen, settled = settled_share(ct, one, grid.cropped(start, stop))
        part = tuple(slice(a, b) for a, b in zip(start - low, stop - low, strict=True))
        array[part][largest(settled > 0.5)] = identifier
        overlaps.append(np.count_nonzero(largest(seen > 0.5) & own[part]) / np.count_nonzero(mask))
    array[own] = target_id
    return LabelMap(array, wide, names), float(max(overlaps))


def box_in(grid: Grid, one: Look) -> tuple[np.ndarray, np.ndarray]:
    """First and beyond-last index (z, y, x), in voxels of `grid` and maybe outside it, of what a look sees."""
    at = np.argwhere(one.mask())
    index = grid.world_to_index(one.grid.index_to_world(np.array([at.min(axis=0), at.max(axis=0)])))
    room = _ROOM_MM / grid.spacing_zyx
    return np.floor(index.min(axis=0) - room).astype(int), np.ceil(index.max(axis=0) + room).astype(int) + 1
