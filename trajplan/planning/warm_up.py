"""Compiling the planner's kernels before they are called, for the types and layouts that a plan gives them."""

from __future__ import annotations

from typing import Any

from numba import types

from trajplan.planning.breach import _least
from trajplan.planning.climb import Problem, climb_each
from trajplan.planning.edge import _edges
from trajplan.planning.lattice import _least_of_cells, _nearest_of, _sampled, _signed
from trajplan.planning.safety_map import _entries
from trajplan.planning.search import _least_by_start, _score_all

_REAL, _INT, _BOOL = types.float64, types.int64, types.boolean
_REALS, _ROWS, _COLUMN = types.Array(_REAL, 1, "C"), types.Array(_REAL, 2, "C"), types.Array(_REAL, 1, "A")
_INTS, _FLAGS = types.Array(_INT, 1, "C"), types.Array(_BOOL, 1, "C")
_SINGLES, _FIELD, _FIELDS = (types.Array(types.float32, n, "C") for n in (1, 3, 4))
_SHAPE = types.UniTuple(_INT, 3)
_PROBLEM = types.NamedTuple(
    (_FIELD, _FIELD, _ROWS, _COLUMN, _ROWS, _INTS, _INTS, _ROWS, _INTS, _REAL, _REALS, _REALS, _REAL, _REAL, _REAL,
     _REAL, _REALS, _REALS, _REALS, _REAL, _REALS),
    Problem,
)  # fmt: skip

PATHS: dict[Any, tuple[Any, ...]] = {
    _score_all: (
        _ROWS, _ROWS, _FLAGS, _FIELD, _FIELD, _FIELD, _REAL, _FIELD, _FIELD, _FIELD, _REALS, _REALS, _REALS, _REALS,
        _REAL, _BOOL,
    ),
    climb_each: (_ROWS, _REALS, _PROBLEM, _INT),
}  # fmt: skip
"""Kernel -> types of its arguments: the two slowest to compile."""

WALLS: dict[Any, tuple[Any, ...]] = {
    _edges: (_FIELD, _ROWS, _ROWS),
    _sampled: (_FIELD, _ROWS, _COLUMN, _REALS, _SHAPE),
    _nearest_of: (_ROWS, _INTS, _INT, _SHAPE, _FIELD),
    _signed: (_FIELDS, _FIELD, _FIELD, types.float32, types.float32),
    _least_by_start: (_FIELDS, _SINGLES, _SINGLES, _INTS),
    _least_of_cells: (_FIELDS,),
    _least: (
        _FIELDS, _FIELD, _FIELD, _REALS, _ROWS, _ROWS, _REALS, _REAL, _INTS, _REAL, _REAL, _REAL, _BOOL,
    ),
    _entries: (_FIELD, _ROWS, _COLUMN, _ROWS, _ROWS),
}  # fmt: skip
"""The others, in the order in which a plan calls them."""


def compile_kernels(kernels: dict[Any, tuple[Any, ...]]) -> None:
    """Compile (or load from the cache) kernels, each for its types."""
    for kernel, signature in kernels.items():
        kernel.compile(signature)
