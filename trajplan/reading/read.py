"""`read_scan`: one door for every scan, by what the file holds."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np

from trajplan.errors import GeometryError, InputError
from trajplan.geometry.resample import canonical, is_oblique
from trajplan.geometry.volume import Volume
from trajplan.reading.checks import check_grid, check_hu, padding_findings, to_hu16
from trajplan.reading.content import describe
from trajplan.reading.dicom import Stored, read_dicom
from trajplan.reading.itk_file import read_itk_file
from trajplan.reading.scan import Finding, Scan
from trajplan.reading.sniff import sniff


def read_scan(
    path: Path, *, series: str | None = None, assume_hu: bool = False, resample_irregular: bool = False
) -> Scan:
    """Read a CT from a DICOM folder or file, NIfTI-1, NRRD or MetaImage, and check it.

    Parameters
    ----------
    path : Path
        File, folder, or DICOMDIR.
    series : str, optional
        SeriesInstanceUID, when a DICOM folder holds several volumes; ``UID#N`` for one group within a series.
    assume_hu : bool
        Take the stored values as Hounsfield units although modality, rescale or histogram speak against it;
        recorded as a warning.
    resample_irregular : bool
        Interpolate irregular or missing DICOM slices (up to 6 mm apart) instead of refusing them; recorded as a
        warning.

    Returns
    -------
    Scan
        int16 HU on an axis-aligned LPS grid, with a finding for every repair and warning.

    Raises
    ------
    InputError
        Always this, with one clear line, whatever is wrong with the input.
    """
    path = Path(path)
    name = printable(path.name or path.resolve().name)
    try:
        kind = kind_of_path(path, name)
        if kind == "dicom":
            stored = read_dicom(path, series=series, assume_hu=assume_hu, resample_irregular=resample_irregular)
        else:
            stored = _read_file(path, kind, series, assume_hu=assume_hu)
        volume, more = _canonical(stored.volume)
        size_zyx, spacing_zyx_mm, found = stored.size_zyx, stored.spacing_zyx_mm, stored.findings
        del stored  # its voxels may be a gigabyte, and are in `volume` now
        content, shown = describe(volume)
    except InputError as error:
        if str(error).isprintable():
            raise
        raise InputError(printable(str(error)), code=error.code, numbers=error.numbers) from error
    except GeometryError as error:
        raise InputError(printable(f"{name}: {error}"), code=error.code, numbers=error.numbers) from error
    except MemoryError as error:
        raise InputError(
            f"{name} needs more memory than there is; crop it to the spine", code="out_of_memory"
        ) from error
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or 'I/O error'}", code="unreadable_file") from error
    return Scan(
        volume=volume,
        path_name=name,
        kind=kind,
        sha256=volume.sha256(),
        size_zyx=size_zyx,
        spacing_zyx_mm=spacing_zyx_mm,
        findings=tuple(Finding(f.code, f.severity, printable(f.message)) for f in (*found, *more, *shown)),
        content=content,
    )


def printable(text: str) -> str:
    """One line without control characters: names in files and folders are written by anybody, and reach terminals."""
    return "".join(c if c.isprintable() else "?" for c in text)


def kind_of_path(path: Path, name: str) -> str:
    """``dicom`` for a folder, else what the bytes say; refuses what is missing or is no plain file."""
    if not path.exists():
        raise InputError(f"{name} does not exist", code="not_found")
    if path.is_dir():
        return "dicom"
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{name} is neither a file nor a folder", code="not_a_file")
    return sniff(path)


def _read_file(path: Path, kind: str, series: str | None, *, assume_hu: bool) -> Stored:
    if series is not None:
        raise InputError(f"{path.name} is a {kind} file; a series can be chosen in DICOM only", code="unknown_series")
    array, grid = read_itk_file(path, kind)
    findings = check_grid(path.name, grid)
    array, padded = to_hu16(array, path.name)
    findings += padding_findings(padded) + check_hu(path.name, array, assume_hu=assume_hu)
    z, y, x = (float(v) for v in grid.spacing_zyx)
    return Stored(Volume(array, grid), grid.shape_zyx, (z, y, x), tuple(findings))


def _canonical(volume: Volume) -> tuple[Volume, list[Finding]]:
    """Axis-aligned LPS; an oblique grid is interpolated in float, so that HU are rounded and not cut."""
    if not is_oblique(volume.grid):
        return canonical(volume), []
    turned = canonical(Volume(volume.array.astype(np.float32), volume.grid))
    text = "oblique grid resampled to the patient axes; corners that were not scanned are air"
    return Volume(np.rint(turned.array).astype(np.int16), turned.grid), [Finding("oblique_resampled", "repair", text)]
