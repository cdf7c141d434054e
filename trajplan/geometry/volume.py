"""Volume and LabelMap: an immutable (z, y, x) array on a Grid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import AnyArray, BoolArray
from trajplan.geometry.grid import Grid


def _adopt(array: AnyArray, grid: Grid) -> AnyArray:
    a = np.ascontiguousarray(array)
    if a.shape != grid.shape_zyx:
        raise GeometryError(f"array {a.shape} does not fit grid {grid.shape_zyx}", code="shape_mismatch")
    view = a.view()
    view.setflags(write=False)
    return view


@dataclass(frozen=True, eq=False)
class Volume:
    """A scalar CT volume in Hounsfield units.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        HU, int16 or float32; read-only from here on.
    grid : Grid
        Where the voxel centres lie, LPS mm.
    """

    array: AnyArray
    grid: Grid

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", _adopt(self.array, self.grid))

    def sha256(self) -> str:
        """Hash of voxels and geometry; the same for the same scan however it was stored."""
        return _sha256(self.array, self.grid)

    def cropped(self, start_zyx: AnyArray, stop_zyx: AnyArray) -> Volume:
        """The voxels ``start <= index < stop``, clipped to the volume."""
        box, grid = _crop(self.grid, start_zyx, stop_zyx)
        return Volume(self.array[box], grid)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """An integer label map.

    Parameters
    ----------
    array : ndarray of an integer type, shape (z, y, x)
    grid : Grid
    names : mapping of int to str, optional
        What each id means. Vertebrae use VerSe ids, parts use `trajplan.parts.Part`.
    """

    array: AnyArray
    grid: Grid
    names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not np.issubdtype(self.array.dtype, np.integer):
            raise GeometryError(f"labels must be integers, got {self.array.dtype}", code="labels_not_integer")
        object.__setattr__(self, "array", _adopt(self.array, self.grid))
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))

    def __reduce__(self) -> tuple[type[LabelMap], tuple[AnyArray, Grid, dict[int, str]]]:
        """For pickle, which cannot write a read-only mapping."""
        return LabelMap, (self.array, self.grid, dict(self.names))

    def mask(self, *ids: int) -> BoolArray:
        """Where the label is one of `ids`."""
        return np.isin(self.array, ids)

    def ids(self) -> tuple[int, ...]:
        """The non-zero ids present, ascending."""
        return tuple(int(i) for i in np.unique(self.array) if i != 0)

    def sha256(self) -> str:
        """Hash of labels and geometry."""
        return _sha256(self.array.astype(np.int32), self.grid)

    def cropped(self, start_zyx: AnyArray, stop_zyx: AnyArray) -> LabelMap:
        """The voxels ``start <= index < stop``, clipped to the map."""
        box, grid = _crop(self.grid, start_zyx, stop_zyx)
        return LabelMap(self.array[box], grid, self.names)


def _crop(grid: Grid, start_zyx: AnyArray, stop_zyx: AnyArray) -> tuple[tuple[slice, ...], Grid]:
    start = np.clip(np.asarray(start_zyx, dtype=int), 0, grid.shape_zyx)
    stop = np.clip(np.asarray(stop_zyx, dtype=int), 0, grid.shape_zyx)
    if not (stop > start).all():
        raise GeometryError("the box to crop does not meet the volume", code="empty_grid")
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True)), grid.cropped(start, stop)


def _sha256(array: AnyArray, grid: Grid) -> str:
    h = hashlib.sha256()
    h.update(str(array.dtype).encode())
    for part in (np.array(grid.shape_zyx), grid.origin_lps, grid.spacing_zyx, grid.direction):
        h.update(np.round(np.asarray(part, dtype=np.float64), 4).tobytes())
    h.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)  # no copy: a scan may be a gigabyte
    return h.hexdigest()
