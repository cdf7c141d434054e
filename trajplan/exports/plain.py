"""Plain JSON values from numpy and dataclasses: stable rounding, no NaN, no folders."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import PurePath

import numpy as np
from numpy.typing import ArrayLike
from pydantic import JsonValue

from trajplan.errors import InputError

MM_DIGITS = 4
UNIT_DIGITS = 9


def rounded(value: float, digits: int = MM_DIGITS) -> float:
    """`value` to `digits` decimals, never ``-0.0``.

    >>> rounded(-0.00001)
    0.0
    """
    return round(float(value), digits) + 0.0


def required(value: float, name: str, digits: int = MM_DIGITS) -> float:
    """A rounded finite number; raises InputError naming the field when it is not finite."""
    if not math.isfinite(value):
        raise InputError(
            f"{name} is {value}: a plan with a number that is not finite cannot be written; plan the case again",
            code="plan_not_finite",
        )
    return rounded(value, digits)


def optional(value: float | None, digits: int = MM_DIGITS) -> float | None:
    """A rounded number, or None when it is missing or not finite (both mean: not known)."""
    return None if value is None or not math.isfinite(value) else rounded(value, digits)


def vector(values: ArrayLike, name: str, digits: int = MM_DIGITS) -> tuple[float, float, float]:
    """Three finite numbers."""
    x, y, z = (required(float(v), name, digits) for v in np.asarray(values, dtype=np.float64).reshape(3))
    return x, y, z


def points(values: ArrayLike, name: str) -> tuple[tuple[float, float, float], ...]:
    """An (N, 3) list of finite points."""
    return tuple(vector(row, name) for row in np.asarray(values, dtype=np.float64).reshape(-1, 3))


def pixel(values: ArrayLike) -> tuple[float, float] | None:
    """(row, column), or None when the point has no image."""
    row, column = (float(v) for v in np.asarray(values, dtype=np.float64).reshape(2))
    if not (math.isfinite(row) and math.isfinite(column)):
        return None
    return rounded(row, 3), rounded(column, 3)


def numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    """A mapping of names to rounded numbers; None where not finite."""
    return {str(k): optional(float(v)) for k, v in values.items()}


def plain(value: object) -> JsonValue:
    """Any value as JSON: arrays to lists, enums to values, paths to their last component, NaN to None.

    >>> plain({"a": np.array([1.0, np.nan]), "p": PurePath("/home/jane_doe/ct.nii.gz")})
    {'a': [1.0, None], 'p': 'ct.nii.gz'}
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return optional(value, 6)
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, Mapping):
        return {str(k.value if isinstance(k, Enum) else k): plain(v) for k, v in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(v) for v in (value if isinstance(value, Sequence) else sorted(value, key=str))]
    return str(value)
