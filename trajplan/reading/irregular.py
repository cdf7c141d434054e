"""Irregular or missing slices, interpolated onto even steps when that was asked for."""

from __future__ import annotations

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.reading.checks import MAX_SLICE_MM
from trajplan.reading.scan import Finding

SIDEWAYS_MM = 0.10
"""Slices may shift sideways evenly (a tilt); a jump of more than this is no stack."""
_MIN_STEP_MM = 0.3


def regular_steps(
    positions: FloatArray, normal: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, list[Finding]]:
    """How to interpolate slices at `positions` onto even steps.

    Parameters
    ----------
    positions : ndarray, shape (slices, 3)
        LPS mm, sorted along `normal`.
    normal : ndarray, shape (3,)

    Returns
    -------
    along_mm : ndarray, shape (slices,)
        Distance of each stored slice from the first, along the normal.
    origin_lps, step : ndarray, shape (3,)
        Where the first slice lies, and the LPS mm step of the even ones.
    findings : list of Finding

    Raises
    ------
    InputError
        ``geometry_not_affine`` for a gap of more than 6 mm, or slices that jump sideways by more than 0.10 mm.
    """
    along = (positions - positions[0]) @ normal
    design = np.column_stack([np.ones_like(along), along])
    origin, slope = np.linalg.lstsq(design, positions, rcond=None)[0]
    sideways = float(np.linalg.norm(positions - design @ np.array([origin, slope]), axis=1).max())
    gaps = np.diff(along)
    widest = int(np.argmax(gaps))
    where = f"between z = {positions[widest][2]:.2f} and z = {positions[widest + 1][2]:.2f} mm"
    if sideways > SIDEWAYS_MM:
        raise InputError(
            f"slices jump sideways by up to {sideways:.2f} mm (limit {SIDEWAYS_MM:.2f} mm), which no interpolation "
            "mends; send the series again",
            code="geometry_not_affine",
            numbers={"sideways_mm": sideways},
        )
    if gaps[widest] > MAX_SLICE_MM:
        raise InputError(
            f"slices lie up to {gaps[widest]:.2f} mm apart {where}; at most {MAX_SLICE_MM:g} mm can be interpolated",
            code="geometry_not_affine",
            numbers={"gap_mm": float(gaps[widest]), "limit_mm": MAX_SLICE_MM},
        )
    # The finest spacing that is common, so that nothing scanned finely is blurred.
    step_mm = max(round(float(np.percentile(gaps, 10)), 6), _MIN_STEP_MM)
    text = (
        f"slices {gaps.min():.2f} to {gaps.max():.2f} mm apart were interpolated to steps of {step_mm:.2f} mm on "
        f"request; the widest gap lies {where}: what is shown there was not scanned"
    )
    return along, origin, slope * step_mm, [Finding("irregular_resampled", "warning", text)]


def steps_along(along_mm: FloatArray, step_mm: float) -> int:
    """How many even steps reach from the first slice to the last."""
    return int(np.floor(along_mm[-1] / step_mm + 1e-6)) + 1


def respace(array: AnyArray, along_mm: FloatArray, step_mm: float) -> AnyArray:
    """int16 slices at `along_mm` interpolated linearly at 0, step, 2 step, ... up to the last one."""
    count = steps_along(along_mm, step_mm)
    out = np.empty((count, *array.shape[1:]), dtype=np.int16)
    for k in range(count):
        at = min(k * step_mm, float(along_mm[-1]))
        above = int(np.clip(np.searchsorted(along_mm, at), 1, len(along_mm) - 1))
        low, high = along_mm[above - 1], along_mm[above]
        share = float((at - low) / (high - low))
        out[k] = np.rint((1.0 - share) * array[above - 1] + share * array[above])
    return out
