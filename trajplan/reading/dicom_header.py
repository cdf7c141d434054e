"""What we need of one DICOM image's header, read by pydicom without the pixels."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.reading.dicom_pixel_data import DEFLATED, check_deflated, pixel_fault, syntax_of
from trajplan.reading.sniff import is_dicom

_TAGS = [
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PatientID"),
    *("SeriesDescription", "Modality", "ImageType", "AcquisitionNumber", "ConvolutionKernel", "PatientPosition"),
    *("TemporalPositionIdentifier", "Laterality", "ImageLaterality", "Rows", "Columns", "SamplesPerPixel"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames", "PhotometricInterpretation"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"),
    *("RescaleType", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("LossyImageCompression", "LossyImageCompressionRatio"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]
_FRAME_TAGS = ["FrameType", "FrameAcquisitionNumber", "TemporalPositionIndex", "FrameLaterality"]
_KEYWORDS = {pydicom.datadict.tag_for_keyword(name): name for name in (*_TAGS, *_FRAME_TAGS)}
_CT_CLASSES = "1.2.840.10008.5.1.4.1.1.2"
_ALWAYS_LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"}
# pydicom decodes values on access; broken ones surface as any of these, which it raises itself (NotImplementedError
# for a value representation it does not know).
BROKEN = (
    *(InvalidDicomError, BytesLengthException, NotImplementedError, RecursionError, ArithmeticError, LookupError),
    *(OSError, EOFError, ValueError, TypeError, AttributeError, struct.error, zlib.error, MemoryError),
)


@dataclass(frozen=True, eq=False)
class Header:
    """One image's header: a file, or one frame of a multi-frame file. Geometry is None where none is stated.

    `owner` tells patients and studies apart without holding who they are. `frame` is None for a single-frame file.
    """

    path: Path
    frame: int | None
    sop_class: str
    sop_uid: str
    series_uid: str
    owner: int
    frame_of_reference: str
    description: str
    modality: str
    image_type: tuple[str, ...]
    acquisition: str
    kernel: str
    phase: str
    patient_position: str
    laterality: str
    shape: tuple[int, int]
    samples: int
    frames: int
    photometric: str
    bits: tuple[int, int, int]
    signed: bool
    position_lps: FloatArray | None
    orientation: FloatArray | None
    spacing_mm: tuple[float, float] | None
    rescale: tuple[float, float] | None
    rescale_type: str
    padding: tuple[int, int] | None
    lossy: str | None
    syntax: str
    pixel_fault: str | None

    @property
    def padding_hu(self) -> tuple[float, float] | None:
        """The declared padding, lowest and highest HU, when above what a scanner can measure (else it is a real value).

        What lies below is cut off at air in any case.
        """
        if self.padding is None or self.rescale is None:
            return None
        low, high = sorted(self.rescale[0] * value + self.rescale[1] for value in self.padding)
        return (low, high) if low > 32767 else None


def read_headers(path: Path) -> list[Header]:
    """The header of a DICOM image, one for each frame; empty for a file that is no DICOM, or DICOM without pixels.

    Raises
    ------
    InputError
        ``unreadable_file`` for a DICOM file whose header cannot be parsed, ``expands_too_much``.
    """
    with path.open("rb") as f:
        if not is_dicom(f.read(132)):
            return []
        f.seek(0)
        try:
            # pydicom warns of odd values (and repeats them); what matters is checked below
            with warnings.catch_warnings(), pydicom.config.disable_value_validation():
                warnings.simplefilter("ignore")
                check_deflated(f, path)
                ds = pydicom.dcmread(f, stop_before_pixels=True, force=True, specific_tags=_TAGS)
                if "Rows" not in ds or "Columns" not in ds:
                    if _should_have_pixels(ds):
                        raise ValueError("no image size")
                    return []
                return _headers_of(ds, path, None if syntax_of(ds) == DEFLATED else pixel_fault(f, ds, path))
        except BROKEN as error:
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


def _headers_of(ds: Any, path: Path, fault: str | None) -> list[Header]:
    """One header, or one for each frame where the file has functional groups (enhanced multi-frame)."""
    syntax, own = syntax_of(ds), _plain(ds)
    per_frame = list(own.get("PerFrameFunctionalGroupsSequence") or ())
    frames = int(own.get("NumberOfFrames") or 1)
    if not per_frame:
        return [_header_of((own,), path, None, frames, syntax, fault)]
    if len(per_frame) != frames:
        raise InputError(
            f"{path.name} states {frames} frames but describes {len(per_frame)}; export the series again",
            code="unreadable_file",
            numbers={"stated": float(frames), "described": float(len(per_frame))},
        )
    # What a frame says of itself comes first, then what all frames share, then the file.
    shared = _groups_of(*(own.get("SharedFunctionalGroupsSequence") or ()))
    return [
        _header_of((*_groups_of(item), *shared, own), path, k, 1, syntax, fault) for k, item in enumerate(per_frame)
    ]


def _plain(ds: Any) -> dict[str, Any]:
    """The values we know by their names, each decoded once (looking up by name in a data set is slow)."""
    return {name: ds[tag].value for tag in ds.keys() if (name := _KEYWORDS.get(tag)) is not None}  # noqa: SIM118 Dataset iterates elements, decoding them all


def _groups_of(*items: Any) -> tuple[dict[str, Any], ...]:
    """The functional groups (each a sequence of one item) in a shared or per-frame item."""
    return tuple(
        _plain(element.value[0])
        for item in items
        for element in item
        if element.VR == "SQ" and len(element.value or ()) == 1
    )


def _header_of(
    sources: tuple[dict[str, Any], ...], path: Path, frame: int | None, frames: int, syntax: str, fault: str | None
) -> Header:
    ds = sources[-1]

    def values(*names: str) -> list[Any]:
        for name in names:
            for source in sources:
                if name in source and (found := _values(source[name])):
                    return found
        return []

    def text(*names: str) -> str:
        return " ".join(str(v) for v in values(*names)).strip()

    def number(name: str, default: int) -> int:
        return int(next(iter(values(name)), default))

    slope, intercept = _floats(values("RescaleSlope"), 1), _floats(values("RescaleIntercept"), 1)
    spacing = _floats(values("PixelSpacing"), 2)
    bits = number("BitsAllocated", 16)
    return Header(
        path=path,
        frame=frame,
        sop_class=str(ds.get("SOPClassUID", "")),
        sop_uid=str(ds.get("SOPInstanceUID", "")),
        series_uid=str(ds.get("SeriesInstanceUID", "")),
        owner=hash((str(ds.get("PatientID", "")), str(ds.get("StudyInstanceUID", "")))),
        frame_of_reference=str(ds.get("FrameOfReferenceUID", "")),
        description=" ".join(str(ds.get("SeriesDescription", "")).split())[:40],
        modality=text("Modality").upper(),
        image_type=tuple(str(v).strip().upper() for v in values("FrameType", "ImageType")),
        acquisition=text("FrameAcquisitionNumber", "AcquisitionNumber"),
        kernel=text("ConvolutionKernel"),
        phase=text("TemporalPositionIndex", "TemporalPositionIdentifier"),
        patient_position=text("PatientPosition").upper(),
        laterality=text("FrameLaterality", "ImageLaterality", "Laterality").upper(),
        shape=(int(ds["Rows"]), int(ds["Columns"])),
        samples=number("SamplesPerPixel", 1),
        frames=frames,
        photometric=text("PhotometricInterpretation").upper(),
        bits=(bits, number("BitsStored", bits), number("HighBit", number("BitsStored", bits) - 1)),
        signed=number("PixelRepresentation", 0) == 1,
        position_lps=_floats(values("ImagePositionPatient"), 3),
        orientation=_floats(values("ImageOrientationPatient"), 6),
        spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
        rescale=None if slope is None or intercept is None else (float(slope[0]), float(intercept[0])),
        rescale_type=text("RescaleType").upper(),
        padding=_padding(
            values("PixelPaddingValue"),
            values("PixelPaddingRangeLimit"),
            bits,
            signed=number("PixelRepresentation", 0) == 1,
        ),
        lossy=_lossy(syntax, text("LossyImageCompression"), text("LossyImageCompressionRatio")),
        syntax=syntax,
        pixel_fault=fault,
    )


def _padding(value: Iterable[Any], limit: Iterable[Any], bits: int, *, signed: bool) -> tuple[int, int] | None:
    """Stored values of padding, both ends; a range runs from the value to the limit (DICOM PS3.3 C.7.5.1.1.2)."""
    ends = []
    for raw in (next(iter(value), None), next(iter(limit), None)):
        if raw is not None and str(raw).lstrip("-").isdigit():
            number = int(raw)
            ends.append(number + (1 << bits) if number < 0 and not signed else number)
        elif not ends:  # a limit means nothing without a value
            return None
    return min(ends), max(ends)


def _lossy(syntax: str, flag: str, ratio: str) -> str | None:
    """How the pixels were compressed with loss, in words, or None."""
    if flag == "01":
        return f"ratio {ratio.split()[-1][:8]}" if ratio else "ratio not stated"
    return "by its transfer syntax" if syntax in _ALWAYS_LOSSY else None


def _values(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)


def _floats(values: list[Any], count: int) -> FloatArray | None:
    if len(values) != count:
        return None
    array = np.array([float(v) for v in values], dtype=np.float64)
    return array if np.isfinite(array).all() else None
