"""Room: how far a balloon may grow in every direction about its axis, and how much resists it on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.missing_height import Missing
from trajplan.augmentation.packed_bone import packing
from trajplan.fluoroscopy.attenuation import CORTICAL_HU
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray

SLICE_MM = 0.5
ANGLES = 48
MARCH_MM = 0.3
REACH_MM = 18.0
LONGEST_MM = 40.0

MARROW_SHARE = 0.05
"""Resistance of marrow as a bone share, so that a cleft does not yield without bound (proposed)."""

STIFFNESS_RANGE = (0.4, 2.5)
"""Resistance is held between these multiples of the body's own trabecular bone (proposed)."""

ENDPLATE_STIFFNESS = 3.0
"""Lifting a broken end plate is taken to resist this many times as much as trabecular bone (proposed)."""


@dataclass(frozen=True, eq=False)
class Room:
    """The room about the axis of one balloon.

    `free_mm` (N, M) is the radius up to the bone packed against the first wall; `work_mm` (N, M, K) the work of
    reaching each radius ``k * MARCH_MM``, as the radius that it would give in the body's own trabecular bone.
    """

    center_lps: FloatArray
    axes_lps: FloatArray
    z_mm: FloatArray
    free_mm: FloatArray
    work_mm: Float32Array

    def radius_mm(self, free: FloatArray) -> FloatArray:
        """Radius (N, M) where a free balloon would have `free` (N,): less in stiffer bone, never beyond a wall."""
        steps = (self.work_mm <= free[:, None, None]).sum(axis=2) - 1
        at = np.take_along_axis(self.work_mm, np.maximum(steps, 0)[..., None], axis=2)[..., 0]
        last = self.work_mm.shape[2] - 1
        after = np.take_along_axis(self.work_mm, np.minimum(steps + 1, last)[..., None], axis=2)[..., 0]
        share = np.where(after > at, (free[:, None] - at) / np.maximum(after - at, 1e-6), 0.0)
        radius = (np.maximum(steps, 0) + np.clip(share, 0.0, 1.0)) * MARCH_MM
        return np.where(free[:, None] > 0, np.minimum(radius, self.free_mm), 0.0)


def room_about(
    block: BodyBlock,
    center_lps: FloatArray,
    axes_lps: FloatArray,
    least_z_mm: float,
    missing: Missing | None,
    others: tuple[Capsule, ...] = (),
) -> Room:
    """The room about an axis.

    Walls are where bone ends; an end plate that lost height may be passed as far as it may be lifted. Nothing grows
    behind `least_z_mm` (the cannula), and of two balloons each keeps to its own side of the middle between their axes.

    Parameters
    ----------
    center_lps, axes_lps : ndarray
        As in `Envelope`.
    others : tuple of Capsule
        Axes of other balloons, marker to marker.
    """
    count = round(LONGEST_MM / SLICE_MM)
    z = np.asarray((np.arange(count) + 0.5) * SLICE_MM - LONGEST_MM / 2, dtype=np.float64)
    turn = 2 * np.pi * np.arange(ANGLES) / ANGLES
    radius = np.arange(0.0, REACH_MM + 1e-9, MARCH_MM)
    across = np.cos(turn)[:, None] * axes_lps[0] + np.sin(turn)[:, None] * axes_lps[1]
    axis = center_lps + z[:, None] * axes_lps[2]
    points = axis[:, None, None, :] + radius[None, None, :, None] * across[None, :, None, :]
    index = block.index_of(points)
    bone = ndi.map_coordinates(block.bone, index, order=1, mode="constant", output=np.float32) > 0.5
    lifted = np.zeros_like(bone)
    if missing is not None:
        lifted = ~bone & _under_lifted(block, missing, block.frame.to_local(points))
    open_ = bone | lifted
    for other in others:
        own = np.linalg.norm(np.cross(points - center_lps, axes_lps[2]), axis=-1)
        open_ &= own < other.distance(points) + other.radius_mm
    open_ &= (z >= least_z_mm)[:, None, None]
    blocked = ~open_
    first = np.where(blocked.any(axis=2), blocked.argmax(axis=2), len(radius))
    # the bone that is pushed aside stays between the balloon and the wall
    free = np.asarray(np.maximum((first - 1) * MARCH_MM, 0.0) / packing(block.reference_hu), dtype=np.float64)
    hu = ndi.map_coordinates(block.hu, index, order=1, mode="nearest", output=np.float32)
    stiff = stiffness(hu, block.reference_hu)
    stiff[lifted] = ENDPLATE_STIFFNESS
    work = np.concatenate(
        [np.zeros((*stiff.shape[:2], 1), np.float32), np.cumsum(0.5 * (stiff[..., 1:] + stiff[..., :-1]), axis=2)],
        axis=2,
    )
    return Room(center_lps, axes_lps, z, free, np.asarray(work * MARCH_MM, dtype=np.float32))


def stiffness(hu: Float32Array, reference_hu: float) -> Float32Array:
    """Resistance of bone of some HU, in multiples of that at `reference_hu`: the ratio of bone shares.

    The share of bone is HU / 1559 (water and cortical bone mixed, 70 keV; derived), plus that of marrow.
    """
    share = np.clip(hu / CORTICAL_HU, 0.0, 1.0) + MARROW_SHARE
    own = min(max(reference_hu / CORTICAL_HU, 0.0), 1.0) + MARROW_SHARE
    return np.asarray(np.clip(share / own, *STIFFNESS_RANGE), dtype=np.float32)


def _under_lifted(block: BodyBlock, missing: Missing, points_uvw: FloatArray) -> BoolArray:
    """Whether points (u, v, w) lie between an end plate as it is and as far as it may be lifted."""
    u, v, w = (points_uvw[..., k] for k in range(3))
    foot = block.map_at(block.columns.footprint.astype(np.float64), u, v) > 0.5
    found = np.zeros(u.shape, dtype=bool)
    for edge, room, sign in ((block.top_mm, missing.top_mm, 1.0), (block.bottom_mm, missing.bottom_mm, -1.0)):
        beyond = sign * (w - block.map_at(edge, u, v))
        found |= foot & (beyond >= -block.spacing_mm) & (beyond <= block.map_at(room, u, v))
    return found
