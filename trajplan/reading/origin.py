"""Origin: study, frame of reference and images that a DICOM scan came from, so that results can lie beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from trajplan.geometry.arrays import FloatArray
from trajplan.reading.answers import Answers
from trajplan.reading.dicom_header import BROKEN
from trajplan.reading.dicom_series import choose_series, files_below
from trajplan.reading.read import kind_of_path


@dataclass(frozen=True, eq=False)
class SourceImage:
    """One image of a series, or the first frame of a multi-frame one; geometry as its header states it."""

    sop_class: str
    sop_uid: str
    shape: tuple[int, int]
    position_lps: FloatArray
    orientation: FloatArray
    spacing_mm: tuple[float, float]


@dataclass(frozen=True)
class Origin:
    """Where a DICOM scan came from: identifiers of things, none of a person.

    Parameters
    ----------
    study_uid, frame_of_reference_uid, series_uid : str
        Empty where the files do not state it.
    images : tuple of SourceImage
    first_file : Path
        One of the files, for whoever may put the patient's name back.
    """

    study_uid: str
    frame_of_reference_uid: str
    series_uid: str
    images: tuple[SourceImage, ...]
    first_file: Path


def find_origin(path: Path, answers: Answers) -> Origin | None:
    """The origin of the series that `read_scan` takes with the same answers; None for anything but DICOM.

    Raises
    ------
    InputError
        What `choose_series` refuses.
    """
    if kind_of_path(path, path.name) != "dicom":
        return None
    series = answers.series
    folder = path if path.is_dir() else path.parent
    files = files_below(folder)
    group, _ = choose_series(files, folder.name, series=series or _series_of(path), assume_hu=answers.assume_hu)
    first = group[0]
    images = {
        h.sop_uid: SourceImage(h.sop_class, h.sop_uid, h.shape, h.position_lps, h.orientation, h.spacing_mm)
        for h in reversed(group)
        if h.position_lps is not None and h.orientation is not None and h.spacing_mm is not None
    }
    found = tuple(reversed(images.values()))
    return Origin(_tag(first.path, "StudyInstanceUID"), first.frame_of_reference, first.series_uid, found, first.path)


def _series_of(path: Path) -> str | None:
    """The series that a single named file belongs to; None for a folder or a DICOMDIR."""
    return None if path.is_dir() else _tag(path, "SeriesInstanceUID") or None


def _tag(path: Path, keyword: str) -> str:
    try:
        return str(dcmread(path, specific_tags=[keyword], stop_before_pixels=True, force=True).get(keyword, "") or "")
    except BROKEN:
        return ""
