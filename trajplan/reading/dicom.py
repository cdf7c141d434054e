"""A DICOM series, from a folder or from any one of its files, to HU on a checked grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, unit
from trajplan.geometry.grid import Grid
from trajplan.geometry.volume import Volume
from trajplan.reading.checks import PADDING_HU, check_grid, check_hu, padding_findings, to_hu16
from trajplan.reading.datafile import check_size
from trajplan.reading.dicom_geometry import SeriesGeometry, solve_geometry
from trajplan.reading.dicom_header import Header, read_header
from trajplan.reading.dicom_series import choose_series, drop_duplicates, drop_scouts, files_below
from trajplan.reading.itk_file import decode
from trajplan.reading.scan import Finding
from trajplan.reading.shear import straighten

ROW_SHEAR_DEG = 0.1
"""A gantry tilts along the image columns; more than this along the rows is something else."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Voxels as read, on their stored grid unless that was sheared, with the stored size and spacing."""

    volume: Volume
    size_zyx: tuple[int, int, int]
    spacing_zyx_mm: tuple[float, float, float]
    findings: tuple[Finding, ...]


def read_dicom(path: Path, *, series: str | None = None, assume_hu: bool = False) -> Stored:
    """Read the one CT volume in a folder (any nesting), or the series that one file belongs to.

    Parameters
    ----------
    path : Path
        Folder, or one file of a series (its own folder is searched for the others).
    series : str, optional
        SeriesInstanceUID, needed when a folder holds several volumes.
    assume_hu : bool
        Accept a modality other than CT, or missing rescale, as Hounsfield units; recorded as a warning.

    Raises
    ------
    InputError
        Everything `choose_series` and `solve_geometry` refuse, and ``no_rescale``, ``unreadable_file``, ``hu_range``.
    """
    name = path.name or path.resolve().name
    if path.is_dir():
        files = files_below(path)
    else:
        files = [p for p in files_below(path.parent) if p.parent == path.parent]
        series = series or _series_of(path)
    group, findings = choose_series(files, name, series=series, assume_hu=assume_hu)
    for clean in (drop_duplicates, drop_scouts):
        group, more = clean(group)
        findings += more
    if not assume_hu and (bare := next((h for h in group if not h.has_rescale), None)):
        raise InputError(
            f"{bare.path.name} has no RescaleSlope and RescaleIntercept, so Hounsfield units are unknown",
            code="no_rescale",
        )
    geometry, more = solve_geometry(group)
    findings += more
    shape = (len(group), *group[0].shape)
    check_size(name, shape)
    if assume_hu and any(h.modality != "CT" or not h.has_rescale for h in group):
        text = f"modality {group[0].modality or 'not given'}: stored values taken as Hounsfield units on request"
        findings.append(Finding("hu_assumed", "warning", text))
    if any(h.lossy for h in group):
        findings.append(Finding("lossy", "warning", "lossy compression: HU may be off by tens"))
    array, padded = _pixels(geometry.headers)
    findings += padding_findings(padded)
    findings += check_hu(name, array, assume_hu=assume_hu)
    return _placed(name, array, geometry, findings)


def _series_of(path: Path) -> str | None:
    header = read_header(path)
    if header is None:
        raise InputError(f"{path.name} is a DICOM file without an image", code="no_dicom")
    return header.series_uid or None


def _pixels(headers: tuple[Header, ...]) -> tuple[AnyArray, int]:
    """int16 HU (z, y, x), each slice with its own slope and intercept, and the count of padded voxels."""
    rows, columns = headers[0].shape
    array = np.empty((len(headers), rows, columns), dtype=np.int16)
    padded = 0
    for k, h in enumerate(headers):
        if h.pixel_fault:
            raise InputError(f"cannot read {h.path.name}: {h.pixel_fault}; copy it again", code="unreadable_file")
        image = decode(h.path, "GDCMImageIO")
        if image.GetNumberOfComponentsPerPixel() != 1 or image.GetNumberOfPixels() != rows * columns:
            raise InputError(
                f"cannot read {h.path.name}: expected {rows} x {columns} grey pixels", code="unreadable_file"
            )
        pixels = sitk.GetArrayFromImage(image).reshape(rows, columns)
        if h.padding_hu is not None:
            is_padding = pixels == h.padding_hu
            padded += int(np.count_nonzero(is_padding))
            pixels = np.where(is_padding, PADDING_HU, pixels)
        array[k], more = to_hu16(pixels, h.path.name)
        padded += more
    return array, padded


def _placed(name: str, array: AnyArray, geometry: SeriesGeometry, findings: list[Finding]) -> Stored:
    m = geometry.matrix
    size = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
    spacing = geometry.spacing_zyx_mm
    x, y = unit(m[:, 0]), unit(m[:, 1])
    square = Grid(size, geometry.origin_lps, spacing, np.column_stack([x, y, np.cross(x, y)]))
    findings = findings + check_grid(name, square)
    if not geometry.is_sheared:
        return Stored(Volume(array, square), size, spacing, tuple(findings))
    text = f"slices stacked at {geometry.tilt_deg:.2f} deg to their normal (gantry tilt) resampled to right angles"
    findings.append(Finding("gantry_tilt", "repair", text))
    if abs(geometry.tilt_along_rows_deg) > ROW_SHEAR_DEG:
        text = f"the shift is along image rows ({geometry.tilt_along_rows_deg:.2f} deg), which no gantry tilt makes"
        findings.append(Finding("shear_along_rows", "warning", text))
    return Stored(straighten(array, m, geometry.origin_lps), size, spacing, tuple(findings))
