"""`read_scan`: one door for every scan, by what the file holds."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np

from trajplan.errors import GeometryError, InputError
from trajplan.geometry.arrays import AnyArray
from trajplan.geometry.resample import canonical, is_oblique
from trajplan.geometry.volume import Volume
from trajplan.reading.answers import NO_ANSWERS, Answers, NiftiForm
from trajplan.reading.checks import check_grid, check_hu, padding_findings, to_hu16
from trajplan.reading.content import describe
from trajplan.reading.dicom import Stored, read_dicom
from trajplan.reading.metaimage import preflight_metaimage
from trajplan.reading.nifti import preflight_nifti
from trajplan.reading.nrrd import preflight_nrrd
from trajplan.reading.scan import Finding, Scan
from trajplan.reading.sniff import sniff
from trajplan.reading.voxel_file import VoxelFile, fill


def read_scan(path: Path, answers: Answers = NO_ANSWERS) -> Scan:
    """Read a CT from a DICOM folder or file, NIfTI-1, NRRD or MetaImage, and check it.

    Parameters
    ----------
    path : Path
        File, folder, or DICOMDIR.
    answers : Answers
        What was decided beforehand: which series, which NIfTI form, HU or resampling against the file's own word.

    Returns
    -------
    Scan
        int16 HU on an axis-aligned LPS grid, with a finding for every repair, warning and answer that was used.

    Raises
    ------
    Question
        The scan can be read in more than one way: it carries the choices and the option that answers.
    InputError
        Otherwise always this, with one clear line, whatever is wrong with the input.
    """
    path = Path(path)
    name = printable(path.name or path.resolve().name)
    try:
        kind = kind_of_path(path, name)
        if kind == "dicom":
            stored = read_dicom(
                path,
                series=answers.series,
                assume_hu=answers.assume_hu,
                resample_irregular=answers.resample_irregular,
            )
        else:
            stored = _read_file(path, kind, answers)
        volume, more = _canonical(stored.volume)
        size_zyx, spacing_zyx_mm, found = stored.size_zyx, stored.spacing_zyx_mm, stored.findings
        del stored  # its voxels may be a gigabyte, and are in `volume` now
        content, shown = describe(volume)
    except InputError as error:
        error.args = (printable(str(error)),)
        raise
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


def open_voxels(path: Path, kind: str, form: NiftiForm | None = None) -> VoxelFile:
    """The header of a NIfTI, NRRD or MetaImage file, checked; no voxel is read yet.

    Raises
    ------
    InputError
        What the preflight of the format refuses; a `Question` among it.
    """
    if kind == "nifti":
        return preflight_nifti(path, form)
    return preflight_nrrd(path) if kind == "nrrd" else preflight_metaimage(path)


def _read_file(path: Path, kind: str, answers: Answers) -> Stored:
    if answers.series is not None:
        raise InputError(f"{path.name} is a {kind} file; a series can be chosen in DICOM only", code="unknown_series")
    stored = open_voxels(path, kind, answers.nifti_form)
    findings = check_grid(path.name, stored.grid)
    padded = 0

    def as_hu(values: AnyArray, name: str) -> AnyArray:
        nonlocal padded
        hu, more = to_hu16(values, name)
        padded += more
        return hu

    array, grid = fill(stored, np.int16, as_hu)
    findings += [*stored.findings, *padding_findings(padded)]
    findings += check_hu(path.name, array, assume_hu=answers.assume_hu)
    z, y, x = (float(v) for v in stored.grid.spacing_zyx)
    return Stored(Volume(array, grid), stored.grid.shape_zyx, (z, y, x), tuple(findings))


def _canonical(volume: Volume) -> tuple[Volume, list[Finding]]:
    """Axis-aligned LPS."""
    if not is_oblique(volume.grid):
        return canonical(volume), []
    text = "oblique grid resampled to the patient axes; corners that were not scanned are air"
    return canonical(volume), [Finding("oblique_resampled", "repair", text)]
