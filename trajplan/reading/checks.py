"""Is it a CT in Hounsfield units, large and fine enough to plan on? Checks after reading, whatever the format."""

from __future__ import annotations

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray
from trajplan.geometry.grid import Grid
from trajplan.reading.answers import Doubt
from trajplan.reading.scan import Finding

PADDING_HU = -1024
"""The lowest HU of a 12-bit scanner: anything below it is padding or noise of air, and becomes this."""
MIN_VOXELS = 8
MIN_EXTENT_MM = 30.0
MAX_SLICE_MM, WARN_SLICE_MM = 6.0, 3.0
MAX_POSITION_MM = 10_000.0
"""No scanner table is longer: a corner beyond this is a damaged header."""
_SAMPLE = 2_000_000

# The HU rule, on the voxels that are not padding. Of the real scans at hand and crops of them the figures were
# far on the accepting side; CT stored with +1000 or +1024, MR-like and 8-bit images far on the other.
_FAT_OR_AIR_HU, _MIN_FAT_OR_AIR = -50, 0.002
_TISSUE_HU, _MIN_TISSUE = (-200, 300), 0.20
_DENSE_HU, _MAX_DENSE_OF_BRIGHT, _MAX_DENSE = (700, 1300), 0.6, 0.1


def to_hu16(array: AnyArray, name: str) -> tuple[AnyArray, int]:
    """Voxels as int16 HU, and how many were below -1024 and are now -1024.

    Raises
    ------
    InputError
        ``not_finite`` for NaN or infinity, ``hu_range`` for values above 32767.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise InputError(f"{name} has {bad} voxels that are NaN or infinite", code="not_finite")
    top = float(array.max())
    if top > np.iinfo(np.int16).max:
        raise InputError(
            f"{name} has values up to {top:g}, above 32767: not Hounsfield units", code="hu_range", numbers={"max": top}
        )
    padded = int(np.count_nonzero(array < PADDING_HU)) if array.dtype.kind != "u" else 0
    if array.dtype.kind == "f":
        array = np.rint(array)
    if padded:
        array = np.maximum(array, PADDING_HU)
    return np.asarray(array, dtype=np.int16), padded


def padding_findings(padded: int) -> list[Finding]:
    """The finding that says how many voxels were raised to -1024 HU, if any."""
    if not padded:
        return []
    return [Finding("padding", "repair", f"{padded} voxels below {PADDING_HU} HU (padding) set to {PADDING_HU} HU")]


def check_grid(name: str, grid: Grid) -> list[Finding]:
    """Size, slice spacing and coverage of a stored grid.

    Raises
    ------
    InputError
        ``too_few_slices``, ``position_absurd``, ``slices_too_thick`` or ``coverage``.
    """
    shape, spacing = grid.shape_zyx, grid.spacing_zyx
    shown = " x ".join(str(n) for n in shape)
    if min(shape) < MIN_VOXELS:
        raise InputError(
            f"{name} has {shown} voxels (z, y, x); a volume needs at least {MIN_VOXELS} along each axis",
            code="too_few_slices",
            numbers={"voxels": float(min(shape))},
        )
    farthest = float(np.abs(grid.corners_lps()).max())
    if not farthest <= MAX_POSITION_MM:
        raise InputError(
            f"{name} lies {farthest:.3g} mm from the origin of the patient space; the header is damaged",
            code="position_absurd",
            numbers={"distance_mm": farthest},
        )
    thickest = float(spacing.max())
    if thickest > MAX_SLICE_MM:
        raise InputError(
            f"{name} has slices {thickest:.2f} mm apart; at most {MAX_SLICE_MM:g} mm can be planned on",
            code="slices_too_thick",
            numbers={"slice_spacing_mm": thickest},
        )
    # Height of the box along the patient's axis, voxels counted whole.
    height = float(np.abs(grid.direction[2]) @ (np.array(shape[::-1]) * grid.spacing_xyz))
    if height < MIN_EXTENT_MM:
        raise InputError(
            f"{name} covers {height:.1f} mm from head to feet; a vertebra needs at least {MIN_EXTENT_MM:g} mm",
            code="coverage",
            numbers={"extent_mm": height},
        )
    if thickest > WARN_SLICE_MM + 1e-6:
        text = f"slices are {thickest:.2f} mm apart; above {WARN_SLICE_MM:g} mm walls of the pedicle are uncertain"
        return [Finding("thick_slices", "warning", text)]
    return []


def check_hu(name: str, array: AnyArray, *, assume_hu: bool = False) -> list[Finding]:
    """Refuse voxels that cannot be a CT in HU: MR, 8-bit images, CT stored with an offset.

    A CT of the body, and any crop of one down to a vertebra with its surroundings, holds some fat or air (below
    -50 HU), has much of its non-air between -200 and 300 HU, and little that is as dense as 700 to 1300 HU.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        int16 HU after `to_hu16`.
    assume_hu : bool
        Accept anyway, with a warning.

    Raises
    ------
    InputError
        ``not_hu``, with min, 1st percentile and max.
    """
    flat = array.reshape(-1)[:: max(1, array.size // _SAMPLE)]
    # Padding proves nothing about the units.
    v = flat[flat > PADDING_HU]
    reason = _hu_fault(v) if v.size else "every voxel is padding"
    if reason is None:
        return []
    low, p1, high = (float(x) for x in (array.min(), np.percentile(flat, 1), array.max()))
    shown = f"min {low:g}, 1st percentile {p1:g}, max {high:g}"
    if assume_hu:
        return [Finding("hu_assumed", "warning", f"voxels do not look like Hounsfield units ({reason}; {shown})")]
    raise Doubt(
        f"{name} is not a CT in Hounsfield units: {reason} ({shown}); convert it",
        code="not_hu",
        field="assume_hu",
        numbers={"min": low, "percentile_1": p1, "max": high},
    )


def _hu_fault(v: AnyArray) -> str | None:
    body = v[v > -300]
    if np.count_nonzero(v < _FAT_OR_AIR_HU) < _MIN_FAT_OR_AIR * v.size:
        return f"no air or fat (below {_FAT_OR_AIR_HU})"
    tissue = np.count_nonzero((body >= _TISSUE_HU[0]) & (body <= _TISSUE_HU[1]))
    if not body.size or tissue < _MIN_TISSUE * body.size:
        return f"no soft tissue ({_TISSUE_HU[0]} to {_TISSUE_HU[1]})"
    dense = np.count_nonzero((body >= _DENSE_HU[0]) & (body <= _DENSE_HU[1]))
    bright = np.count_nonzero(body > 100)
    if dense > _MAX_DENSE_OF_BRIGHT * bright and dense > _MAX_DENSE * body.size:
        return f"too much at {_DENSE_HU[0]} to {_DENSE_HU[1]}, as when 1000 or 1024 was added"
    return None
