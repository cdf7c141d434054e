"""Compiled: the length of a ray inside a solid, and the pixels that a solid can touch."""

from __future__ import annotations

import math
from typing import Any, Final

import numba as nb
import numpy as np

from trajplan.fluoroscopy.solids import Kind

_CAPSULE: Final = int(Kind.CAPSULE)
_ELLIPSOID: Final = int(Kind.ELLIPSOID)
_MOST: Final = 64  # pieces of one ray; further ones of a union of more solids are counted as they come


@nb.njit(inline="always")
def _sphere(qx: float, qy: float, qz: float, ux: float, uy: float, uz: float, radius: float) -> Any:
    a = ux * ux + uy * uy + uz * uz
    b = qx * ux + qy * uy + qz * uz
    d = b * b - a * (qx * qx + qy * qy + qz * qz - radius * radius)
    if d <= 0:
        return np.inf, -np.inf
    root = math.sqrt(d)
    return (-b - root) / a, (-b + root) / a


@nb.njit(inline="always")
def _shaft(
    ox: float, oy: float, oz: float, ux: float, uy: float, uz: float, ex: float, ey: float, ez: float, axis: float,
    radius: float
) -> Any:  # fmt: skip
    """Where a ray is inside a flat-ended rod; o from the start of its axis, e along the axis."""
    o_along, u_along = ox * ex + oy * ey + oz * ez, ux * ex + uy * ey + uz * ez
    px, py, pz = ox - o_along * ex, oy - o_along * ey, oz - o_along * ez
    vx, vy, vz = ux - u_along * ex, uy - u_along * ey, uz - u_along * ez
    a, c = vx * vx + vy * vy + vz * vz, px * px + py * py + pz * pz - radius * radius
    if a > 1e-14:
        b = px * vx + py * vy + pz * vz
        d = b * b - a * c
        if d <= 0:
            return np.inf, -np.inf
        root = math.sqrt(d)
        t0, t1 = (-b - root) / a, (-b + root) / a
    elif c < 0:
        t0, t1 = -np.inf, np.inf
    else:
        return np.inf, -np.inf
    if abs(u_along) > 1e-14:
        c0, c1 = -o_along / u_along, (axis - o_along) / u_along
        t0, t1 = max(t0, min(c0, c1)), min(t1, max(c0, c1))
    elif o_along < 0 or o_along > axis:
        return np.inf, -np.inf
    return t0, t1


@nb.njit(cache=True)
def _pieces(row: Any, source: Any, ux: float, uy: float, uz: float, length: float, found: Any, count: int) -> Any:
    """Append the pieces of the ray inside one primitive to `found` (begin, end), mm from the source."""
    # measure t from the point of the ray nearest the solid: half a metre off, r^2 would drown in rounding
    near = (row[1] - source[0]) * ux + (row[2] - source[1]) * uy + (row[3] - source[2]) * uz
    ox = source[0] + near * ux - row[1]
    oy = source[1] + near * uy - row[2]
    oz = source[2] + near * uz - row[3]
    hole_0, hole_1 = np.inf, -np.inf
    if row[0] == _ELLIPSOID:
        begin, end = _sphere(
            row[4] * ox + row[5] * oy + row[6] * oz,
            row[7] * ox + row[8] * oy + row[9] * oz,
            row[10] * ox + row[11] * oy + row[12] * oz,
            row[4] * ux + row[5] * uy + row[6] * uz,
            row[7] * ux + row[8] * uy + row[9] * uz,
            row[10] * ux + row[11] * uy + row[12] * uz,
            1.0,
        )
    else:
        ex, ey, ez = row[4] - row[1], row[5] - row[2], row[6] - row[3]
        axis = math.sqrt(ex * ex + ey * ey + ez * ez)
        radius = row[7]
        begin, end = np.inf, -np.inf
        if axis > 0:
            ex, ey, ez = ex / axis, ey / axis, ez / axis
            begin, end = _shaft(ox, oy, oz, ux, uy, uz, ex, ey, ez, axis, radius)
        if end <= begin:
            begin, end = np.inf, -np.inf
        if row[0] == _CAPSULE:
            for k in range(2):
                b, e = _sphere(
                    ox - k * axis * ex, oy - k * axis * ey, oz - k * axis * ez, ux, uy, uz, radius
                )  # fmt: skip
                begin, end = min(begin, b), max(end, e)
        elif row[8] > 0:
            hole_0, hole_1 = _shaft(ox, oy, oz, ux, uy, uz, ex, ey, ez, axis, row[8])
    begin, end = max(begin, -near), min(end, length - near)
    if hole_1 > hole_0 and end > begin:
        if hole_0 > begin and count < _MOST:
            found[count, 0], found[count, 1] = near + begin, near + min(hole_0, end)
            count += 1
        begin = max(begin, hole_1)
    if end > begin and count < _MOST:
        found[count, 0], found[count, 1] = near + begin, near + end
        count += 1
    return count


@nb.njit(cache=True)
def chord(rows: Any, source: Any, ux: float, uy: float, uz: float, length: float, found: Any) -> Any:
    """Millimetres of the ray ``source + t u``, 0 <= t <= `length`, |u| = 1, inside the union of `rows`."""
    count = 0
    for n in range(rows.shape[0]):
        count = _pieces(rows[n], source, ux, uy, uz, length, found, count)
    if count == 1:
        return found[0, 1] - found[0, 0]
    total, reached = 0.0, -np.inf
    for _ in range(count):
        first = -1
        for k in range(count):
            if found[k, 1] > reached and (first < 0 or found[k, 0] < found[first, 0]):
                first = k
        if first < 0:
            break
        total += found[first, 1] - max(found[first, 0], reached)
        reached = found[first, 1]
    return total


@nb.njit(cache=True)
def add_chords(
    image: Any, rows: Any, ends: Any, radius: Any, source: Any, corner: Any, row_step: Any, column_step: Any, mu: float
) -> None:
    """Add `mu` times the chord to every pixel near the projected capsules from ``ends[n, 0]`` to ``ends[n, 1]``, px.

    A pixel near several of them gets the chord of the union once: it belongs to the first that reaches it.
    """
    found = np.empty((_MOST, 2))
    spans = np.empty((ends.shape[0], 2), np.int64)
    first, last = image.shape[0], 0
    for n in range(ends.shape[0]):
        first = min(first, max(0, math.floor(min(ends[n, 0, 0], ends[n, 1, 0]) - radius[n])))
        last = max(last, min(image.shape[0], math.ceil(max(ends[n, 0, 0], ends[n, 1, 0]) + radius[n]) + 1))
    for r in range(first, last):
        done = 0
        for k in range(_spans(ends, radius, r, image.shape[1], spans)):
            begin = max(spans[k, 0], done)
            x = corner[0] + r * row_step[0] + begin * column_step[0]
            y = corner[1] + r * row_step[1] + begin * column_step[1]
            z = corner[2] + r * row_step[2] + begin * column_step[2]
            for c in range(begin, spans[k, 1]):
                far = math.sqrt(x * x + y * y + z * z)
                length = chord(rows, source, x / far, y / far, z / far, far, found)
                if length > 0:
                    image[r, c] += np.float32(mu * length)
                x += column_step[0]
                y += column_step[1]
                z += column_step[2]
            done = max(done, spans[k, 1])


@nb.njit(cache=True)
def _spans(ends: Any, radius: Any, r: int, columns: int, spans: Any) -> Any:
    """Columns (first, end) of row `r` within `radius` px of each projected axis, sorted by the first; how many."""
    count = 0
    for n in range(ends.shape[0]):
        r0, c0, r1, c1 = ends[n, 0, 0], ends[n, 0, 1], ends[n, 1, 0], ends[n, 1, 1]
        if r0 > r1:
            r0, c0, r1, c1 = r1, c1, r0, c0
        if r < r0 - radius[n] or r > r1 + radius[n]:
            continue
        axis = math.sqrt((r1 - r0) ** 2 + (c1 - c0) ** 2)
        low, high, reach = 0.0, 1.0, radius[n]
        if r1 - r0 > 1e-9:
            # the strip around the axis; beyond its ends the caps, which the rows within `radius` of them hold
            if r0 + radius[n] < r < r1 - radius[n]:
                low = high = (r - r0) / (r1 - r0)
                reach = min(radius[n] * axis / (r1 - r0), abs(c1 - c0) + 2 * radius[n])
            else:
                low = min(max((r - radius[n] - r0) / (r1 - r0), 0.0), 1.0)
                high = min(max((r + radius[n] - r0) / (r1 - r0), 0.0), 1.0)
        a, b = c0 + low * (c1 - c0), c0 + high * (c1 - c0)
        start = max(0, math.floor(min(a, b) - reach))
        end = min(columns, math.ceil(max(a, b) + reach) + 1)
        if end > start:
            k = count
            while k > 0 and spans[k - 1, 0] > start:
                spans[k] = spans[k - 1]
                k -= 1
            spans[k, 0], spans[k, 1] = start, end
            count += 1
    return count
