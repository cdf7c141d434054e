"""An outline moved along its normal to where the CT's HU fall the steepest, together with the outline about it."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.geometry.arrays import BoolArray, Float32Array

SHIFTS_MM = np.arange(-2.25, 2.3, 0.75)
"""Where an edge is looked for: inwards negative."""

STAY_HU_PER_MM3 = 20.0
"""A shift by s mm must gain 20 s^2 HU/mm of fall: of two edges the nearer one, and none for noise."""

CLEAR_HU_PER_MM = 15.0
"""Falls that differ by less than this count alike; the shift is their mean."""

TOGETHER_MM = 1.5
"""Neighbouring parts of an outline move together: Gaussian over which the fall is averaged along the outline."""

FINE_MM, COARSE_MM, FINE_SLICE_OFFSET_MM = 1.5, 2.5, 0.2
"""Labels lie 0.2 mm inside the steepest fall on voxels of 1.5 mm and less, and on it from 2.5 mm on, where the blur of
thick slices moves it inwards."""

PASSES = 3
SLOPE_PER_MM = 2.0
_SOFT_HU, _DENSE_HU = -150.0, 500.0
_NORMAL_MM, _NOISE_MM, _STAIR_MM = 1.5, 0.5, 0.7


def to_the_steepest(share: Float32Array, hu: Float32Array, voxel_mm: float) -> Float32Array:
    """A target's probability, its outline moved to the steepest fall of HU within 2 mm.

    What is looked for is the fall of HU along the outward normal, averaged over the outline within a few millimetres:
    at a disc of a degenerated spine or on thick slices a single profile is noise, and the end plate as a whole shows.

    Parameters
    ----------
    share, hu : ndarray of float32, shape (z, y, x)
        On one grid of 1 mm.
    voxel_mm : float
        The largest spacing of the CT itself.

    Returns
    -------
    ndarray of float32
        Same shape, 0 to 1: a logistic function of the distance to the outline.
    """
    if not (share > 0.5).any():
        return share
    inset = float(np.interp(voxel_mm, (FINE_MM, COARSE_MM), (FINE_SLICE_OFFSET_MM, 0.0)))
    rise = np.stack(np.gradient(ndi.gaussian_filter(np.clip(hu, _SOFT_HU, _DENSE_HU).astype(np.float32), _NOISE_MM)))
    for _ in range(PASSES):
        outside_mm = _outside_mm(share > 0.5)
        away = outside_mm - _shift_mm(outside_mm, rise) + inset
        share = np.asarray(1 / (1 + np.exp(np.clip(SLOPE_PER_MM * away, -20.0, 20.0))), dtype=np.float32)
    return share


def _outside_mm(mask: BoolArray) -> Float32Array:
    """Distance to the outline of a mask, inside negative, without its stairs."""
    outside, inside = (ndi.distance_transform_edt(x).astype(np.float32) for x in (~mask, mask))
    return np.asarray(ndi.gaussian_filter(np.where(mask, 0.5 - inside, outside - 0.5), _STAIR_MM))


def _shift_mm(outside_mm: Float32Array, rise: Float32Array) -> Float32Array:
    """How far (mm, outwards positive) the outline next to each voxel is to move."""
    normal = np.stack(np.gradient(ndi.gaussian_filter(outside_mm, _NORMAL_MM)))
    fall = -(rise * normal).sum(axis=0) / np.maximum(np.linalg.norm(normal, axis=0), 1e-3)
    half = SHIFTS_MM[1] - SHIFTS_MM[0]
    gains = []
    for shift in SHIFTS_MM:
        # the fall this far from the outline; in blocks of 2 mm, finer than what is averaged over
        weight = np.maximum(0.0, 1.0 - np.abs(outside_mm - shift) / half).astype(np.float32)
        seen, total = _blurred(weight), _blurred(weight * fall)
        gains.append(np.where(seen > 1e-3, total / np.maximum(seen, 1e-3), -100.0) - STAY_HU_PER_MM3 * shift**2)
    gain = np.array(gains)
    choice = np.exp((gain - gain.max(axis=0)) / CLEAR_HU_PER_MM)
    shifts = (choice * SHIFTS_MM[:, None, None, None]).sum(axis=0) / choice.sum(axis=0)
    fine = ndi.zoom(shifts.astype(np.float32), 2, order=1, mode="nearest", grid_mode=True)
    return np.asarray(fine[tuple(slice(0, n) for n in outside_mm.shape)])


def _blurred(values: Float32Array) -> Float32Array:
    """Means of blocks of 2 x 2 x 2 voxels, averaged over `TOGETHER_MM`."""
    blocks = np.pad(values, [(0, n % 2) for n in values.shape])
    blocks = blocks[::2] + blocks[1::2]
    blocks = blocks[:, ::2] + blocks[:, 1::2]
    blocks = 0.125 * (blocks[..., ::2] + blocks[..., 1::2])
    return np.asarray(ndi.gaussian_filter(blocks, TOGETHER_MM / 2, truncate=2.5))
