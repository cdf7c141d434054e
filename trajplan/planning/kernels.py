"""Compiled kernels of the planner: fields between voxels, and one path against every sample of every wall.

All points are (side * u, v, w) mm, so that both sides look alike; `to_index` (3, 3) and `at_index` (3,) take them to
(z, y, x) indices of a field. Walls are numbered as in `Wall`, starts of play as in `walls.Play`.
"""

from __future__ import annotations

import numba as nb
import numpy as np

_STEP_MM = 0.5
_LIMIT_MM = 90.0
_FAR2_MM2 = 14.0**2
"""A sample farther from the axis than 14 mm leaves more than 2.5 sigma whatever the wall and the depth."""

NOWHERE = -1e6
"""Value of a path that does not pass its zone."""


def _between(field, x, y, z):  # type: ignore[no-untyped-def]
    """Trilinear value of a 3-D array at an index; 0 outside."""
    nx, ny, nz = field.shape
    if not (0.0 <= x < nx - 1 and 0.0 <= y < ny - 1 and 0.0 <= z < nz - 1):
        return 0.0
    i, j, k = int(x), int(y), int(z)
    a, b, c = x - i, y - j, z - k
    return (
        (1 - a) * ((1 - b) * ((1 - c) * field[i, j, k] + c * field[i, j, k + 1])
                   + b * ((1 - c) * field[i, j + 1, k] + c * field[i, j + 1, k + 1]))
        + a * ((1 - b) * ((1 - c) * field[i + 1, j, k] + c * field[i + 1, j, k + 1])
               + b * ((1 - c) * field[i + 1, j + 1, k] + c * field[i + 1, j + 1, k + 1]))
    )  # fmt: skip


between = nb.njit(cache=True, forceinline=True)(_between)
between_here = nb.njit(cache=True, inline="always")(_between)
"""The same, a tenth faster in the innermost loops; every place that calls it takes a quarter of a second to compile."""


@nb.njit(cache=True, inline="always")
def cell_of(cells, x, y, z):  # type: ignore[no-untyped-def]
    """The value of the cell of a lattice that an index lies in; that of the border outside."""
    nx, ny, nz = cells.shape
    return cells[
        int(min(max(x, 0.0), nx - 0.001)), int(min(max(y, 0.0), ny - 0.001)), int(min(max(z, 0.0), nz - 0.001))
    ]


@nb.njit(cache=True, inline="always")
def between_all(fields, x, y, z, out):  # type: ignore[no-untyped-def]
    """Trilinear values of all fields of a (nx, ny, nz, count) array into `out`; the border value outside."""
    nx, ny, nz, count = fields.shape
    x = min(max(x, 0.0), nx - 1.001)
    y = min(max(y, 0.0), ny - 1.001)
    z = min(max(z, 0.0), nz - 1.001)
    i, j, k = int(x), int(y), int(z)
    a, b, c = np.float32(x - i), np.float32(y - j), np.float32(z - k)
    one = np.float32(1.0)
    for w in range(count):
        out[w] = (one - a) * (
            (one - b) * ((one - c) * fields[i, j, k, w] + c * fields[i, j, k + 1, w])
            + b * ((one - c) * fields[i, j + 1, k, w] + c * fields[i, j + 1, k + 1, w])
        ) + a * (
            (one - b) * ((one - c) * fields[i + 1, j, k, w] + c * fields[i + 1, j, k + 1, w])
            + b * ((one - c) * fields[i + 1, j + 1, k, w] + c * fields[i + 1, j + 1, k + 1, w])
        )


@nb.njit(cache=True, inline="always")
def _field_at(field, to_index, at_index, px, py, pz):  # type: ignore[no-untyped-def]
    return between(
        field,
        to_index[0, 0] * px + to_index[0, 1] * py + to_index[0, 2] * pz + at_index[0],
        to_index[1, 0] * px + to_index[1, 1] * py + to_index[1, 2] * pz + at_index[1],
        to_index[2, 0] * px + to_index[2, 1] * py + to_index[2, 2] * pz + at_index[2],
    )


@nb.njit(cache=True)
def way_back(field, to_index, at_index, start, back):  # type: ignore[no-untyped-def]
    """How far back (unit `back`) from `start` a line leaves the field's 0.5 level, mm, to 0.03 mm; 0 when outside."""
    out = 0.0
    while out < _LIMIT_MM:
        if _field_at(field, to_index, at_index, start[0] + out * back[0], start[1] + out * back[1],
                     start[2] + out * back[2]) < 0.5:  # fmt: skip
            break
        out += _STEP_MM
    if out == 0.0 or out >= _LIMIT_MM:
        return out
    low, high = out - _STEP_MM, out
    for _ in range(5):
        middle = 0.5 * (low + high)
        if _field_at(field, to_index, at_index, start[0] + middle * back[0], start[1] + middle * back[1],
                     start[2] + middle * back[2]) >= 0.5:  # fmt: skip
            low = middle
        else:
            high = middle
    return high


@nb.njit(cache=True)
def zone_depth(zone, to_index, at_index, entry, along, length):  # type: ignore[no-untyped-def]
    """Depth at which a path first is in its zone, mm, in steps of 0.25; -1 when it never is."""
    t = 0.0
    while t <= length:
        if _field_at(zone, to_index, at_index, entry[0] + t * along[0], entry[1] + t * along[1],
                     entry[2] + t * along[2]) >= 0.5:  # fmt: skip
            return t
        t += 0.25
    return -1.0


@nb.njit(cache=True)
def _slack(x, y, z, entry, along, start, length, taken, entry_sigma, angle_sigma, reach, around):  # type: ignore[no-untyped-def]
    """Slack of a path towards a sample in units of sigma; with `around` > 0 a bound that no sample in a ball of that
    radius falls below. 1e9 where it is too far to matter."""
    dx, dy, dz = x - entry[0], y - entry[1], z - entry[2]
    t = min(max(dx * along[0] + dy * along[1] + dz * along[2], start), length)
    dx -= t * along[0]
    dy -= t * along[1]
    dz -= t * along[2]
    d2 = dx * dx + dy * dy + dz * dz
    if around > 0.0:
        nearest = max(np.sqrt(d2) - around, 0.0)
        d2 = nearest * nearest
    d2 -= reach * reach
    if d2 > _FAR2_MM2:
        return 1e9
    left = np.sqrt(max(d2, 0.0)) - taken
    # the error is least at the near end of the ball, greatest at its far end
    inner = angle_sigma * max(t + (around if left > 0.0 else -around), 0.0)
    return left / np.sqrt(entry_sigma * entry_sigma + inner * inner)


@nb.njit(cache=True)
def margins(  # type: ignore[no-untyped-def]
    samples, at, kinds, balls, entry, along, length, starts, taken, weight, entry_sigma, angle_sigma, reach
):
    """(worst, vertical): least slack of a path over all samples in units of weighted sigma, and that of the walls above
    and below the pedicle alone, unweighted.

    `starts` is the depth from which each wall counts, `taken` what is subtracted from the distance of the axis to a
    sample (radius, margin, guard). The error is that at the depth where the axis passes the sample. Boxes of samples
    (`packing.Packed`) that cannot change the result are left out, the most promising one comes first.
    """
    count = len(kinds)
    bound = np.empty(count)
    for b in range(count):
        kind = kinds[b]
        bound[b] = _slack(
            balls[b, 0], balls[b, 1], balls[b, 2], entry, along, starts[kind], length, taken[kind],
            entry_sigma, angle_sigma, reach, balls[b, 3],
        )  # fmt: skip
    worst, vertical = 1e9, 1e9
    if count == 0:
        return worst, vertical
    first = int(np.argmin(bound))
    for turn in range(count + 1):
        b = first if turn == 0 else turn - 1
        kind = kinds[b]
        upright = kind == 2 or kind == 3
        if bound[b] > 1e8 or (turn > 0 and b == first):
            continue
        if bound[b] / weight[kind] >= worst and not (upright and bound[b] < vertical):
            continue
        for n in range(at[b], at[b + 1]):
            value = _slack(
                samples[n, 0], samples[n, 1], samples[n, 2], entry, along, starts[kind], length,
                taken[kind], entry_sigma, angle_sigma, reach, 0.0,
            )  # fmt: skip
            if value > 1e8:
                continue
            worst = min(worst, value / weight[kind])
            if upright:
                vertical = min(vertical, value)
    return worst, vertical
