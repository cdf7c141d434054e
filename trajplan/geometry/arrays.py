"""Array type names and the one function that freezes an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
AnyArray = NDArray[Any]


def frozen(values: ArrayLike, shape: tuple[int, ...] | None = None) -> FloatArray:
    """A read-only float64 copy of `values`; raises ``ValueError`` when it is not finite or not of `shape`."""
    array = np.array(values, dtype=np.float64)
    if shape is not None and array.shape != shape:
        raise ValueError(f"expected shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"values must be finite, got {array.tolist()}")
    array.setflags(write=False)
    return array


def unit(vector: ArrayLike) -> FloatArray:
    """`vector` scaled to length 1.

    >>> unit([3.0, 0.0, 4.0]).tolist()
    [0.6, 0.0, 0.8]
    """
    v = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(v))
    if not length > 0:
        raise ValueError("a zero vector has no direction")
    return np.asarray(v / length)
