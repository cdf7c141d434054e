"""Samples of the walls packed in boxes, so that whole boxes can be left out where they cannot matter."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray

BOX_MM = 4.0
_ROUNDING_MM = 1e-6


class Packed(NamedTuple):
    """Samples (N, 3) box by box; box b holds those from `at[b]` to `at[b + 1]`, all of kind `kinds[b]`, within the ball
    `balls[b]` (centre, radius). `rank` is where each sample stood before."""

    samples: FloatArray
    at: AnyArray
    kinds: AnyArray
    balls: FloatArray
    rank: AnyArray


def pack(samples: FloatArray, kinds: AnyArray) -> Packed:
    """Samples (N, 3) of kinds (N,) in boxes of 4 mm."""
    box = np.floor(samples / BOX_MM)
    order = np.lexsort((box[:, 2], box[:, 1], box[:, 0], kinds))
    keys = np.column_stack([kinds, box])[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    first = np.flatnonzero(new)
    at = np.append(first, len(order))
    points = np.ascontiguousarray(samples[order])
    centers = np.add.reduceat(points, first, axis=0) / np.diff(at)[:, None] if len(first) else np.zeros((0, 3))
    away = np.linalg.norm(points - np.repeat(centers, np.diff(at), axis=0), axis=1)
    radius = (np.maximum.reduceat(away, first) if len(first) else np.zeros(0)) + _ROUNDING_MM
    kind = keys[first, 0].astype(np.int64)
    return Packed(points, at, kind, np.column_stack([centers, radius]), order)


def thinned(packed: Packed, every: int) -> Packed:
    """Every so many of the samples, in the order they came in."""
    kinds = np.repeat(packed.kinds, np.diff(packed.at))
    back = np.argsort(packed.rank)[::every]
    return pack(packed.samples[back], kinds[back])
