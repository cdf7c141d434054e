"""A DICOM series, from a folder or from any one of its files, to HU on a checked grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, unit
from trajplan.geometry.grid import Grid
from trajplan.geometry.volume import Volume
from trajplan.reading.checks import check_grid, check_hu, padding_findings
from trajplan.reading.datafile import check_size
from trajplan.reading.dicom_checks import check_values, header_findings
from trajplan.reading.dicom_geometry import SeriesGeometry, solve_geometry
from trajplan.reading.dicom_header import read_headers
from trajplan.reading.dicom_pixels import read_pixels
from trajplan.reading.dicom_series import choose_series, files_below
from trajplan.reading.dicomdir import listed_files, missing_files
from trajplan.reading.irregular import respace
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


def read_dicom(
    path: Path, *, series: str | None = None, assume_hu: bool = False, resample_irregular: bool = False
) -> Stored:
    """Read the one CT volume in a folder (any nesting), a DICOMDIR, or the series that one file belongs to.

    Parameters
    ----------
    path : Path
        Folder, DICOMDIR (its folder is read), or one file of a series (its own folder is searched for the others).
    series : str, optional
        SeriesInstanceUID, needed when a folder holds several volumes; ``UID#N`` for one group of a series.
    assume_hu : bool
        Accept a modality other than CT, or missing rescale, as Hounsfield units; recorded as a warning.
    resample_irregular : bool
        Interpolate irregular or missing slices instead of refusing them; recorded as a warning.

    Raises
    ------
    InputError
        Everything `choose_series`, `check_values`, `solve_geometry` and `read_pixels` refuse.
    """
    name = path.name or path.resolve().name
    findings: list[Finding] = []
    if path.is_dir():
        files = files_below(path)
    elif (listed := listed_files(path)) is not None:
        files = files_below(path.parent)
        findings += missing_files(path, listed)
    else:
        files = [p for p in files_below(path.parent) if p.parent == path.parent]
        series = series or _series_of(path)
    group, more = choose_series(files, name, series=series, assume_hu=assume_hu)
    findings += more
    check_values(group, assume_hu=assume_hu)
    geometry, more = solve_geometry(group, resample_irregular=resample_irregular)
    findings += more
    check_size(name, (len(group), *group[0].shape))
    findings += header_findings(group, assume_hu=assume_hu)
    array, padded = read_pixels(geometry.headers)
    findings += padding_findings(padded)
    findings += check_hu(name, array, assume_hu=assume_hu)
    return _placed(name, array, geometry, findings)


def _series_of(path: Path) -> str | None:
    headers = read_headers(path)
    if not headers:
        raise InputError(f"{path.name} is a DICOM file without an image", code="no_dicom")
    return headers[0].series_uid or None


def _placed(name: str, array: AnyArray, geometry: SeriesGeometry, findings: list[Finding]) -> Stored:
    m = geometry.matrix
    spacing = geometry.spacing_zyx_mm
    if geometry.along_mm is not None:
        step_mm = float(m[:, 2] @ np.cross(unit(m[:, 0]), unit(m[:, 1])))
        array = respace(array, geometry.along_mm, step_mm)
    size = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
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
