"""NRRD preflight (``.nrrd``, ``.nhdr``): the header read by ourselves, before SimpleITK sees the file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.reading.datafile import check_length, check_size, check_spacing, plain_data_file

_MAX_HEADER = 1 << 20
_TYPE_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t"), 4),
    **dict.fromkeys(("longlong", "long long", "int64", "int64_t", "ulonglong", "uint64", "uint64_t", "double"), 8),
    "float": 4,
}
_SPACES = {
    *("left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las"),
}
_PACKING = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
_SCALAR_KINDS = {"domain", "space", "???", "none"}


def preflight_nrrd(path: Path) -> list[float]:
    """Check an NRRD header and its data file; returns the spacing (x, y, z) it states, mm.

    Raises
    ------
    InputError
        Not one 3-D scalar image, no space or not in mm, bad or sheared directions, unsafe data file, cut short.
    """
    fields, header_end = _fields(path)
    name = path.name
    size = _integers(name, fields, "sizes")
    kinds = fields.get("kinds", "").lower().split()
    if fields.get("dimension", "").strip() != "3" or len(size) != 3 or not _SCALAR_KINDS.issuperset(kinds):
        raise InputError(
            f"{name} is not a single 3-D scalar volume (dimension {fields.get('dimension', '?')[:9]}, sizes "
            f"{fields.get('sizes', '?')[:40]}, kinds {fields.get('kinds', 'not given')[:60]})",
            code="not_3d_scalar",
        )
    item_bytes = _TYPE_BYTES.get(fields.get("type", "").lower())
    if item_bytes is None:
        raise InputError(f"{name} has voxel type {fields.get('type', '?')[:40]!r}, not a number", code="not_3d_scalar")
    count = check_size(name, size)
    spacing = _check_space(name, fields)
    packing = _PACKING.get(fields.get("encoding", "").lower())
    if packing is None:
        raise InputError(
            f"{name} has encoding {fields.get('encoding', '?')[:40]!r}; raw and gzip are read", code="encoding"
        )
    _check_data(path, fields, header_end, count * item_bytes, packing)
    return spacing


def _check_data(path: Path, fields: dict[str, str], header_end: int, needed: int, packing: str) -> None:
    named = fields.get("data file", fields.get("datafile"))
    skips = fields.get("line skip", fields.get("lineskip", "0")), fields.get("byte skip", fields.get("byteskip", "0"))
    if skips[0] != "0" or skips[1] not in {"0", "-1"} or (skips[1] == "-1" and packing != "raw"):
        raise InputError(f"{path.name} skips lines or bytes before the voxels, which is not read", code="encoding")
    if named is None and path.name.lower().endswith(".nhdr"):
        raise InputError(f"{path.name} names no data file", code="no_data_file")
    data = path if named is None else plain_data_file(path, named)
    check_length(data, header_end if named is None else 0, needed, packing)


def _fields(path: Path) -> tuple[dict[str, str], int]:
    with path.open("rb") as f:
        head = f.read(_MAX_HEADER)
    blank = re.search(rb"\r?\n\r?\n", head)
    detached = path.name.lower().endswith(".nhdr")
    if blank is None and not detached:
        raise InputError(f"{path.name} has no end of header; the file is cut short", code="truncated")
    end = blank.end() if blank else len(head)
    fields: dict[str, str] = {}
    for line in head[:end].decode("latin-1").splitlines()[1:]:
        key, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            if key.strip().lower() in fields:
                raise InputError(f"{path.name} states {key.strip()[:40]!r} twice", code="header_ambiguous")
            fields[key.strip().lower()] = value.strip()
    return fields, end


def _integers(name: str, fields: dict[str, str], key: str) -> list[int]:
    try:
        return [int(v) for v in fields.get(key, "").split()]
    except ValueError as error:
        raise InputError(f"{name} has {key} {fields[key][:60]!r}, not whole numbers", code="header_invalid") from error


def _check_space(name: str, fields: dict[str, str]) -> list[float]:
    space = fields.get("space", "").lower()
    if space not in _SPACES or "space directions" not in fields:
        raise InputError(
            f"{name} defines no usable space ({space[:40] or 'not given'!r}): left and right cannot be told",
            code="nrrd_no_space",
        )
    units = re.findall(r'"([^"]*)"', fields.get("space units", ""))
    if any(u.strip().lower() not in {"mm", "millimeter", "millimetre", ""} for u in units):
        raise InputError(f"{name} has space units {units}; only mm is read", code="nrrd_units")
    try:
        rows = re.findall(r"\(([^)]*)\)", fields["space directions"])
        axes = np.array([[float(v) for v in row.split(",")] for row in rows], dtype=np.float64)
        origin = np.array([float(v) for v in fields["space origin"].strip("() ").split(",")], dtype=np.float64)
    except (ValueError, KeyError) as error:
        raise InputError(f"{name} has unreadable space directions or origin", code="header_invalid") from error
    if axes.shape != (3, 3) or origin.shape != (3,) or not (np.isfinite(axes).all() and np.isfinite(origin).all()):
        raise InputError(f"{name} needs three finite space directions and an origin", code="orientation_invalid")
    lengths = np.linalg.norm(axes, axis=1)
    check_spacing(name, [float(v) for v in lengths])
    cosines = axes / lengths[:, None]
    error_cosine = float(np.abs(cosines @ cosines.T - np.eye(3)).max())
    if error_cosine > 1e-4:
        raise InputError(
            f"{name} has space directions that are not at right angles (cosine {error_cosine:.2g}); resample it first",
            code="orientation_invalid",
            numbers={"cosine": error_cosine},
        )
    return [float(v) for v in lengths]
