"""Implicit primitives (value < 0 inside, near-Euclidean mm close to the surface) and their smooth combinations.

All functions keep the dtype of their input: float32 on image grids, float64 for truth. The smooth minimum has compact
support: where two values differ by more than the blend width the result is exactly the smaller one, so that a
requested width stays exact wherever no other piece comes near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from trajplan.geometry.arrays import AnyArray, FloatArray, frozen, unit

Coordinates = tuple[AnyArray, AnyArray, AnyArray]
"""Three equally shaped arrays (u, v, w), mm, in the frame of the vertebra."""


def smooth_min(a: AnyArray, b: AnyArray, blend_mm: AnyArray | float) -> AnyArray:
    """Union of two implicit values, rounded over `blend_mm`; exactly ``minimum`` where they differ by more.

    >>> float(smooth_min(np.array(0.0), np.array(3.0), 2.0))
    0.0
    """
    h = np.maximum(blend_mm - np.abs(a - b), 0.0)
    return np.asarray(np.minimum(a, b) - h * h * (0.25 / blend_mm))


def smooth_max(a: AnyArray, b: AnyArray, blend_mm: float) -> AnyArray:
    """Intersection of two implicit values, rounded over `blend_mm`."""
    h = np.maximum(blend_mm - np.abs(a - b), 0.0)
    return np.asarray(np.maximum(a, b) + h * h * (0.25 / blend_mm))


class Shape(Protocol):
    """Anything with an implicit value and a box that holds its inside."""

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value at the points, mm; negative inside."""
        ...

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner, each (3,), of a box around the inside."""
        ...


@dataclass(frozen=True, eq=False)
class Tube:
    """A tube of (super)elliptic section along a straight axis with rounded ends.

    Parameters
    ----------
    start, end : array_like, shape (3,)
        Ends of the axis, mm. The ends are rounded by `cap_mm` beyond them.
    up : array_like, shape (3,)
        Direction of the second section axis (made perpendicular to the axis).
    semi_start, semi_end : (float, float)
        Semi-axes (across, along `up`) at both ends, mm; linear between.
    cap_mm : float
    power : 2 or 4
        2: ellipse; 4: box with round corners.
    flare : float
        The semi-axis across grows by the factor ``1 + flare * (t / waist_scale_mm)**2``, t being the distance
        from the waist.
    waist_mm, waist_scale_mm : float
        Place of the waist along the axis from `start`, and the distance over which `flare` is reached.
    """

    start: FloatArray
    end: FloatArray
    up: FloatArray
    semi_start: tuple[float, float]
    semi_end: tuple[float, float]
    cap_mm: float = 2.0
    power: int = 2
    flare: float = 0.0
    waist_mm: float = 0.0
    waist_scale_mm: float = 1.0

    def __post_init__(self) -> None:
        start, end = frozen(self.start, (3,)), frozen(self.end, (3,))
        axis = unit(end - start)
        up = np.asarray(self.up, dtype=np.float64)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        object.__setattr__(self, "up", frozen(unit(up - (up @ axis) * axis), (3,)))

    @property
    def axis(self) -> FloatArray:
        """Unit vector from start to end."""
        return unit(self.end - self.start)

    @property
    def length_mm(self) -> float:
        """Length of the axis without the caps."""
        return float(np.linalg.norm(self.end - self.start))

    def behind_waist(self, p: Coordinates) -> AnyArray:
        """Distance along the axis, mm, behind (+) or ahead of the section of the waist."""
        return _dot(p, self.axis) - (float(self.start @ self.axis) + self.waist_mm)

    def from_waist(self, p: Coordinates) -> AnyArray:
        """Distance along the axis, mm, from the section of the waist."""
        return np.abs(self.behind_waist(p))

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value, mm."""
        length = self.length_mm
        q = [x - float(o) for x, o in zip(p, self.start, strict=True)]
        t = _dot(q, self.axis)
        across = _dot(q, np.cross(self.up, self.axis))
        along_up = _dot(q, self.up)
        inside = np.clip(t, 0.0, length)
        share = inside * (1.0 / length)
        grow: AnyArray | float = 1.0
        if self.flare:
            grow = 1.0 + np.square((inside - self.waist_mm) * (1.0 / self.waist_scale_mm)) * self.flare
        a = (self.semi_start[0] + share * (self.semi_end[0] - self.semi_start[0])) * grow
        b = self.semi_start[1] + share * (self.semi_end[1] - self.semi_start[1])
        return _radial([across, along_up, t - inside], [a, b, self.cap_mm], self.power)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """A box around the tube."""
        t = np.array([0.0, self.length_mm])
        grow = float((1.0 + self.flare * ((t - self.waist_mm) / self.waist_scale_mm) ** 2).max())
        side = np.cross(self.up, self.axis)
        a = max(self.semi_start[0], self.semi_end[0]) * grow
        b = max(self.semi_start[1], self.semi_end[1])
        # the support of the section's bounding rectangle, not of the ellipse: holds the boxy power as well
        reach = np.abs(side) * a + np.abs(self.up) * b + np.abs(self.axis) * self.cap_mm
        return np.minimum(self.start, self.end) - reach, np.maximum(self.start, self.end) + reach


@dataclass(frozen=True, eq=False)
class Cut:
    """A shape with all beyond a plane taken away: keeps ``(p - point) . normal <= -gap_mm``."""

    shape: Shape
    point: FloatArray
    normal: FloatArray
    gap_mm: float

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value, mm."""
        n = unit(self.normal)
        plane = _dot(p, n) - float(self.point @ n) + self.gap_mm
        return smooth_max(self.shape.value(p), plane, 0.8)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """The box of the uncut shape."""
        return self.shape.bounds()


@dataclass(frozen=True, eq=False)
class Union:
    """Several shapes joined smoothly, in order."""

    shapes: tuple[Shape, ...]
    blend_mm: float

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value, mm."""
        total = self.shapes[0].value(p)
        for shape in self.shapes[1:]:
            total = smooth_min(total, shape.value(p), self.blend_mm)
        return total

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """A box around all of them."""
        return joint_bounds(self.shapes)


def superellipse(x: AnyArray, y: AnyArray, a: AnyArray | float, b: AnyArray | float, power: float) -> AnyArray:
    """First-order distance, mm, to the curve ``|x/a|**power + |y/b|**power = 1``; a and b may vary by point."""
    px, py = np.abs(x) / a, np.abs(y) / b
    gx, gy = px ** (power - 1.0), py ** (power - 1.0)
    k = (gx * px + gy * py) ** (1.0 / power)
    slope = np.sqrt(np.square(gx / a) + np.square(gy / b))
    # grad k = k**(1 - power) * (gx / a, gy / b); the small constants keep the very centre finite
    return np.asarray((k - 1.0) * (k + 1e-3) ** (power - 1.0) / (slope + 1e-12 + (1e-3) ** (power - 1.0) / 20.0))


def corners(lower: ArrayLike, upper: ArrayLike) -> FloatArray:
    """The eight corners (8, 3) of a box."""
    box = np.array([lower, upper], dtype=np.float64)
    return np.array([[box[i, 0], box[j, 1], box[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])


def joint_bounds(shapes: Sequence[Shape]) -> tuple[FloatArray, FloatArray]:
    """The box around the boxes of several shapes."""
    boxes = [s.bounds() for s in shapes]
    return np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)


def _dot(p: Sequence[AnyArray], n: FloatArray) -> AnyArray:
    total: AnyArray | None = None
    for x, c in zip(p, n, strict=True):
        if abs(c) > 1e-12:
            term = x * float(c)
            total = term if total is None else total + term
    return np.zeros_like(p[0]) if total is None else total


def _radial(x: Sequence[AnyArray], semi: Sequence[AnyArray | float], power: int) -> AnyArray:
    """First-order distance to the (super)ellipsoid with the given semi-axes: k (k - 1) / |grad k . k|."""
    k0: AnyArray | float = 0.0
    k1: AnyArray | float = 0.0
    for xi, si in zip(x, semi, strict=True):
        r = np.square(xi / si)
        if power == 4:
            k0 = k0 + r * r
            k1 = k1 + r * r * r / np.square(si)
        else:
            k0 = k0 + r
            k1 = k1 + r / np.square(si)
    smallest = float(min(np.min(s, initial=np.inf) for s in semi[:2]))  # no points, no smallest
    if power == 4:
        k = np.sqrt(np.sqrt(np.asarray(k0)))
        return np.asarray((k - 1.0) * (k**3 + 1e-4) / (np.sqrt(np.asarray(k1)) + 1e-4 / smallest))
    k = np.sqrt(np.asarray(k0))
    return np.asarray((k - 1.0) * (k + 1e-4) / (np.sqrt(np.asarray(k1)) + 1e-4 / smallest))
