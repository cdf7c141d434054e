"""MetaImage preflight (``.mha``, ``.mhd``): the header read by ourselves, before any voxel."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.reading.affine import grid_of_affine
from trajplan.reading.datafile import check_size, check_spacing, plain_data_file, start_from_end
from trajplan.reading.voxel_file import VoxelFile

_MAX_HEADER = 1 << 16
_UNIT = 1e-4
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_YES = {"true", "t", "1"}
# Names of one thing; every reader takes another one of them when they differ.
_MATRIX = ("TransformMatrix", "Orientation", "Rotation")
_ORIGIN = ("Offset", "Position", "Origin")
_BIG_ENDIAN = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_UNITS = {"mm", "?", ""}


def preflight_metaimage(path: Path) -> VoxelFile:
    """Check a MetaImage header and the name of its data file, before any voxel.

    Raises
    ------
    InputError
        Not one 3-D scalar image, bad spacing, matrix or units, unsafe data file, cut short.
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
    code = _TYPES.get(fields.get("ElementType", ""))
    if code is None:
        raise InputError(
            f"{name} has voxel type {fields.get('ElementType', '?')[:40]!r}, not a number", code="not_3d_scalar"
        )
    count = check_size(name, [int(n) for n in size])
    _check_scale(name, fields)
    # By the format, the size of an element is the spacing where none is given.
    spacing = _numbers(name, fields, "ElementSpacing" if "ElementSpacing" in fields else "ElementSize")
    if len(spacing) != 3:
        raise InputError(f"{name} states no voxel spacing (ElementSpacing)", code="missing_spacing")
    check_spacing(name, spacing)
    matrix = _numbers(name, fields, _one_of(name, fields, _MATRIX)) or [1, 0, 0, 0, 1, 0, 0, 0, 1]
    origin = _numbers(name, fields, _one_of(name, fields, _ORIGIN)) or [0, 0, 0]
    if len(matrix) != 9 or len(origin) != 3:
        raise InputError(f"{name} needs a matrix of 9 numbers and an origin of 3", code="orientation_invalid")
    axes = np.array(matrix, dtype=np.float64).reshape(3, 3).T  # a row of the file is the direction of one index
    if not np.abs(np.linalg.norm(axes, axis=0) - 1.0).max() <= _UNIT:
        raise InputError(f"{name} has an orientation matrix whose rows are not of length 1", code="orientation_invalid")
    three = (int(size[0]), int(size[1]), int(size[2]))
    grid = grid_of_affine(name, three, axes / np.linalg.norm(axes, axis=0) * spacing, np.array(origin, np.float64))
    endian = ">" if fields.get(_one_of(name, fields, _BIG_ENDIAN), "").lower() in _YES else "<"
    dtype = np.dtype(endian + code)
    data, offset, packing = _data(path, fields, header_end, count * dtype.itemsize)
    return VoxelFile(name, data, offset, packing, dtype, grid)


def _check_scale(name: str, fields: dict[str, str]) -> None:
    """Refuse units and a scaling of the values: most readers pass over both in silence."""
    if fields.get("DistanceUnits", "mm").lower() not in _UNITS:
        raise InputError(
            f"{name} has distance units {fields['DistanceUnits'][:20]!r}; only mm is read", code="metaimage_units"
        )
    slope = _numbers(name, fields, "ElementToIntensityFunctionSlope") or [1.0]
    offset = _numbers(name, fields, "ElementToIntensityFunctionOffset") or [0.0]
    if slope != [1.0] or offset != [0.0]:
        raise InputError(
            f"{name} asks for its values to be scaled, which most programs pass over; write it with real values",
            code="rescale_invalid",
        )


def _one_of(name: str, fields: dict[str, str], keys: tuple[str, ...]) -> str:
    """The one of these keys that is used; the first where none is."""
    used = [key for key in keys if key in fields]
    if len({fields[key] for key in used}) > 1:
        raise InputError(f"{name} states {' and '.join(used)}, and they differ", code="header_ambiguous")
    return used[0] if used else keys[0]


def _data(path: Path, fields: dict[str, str], header_end: int, needed: int) -> tuple[Path, int, str]:
    """The file that holds the voxels, where they start, and how they are packed."""
    if fields.get("BinaryData", "True").lower() not in _YES:
        raise InputError(f"{path.name} stores its voxels as text, which is not read", code="encoding")
    header_size = fields.get("HeaderSize", "0")
    packed = fields.get("CompressedData", "False").lower() in _YES
    if header_size not in ({"0"} if packed else {"0", "-1"}):
        raise InputError(f"{path.name} skips bytes before the voxels, which is not read", code="encoding")
    named = fields.get("ElementDataFile", "")
    local = named.upper() == "LOCAL"
    data = path if local else plain_data_file(path, named)
    start = header_end if local else 0
    if packed:
        stated, found = fields.get("CompressedDataSize", "none"), data.stat().st_size - start
        if stated != str(found):
            raise InputError(
                f"{path.name} states {stated[:20]} compressed bytes but {found} follow; copy it again", code="truncated"
            )
    if header_size == "-1":
        start = start_from_end(path.name, data, needed, start)
    return data, start, "zlib" if packed else "raw"


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
