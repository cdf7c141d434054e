"""Fill: cement in the cavities and between the trabeculae about them, up to the stop line."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi
from scipy.spatial import cKDTree

from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.cement import CAVITY_LEFT, CAVITY_RIGHT, CEMENT_NAMES, INTERDIGITATION, Cement
from trajplan.augmentation.fill_volumes import cap_ml, fill_volumes
from trajplan.augmentation.inflation import WALLS, Inflation
from trajplan.augmentation.lift import Lift
from trajplan.augmentation.packed_bone import PACKED_SHARE
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray
from trajplan.parts import Side

STOP_SHARE = 0.75
"""Cement stops where the posterior quarter of the body begins (Japanese review abstract, read)."""

TOUCH_MM = 1.0
SUB = 2
"""The layer about the cavities is counted on a grid this many times finer than that of the parts."""


def fill(
    block: BodyBlock, vertebra: Vertebra, inflations: tuple[Inflation, ...], lift: Lift, settings: AugmentationSettings
) -> Cement:
    """Cement in place of the last envelopes and within `interdigitation_mm` of them, inside bone, before the stop line.

    Cavities are measured from their radii, only the layer about them on voxels.
    """
    grid = vertebra.parts.grid
    fine = _refined(_box(grid, inflations, settings.interdigitation_mm + 2.0), SUB)
    labels, behind = _labels(block, fine, inflations, lift, settings.interdigitation_mm)
    voxel_ml = float(np.prod(fine.spacing_zyx)) / 1000
    # the bone packed about a cavity takes up part of the layer
    layer_ml = (1 - PACKED_SHARE) * int(np.count_nonzero((labels == INTERDIGITATION) & ~behind)) * voxel_ml
    cavity_ml = sum(i.final.cavity_ml for i in inflations)
    in_cavity = np.isin(labels, (CAVITY_LEFT, CAVITY_RIGHT))
    cut_ml = int(np.count_nonzero(in_cavity & behind)) * voxel_ml
    held_ml = int(np.count_nonzero((labels > 0) & behind)) * voxel_ml
    fill_ml = cavity_ml - cut_ml + layer_ml
    kept = np.where(behind, 0, labels).astype(np.uint8)
    touches, wall_mm = _distances(block, fine, kept > 0)
    body_ml = vertebra.body_volume_ml
    cap = cap_ml(vertebra.level_id, body_ml)
    planned_ml = min(fill_ml, cap)
    return Cement(
        cavity_ml=cavity_ml,
        fill_ml=fill_ml,
        planned_ml=planned_ml,
        held_back_ml=held_ml,
        body_share=planned_ml / body_ml,
        restored_share=planned_ml / (body_ml + lift.volume_ml(block)),
        cap_ml=cap,
        touches=touches,
        posterior_wall_mm=wall_mm,
        labels=LabelMap(_onto(kept, fine, grid), grid, CEMENT_NAMES),
        stop_line_lps=stop_line(block),
        published=fill_volumes(vertebra.level_id),
    )


def stop_v_mm(block: BodyBlock, w_mm: FloatArray) -> FloatArray:
    """v (mm) of the stop line at heights w."""
    front, back = block.line_v(block.front, w_mm), block.line_v(block.back, w_mm)
    return np.asarray(front + STOP_SHARE * (back - front))


def stop_line(block: BodyBlock) -> FloatArray:
    """The stop line midsagittal, lower and upper end, (2, 3) LPS mm."""
    middle = np.argmin(np.abs(block.u_mm))
    rows = block.columns.footprint[:, middle]
    low = float(np.nanmin(block.columns.bottom_mm[rows, middle])) if rows.any() else float(block.w_mm[0])
    high = float(np.nanmax(block.columns.top_mm[rows, middle])) if rows.any() else float(block.w_mm[-1])
    w = np.array([low, high])
    return block.frame.to_world(np.stack([np.zeros(2), stop_v_mm(block, w), w], axis=1))


def in_bone_now(block: BodyBlock, lift: Lift, points_lps: FloatArray) -> BoolArray:
    """Whether points lie in bone once the end plates are lifted."""
    at = block.frame.to_local(points_lps)
    u, v, w = at[..., 0], at[..., 1], at[..., 2]
    foot = block.map_at(block.columns.footprint.astype(np.float64), u, v) > 0.5
    high = block.map_at(block.top_mm + lift.top_mm, u, v)
    low = block.map_at(block.bottom_mm - lift.bottom_mm, u, v)
    middle = 0.5 * (block.map_at(block.top_mm, u, v) + block.map_at(block.bottom_mm, u, v))
    column = foot & (w < high) & (w > low)
    near_plate = (w > middle + 0.25 * (high - low)) | (w < middle - 0.25 * (high - low))
    return np.asarray(block.in_bone(points_lps) | (column & near_plate))


def _labels(
    block: BodyBlock, grid: Grid, inflations: tuple[Inflation, ...], lift: Lift, layer_mm: float
) -> tuple[AnyArray, BoolArray]:
    """Ids of `CEMENT_NAMES` on a grid, and what of it lies behind the stop line."""
    points = grid.points_lps()
    labels = np.zeros(grid.shape_zyx, dtype=np.uint8)
    for inflation in inflations:
        inside = inflation.final.envelope.contains(points)
        labels[inside & (labels == 0)] = CAVITY_LEFT if inflation.side is Side.LEFT else CAVITY_RIGHT
    skins = [i.final.envelope.surface_lps()[i.final.envelope.radius_mm > 0] for i in inflations]
    free = np.flatnonzero(labels.ravel() == 0)
    loose = points.reshape(-1, 3)[free]
    near, _ = cKDTree(np.concatenate(skins)).query(loose, distance_upper_bound=layer_mm)
    # samples of a skin are up to a millimetre apart: between them the radial distance tells
    radial = np.min([i.final.envelope.height_above(loose) for i in inflations], axis=0)
    close = free[np.isfinite(near) | (radial <= layer_mm)]
    close = close[in_bone_now(block, lift, points.reshape(-1, 3)[close])]
    labels.ravel()[close] = INTERDIGITATION
    at = block.frame.to_local(points)
    return labels, np.asarray(at[..., 1] > stop_v_mm(block, at[..., 2]))


def _distances(block: BodyBlock, grid: Grid, cement: BoolArray) -> tuple[tuple[str, ...], float]:
    """End plates within a millimetre of the cement, and its least distance to the posterior wall, mm."""
    skin = cement & ~ndi.binary_erosion(cement)
    points = grid.index_to_world(np.argwhere(skin))
    if not len(points):
        return (), float("inf")
    far = [float(block.wall_distance(k).signed(points, True).min()) for k in (2, 3, 4)]
    return tuple(WALLS[k] for k, mm in zip((3, 4), far[1:], strict=True) if mm <= TOUCH_MM), far[0]


def _box(grid: Grid, inflations: tuple[Inflation, ...], margin_mm: float) -> Grid:
    """The part of a grid that holds the envelopes and a margin."""
    skins = [i.final.envelope.surface_lps().reshape(-1, 3) for i in inflations]
    index = grid.world_to_index(np.concatenate(skins))
    room = margin_mm / grid.spacing_zyx
    low = np.clip(np.floor(index.min(axis=0) - room).astype(int), 0, None)
    high = np.minimum(np.ceil(index.max(axis=0) + room).astype(int) + 1, grid.shape_zyx)
    return grid.cropped(low, high)


def _refined(grid: Grid, times: int) -> Grid:
    spacing = grid.spacing_zyx / times
    shift = grid.index_to_world(np.full(3, -0.5 + 0.5 / times))
    return Grid(tuple(n * times for n in grid.shape_zyx), shift, spacing, grid.direction)


def _onto(labels: AnyArray, fine: Grid, grid: Grid) -> AnyArray:
    """Labels of the fine box on the whole grid: the commonest of each voxel's, 0 on a draw."""
    n = np.array(fine.shape_zyx) // SUB
    split = labels.reshape(n[0], SUB, n[1], SUB, n[2], SUB)
    shares = np.stack([(split == k).sum(axis=(1, 3, 5)) for k in range(len(CEMENT_NAMES) + 1)])
    small = shares.argmax(axis=0).astype(np.uint8)
    out = np.zeros(grid.shape_zyx, dtype=np.uint8)
    first = np.rint(grid.world_to_index(fine.index_to_world(np.full(3, (SUB - 1) / 2)))).astype(int)
    out[tuple(slice(a, a + b) for a, b in zip(first, n, strict=True))] = small
    return out
