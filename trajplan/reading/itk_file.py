"""One-file formats: own preflight first, then the voxels by SimpleITK with the reader named explicitly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.itk import grid_of
from trajplan.reading.metaimage import preflight_metaimage
from trajplan.reading.nifti import check_place, preflight_nifti
from trajplan.reading.nrrd import preflight_nrrd

_IMAGE_IO = {"nifti": "NiftiImageIO", "nrrd": "NrrdImageIO", "metaimage": "MetaImageIO"}


def read_itk_file(path: Path, kind: str) -> tuple[AnyArray, Grid]:
    """Voxels (z, y, x) and grid (LPS mm) of a NIfTI, NRRD or MetaImage file, as stored.

    Parameters
    ----------
    path : Path
    kind : str
        ``nifti``, ``nrrd`` or ``metaimage``.

    Raises
    ------
    InputError
        What the preflight of the format refuses, or a file SimpleITK cannot decode.
    """
    place = preflight_nifti(path) if kind == "nifti" else None
    stated_mm = None if place else preflight_nrrd(path) if kind == "nrrd" else preflight_metaimage(path)
    image = decode(path, _IMAGE_IO[kind])
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{path.name} is not a single 3-D scalar volume", code="not_3d_scalar")
    grid = grid_of(image)
    if place is not None:
        check_place(path.name, place, grid)
    if stated_mm is not None and not np.allclose(grid.spacing_xyz, stated_mm, rtol=1e-4):
        raise InputError(
            f"{path.name} states a spacing of {stated_mm} mm but is decoded with {grid.spacing_xyz.tolist()} mm",
            code="header_ambiguous",
        )
    return sitk.GetArrayFromImage(image), grid


def decode(path: Path, image_io: str) -> sitk.Image:
    """`sitk.ReadImage` with ITK's own warnings off (we have checked) and its error told in one line."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        return sitk.ReadImage(str(path), imageIO=image_io)
    except RuntimeError as error:
        raise InputError(
            f"{path.name} cannot be decoded: its voxels are damaged or stored in an unsupported way",
            code="unreadable_file",
        ) from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
