"""What a file is, by its first bytes; the name must then agree, since ITK's readers go by the name."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

from trajplan.errors import InputError

_HEAD_BYTES = 4096
_SUFFIXES = {
    "nifti": (".nii", ".nii.gz"),
    "nrrd": (".nrrd", ".nhdr"),
    "metaimage": (".mha", ".mhd"),
}


def sniff(path: Path) -> str:
    """``dicom``, ``nifti``, ``nrrd`` or ``metaimage``.

    Raises
    ------
    InputError
        ``empty_file``, ``unknown_format``, or ``name_mismatch`` when the content is known but the name says otherwise.
    """
    head = head_of(path)
    kind = _kind_of(head)
    if kind is None:
        raise InputError(
            f"{path.name} is not a scan trajplan can read (its content is none of DICOM, NIfTI-1, NRRD, MetaImage)",
            code="unknown_format",
        )
    suffixes = _SUFFIXES.get(kind)
    if suffixes and not path.name.lower().endswith(suffixes):
        raise InputError(
            f"{path.name} holds {kind} data but its name does not end in {' or '.join(suffixes)}; rename it",
            code="name_mismatch",
        )
    return kind


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked when it is gzip."""
    with path.open("rb") as f:
        head = f.read(_HEAD_BYTES)
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes)", code="empty_file")
    if head[:2] != b"\x1f\x8b":
        return head
    try:
        with gzip.open(path) as g:
            return g.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} is a damaged gzip file; copy it again", code="checksum") from error


def is_dicom(head: bytes) -> bool:
    """DICOM part 10, or an old file without preamble that starts with a group 0002 or 0008 element."""
    return head[128:132] == b"DICM" or head[:4] in {b"\x08\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00"}


def _kind_of(head: bytes) -> str | None:
    if is_dicom(head):
        return "dicom"
    if head.startswith(b"NRRD000"):
        return "nrrd"
    if len(head) >= 348 and head[344:347] in {b"n+1", b"ni1", b"n+2", b"ni2"}:
        return "nifti"
    if len(head) >= 8 and head[4:7] in {b"n+2", b"ni2"}:
        return "nifti"
    if len(head) >= 4 and 348 in (struct.unpack("<i", head[:4])[0], struct.unpack(">i", head[:4])[0]):
        return "nifti"
    text = head[:1024]
    if b"NDims" in text and b"=" in text and b"\0" not in text.split(b"NDims")[0]:
        return "metaimage"
    return None
