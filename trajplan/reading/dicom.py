"""A DICOM series, from a folder or from any one of its files, to HU on a checked grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import unit
from trajplan.geometry.grid import Grid
from trajplan.geometry.resample import room_for
from trajplan.geometry.volume import Volume
from trajplan.reading.checks import check_grid, check_hu, padding_findings
from trajplan.reading.datafile import check_size
from trajplan.reading.dicom_checks import check_values, header_findings
from trajplan.reading.dicom_geometry import SeriesGeometry, solve_geometry
from trajplan.reading.dicom_header import read_headers
from trajplan.reading.dicom_pixels import read_pixels
from trajplan.reading.dicom_series import choose_series, files_below
from trajplan.reading.dicomdir import listed_files, missing_files
from trajplan.reading.irregular import respace, steps_along
from trajplan.reading.scan import Finding
from trajplan.reading.shear import straighten

ROW_SHEAR_DEG = 0.1
"""A gantry tilts along the image columns; more than this along the rows is something else."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Voxels as read, canonical unless their grid is oblique, with the stored size and spacing."""

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
    return _placed(name, geometry, findings, assume_hu=assume_hu)


def _series_of(path: Path) -> str | None:
    headers = read_headers(path)
    if not headers:
        raise InputError(f"{path.name} is a DICOM file without an image", code="no_dicom")
    return headers[0].series_uid or None


def _placed(name: str, geometry: SeriesGeometry, findings: list[Finding], *, assume_hu: bool) -> Stored:
    """The pixels, straight to where they belong."""
    m, along_mm = geometry.matrix, geometry.along_mm
    spacing = geometry.spacing_zyx_mm
    x, y = unit(m[:, 0]), unit(m[:, 1])
    step_mm = float(m[:, 2] @ np.cross(x, y))
    slices = len(geometry.headers) if along_mm is None else steps_along(along_mm, step_mm)
    size = (slices, *geometry.headers[0].shape)
    square = Grid(size, geometry.origin_lps, spacing, np.column_stack([x, y, np.cross(x, y)]))
    findings = findings + check_grid(name, square)
    if along_mm is None and not geometry.is_sheared:
        array, stored, grid = room_for(square, np.int16)
    else:
        array = stored = np.empty((len(geometry.headers), *size[1:]), np.int16)
        grid = square
    findings += padding_findings(read_pixels(geometry.headers, stored))
    findings += check_hu(name, array, assume_hu=assume_hu)
    if along_mm is not None:
        array = respace(array, along_mm, step_mm)
    if not geometry.is_sheared:
        return Stored(Volume(array, grid), size, spacing, tuple(findings))
    text = (
        f"slices stacked at {geometry.tilt_deg:.2f} deg to their normal (gantry tilt) resampled to right angles; no "
        f"slice corner lies more than {max(geometry.corner_error_mm, 0.001):.3f} mm from where its header says"
    )
    findings.append(Finding("gantry_tilt", "repair", text))
    if abs(geometry.tilt_along_rows_deg) > ROW_SHEAR_DEG:
        text = f"the shift is along image rows ({geometry.tilt_along_rows_deg:.2f} deg), which no gantry tilt makes"
        findings.append(Finding("shear_along_rows", "warning", text))
    return Stored(straighten(array, m, geometry.origin_lps), size, spacing, tuple(findings))
