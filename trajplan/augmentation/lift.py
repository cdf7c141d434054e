"""Lift: how the push of balloons against broken end plates spreads over them, and the body that follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.augmentation.body_block import BodyBlock, spread
from trajplan.augmentation.envelope import Envelope
from trajplan.augmentation.missing_height import Missing
from trajplan.augmentation.packed_bone import packed
from trajplan.geometry.arrays import BoolArray, FloatArray

SPREAD_MM = 10.0
"""How far a push carries an end plate with it (one sigma): a plate is a stiff sheet on soft bone (proposed)."""

_PUSH_STEP_MM = 0.25
_LEAST_MM = 0.3
_COARSE = 2
_SMOOTH_MM = 1.0


@dataclass(frozen=True, eq=False)
class Lift:
    """How far both end plates are moved apart: maps (V, U), mm, >= 0, at most what is missing there."""

    top_mm: FloatArray
    bottom_mm: FloatArray

    def volume_ml(self, block: BodyBlock) -> float:
        """Volume that the body gains: the lift over its footprint."""
        return float((self.top_mm + self.bottom_mm)[block.columns.footprint].sum()) * block.spacing_mm**2 / 1000


def no_lift(block: BodyBlock) -> Lift:
    """Nothing moved."""
    zero = np.zeros(block.top_mm.shape)
    return Lift(zero, zero)


def lifted(block: BodyBlock, missing: Missing, envelopes: tuple[Envelope, ...], before: Lift) -> Lift:
    """Both end plates pushed by these envelopes; never less than `before`.

    Where an envelope with the bone packed about it (`packed`) stands beyond a plate, the plate goes with it. Around it
    the plate regains the same share of what is missing there, falling off with distance. The body gains no more volume
    than the balloons have.
    """
    pushing = tuple(packed(block, e) for e in envelopes)
    top = _one(block, pushing, block.top_mm, missing.top_mm, 1.0)
    bottom = _one(block, pushing, block.bottom_mm, missing.bottom_mm, -1.0)
    grown = Lift(np.maximum(top, before.top_mm), np.maximum(bottom, before.bottom_mm))
    least, most = before.volume_ml(block), grown.volume_ml(block)
    limit = max(least, sum(e.volume_ml for e in envelopes))
    if most <= limit:
        return grown
    share = (limit - least) / (most - least)
    return Lift(
        before.top_mm + share * (grown.top_mm - before.top_mm),
        before.bottom_mm + share * (grown.bottom_mm - before.bottom_mm),
    )


def _one(
    block: BodyBlock, envelopes: tuple[Envelope, ...], edge: FloatArray, missing: FloatArray, sign: float
) -> FloatArray:
    can = block.columns.footprint & (missing > _LEAST_MM)
    j, i = np.nonzero(can)
    lift = np.zeros(edge.shape)
    if not len(j):
        return lift
    ahead = np.arange(0.0, float(missing[can].max()) + _PUSH_STEP_MM, _PUSH_STEP_MM)
    w = edge[j, i][:, None] + sign * ahead
    points = np.stack(np.broadcast_arrays(block.u_mm[i][:, None], block.v_mm[j][:, None], w), axis=-1)
    held = np.zeros(w.shape, dtype=bool)
    for envelope in envelopes:
        held |= envelope.contains(block.frame.to_world(points))
    push = (ahead * held).max(axis=1)
    share = np.minimum(push / missing[j, i], 1.0)
    pushed = share > 0
    if not pushed.any():
        return lift
    at = np.stack([block.u_mm[i], block.v_mm[j]], axis=1)
    lift[j, i] = missing[j, i] * _carried(at, at[pushed], share[pushed])
    lift = spread(lift, can)
    smooth = ndi.gaussian_filter(lift, _SMOOTH_MM / block.spacing_mm, mode="nearest")
    return np.asarray(np.minimum(smooth, missing))


def _carried(at_uv: FloatArray, pushed_uv: FloatArray, share: FloatArray) -> FloatArray:
    """At each place the largest share that any pushed place carries there."""
    best = np.zeros(len(at_uv))
    for start in range(0, len(at_uv), 512):
        part = at_uv[start : start + 512]
        far2 = np.square(part[:, None, :] - pushed_uv[None]).sum(axis=2)
        best[start : start + 512] = (share * np.exp(-0.5 * far2 / SPREAD_MM**2)).max(axis=1)
    return best


def lifted_body(block: BodyBlock, lift: Lift) -> BoolArray:
    """The body with its end plates moved: each column is stretched evenly between them; shape (W, V, U)."""
    top, bottom = block.top_mm + lift.top_mm, block.bottom_mm - lift.bottom_mm
    height = np.maximum(top - bottom, 1e-3)
    w = block.w_mm[:, None, None]
    stretched = block.bottom_mm + (w - bottom) * (block.top_mm - block.bottom_mm) / height
    before = np.where(w > top, w - lift.top_mm, np.where(w < bottom, w + lift.bottom_mm, stretched))
    index = (before - block.w_mm[0]) / block.spacing_mm
    rows, columns = np.indices(top.shape)
    at = np.stack([index, *np.broadcast_arrays(rows, columns, index)[:2]])
    return np.asarray(ndi.map_coordinates(block.body, at, order=1, mode="constant") > 0.5)
