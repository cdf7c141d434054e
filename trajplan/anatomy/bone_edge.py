"""The last voxel from the CT itself: where an outline is unsure, bone or not is read off the image."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.geometry.arrays import BoolArray, Float32Array

SURE = 0.75
"""From here on a voxel shows what the bone about it looks like; from 1 minus this down, its surroundings."""

NEAR_VOXELS = 2
"""How deep below the outline, and how far outside it, is looked at."""

SMOOTHING_VOXELS = 1.5
WEIGHT = 2.5
"""Log-odds between bone and surroundings. What speaks for it are left-out patients and phantoms: 1.5 to 4 raise all of
them alike."""

MAX_LOG_ODDS = 3.0
"""The image has no say where a route is surer than 95 %: a cleft, a vessel or cement is no edge of the bone."""

NOISE_VOXELS = 0.4
"""A light Gaussian on the image: noise of 50 to 100 HU would roughen the outline."""

LEAST_STEP_HU = 60.0
PRIOR_WEIGHT, PRIOR_REACH_MM = 0.15, 4.0
"""Millimetres that each millimetre from a prior's surface moves an outline, and how far off it counts."""

_SOFT_HU, _CORTEX_HU = -150.0, 700.0

ROUGH_PASSES = 3
"""Passes over a watershed's mask, which begins further off than a network's."""


def to_the_edge(share: Float32Array, hu: Float32Array, passes: int = 1) -> Float32Array:
    """A target's probability, moved by how like bone each voxel is.

    The network's voxels (1.5 mm) are coarser than the CT's, and a watershed's outline is rough. About each voxel the
    mean HU of what is surely bone, just below the outline, and of what surely is not, just outside it, are found; a
    voxel half way between them keeps its odds, one like bone gains up to half of `WEIGHT`, one unlike it loses as much,
    more where it is denser or darker still. Where the two differ by less than `LEAST_STEP_HU` (a joint, a fused disc),
    nothing changes, nor does anything further from the outline than one voxel: the marrow of a pedicle between its
    dense walls is no edge. What this changed is looked at again, `passes` times in all.

    Parameters
    ----------
    share, hu : ndarray of float32, shape (z, y, x)
        On one grid of about 1 mm.

    Returns
    -------
    ndarray of float32
        Same shape, 0 to 1.
    """
    clipped = ndi.gaussian_filter(np.clip(hu, _SOFT_HU, _CORTEX_HU).astype(np.float32), NOISE_VOXELS)
    for _ in range(passes):
        share = _one_voxel(share, clipped)
    return share


def _one_voxel(share: Float32Array, hu: Float32Array) -> Float32Array:
    """One pass of `to_the_edge` on an image without noise."""
    mask: BoolArray = share > 0.5
    core = ndi.binary_erosion(mask, iterations=NEAR_VOXELS, border_value=1)
    reach = ndi.binary_dilation(mask, iterations=NEAR_VOXELS)
    bone, sees_bone = _mean_near(hu, (share > SURE) & ~core)
    around, sees_around = _mean_near(hu, (share < 1 - SURE) & reach)
    step = bone - around
    likeness = (hu - 0.5 * (bone + around)) / np.maximum(step, LEAST_STEP_HU)
    rim = ndi.binary_dilation(mask) & ~ndi.binary_erosion(mask, border_value=1)
    known = rim & sees_bone & sees_around & (step > LEAST_STEP_HU)
    evidence = np.where(known, np.clip(WEIGHT * likeness, -MAX_LOG_ODDS, MAX_LOG_ODDS), 0.0)
    sure = np.clip(share, 1e-3, 1 - 1e-3)
    log_odds = np.log(sure / (1 - sure)) + evidence
    return np.asarray(1 / (1 + np.exp(-log_odds)), dtype=np.float32)


def settled(mask: BoolArray, prior_mm: Float32Array, hu: Float32Array) -> BoolArray:
    """A mask of about 1 mm whose outline is smoothed by a voxel, leans to a prior and then settles `to_the_edge`.

    Parameters
    ----------
    mask, prior_mm, hu : ndarray, shape (z, y, x)
        On one grid; `prior_mm` is the signed distance to the surface that led to the mask, inside positive: where an
        image has no edge, a flood runs off it.
    """
    inside, outside = (ndi.distance_transform_edt(x).astype(np.float32) for x in (mask, ~mask))
    depth = ndi.gaussian_filter(np.where(mask, inside - 0.5, 0.5 - outside), 1.0)
    depth += PRIOR_WEIGHT * np.clip(prior_mm, -PRIOR_REACH_MM, PRIOR_REACH_MM)
    share = 1 / (1 + np.exp(-np.clip(depth, -20.0, 20.0)))
    return np.asarray(to_the_edge(share.astype(np.float32), hu, ROUGH_PASSES) > 0.5)


def _mean_near(hu: Float32Array, where: BoolArray) -> tuple[Float32Array, BoolArray]:
    """Mean of `hu` over the part `where` about each voxel, and whether any of it is near."""
    weight = ndi.gaussian_filter(where.astype(np.float32), SMOOTHING_VOXELS, truncate=3.0)
    total = ndi.gaussian_filter(np.where(where, hu, np.float32(0)), SMOOTHING_VOXELS, truncate=3.0)
    return total / np.maximum(weight, 1e-4), weight > 1e-3
