"""The working grid of one vertebra, and its mask on it as a smooth occupancy whose 0.5 surface is the bone outline."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, Grid, LabelMap
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray
from trajplan.geometry.pieces import pieces
from trajplan.geometry.resample import resample_mask
from trajplan.levels import LEVEL_NAMES

WORKING_SPACING_MM = 0.65
COARSE_SPACING_MM = 1.0
MARGIN_MM = 12.0
MIN_VOLUME_ML = 4.0
ARCH_SHARE = 0.1
"""Pieces of at least this share of the largest stay: a neural arch that a thin label parts from its body."""

SMOOTHING_VOXELS = 0.5
"""Gaussian on the source mask: takes the stair steps of thick slices away; narrows a 7 mm rod at 3 mm by 0.6 mm."""


def target_labels(labels: LabelMap, target_id: int, margin_mm: float = MARGIN_MM) -> LabelMap:
    """The box of `labels` that holds the target and `margin_mm` about it.

    Raises
    ------
    AnatomyError
        ``level_not_in_labels`` (the message lists what is there), ``mask_too_small``.
    """
    mask = labels.array == target_id
    volume_ml = _volume_ml(mask, labels.grid)
    if volume_ml == 0:
        present = ", ".join(LEVEL_NAMES.get(i, f"id {i}") for i in labels.ids()) or "none"
        name = LEVEL_NAMES.get(target_id, f"id {target_id}")
        raise AnatomyError(
            f"{name} is not in the labels; found: {present}. Ask for one of these, or check the label scheme",
            code="level_not_in_labels",
            numbers={"target_id": target_id},
        )
    if volume_ml < MIN_VOLUME_ML:
        raise AnatomyError(
            f"the mask holds only {volume_ml:.1f} ml; a vertebra has at least {MIN_VOLUME_ML:.0f} ml. "
            "Check the label file",
            code="mask_too_small",
            numbers={"volume_ml": volume_ml, "limit_ml": MIN_VOLUME_ML},
        )
    lower, upper = _bounds(mask)
    margin = np.ceil((margin_mm + 2) / labels.grid.spacing_zyx).astype(int)
    return labels.cropped(lower - margin, upper + 1 + margin)


def label_volume_ml(labels: LabelMap, label_id: int) -> float:
    """Volume of one label."""
    return _volume_ml(labels.array == label_id, labels.grid)


def _volume_ml(mask: BoolArray, grid: Grid) -> float:
    return int(np.count_nonzero(mask)) * float(np.prod(grid.spacing_zyx)) / 1000


def working_grid(labels: LabelMap, target_id: int, spacing_mm: float, margin_mm: float = MARGIN_MM) -> Grid:
    """The isotropic axis-aligned LPS grid about the target with `margin_mm` of room (it may leave the scan)."""
    lower, upper = _bounds(labels.array == target_id)
    ends = np.array([labels.grid.index_to_world(lower), labels.grid.index_to_world(upper)])
    return Grid.isotropic(ends.min(axis=0) - margin_mm, ends.max(axis=0) + margin_mm, spacing_mm)


def occupancy(labels: LabelMap, target_id: int, grid: Grid) -> Float32Array:
    """Share 0..1 of the target in each voxel of `grid`, enclosed cavities (clefts, vessels) filled."""
    pad = 3
    solid = np.pad(ndi.binary_fill_holes(labels.array == target_id), pad).astype(np.float32)
    soft = ndi.gaussian_filter(solid, SMOOTHING_VOXELS, truncate=3.0)
    source = labels.grid.cropped(np.full(3, -pad), np.array(labels.grid.shape_zyx) + pad)
    share = resample_mask(soft, source, grid)
    inside = pieces(share > 0.5, ARCH_SHARE)
    return np.where(inside | (share <= 0.5), share, np.float32(0.0)).astype(np.float32)


def frame_grid(frame: Frame, lower_uvw: FloatArray, upper_uvw: FloatArray, spacing_mm: float) -> Grid:
    """A grid whose index axes x, y, z run along u, v, w; arrays on it are [w, v, u]; a node lies on the origin."""
    first = np.floor(np.asarray(lower_uvw) / spacing_mm).astype(int)
    last = np.ceil(np.asarray(upper_uvw) / spacing_mm).astype(int)
    origin = frame.to_world(first * spacing_mm)
    return Grid(tuple((last - first + 1)[::-1]), origin, (spacing_mm,) * 3, frame.rotation.T)


def frame_axes(grid: Grid, frame: Frame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The u, v and w coordinates (mm) of the nodes of a `frame_grid`."""
    start = frame.to_local(grid.origin_lps)
    n_w, n_v, n_u = grid.shape_zyx
    step = float(grid.spacing_zyx[0])
    return start[0] + step * np.arange(n_u), start[1] + step * np.arange(n_v), start[2] + step * np.arange(n_w)


def _bounds(mask: BoolArray) -> tuple[np.ndarray, np.ndarray]:
    spans = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append((int(hit[0]), int(hit[-1])))
    return np.array([s[0] for s in spans]), np.array([s[1] for s in spans])
