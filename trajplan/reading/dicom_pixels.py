"""Voxels of a sorted DICOM series, as int16 HU: each slice with its own slope and intercept."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray
from trajplan.reading.checks import PADDING_HU, to_hu16
from trajplan.reading.dicom_header import BROKEN, Header
from trajplan.reading.dicom_pixel_data import BIG_ENDIAN, DEFLATED, NATIVE
from trajplan.reading.guarded import decode_guarded


def read_pixels(headers: tuple[Header, ...], out: AnyArray) -> int:
    """Fill `out`, int16 HU of shape (slices, rows, columns); how many voxels were padding.

    Single-frame files are decoded by SimpleITK, which applies slope and intercept.

    Raises
    ------
    InputError
        ``unreadable_file``, ``hu_range``, ``not_finite``.
    """
    padded = 0
    frames = _Frames()
    for h in headers:
        if h.pixel_fault:
            raise InputError(f"cannot read {h.path.name}: {h.pixel_fault}; copy it again", code="unreadable_file")
    files = decode_guarded([h.path for h in headers if h.frame is None])
    for k, h in enumerate(headers):
        pixels = _in_shape(next(files), h) if h.frame is None else frames.hu(h)
        if h.padding_hu is not None:
            low, high = h.padding_hu
            is_padding = (pixels >= low) & (pixels <= high)
            padded += int(np.count_nonzero(is_padding))
            pixels = np.where(is_padding, PADDING_HU, pixels)
        out[k], more = to_hu16(pixels, h.path.name)
        padded += more
    return padded


def _is_plain(h: Header) -> bool:
    return h.syntax in NATIVE or h.syntax == DEFLATED


def _in_shape(pixels: AnyArray, h: Header) -> AnyArray:
    rows, columns = h.shape
    if pixels.size != rows * columns:
        raise InputError(f"cannot read {h.path.name}: expected {rows} x {columns} grey pixels", code="unreadable_file")
    return np.asarray(pixels.reshape(rows, columns))


class _Frames:
    """Frames of multi-frame files, one file at a time in memory.

    SimpleITK would read such a file whole with the slope of its first frame, so each frame is taken by itself.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._frames: list[bytes] = []

    def hu(self, h: Header) -> AnyArray:
        """HU of one frame with the slope and intercept of that frame."""
        if h.path != self._path:
            self._path, self._frames = h.path, _split(h)
        index = h.frame or 0
        if index >= len(self._frames):
            raise InputError(f"cannot read {h.path.name}: frame {index + 1} is missing", code="unreadable_file")
        packed = self._frames[index]
        raw = _unpack(packed, h) if _is_plain(h) else _decode_frame(packed, h)
        slope, intercept = h.rescale or (1.0, 0.0)
        if slope == 1.0 and intercept == int(intercept):
            return raw.astype(np.int32) + int(intercept)
        return raw * slope + intercept


def _split(h: Header) -> list[bytes]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values elsewhere in the file; what matters was checked
            ds = pydicom.dcmread(h.path, force=True, specific_tags=["PixelData", "NumberOfFrames"])
            data: Any = ds.PixelData
            if not _is_plain(h):
                return list(generate_frames(data, number_of_frames=int(ds.NumberOfFrames)))
    except BROKEN as error:
        raise InputError(f"cannot read {h.path.name}: its frames are damaged", code="unreadable_file") from error
    size = h.shape[0] * h.shape[1] * h.bits[0] // 8
    return [data[i : i + size] for i in range(0, len(data) - size + 1, size)]


def _unpack(raw: bytes, h: Header) -> AnyArray:
    allocated, stored, _ = h.bits
    order = ">" if h.syntax == BIG_ENDIAN else "<"
    values = np.frombuffer(raw, np.dtype(f"{order}u{allocated // 8}")).reshape(h.shape).astype(np.int64)
    values &= (1 << stored) - 1  # the bits above are not part of the image
    return np.where(values >> (stored - 1), values - (1 << stored), values) if h.signed else values


def _decode_frame(packed: bytes, h: Header) -> AnyArray:
    """One compressed frame as a file of its own, without patient or rescale, decoded by SimpleITK."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = h.syntax
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = meta.MediaStorageSOPClassUID, "1.2.3", "OT"
    ds.Rows, ds.Columns = h.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = h.bits
    ds.PixelRepresentation = int(h.signed)
    ds.PixelData = encapsulate([packed])
    ds["PixelData"].VR = "OB"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / h.path.name
        ds.save_as(path, enforce_file_format=True)
        return _in_shape(next(decode_guarded([path])), h)
