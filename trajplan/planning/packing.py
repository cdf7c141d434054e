"""Samples of the walls packed in boxes, so that whole boxes can be left out where they cannot matter."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray

BOX_MM = 4.0
_ROUNDING_MM = 1e-6
"""Samples that differ by less are taken in either order as the same, so that a mirrored patient has the same order."""


class Packed(NamedTuple):
    """Samples (N, 3) box by box; box b holds those from `at[b]` to `at[b + 1]`, all of kind `kinds[b]`, within the ball
    `balls[b]` (centre, radius)."""

    samples: FloatArray
    at: AnyArray
    kinds: AnyArray
    balls: FloatArray


def pack(samples: FloatArray, kinds: AnyArray) -> Packed:
    """Samples (N, 3) of kinds (N,) in boxes of 4 mm; the order they come in does not matter."""
    place = np.round(samples / _ROUNDING_MM)
    order = np.lexsort((*place.T, *_box_of(place).T, kinds))
    return _boxed(np.ascontiguousarray(samples[order]), kinds[order])


def _box_of(place: FloatArray) -> FloatArray:
    return np.asarray(np.floor(place * (_ROUNDING_MM / BOX_MM)))


def _boxed(points: FloatArray, kinds: AnyArray) -> Packed:
    """Samples that are in order already."""
    keys = np.column_stack([kinds, _box_of(np.round(points / _ROUNDING_MM))])
    new = np.ones(len(points), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    first = np.flatnonzero(new)
    at = np.append(first, len(points))
    centers = np.add.reduceat(points, first, axis=0) / np.diff(at)[:, None] if len(first) else np.zeros((0, 3))
    away = np.linalg.norm(points - np.repeat(centers, np.diff(at), axis=0), axis=1)
    radius = (np.maximum.reduceat(away, first) if len(first) else np.zeros(0)) + _ROUNDING_MM
    return Packed(points, at, keys[first, 0].astype(np.int64), np.column_stack([centers, radius]))


def thinned(packed: Packed, every: int) -> Packed:
    """Every so many of the samples."""
    kinds = np.repeat(packed.kinds, np.diff(packed.at))
    return _boxed(np.ascontiguousarray(packed.samples[::every]), kinds[::every])
