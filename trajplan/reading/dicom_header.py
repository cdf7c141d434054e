"""What we need of one DICOM file's header, read by pydicom without the pixels."""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.reading.sniff import is_dicom

_TAGS = [
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesDescription", "Modality", "ImageType"),
    *("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PixelRepresentation", "NumberOfFrames"),
    *("PhotometricInterpretation", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
    *("RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "LossyImageCompression"),
]
_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
_CT_CLASSES = "1.2.840.10008.5.1.4.1.1.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_ALWAYS_LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"}
# pydicom decodes values on access; broken ones surface as any of these.
_BROKEN = (
    *(InvalidDicomError, BytesLengthException, NotImplementedError, RecursionError, ArithmeticError, LookupError),
    *(OSError, EOFError, ValueError, TypeError, AttributeError, struct.error, zlib.error),
)


@dataclass(frozen=True, eq=False)
class Header:
    """One image's header. Geometry is None where the file states none."""

    path: Path
    sop_class: str
    sop_uid: str
    series_uid: str
    description: str
    modality: str
    image_type: tuple[str, ...]
    shape: tuple[int, int]
    samples: int
    frames: int
    monochrome: bool
    position_lps: FloatArray | None
    orientation: FloatArray | None
    spacing_mm: tuple[float, float] | None
    has_rescale: bool
    padding_hu: float | None
    lossy: bool
    pixel_fault: str | None


def read_header(path: Path) -> Header | None:
    """The header of a DICOM image; None for a file that is not DICOM, or is DICOM without pixels.

    Raises
    ------
    InputError
        ``unreadable_file`` for a DICOM file whose header cannot be parsed.
    """
    with path.open("rb") as f:
        if not is_dicom(f.read(132)):
            return None
        f.seek(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydicom warns of odd values; what matters is checked below
                ds = pydicom.dcmread(f, stop_before_pixels=True, force=True, specific_tags=_TAGS)
                if "Rows" not in ds or "Columns" not in ds:
                    if _should_have_pixels(ds):
                        raise ValueError("no image size")
                    return None
                return _header_of(ds, path, _pixel_fault(f, ds, path))
        except _BROKEN as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{path.name} is a damaged DICOM file: its header cannot be read; copy it again or leave it out",
                code="unreadable_file",
            ) from error


def _should_have_pixels(ds: Any) -> bool:
    """A CT image, or a file that does not even say what it is, cannot be passed over as something without pixels."""
    meta = getattr(ds, "file_meta", None)
    stated = str(ds.get("SOPClassUID", "") or (meta.get("MediaStorageSOPClassUID", "") if meta else ""))
    return not stated or stated.startswith(_CT_CLASSES)


def _header_of(ds: Any, path: Path, pixel_fault: str | None) -> Header:
    slope, intercept = ds.get("RescaleSlope"), ds.get("RescaleIntercept")
    has_rescale = slope is not None and intercept is not None
    syntax = _syntax(ds)
    return Header(
        path=path,
        sop_class=str(ds.get("SOPClassUID", "")),
        sop_uid=str(ds.get("SOPInstanceUID", "")),
        series_uid=str(ds.get("SeriesInstanceUID", "")),
        description=" ".join(str(ds.get("SeriesDescription", "")).split())[:40],
        modality=str(ds.get("Modality", "")).strip().upper(),
        image_type=tuple(str(v).strip().upper() for v in _values(ds, "ImageType") or ()),
        shape=(int(ds.Rows), int(ds.Columns)),
        samples=int(ds.get("SamplesPerPixel", 1)),
        frames=int(ds.get("NumberOfFrames", 1) or 1),
        monochrome=str(ds.get("PhotometricInterpretation", "")).strip().upper() == "MONOCHROME2",
        position_lps=_floats(ds, "ImagePositionPatient", 3),
        orientation=_floats(ds, "ImageOrientationPatient", 6),
        spacing_mm=_pair(_floats(ds, "PixelSpacing", 2)),
        has_rescale=has_rescale,
        padding_hu=_padding_hu(ds, float(slope), float(intercept)) if has_rescale else None,
        lossy=str(ds.get("LossyImageCompression", "")).strip() == "01" or syntax in _ALWAYS_LOSSY,
        pixel_fault=pixel_fault,
    )


def _padding_hu(ds: Any, slope: float, intercept: float) -> float | None:
    """The declared padding value in HU, when it lies outside what a scanner can measure (else it is a real value)."""
    raw = ds.get("PixelPaddingValue")
    if raw is None or not str(raw).lstrip("-").isdigit():
        return None
    value = int(raw)
    if value < 0 and int(ds.get("PixelRepresentation", 0)) == 0:
        value += 1 << int(ds.get("BitsAllocated", 16))
    hu = slope * value + intercept
    return hu if hu > 32767 else None


def _pixel_fault(f: Any, ds: Any, path: Path) -> str | None:
    """Why the pixel data after the header cannot be whole, or None. GDCM reads some cut files without a word."""
    start, size = f.tell(), path.stat().st_size
    syntax = _syntax(ds)
    if syntax == _DEFLATED:
        return None
    order = ">" if syntax == "1.2.840.10008.1.2.2" else "<"
    f.seek(start)
    tag = f.read(12)
    if len(tag) < 12 or struct.unpack(order + "2H", tag[:4]) not in {(0x7FE0, 0x10), (0x7FE0, 0x8), (0x7FE0, 0x9)}:
        return "it holds no pixel data"
    if syntax in _NATIVE:
        bits = int(ds.get("BitsAllocated", 16))
        samples, frames = int(ds.get("SamplesPerPixel", 1)), int(ds.get("NumberOfFrames", 1) or 1)
        needed = int(ds.Rows) * int(ds.Columns) * samples * frames * bits // 8
        found = size - start - (8 if syntax == "1.2.840.10008.1.2" else 12)
        return None if found >= needed else f"it holds {max(found, 0)} of {needed} pixel bytes"
    while True:  # encapsulated: items up to the sequence delimiter
        item = f.read(8)
        if len(item) < 8:
            return "its compressed pixel data are cut short"
        group, element, length = struct.unpack("<HHL", item)
        if (group, element) == (0xFFFE, 0xE0DD):
            return None
        if (group, element) != (0xFFFE, 0xE000):
            return "its compressed pixel data are damaged"
        f.seek(length, 1)


def _syntax(ds: Any) -> str:
    meta = getattr(ds, "file_meta", None)
    return str(meta.get("TransferSyntaxUID", "1.2.840.10008.1.2")) if meta else "1.2.840.10008.1.2"


def _values(ds: Any, name: str) -> list[Any] | None:
    value = ds.get(name)
    if value is None or value == "":
        return None
    return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)


def _floats(ds: Any, name: str, count: int) -> FloatArray | None:
    values = _values(ds, name)
    if values is None or len(values) != count:
        return None
    array = np.array([float(v) for v in values], dtype=np.float64)
    return array if np.isfinite(array).all() else None


def _pair(values: FloatArray | None) -> tuple[float, float] | None:
    return None if values is None else (float(values[0]), float(values[1]))
