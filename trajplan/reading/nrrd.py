"""NRRD preflight (``.nrrd``, ``.nhdr``): the header read by ourselves, before any voxel."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.reading.affine import grid_of_affine
from trajplan.reading.datafile import check_size, plain_data_file, start_from_end
from trajplan.reading.voxel_file import VoxelFile

_MAX_HEADER = 1 << 20
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(
        ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"), "i8"
    ),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_ORDER = {"little": "<", "big": ">"}
_SPACES = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1.0, 1.0, 1.0)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1.0, -1.0, 1.0)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1.0, -1.0, 1.0)),
}
"""Space -> the sign that turns each of its coordinates to LPS."""
_PACKING = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
_SCALAR_KINDS = {"domain", "space", "???", "none"}


def preflight_nrrd(path: Path) -> VoxelFile:
    """Check an NRRD header and the name of its data file, before any voxel.

    Raises
    ------
    InputError
        Not one 3-D scalar image, no space or not in mm, bad or sheared directions, unsafe data file.
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
    code = _TYPES.get(fields.get("type", "").lower())
    if code is None:
        raise InputError(f"{name} has voxel type {fields.get('type', '?')[:40]!r}, not a number", code="not_3d_scalar")
    endian = _ORDER.get(fields.get("endian", "").lower(), "")
    if not endian and code[1] != "1":
        raise InputError(f"{name} does not say in which order its bytes are (endian)", code="header_invalid")
    count = check_size(name, size)
    packing = _PACKING.get(fields.get("encoding", "").lower())
    if packing is None:
        raise InputError(
            f"{name} has encoding {fields.get('encoding', '?')[:40]!r}; raw and gzip are read", code="encoding"
        )
    steps, origin = _check_space(name, fields)
    grid = grid_of_affine(name, (size[0], size[1], size[2]), steps, origin)
    dtype = np.dtype(endian + code)
    data, offset = _data(path, fields, header_end, packing, count * dtype.itemsize)
    return VoxelFile(name, data, offset, packing, dtype, grid)


def _data(path: Path, fields: dict[str, str], header_end: int, packing: str, needed: int) -> tuple[Path, int]:
    """The file that holds the voxels and where they start."""
    named = fields.get("data file", fields.get("datafile"))
    skips = fields.get("line skip", fields.get("lineskip", "0")), fields.get("byte skip", fields.get("byteskip", "0"))
    if skips[0] != "0" or skips[1] not in {"0", "-1"} or (skips[1] == "-1" and packing != "raw"):
        raise InputError(f"{path.name} skips lines or bytes before the voxels, which is not read", code="encoding")
    if named is None and path.name.lower().endswith(".nhdr"):
        raise InputError(f"{path.name} names no data file", code="no_data_file")
    data, start = (path, header_end) if named is None else (plain_data_file(path, named), 0)
    return data, start if skips[1] == "0" else start_from_end(path.name, data, needed, start)


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


def _check_space(name: str, fields: dict[str, str]) -> tuple[FloatArray, FloatArray]:
    """Columns of LPS mm steps along x, y and z, and the origin."""
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
    if axes.shape != (3, 3) or origin.shape != (3,):
        raise InputError(f"{name} needs three space directions and an origin", code="orientation_invalid")
    to_lps = np.array(_SPACES[space])
    return (axes * to_lps).T, origin * to_lps
