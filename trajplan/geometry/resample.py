"""Resampling: any storage order or oblique grid onto axis-aligned LPS, and onto isotropic working grids."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import SimpleITK as sitk

from trajplan.geometry.arrays import AnyArray, Float32Array
from trajplan.geometry.grid import Grid
from trajplan.geometry.itk import grid_of, to_sitk
from trajplan.geometry.volume import LabelMap, Volume

AIR_HU = -1000.0
_Stored = TypeVar("_Stored", Volume, LabelMap)


def canonical(item: _Stored) -> _Stored:
    """The same scan with index axes x, y, z along +L, +P, +S.

    A storage that differs only by flips and permutations is reordered without touching a value. An oblique one
    is resampled (CT linear, labels nearest) at its own finest-to-coarsest spacing onto a grid that holds all of it.
    """
    is_volume = isinstance(item, Volume)
    if not is_oblique(item.grid):
        array, snapped = _reordered(item.array, item.grid)
    else:
        image = sitk.DICOMOrient(to_sitk(item.array, item.grid), "LPS")
        grid = grid_of(image)
        corners = grid.corners_lps()
        lower, upper = corners.min(axis=0), corners.max(axis=0)
        count = np.ceil((upper - lower) / grid.spacing_xyz).astype(int) + 1
        origin = (lower + upper) / 2 - (count - 1) / 2 * grid.spacing_xyz
        snapped = Grid(tuple(count[::-1]), origin, grid.spacing_zyx)
        method = sitk.sitkLinear if is_volume else sitk.sitkNearestNeighbor
        array = _resample(image, snapped, method, AIR_HU if is_volume else 0.0)
    if isinstance(item, Volume):
        return Volume(array, snapped)
    return LabelMap(array, snapped, item.names)


def is_oblique(grid: Grid) -> bool:
    """Whether a corner of the grid lies off the patient axes by a micrometre or more."""
    span_mm = np.array(grid.shape_zyx[::-1]) * grid.spacing_xyz
    return bool((np.abs(grid.direction - np.rint(grid.direction)) * span_mm).max() >= 1e-3)


def _reordered(array: AnyArray, grid: Grid) -> tuple[AnyArray, Grid]:
    """Flips and permutations only, on views: one copy at most, since a scan may be a gigabyte."""
    axes = np.rint(grid.direction)  # [world, index x y z]
    index_of_world = np.abs(axes).argmax(axis=1)
    order = [2 - int(index_of_world[world]) for world in (2, 1, 0)]
    flipped = tuple(k for k, world in enumerate((2, 1, 0)) if axes[world, index_of_world[world]] < 0)
    corner = np.array([n - 1 if axes[:, 2 - k].sum() < 0 else 0 for k, n in enumerate(grid.shape_zyx)])
    moved = np.flip(array.transpose(order), flipped) if flipped else array.transpose(order)
    spacing = [float(grid.spacing_zyx[k]) for k in order]
    return np.ascontiguousarray(moved), Grid(moved.shape, grid.index_to_world(corner), spacing)


def resample_volume(volume: Volume, grid: Grid, outside_hu: float = AIR_HU) -> Volume:
    """CT onto `grid` as float32, linear; a Gaussian first on axes much finer than the target (anti-aliasing)."""
    image = sitk.Cast(to_sitk(volume.array, volume.grid), sitk.sitkFloat32)
    sigma = [
        float(0.35 * target) if source < 0.8 * target else 0.0
        for source, target in zip(volume.grid.spacing_xyz, grid.spacing_xyz, strict=True)
    ]
    if any(s > 0 for s in sigma):
        image = sitk.DiscreteGaussian(
            image, [max(s, 1e-6) ** 2 for s in sigma], useImageSpacing=True, maximumKernelWidth=32
        )
    return Volume(_resample(image, grid, sitk.sitkLinear, outside_hu), grid)


def resample_mask(mask: AnyArray, source: Grid, target: Grid) -> Float32Array:
    """Occupancy 0..1 of a boolean mask on another grid (linear), so that the outline keeps its sub-voxel place."""
    image = to_sitk(np.asarray(mask, dtype=np.float32), source)
    return np.asarray(_resample(image, target, sitk.sitkLinear, 0.0), dtype=np.float32)


def resample_labels(labels: LabelMap, grid: Grid, ids: tuple[int, ...] | None = None) -> LabelMap:
    """Labels onto `grid`, each id as a linear occupancy and the largest one of at least 0.5 wins.

    Nearest neighbour would carry the stair steps of thick slices into every surface distance.
    """
    wanted = labels.ids() if ids is None else ids
    best = np.full(grid.shape_zyx, 0.5, dtype=np.float32)
    out = np.zeros(grid.shape_zyx, dtype=np.uint8 if max(wanted, default=0) < 256 else np.int32)
    for label in wanted:
        share = resample_mask(labels.array == label, labels.grid, grid)
        out[share >= best] = label
        np.maximum(best, share, out=best)
    return LabelMap(out, grid, labels.names)


def _resample(image: sitk.Image, grid: Grid, method: int, outside: float) -> AnyArray:
    reference = sitk.Image([int(n) for n in grid.shape_zyx[::-1]], image.GetPixelID())
    reference.SetOrigin([float(v) for v in grid.origin_lps])
    reference.SetSpacing([float(v) for v in grid.spacing_xyz])
    reference.SetDirection([float(v) for v in grid.direction.ravel()])
    result: AnyArray = sitk.GetArrayFromImage(
        sitk.Resample(image, reference, sitk.Transform(), method, outside, image.GetPixelID())
    )
    return result
