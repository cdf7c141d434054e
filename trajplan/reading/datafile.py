"""Declared sizes and data files: what a header claims is checked before ITK opens or allocates anything."""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from pathlib import Path

from trajplan.errors import InputError

MAX_VOXELS = 2_000_000_000
MIN_SPACING_MM, MAX_SPACING_MM = 0.05, 10.0


def check_size(name: str, size: Sequence[int]) -> int:
    """Voxel count of a declared 3-D size; refuses zero sizes and more than `MAX_VOXELS`."""
    if max(abs(n) for n in size) > MAX_VOXELS:  # before numbers of any length are shown or multiplied
        raise InputError(f"{name} declares more than {MAX_VOXELS:.0e} voxels along one axis", code="too_many_voxels")
    shown = " x ".join(str(n) for n in size)
    if min(size) < 1:
        raise InputError(f"{name} declares an empty image ({shown} voxels)", code="empty_image")
    count = math.prod(size)
    if count > MAX_VOXELS:
        raise InputError(
            f"{name} declares {shown} voxels; the limit is {MAX_VOXELS:.0e}. Crop the scan to the spine",
            code="too_many_voxels",
            numbers={"voxels": float(count)},
        )
    return count


def check_spacing(name: str, spacing_mm: Sequence[float]) -> None:
    """Refuses spacing that is not finite, not positive, or outside 0.05..10 mm."""
    shown = " x ".join(f"{s:g}" for s in spacing_mm)
    for s in spacing_mm:
        if not math.isfinite(s) or s <= 0:
            raise InputError(f"{name} has spacing {shown} mm; each must be positive", code="spacing_invalid")
    low, high = min(spacing_mm), max(spacing_mm)
    if low < MIN_SPACING_MM or high > MAX_SPACING_MM:
        raise InputError(
            f"{name} has spacing {shown} mm, outside {MIN_SPACING_MM} to {MAX_SPACING_MM:g} mm; check its units",
            code="spacing_range",
            numbers={"min_mm": low, "max_mm": high},
        )


def plain_data_file(header: Path, named: str) -> Path:
    """The detached data file a header names: only a plain name, a regular file, in the same real folder.

    Everything else (absolute, parent folders, lists, number patterns, links that leave the folder, pipes) can
    make a reader open, or hang on, a file the user never chose.
    """
    name = named.strip()
    bad = name in {"", ".", ".."} or name.upper().startswith("LIST") or any(c in name for c in '%/\\:*?"\0\t')
    path = header.parent / name
    if not bad:
        try:
            inside = path.resolve(strict=True).parent == header.parent.resolve()
            bad = not inside or not stat.S_ISREG(path.stat().st_mode)
        except OSError as error:
            raise InputError(
                f"{header.name} needs the data file {name[:80]!r}, not found", code="no_data_file"
            ) from error
    if bad:
        raise InputError(
            f"{header.name} names the data file {name[:80]!r}; only a plain file beside the header is read",
            code="unsafe_data_file",
        )
    return path


def start_from_end(name: str, data: Path, needed: int, header_end: int) -> int:
    """Where `needed` bytes start that end a file; refuses a file in which they would start before `header_end`."""
    start = data.stat().st_size - needed
    if start < header_end:
        raise InputError(
            f"{name} is shorter than its header says: {max(start + needed - header_end, 0)} of {needed} voxel bytes; "
            "copy it again",
            code="truncated",
        )
    return start
