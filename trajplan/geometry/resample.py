"""Resampling: any storage order or oblique grid onto axis-aligned LPS, and onto isotropic working grids."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import TypeVar

import numpy as np
import SimpleITK as sitk
from numpy.typing import DTypeLike

from trajplan.geometry.arrays import AnyArray, Float32Array
from trajplan.geometry.grid import Grid
from trajplan.geometry.itk import to_sitk
from trajplan.geometry.volume import LabelMap, Volume

AIR_HU = -1000.0
_SLAB_VOXELS = 1 << 24
_PIECE_VOXELS = 1 << 26
_KERNEL = 32
_REACH = _KERNEL // 2 + 2
_Stored = TypeVar("_Stored", Volume, LabelMap)


def canonical(item: _Stored) -> _Stored:
    """The same scan with index axes x, y, z along +L, +P, +S.

    A storage that differs only by flips and permutations is reordered without touching a value. An oblique one
    is resampled (CT linear, labels nearest) at its own finest-to-coarsest spacing onto a grid that holds all of it.
    """
    if not is_oblique(item.grid):
        order, flipped, snapped = _storage(item.grid)
        moved = item.array.transpose(order)  # a view: one copy at most, since a scan may be a gigabyte
        array = np.ascontiguousarray(np.flip(moved, flipped) if flipped else moved)
    else:
        corners = item.grid.corners_lps()
        lower, upper = corners.min(axis=0), corners.max(axis=0)
        spacing_xyz = item.grid.spacing_xyz[nearest_axes(item.grid.direction)]
        count = np.ceil((upper - lower) / spacing_xyz).astype(int) + 1
        snapped = Grid(tuple(count[::-1]), (lower + upper) / 2 - (count - 1) / 2 * spacing_xyz, spacing_xyz[::-1])
        image = to_sitk(item.array, item.grid)
        if isinstance(item, Volume):
            array = resample_image(image, snapped)
        else:
            array = _resample(image, snapped, sitk.sitkNearestNeighbor, 0.0)
    if isinstance(item, Volume):
        return Volume(array, snapped)
    return LabelMap(array, snapped, item.names)


def is_oblique(grid: Grid) -> bool:
    """Whether a corner of the grid lies off the patient axes by a micrometre or more."""
    span_mm = np.array(grid.shape_zyx[::-1]) * grid.spacing_xyz
    return bool((np.abs(grid.direction - np.rint(grid.direction)) * span_mm).max() >= 1e-3)


def room_for(grid: Grid, dtype: DTypeLike) -> tuple[AnyArray, AnyArray, Grid]:
    """Room for a scan that is still to be read, so that turning it needs no second copy of a gigabyte.

    Returns
    -------
    array : ndarray
        Uninitialised, in the canonical order; in the stored one for an oblique grid, which `canonical` then resamples.
    stored : ndarray, shape ``grid.shape_zyx``
        The same memory in the order of `grid`, to be filled.
    grid : Grid
        That of `array`.
    """
    if is_oblique(grid):
        array: AnyArray = np.empty(grid.shape_zyx, dtype)
        return array, array, grid
    order, flipped, snapped = _storage(grid)
    array = np.empty(snapped.shape_zyx, dtype)
    return array, np.flip(array, flipped).transpose(np.argsort(order)), snapped


def nearest_axes(axes: AnyArray) -> list[int]:
    """For each world axis the index axis (columns of `axes`, shape (3, 3)) that runs along it, each taken once."""
    cosines = np.abs(axes / np.linalg.norm(axes, axis=0))
    orders = [list(order) for order in permutations(range(3))]
    return max(orders, key=lambda order: float(cosines[range(3), order].sum()))


def _storage(grid: Grid) -> tuple[list[int], tuple[int, ...], Grid]:
    """How a grid along the patient axes is stored: transpose and flips to the canonical order, and that grid."""
    axes = np.rint(grid.direction)  # [world, index x y z]
    index_of_world = np.abs(axes).argmax(axis=1)
    order = [2 - int(index_of_world[world]) for world in (2, 1, 0)]
    flipped = tuple(k for k, world in enumerate((2, 1, 0)) if axes[world, index_of_world[world]] < 0)
    corner = np.array([n - 1 if axes[:, 2 - k].sum() < 0 else 0 for k, n in enumerate(grid.shape_zyx)])
    shape = [grid.shape_zyx[k] for k in order]
    spacing = [float(grid.spacing_zyx[k]) for k in order]
    return order, flipped, Grid(tuple(shape), grid.index_to_world(corner), spacing)


def resample_image(image: sitk.Image, grid: Grid, transform: sitk.Transform | None = None) -> AnyArray:
    """An image of HU at the voxels of `grid`, linear, air outside; integers are rounded, not cut off.

    Some slices at a time: in float a scan of a gigabyte would be two, twice.
    """
    whole = image.GetPixelID() not in {sitk.sitkFloat32, sitk.sitkFloat64}
    probe = sitk.GetArrayViewFromImage(image)
    out: AnyArray = np.empty(grid.shape_zyx, probe.dtype)
    step = max(1, _SLAB_VOXELS // (grid.shape_zyx[1] * grid.shape_zyx[2]))
    for k in range(0, grid.shape_zyx[0], step):
        end = min(k + step, grid.shape_zyx[0])
        slab = grid.cropped((k, 0, 0), (end, *grid.shape_zyx[1:]))
        values = _resample(image, slab, sitk.sitkLinear, AIR_HU, transform, sitk.sitkFloat32)
        out[k:end] = np.rint(values) if whole else values
    return out


def resample_volume(volume: Volume, grid: Grid, outside_hu: float = AIR_HU) -> Volume:
    """CT onto `grid` as float32, linear; a Gaussian first on axes much finer than the target (anti-aliasing).

    Only what decides a voxel is taken of the CT, and some slices at a time: in float a long scan is gigabytes.
    """
    near = _near(volume, grid)
    pieces = 1 + (0 if near is None else near.array.size // _PIECE_VOXELS)
    out = np.empty(grid.shape_zyx, np.float32)
    for k, end in pairwise(np.linspace(0, len(out), min(pieces, len(out)) + 1).astype(int)):
        out[k:end] = _smooth_and_resample(volume, grid.cropped((k, 0, 0), (end, *grid.shape_zyx[1:])), outside_hu)
    return Volume(out, grid)


def _smooth_and_resample(volume: Volume, grid: Grid, outside_hu: float) -> AnyArray:
    near = _near(volume, grid)
    if near is None:
        return np.full(grid.shape_zyx, outside_hu, np.float32)
    image = sitk.Cast(to_sitk(near.array, near.grid), sitk.sitkFloat32)
    sigma = [
        float(0.35 * target) if source < 0.8 * target else 0.0
        for source, target in zip(volume.grid.spacing_xyz, grid.spacing_xyz, strict=True)
    ]
    if any(s > 0 for s in sigma):
        image = sitk.DiscreteGaussian(
            image, [max(s, 1e-6) ** 2 for s in sigma], useImageSpacing=True, maximumKernelWidth=_KERNEL
        )
    return _resample(image, grid, sitk.sitkLinear, outside_hu)


def _near(volume: Volume, grid: Grid) -> Volume | None:
    """The part of a CT that decides what is seen on `grid`: a scan is a gigabyte, and a vertebra a thousandth of it."""
    index = volume.grid.world_to_index(grid.corners_lps())
    start = np.floor(index.min(axis=0)).astype(int) - _REACH
    stop = np.ceil(index.max(axis=0)).astype(int) + _REACH + 1
    if (stop <= 0).any() or (start >= np.array(volume.grid.shape_zyx)).any():
        return None
    return volume.cropped(start, stop)


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


def _resample(
    image: sitk.Image,
    grid: Grid,
    method: int,
    outside: float,
    transform: sitk.Transform | None = None,
    pixels: int | None = None,
) -> AnyArray:
    result: AnyArray = sitk.GetArrayFromImage(
        sitk.Resample(
            image,
            [int(n) for n in grid.shape_zyx[::-1]],
            transform or sitk.Transform(),
            method,
            [float(v) for v in grid.origin_lps],
            [float(v) for v in grid.spacing_xyz],
            [float(v) for v in grid.direction.ravel()],
            outside,
            image.GetPixelID() if pixels is None else pixels,
        )
    )
    return result
