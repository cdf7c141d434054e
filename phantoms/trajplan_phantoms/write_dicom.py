"""A stack of slices as a DICOM CT series, one file a slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.uid import CTImageStorage

from trajplan_phantoms.dicom_common import INTERCEPT_HU, decimal, fill_pixels, fill_study, new_file, uid_of
from trajplan_phantoms.tilt import Stack


def write_series(
    stack: Stack,
    folder: Path,
    *,
    position: str = "HFS",
    thickness_mm: float | None = None,
    padding_hu: int | None = None,
    seed: int = 1,
    content: str = "",
) -> list[Path]:
    """Write one CT Image file a slice, ``IM0001.dcm`` upwards, into an existing folder.

    Parameters
    ----------
    stack : Stack
    folder : Path
    position : str
        PatientPosition: HFS, HFP, FFS or FFP.
    thickness_mm : float, optional
        SliceThickness; the slice spacing by default.
    padding_hu : int, optional
        PixelPaddingValue in HU, when the images hold padding.
    seed : int
        Of the unique identifiers; the same seed, content and stack give the same bytes.
    content : str
        Tells this series from others of the same seed.

    Returns
    -------
    list of Path
    """
    paths = []
    for k, pixels in enumerate(stack.array):
        ds = new_file(CTImageStorage, uid_of(seed, "image", content, str(k)))
        fill_study(ds, seed, content, "Phantom CT", position)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.AcquisitionNumber, ds.InstanceNumber = 1, k + 1
        ds.ImageComments = "Computed phantom"
        ds.KVP, ds.GantryDetectorTilt = "120", decimal(stack.tilt_deg)
        ds.SliceThickness = decimal(thickness_mm or stack.slice_spacing_mm)
        ds.SpacingBetweenSlices = decimal(stack.slice_spacing_mm)
        ds.PixelSpacing = [decimal(v) for v in stack.spacing_mm]
        ds.ImageOrientationPatient = [decimal(v) for v in stack.orientation]
        ds.ImagePositionPatient = [decimal(v) for v in stack.positions_lps[k]]
        ds.PatientOrientation = [_towards(stack.row_lps), _towards(stack.column_lps)]
        ds.SliceLocation = decimal(stack.positions_lps[k] @ np.cross(stack.row_lps, stack.column_lps))
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = str(INTERCEPT_HU), "1", "HU"
        ds.WindowCenter, ds.WindowWidth = "300", "1500"
        ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
        fill_pixels(ds, pixels, padding_hu)
        path = folder / f"IM{k + 1:04d}.dcm"
        ds.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _towards(direction: np.ndarray) -> str:
    """PatientOrientation of one axis: the sides it runs towards, the largest part first."""
    pairs = (("L", "R"), ("P", "A"), ("H", "F"))
    order = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    return "".join(pairs[a][0 if direction[a] > 0 else 1] for a in order if abs(direction[a]) > 1e-3)
