"""Small CT-like volumes (non-square, anisotropic, without symmetry) and writers of each format."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dicom_files
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

SHAPE = (18, 22, 26)
SPACING_ZYX = (2.0, 0.9, 0.7)
ORIGIN = np.array([-10.5, 20.25, -300.0])


@pytest.fixture
def body() -> np.ndarray:
    """int16 HU (z, y, x): air, fat, muscle and an off-centre bone, with noise; no axis is a mirror of itself."""
    rng = np.random.default_rng(3)
    z, y, x = np.indices(SHAPE)
    a = np.full(SHAPE, -1000.0)
    a[(y > 3) & (x > 2)] = -90
    a[(y > 5) & (x > 4) & (x < 24)] = 50
    a[(y > 9) & (y < 16) & (x > 9) & (x < 17 - z // 6)] = 350
    a[(z > 12) & (y < 7) & (x > 18)] = 700
    return np.rint(a + rng.normal(0, 8, SHAPE)).clip(-1024, 3000).astype(np.int16)


@pytest.fixture
def write_itk() -> Callable[..., Path]:
    """``write_itk(path, array, **geometry)``: NIfTI, NRRD or MetaImage by SimpleITK."""

    def write(
        path: Path,
        array: np.ndarray,
        spacing_zyx: tuple[float, ...] = SPACING_ZYX,
        origin: np.ndarray = ORIGIN,
        direction: np.ndarray | None = None,
        compress: bool = False,
    ) -> Path:
        image = sitk.GetImageFromArray(array)
        image.SetSpacing([float(s) for s in spacing_zyx[::-1]])
        image.SetOrigin([float(v) for v in origin])
        image.SetDirection([float(v) for v in (np.eye(3) if direction is None else direction).ravel()])
        sitk.WriteImage(image, str(path), compress)
        return path

    return write


@pytest.fixture
def write_nifti() -> Callable[..., Path]:
    """``write_nifti(path, array_xyz, affine_ras, edit)``: NIfTI by nibabel, `edit(header)` last."""

    def write(
        path: Path,
        array_xyz: np.ndarray,
        affine: np.ndarray | None = None,
        edit: Callable[[Any], None] | None = None,
    ) -> Path:
        image = nib.Nifti1Image(array_xyz, np.diag([0.7, 0.9, 2.0, 1.0]) if affine is None else affine)
        image.set_qform(image.affine, 1)
        image.set_sform(image.affine, 1)
        image.to_filename(path)
        if edit is not None:  # in the file itself: nibabel would make the header consistent again on writing
            packed = path.name.endswith(".gz")
            data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
            header = nib.Nifti1Header(data[:348], check=False)
            edit(header)
            data = header.binaryblock + data[348:]
            path.write_bytes(gzip.compress(data) if packed else data)
        return path

    return write


@pytest.fixture
def write_series() -> Callable[..., Path]:
    """`dicom_files.write_series`."""
    return dicom_files.write_series
