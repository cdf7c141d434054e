"""DICOMDIR: the table of contents of a disc. What it lists is compared with the folder, never opened on its word."""

from __future__ import annotations

import warnings
from pathlib import Path

import pydicom

from trajplan.reading.dicom_header import BROKEN
from trajplan.reading.scan import Finding
from trajplan.reading.sniff import is_dicom

_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"


def listed_files(path: Path) -> list[tuple[str, ...]] | None:
    """The images a DICOMDIR lists, each as its parts below the folder; None for any other file."""
    with path.open("rb") as f:
        if not is_dicom(f.read(132)):
            return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # discs are full of odd values; only the names are used
            meta = pydicom.filereader.read_file_meta_info(path)
            if str(meta.get("MediaStorageSOPClassUID", "")) != _DIRECTORY_CLASS:
                return None
            ds = pydicom.dcmread(path, specific_tags=["DirectoryRecordSequence"])
            records = ds.get("DirectoryRecordSequence") or ()
            return [
                (value,) if isinstance(value, str) else tuple(str(part) for part in value)
                for record in records
                if str(record.get("DirectoryRecordType", "")) == "IMAGE" and (value := record.get("ReferencedFileID"))
            ]
    except BROKEN:
        return None  # not a table of contents then; read like any other file, which says what is wrong


def missing_files(path: Path, listed: list[tuple[str, ...]]) -> list[Finding]:
    """A warning when listed images are not in the folder; parts that would leave it count as missing."""
    gone = [parts for parts in listed if not _is_below(path.parent, parts)]
    if not gone:
        return []
    text = f"{path.name} lists {len(listed)} images, {len(gone)} of them are not there: a slice may be lost"
    return [Finding("dicomdir_incomplete", "warning", text)]


def _is_below(folder: Path, parts: tuple[str, ...]) -> bool:
    if any(p in {"", ".", ".."} or "/" in p or "\\" in p or "\0" in p for p in parts):
        return False
    return any(folder.joinpath(*(change(p) for p in parts)).is_file() for change in (str, str.upper, str.lower))
