"""Voxels of a NIfTI, NRRD or MetaImage file whose header has been checked, a slice at a time.

No library decodes them: those crash, hang, fill up or rescale in silence on bad files, and hold a scan twice.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.resample import room_for
from trajplan.reading.scan import Finding

_CHUNK = 1 << 20
_SLACK = 1 << 20
"""Unpacked bytes after the last voxel that are looked at; beyond them the header does not describe the file."""
_DAMAGED = (OSError, EOFError, zlib.error)


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, eq=False)
class VoxelFile:
    """Where the voxels of a file are, how they are coded, and where they lie in the patient.

    Parameters
    ----------
    name : str
        Of the file that was asked for, for messages.
    data : Path
        The file that holds the voxels: the same, or one beside a detached header.
    offset : int
        Bytes before the voxels as stored.
    skip : int
        Bytes before the first voxel after unpacking.
    packing : str
        ``raw``, ``gzip`` or ``zlib``.
    dtype : numpy.dtype
        With the byte order of the file.
    grid : Grid
        As stored.
    scale : tuple of float
        Slope and intercept from the stored values to the real ones.
    findings : tuple of Finding
    """

    name: str
    data: Path
    offset: int
    packing: str
    dtype: np.dtype[Any]
    grid: Grid
    skip: int = 0
    scale: tuple[float, float] = (1.0, 0.0)
    findings: tuple[Finding, ...] = ()

    def slices(self) -> Iterator[AnyArray]:
        """Each slice (y, x), read only; ends only after the whole file was found sound.

        Raises
        ------
        InputError
            ``truncated``, ``checksum``, or ``size_mismatch`` for a slice or more beyond what the header declares.
        """
        count, *shape = self.grid.shape_zyx
        size = shape[0] * shape[1] * self.dtype.itemsize
        found, needed = 0, count * size
        with self._opened(needed) as stream:
            try:
                _read(stream, self.skip)
                for _ in range(count):
                    data = _read(stream, size)
                    found += len(data)
                    if len(data) < size:
                        raise EOFError
                    yield self._real(np.frombuffer(data, self.dtype).reshape(shape))
                more = _drain(stream, max(size, _SLACK) if self.packing != "raw" else size)
            except _DAMAGED as error:
                raise InputError(
                    f"{self.name} is cut short or damaged: {found} of {needed} voxel bytes could be read; copy it "
                    "again",
                    code="truncated" if isinstance(error, EOFError) else "checksum",
                    numbers={"expected_bytes": float(needed), "found_bytes": float(found)},
                ) from error
        if more >= size:
            raise InputError(
                f"{self.name} holds more than the {needed} voxel bytes that its header declares; slices would be lost",
                code="size_mismatch",
                numbers={"expected_bytes": float(needed)},
            )

    @contextmanager
    def _opened(self, needed: int) -> Iterator[_Bytes]:
        """The unpacked stream; raw voxels are counted first, so that nothing is made room for in vain."""
        found = self.data.stat().st_size - self.offset
        if self.packing == "raw" and found < needed:
            raise InputError(
                f"{self.name} is shorter than its header says: {max(found, 0)} of {needed} voxel bytes; copy it again",
                code="truncated",
                numbers={"expected_bytes": float(needed), "found_bytes": float(max(found, 0))},
            )
        with self.data.open("rb") as f:
            f.seek(self.offset)
            if self.packing == "gzip":
                with gzip.GzipFile(fileobj=f) as unpacked:
                    yield unpacked
            else:
                yield _Zlib(f) if self.packing == "zlib" else f

    def _real(self, stored: AnyArray) -> AnyArray:
        slope, intercept = self.scale
        return stored if self.scale == (1.0, 0.0) else stored * np.float64(slope) + intercept


def fill(stored: VoxelFile, dtype: DTypeLike, convert: Callable[[AnyArray, str], AnyArray]) -> tuple[AnyArray, Grid]:
    """All voxels through `convert` (a slice, its name), turned to the patient axes as far as no value changes by it.

    Returns
    -------
    array : ndarray, shape (z, y, x)
    grid : Grid
        Canonical, or as stored for an oblique one.

    Raises
    ------
    InputError
        What `VoxelFile.slices` refuses (that first: nothing is said of values that are damaged) or `convert`.
    """
    array, view, grid = room_for(stored.grid, dtype)
    fault: InputError | None = None
    for k, values in enumerate(stored.slices()):
        if fault is None:
            try:
                view[k] = convert(values, f"{stored.name} (slice {k + 1} of {len(view)})")
            except InputError as error:
                fault = error
    if fault is not None:
        raise fault
    return array, grid


class _Zlib:
    """A zlib stream read a piece at a time, never more unpacked than asked for."""

    def __init__(self, packed: _Bytes) -> None:
        self._packed, self._unpacker, self._left = packed, zlib.decompressobj(), b""

    def read(self, size: int, /) -> bytes:
        while len(self._left) < size and not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._packed.read(_CHUNK)
            if not packed:
                raise EOFError
            self._left += self._unpacker.decompress(packed, _CHUNK)
        out, self._left = self._left[:size], self._left[size:]
        return out


def _read(stream: _Bytes, size: int) -> bytes:
    """`size` bytes, or fewer where the stream ends; at most a megabyte is asked for at once."""
    parts, left = [], size
    while left and (part := stream.read(min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _drain(stream: _Bytes, limit: int) -> int:
    """Bytes up to the end of the stream, counted to `limit`; at the end of a packed one its checksum is compared."""
    found = 0
    while found <= limit and (part := stream.read(_CHUNK)):
        found += len(part)
    return found
