"""Rough heights of bodies that the network saw: enough to tell which of a column lost most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajplan.anatomy.column import Column, VertebraSeed
from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.network_input import SPACING_MM, NetworkClass
from trajplan.geometry import Frame
from trajplan.geometry.arrays import FloatArray

_SLAB_MM = 6.0
_BANDS = ((0.05, 0.25), (0.4, 0.6), (0.75, 0.95))
"""Shares of the depth, from the front: anterior, middle, posterior."""


def column_of(vertebrae: Sequence[FoundVertebra], frames: Sequence[Frame]) -> Column:
    """Vertebrae (from top to bottom) as a `Column` (from below), without the canal's curve."""
    seeds = [_seed(one, frame) for one, frame in zip(vertebrae, frames, strict=True)]
    return Column(np.zeros((0, 3)), tuple(reversed(seeds)))


def _seed(one: FoundVertebra, frame: Frame) -> VertebraSeed:
    points = frame.to_local(one.seen.grid.index_to_world(np.argwhere(one.body)))
    weight = one.seen.share[NetworkClass.BODY][one.body]
    slab = np.abs(points[:, 0]) < _SLAB_MM
    front, back = (float(v) for v in np.quantile(points[slab, 1], (0.01, 0.99)))
    depth = back - front
    heights = [
        _height(points[slab], weight[slab], front + low * depth, front + high * depth, SPACING_MM)
        for low, high in _BANDS
    ]
    return VertebraSeed(
        one.center_lps,
        frame.w,
        float(np.median(heights)),
        heights[0],
        heights[1],
        heights[2],
        depth,
        one.seen.flip_dice,
    )


def _height(points: FloatArray, weight: FloatArray, low: float, high: float, step_mm: float) -> float:
    """Volume of a band over its base area: sub-voxel, since every voxel counts with its probability."""
    inside = (points[:, 1] >= low) & (points[:, 1] < high)
    return float(weight[inside].sum()) * step_mm**3 / ((high - low) * 2 * _SLAB_MM)
