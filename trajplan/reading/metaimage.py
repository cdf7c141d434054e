"""MetaImage preflight (``.mha``, ``.mhd``): the header read by ourselves, before SimpleITK sees the file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.reading.datafile import check_length, check_size, check_spacing, plain_data_file

_MAX_HEADER = 1 << 16
_TYPE_BYTES = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_DOUBLE", "MET_LONG_LONG", "MET_ULONG_LONG"), 8),
}
_MATRIX_KEYS = ("TransformMatrix", "Orientation", "Rotation")


def preflight_metaimage(path: Path) -> list[float]:
    """Check a MetaImage header and its data file; returns the spacing (x, y, z) it states, mm.

    Raises
    ------
    InputError
        Not one 3-D scalar image, bad spacing or matrix, unsafe data file, cut short or damaged data.
    """
    fields, header_end = _fields(path)
    name = path.name
    size = _numbers(name, fields, "DimSize")
    channels = fields.get("ElementNumberOfChannels", "1")
    if fields.get("NDims") != "3" or len(size) != 3 or channels != "1" or any(n != int(n) for n in size):
        raise InputError(
            f"{name} is not a single 3-D scalar volume (NDims {fields.get('NDims', '?')[:9]}, DimSize "
            f"{fields.get('DimSize', '?')[:40]}, channels {channels[:9]})",
            code="not_3d_scalar",
        )
    item_bytes = _TYPE_BYTES.get(fields.get("ElementType", ""))
    if item_bytes is None:
        raise InputError(
            f"{name} has voxel type {fields.get('ElementType', '?')[:40]!r}, not a number", code="not_3d_scalar"
        )
    count = check_size(name, [int(n) for n in size])
    spacing = _numbers(name, fields, "ElementSpacing" if "ElementSpacing" in fields else "ElementSize")
    if len(spacing) != 3:
        raise InputError(f"{name} states no voxel spacing (ElementSpacing)", code="missing_spacing")
    check_spacing(name, spacing)
    for key in _MATRIX_KEYS:
        _check_matrix(name, _numbers(name, fields, key))
    _check_data(path, fields, header_end, count * item_bytes)
    return spacing


def _check_data(path: Path, fields: dict[str, str], header_end: int, needed: int) -> None:
    if fields.get("BinaryData", "True").lower() not in {"true", "t", "1"}:
        raise InputError(f"{path.name} stores its voxels as text, which is not read", code="encoding")
    if fields.get("HeaderSize", "0") not in {"0", "-1"}:
        raise InputError(f"{path.name} skips bytes before the voxels, which is not read", code="encoding")
    named = fields.get("ElementDataFile", "")
    local = named.upper() == "LOCAL"
    data = path if local else plain_data_file(path, named)
    packed = fields.get("CompressedData", "False").lower() in {"true", "t", "1"}
    start = header_end if local else 0
    if packed:
        stated, found = fields.get("CompressedDataSize", "none"), data.stat().st_size - start
        if stated != str(found):  # MetaIO would go on with part of the voxels
            raise InputError(
                f"{path.name} states {stated[:20]} compressed bytes but {found} follow; copy it again", code="truncated"
            )
    check_length(data, start, needed, "zlib" if packed else "raw")


def _fields(path: Path) -> tuple[dict[str, str], int]:
    fields: dict[str, str] = {}
    with path.open("rb") as f:
        while f.tell() < _MAX_HEADER:
            line = f.readline(_MAX_HEADER)
            key, equals, value = line.decode("latin-1").partition("=")
            if not line or not equals:
                break
            if key.strip() in fields:
                raise InputError(f"{path.name} states {key.strip()[:40]!r} twice", code="header_ambiguous")
            fields[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":  # by definition the last line of the header
                return fields, f.tell()
    raise InputError(f"{path.name} has no ElementDataFile line; the header is damaged", code="header_invalid")


def _numbers(name: str, fields: dict[str, str], key: str) -> list[float]:
    try:
        values = [float(v) for v in fields.get(key, "").split()]
    except ValueError as error:
        raise InputError(f"{name} has {key} {fields[key][:60]!r}, not numbers", code="header_invalid") from error
    if key == "DimSize" and not all(math.isfinite(v) for v in values):
        raise InputError(f"{name} has DimSize {fields[key][:60]!r}", code="header_invalid")
    return values


def _check_matrix(name: str, values: list[float]) -> None:
    if not values:
        return
    matrix = np.array(values, dtype=np.float64)
    if matrix.size != 9 or not np.isfinite(matrix).all():
        raise InputError(
            f"{name} has an orientation matrix that is not 3 x 3 finite numbers", code="orientation_invalid"
        )
    axes = matrix.reshape(3, 3)
    error = float(np.abs(axes @ axes.T - np.eye(3)).max())
    if error > 1e-4:
        raise InputError(
            f"{name} has direction cosines that are not orthonormal (error {error:.2g})",
            code="orientation_invalid",
            numbers={"error": error},
        )
