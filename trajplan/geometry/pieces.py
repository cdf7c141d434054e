"""Connected pieces of a mask, and where it is thickest."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray


def largest(mask: BoolArray) -> BoolArray:
    """The largest face-connected piece (the mask itself when it is empty).

    >>> largest(np.array([True, False, True, True])).tolist()
    [False, False, True, True]
    """
    found, sizes = _sized(mask)
    return np.asarray(found == int(sizes.argmax())) if len(sizes) > 2 else mask


def pieces(mask: BoolArray, share: float) -> BoolArray:
    """All face-connected pieces of at least `share` of the largest.

    >>> pieces(np.array([True, False, True, True, False, True, True]), 0.6).tolist()
    [False, False, True, True, False, True, True]
    """
    found, sizes = _sized(mask)
    return np.asarray((sizes >= share * sizes.max())[found] & mask)


def thickest(mask: BoolArray) -> FloatArray:
    """Index (z, y, x) of the middle of where a mask is thickest: of a vertebra, its body.

    >>> thickest(np.ones((3, 5, 5), dtype=bool)).tolist()
    [1.0, 2.0, 2.0]
    """
    depth = ndi.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]
    return np.asarray(np.argwhere(depth > 0.75 * depth.max()).mean(axis=0))


def _sized(mask: BoolArray) -> tuple[AnyArray, AnyArray]:
    """Number of the piece at each place, 0 outside, and the size of each piece by its number, 0 for the outside."""
    found, _ = ndi.label(mask)
    sizes = np.bincount(found.ravel())
    sizes[0] = 0
    return found, sizes
