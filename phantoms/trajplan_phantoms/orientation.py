"""Patient positions and storage orders: which way rows, columns and slices of a stored scan run."""

from __future__ import annotations

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.volume import LabelMap, Volume

POSITIONS: dict[str, str] = {"HFS": "LPS", "HFP": "RAS", "FFS": "RPI", "FFP": "LAI"}
"""Storage order in which a scanner's own axes (across, down, into the bore) meet the patient, by PatientPosition."""

_AXES = {"L": (0, 1.0), "R": (0, -1.0), "P": (1, 1.0), "A": (1, -1.0), "S": (2, 1.0), "I": (2, -1.0)}
_EXAMPLE = "such as LPS or RAS"


def check_position(position: str) -> str:
    """`position` itself; refuses one that is not HFS, HFP, FFS or FFP."""
    if position not in POSITIONS:
        raise InputError(
            f"unknown patient position {position!r}; use {', '.join(POSITIONS)}", code="patient_position_unknown"
        )
    return position


def table_side(position: str) -> float:
    """+1 where the table lies behind the patient (supine), -1 in front (prone)."""
    return 1.0 if check_position(position).endswith("S") else -1.0


def direction_of(order: str) -> FloatArray:
    """Direction matrix (columns: LPS directions of growing x, y, z index) of a storage order.

    Parameters
    ----------
    order : str
        Three letters for x, y and z index: the side of the patient each runs towards. "LPS" is the identity.

    >>> direction_of("RAI").diagonal().tolist()
    [-1.0, -1.0, -1.0]
    """
    letters = order.upper()
    if len(letters) != 3 or {_AXES[c][0] for c in letters if c in _AXES} != {0, 1, 2}:
        raise InputError(
            f"storage order {order!r} is not three letters, one of L/R, one of P/A and one of S/I, {_EXAMPLE}",
            code="orientation_unknown",
        )
    matrix = np.zeros((3, 3))
    for column, letter in enumerate(letters):
        row, sign = _AXES[letter]
        matrix[row, column] = sign
    return matrix


def reordered(volume: Volume, order: str) -> Volume:
    """The same voxels at the same places, stored in another order (flips and permutations only).

    An oblique grid keeps its obliquity: its axes are matched to the nearest ones of `order`.
    """
    array, grid = _reordered(volume.array, volume.grid, order)
    return Volume(array, grid)


def reordered_labels(labels: LabelMap, order: str) -> LabelMap:
    """As `reordered`, for labels."""
    array, grid = _reordered(labels.array, labels.grid, order)
    return LabelMap(array, grid, labels.names)


def _reordered(array: AnyArray, grid: Grid, order: str) -> tuple[AnyArray, Grid]:
    wanted = direction_of(order)
    match = wanted.T @ _nearest_axes(grid.direction)  # rows: new index axes, columns: old ones
    source = [int(np.argmax(np.abs(row))) for row in match]
    flipped = [bool(match[new, old] < 0) for new, old in enumerate(source)]
    axes_zyx = [2 - source[2 - axis] for axis in range(3)]
    out = array.transpose(axes_zyx)
    for axis in range(3):
        if flipped[2 - axis]:
            out = np.flip(out, axis)
    start = np.zeros(3)
    for new, old in enumerate(source):
        if flipped[new]:
            start[2 - old] = grid.shape_zyx[2 - old] - 1
    direction = np.column_stack(
        [grid.direction[:, old] * (-1.0 if flip else 1.0) for old, flip in zip(source, flipped, strict=True)]
    )
    spacing = tuple(float(grid.spacing_zyx[axis]) for axis in axes_zyx)
    return np.ascontiguousarray(out), Grid(out.shape, grid.index_to_world(start), spacing, direction)


def _nearest_axes(direction: FloatArray) -> FloatArray:
    """The signed permutation nearest to a rotation or mirror, taken greedily from its largest cosine."""
    left = np.abs(direction).copy()
    out = np.zeros((3, 3))
    for _ in range(3):
        row, column = np.unravel_index(int(np.argmax(left)), (3, 3))
        out[row, column] = np.sign(direction[row, column])
        left[row, :], left[:, column] = -1.0, -1.0
    return out
