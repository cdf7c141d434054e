"""Scans and labels stored along any axes, in four formats."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from dicom_files import write_series

from trajplan.geometry import Grid, LabelMap, Volume

FORMATS = ("dicom", "nii", "nrrd", "mha")


def write_voxels(folder: Path, array, origin, spacing_zyx, direction, kind: str, name: str = "scan") -> Path:
    """Write an array whose index axes (x, y, z) run along the columns of `direction`, LPS mm."""
    if kind == "dicom":
        orientation = tuple(float(v) for v in (*direction[:, 0], *direction[:, 1]))
        step = tuple(float(v) for v in direction[:, 2] * spacing_zyx[0])
        return write_series(
            folder / name, array, spacing_zyx=tuple(spacing_zyx), origin=origin, orientation=orientation, step=step
        )
    path = folder / f"{name}.{kind}"
    if kind == "nii":
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = direction * np.asarray(spacing_zyx)[::-1], origin
        image = nib.Nifti1Image(array.transpose(2, 1, 0), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)
        image.to_filename(path)
        return path
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([float(v) for v in np.asarray(spacing_zyx)[::-1]])
    image.SetOrigin([float(v) for v in origin])
    image.SetDirection([float(v) for v in np.asarray(direction).ravel()])
    sitk.WriteImage(image, str(path))
    return path


def write_scan(folder: Path, item: Volume | LabelMap, kind: str) -> Path:
    """Write a scan, or labels beside it, as one of `FORMATS`."""
    grid, name = item.grid, "labels" if isinstance(item, LabelMap) else "scan"
    array = np.ascontiguousarray(item.array, dtype=np.uint8 if isinstance(item, LabelMap) else np.int16)
    return write_voxels(folder, array, grid.origin_lps, grid.spacing_zyx, grid.direction, kind, name)


def reordered(item: Volume | LabelMap, axes: tuple[int, ...], flipped: tuple[int, ...]) -> Volume | LabelMap:
    """The same scan with permuted and flipped storage; `axes` and `flipped` count z, y, x from 0."""
    array = np.flip(np.transpose(item.array, axes), flipped)
    grid = item.grid
    step = np.stack([grid.direction[:, 2 - a] for a in axes])
    start = np.zeros(3)
    for position, a in enumerate(axes):
        if position in flipped:
            start[a] = grid.shape_zyx[a] - 1
            step[position] = -step[position]
    new = Grid(array.shape, grid.index_to_world(start), grid.spacing_zyx[list(axes)], step[::-1].T)
    return dataclasses.replace(item, array=array, grid=new)
