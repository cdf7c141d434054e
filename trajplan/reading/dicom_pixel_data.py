"""Is the pixel data of a DICOM file whole, and does it hold what the header says? Looked at before any decoder."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from trajplan.errors import InputError

IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = {IMPLICIT, "1.2.840.10008.1.2.1", BIG_ENDIAN}
MAX_SIDE = 4096
"""Rows and columns: no CT matrix is larger, and a decoder allocates what they say."""
_RLE = "1.2.840.10008.1.2.5"
_JPEG2000, _JPEG = "1.2.840.10008.1.2.4.9", "1.2.840.10008.1.2.4."
_BOMB_BYTES, _BOMB_RATIO = 64 << 20, 100
_CHUNK = 1 << 20
_START = {(0x7FE0, 0x10), (0x7FE0, 0x8), (0x7FE0, 0x9)}
_NO_FRAME = {0xC4, 0xC8, 0xCC}


def syntax_of(ds: Any) -> str:
    """The transfer syntax UID; implicit little endian where a file states none."""
    meta = getattr(ds, "file_meta", None)
    return str(meta.get("TransferSyntaxUID", IMPLICIT)) if meta else IMPLICIT


def check_deflated(f: BinaryIO, path: Path) -> None:
    """Refuse a deflated file that unpacks to far more than a CT could; leaves `f` at its start.

    pydicom unpacks the whole data set at once, so this is counted first, a megabyte at a time.
    """
    head = f.read(2048)
    f.seek(0)
    at = head.find(DEFLATED.encode())
    if at < 0:
        return
    size = path.stat().st_size
    group_length = head.find(b"\x02\x00\x00\x00UL\x04\x00")
    start = 144 + struct.unpack("<L", head[group_length + 8 : group_length + 12])[0] if group_length >= 0 else 0
    limit = max(_BOMB_BYTES, _BOMB_RATIO * size)
    unpacker, found = zlib.decompressobj(-zlib.MAX_WBITS), 0
    f.seek(start)
    while not unpacker.eof and (packed := unpacker.unconsumed_tail or f.read(_CHUNK)):
        found += len(unpacker.decompress(packed, _CHUNK))
        if found > limit:
            raise InputError(
                f"{path.name} ({size} bytes) unpacks to more than {limit >> 20} MB, which no CT slice does",
                code="expands_too_much",
                numbers={"file_bytes": float(size), "limit_bytes": float(limit)},
            )
    f.seek(0)


def pixel_fault(f: BinaryIO, ds: Any, path: Path) -> str | None:
    """Why the pixel data after the header cannot be whole, or None. GDCM reads some cut files without a word."""
    start, size = f.tell(), path.stat().st_size
    syntax = syntax_of(ds)
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    order = ">" if syntax == BIG_ENDIAN else "<"
    f.seek(start)
    tag = f.read(12)
    if len(tag) < 12 or struct.unpack(order + "2H", tag[:4]) not in _START:
        return "it holds no pixel data"
    if syntax in NATIVE:
        needed = native_bytes(ds) * frames
        found = size - start - (8 if syntax == IMPLICIT else 12)
        return None if found >= needed else f"it holds {max(found, 0)} of {needed} pixel bytes"
    return _encapsulated_fault(f, syntax, int(ds.Rows), int(ds.Columns), frames)


def native_bytes(ds: Any) -> int:
    """Bytes of one uncompressed frame."""
    bits, samples = int(ds.get("BitsAllocated", 16)), int(ds.get("SamplesPerPixel", 1))
    return int(ds.Rows) * int(ds.Columns) * samples * bits // 8


def _encapsulated_fault(f: BinaryIO, syntax: str, rows: int, columns: int, frames: int) -> str | None:
    """Items up to the sequence delimiter; the size in each code stream must be that of the header."""
    items = 0
    while True:
        item = f.read(8)
        if len(item) < 8:
            return "its compressed pixel data are cut short"
        group, element, length = struct.unpack("<HHL", item)
        if (group, element) == (0xFFFE, 0xE0DD):
            return None if items > frames else f"it holds {max(items - 1, 0)} of {frames} compressed images"
        if (group, element) != (0xFFFE, 0xE000):
            return "its compressed pixel data are damaged"
        after = f.tell() + length
        if items == 1:  # item 0 is the offset table
            stated = stream_size(f.read(min(length, 4096)), syntax)
            if stated is not None and stated != (rows, columns):
                return f"its compressed image is {stated[0]} x {stated[1]} where the header says {rows} x {columns}"
        items += 1
        f.seek(after)


def stream_size(data: bytes, syntax: str) -> tuple[int, int] | None:
    """(rows, columns) as a JPEG, JPEG-LS or JPEG 2000 code stream states them; (0, 0) for one that states none."""
    if syntax == _RLE or not syntax.startswith(_JPEG):
        return None
    if syntax.startswith(_JPEG2000) or data[:4] == b"\xff\x4f\xff\x51":
        if len(data) < 24 or data[:4] != b"\xff\x4f\xff\x51":
            return None if data[4:8] == b"jP  " else (0, 0)
        right, bottom, left, top = struct.unpack(">4L", data[8:24])
        return bottom - top, right - left
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME):
            rows, columns = struct.unpack(">2H", data[at + 5 : at + 9])
            return rows, columns
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return 0, 0
