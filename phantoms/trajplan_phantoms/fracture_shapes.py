"""The solid parts of a fracture in the frame of the body: retropulsed wall, burst fragment, cleft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan_phantoms.shapes import Coordinates, smooth_max

_LEAN = (float(np.cos(np.deg2rad(25.0))), float(np.sin(np.deg2rad(25.0))))
"""The front of a fragment leans 25 degrees back from the end plate towards the posterior wall."""


@dataclass(frozen=True)
class Push:
    """A bulge of the posterior wall backwards, the same for the body (its wall) and the canal (its front).

    Attributes
    ----------
    reach_mm : float
        At the middle of the bulge.
    wall_mm : float
        v of the posterior wall.
    span_mm : float
        The push fades out this far in front of the wall.
    center_w_mm, half_width_mm, half_up_mm, half_down_mm : float
        The part of the wall that is pushed: two half ellipses about the centre.
    """

    reach_mm: float
    wall_mm: float
    span_mm: float
    center_w_mm: float
    half_width_mm: float
    half_up_mm: float
    half_down_mm: float

    def at(self, u: AnyArray, w: AnyArray) -> AnyArray:
        """How far the wall at (u, w) goes backwards, mm."""
        away = w - self.center_w_mm
        away = np.maximum(away * (1.0 / self.half_up_mm), away * (-1.0 / self.half_down_mm))
        far = np.square(u * (1.0 / self.half_width_mm)) + np.square(away)
        return np.asarray(np.square(np.maximum(1.0 - np.square(far), 0.0)) * self.reach_mm)

    def before_in_body(self, p: Coordinates) -> AnyArray:
        """v that the body points had before the push."""
        u, v, w = p
        share = np.clip((v - (self.wall_mm - self.span_mm)) * (1.0 / self.span_mm), 0.0, 1.0)
        return np.asarray(v - self.at(u, w) * (share * share * (3.0 - 2.0 * share)))

    def before_in_canal(self, p: Coordinates, depth_mm: float) -> AnyArray:
        """v that the canal points had before the push, the back wall of the canal staying where it is."""
        u, v, w = p
        push = self.at(u, w)
        share = np.clip((v - self.wall_mm - push) / (depth_mm - push), 0.0, 1.0)
        return np.asarray(v - push * (1.0 - share))


@dataclass(frozen=True, eq=False)
class CleftShape:
    """A lens between the end plates, sheared along w so that it follows them; its volume is the lens's own.

    Attributes
    ----------
    middle : callable
        w of the lens's middle surface at (u, v).
    semi_mm : tuple of float
        Semi-axes along u, v, w.
    center_v_mm : float
    """

    middle: Callable[[AnyArray, AnyArray], AnyArray]
    semi_mm: tuple[float, float, float]
    center_v_mm: float

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value, about mm near the flat sides; negative inside."""
        u, v, w = p
        a, b, c = self.semi_mm
        q = (u * (1.0 / a), (v - self.center_v_mm) * (1.0 / b), (w - self.middle(u, v)) * (1.0 / c))
        radius = np.sqrt(np.square(q[0]) + np.square(q[1]) + np.square(q[2]))
        slope = np.sqrt(np.square(q[0] / a) + np.square(q[1] / b) + np.square(q[2] / c))
        return np.asarray((radius - 1.0) * radius / (slope + 1e-6))

    @property
    def volume_mm3(self) -> float:
        """Exact: a shear keeps the volume of the ellipsoid."""
        return float(4.0 / 3.0 * np.pi * np.prod(self.semi_mm))

    def surface(self, count: int = 24) -> FloatArray:
        """Points (n, 3) on the surface."""
        theta = np.linspace(0.0, np.pi, count)[:, None]
        phi = np.linspace(0.0, 2.0 * np.pi, 2 * count, endpoint=False)
        a, b, c = self.semi_mm
        u = (a * np.sin(theta) * np.cos(phi)).ravel()
        v = (b * np.sin(theta) * np.sin(phi)).ravel() + self.center_v_mm
        w = np.broadcast_to(c * np.cos(theta), (count, 2 * count)).ravel() + self.middle(u, v)
        return np.stack([u, v, w], axis=-1)


@dataclass(frozen=True, eq=False)
class FragmentShape:
    """A corner of the posterior wall, cut out of the body, turned about u and moved backwards.

    Attributes
    ----------
    source : callable
        Implicit value of the body it was cut from.
    half_width_mm, front_mm, low_mm : float
        What is cut out: |u| up to the half width, v behind the front, `upper` * w above the low. The front is that at
        the end plate; from there it leans back towards the wall.
    upper : int
        +1 at the superior end plate, -1 at the inferior one.
    shift_mm, turn_deg, gap_mm : float
    wall_mm : float
        v of the posterior wall.
    height_mm : float
        Height of the cut-out part.
    """

    source: Callable[[Coordinates], AnyArray]
    half_width_mm: float
    front_mm: float
    low_mm: float
    upper: int
    shift_mm: float
    turn_deg: float
    gap_mm: float
    wall_mm: float
    height_mm: float

    def cavity(self, p: Coordinates) -> AnyArray:
        """Implicit value of the part cut out of the body, open behind and towards the end plate."""
        u, v, w = p
        up = w * self.upper
        front = (self.front_mm - v) * _LEAN[0] + (self.low_mm + self.height_mm - up) * _LEAN[1]
        sides = smooth_max(np.abs(u) - self.half_width_mm, front, 4.0)
        return smooth_max(sides, self.low_mm - up, 3.0)

    def before(self, p: Coordinates) -> Coordinates:
        """Where points of the fragment were in the body."""
        turn = float(np.deg2rad(self.turn_deg)) * self.upper
        c, s = float(np.cos(turn)), float(np.sin(turn))
        v0 = 0.5 * (self.front_mm + self.wall_mm)
        w0 = self.upper * (self.low_mm + 0.5 * self.height_mm)
        v, w = p[1] - (v0 + self.shift_mm), p[2] - w0
        return p[0], c * v - s * w + v0, s * v + c * w + w0

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value of the fragment where it lies now."""
        before = self.before(p)
        return smooth_max(self.source(before), self.cavity(before), 1.0)

    def keep_clear(self, p: Coordinates) -> AnyArray:
        """Positive where the rest of the bone must not be: the cut-out part and the gap around the fragment."""
        return np.asarray(self.gap_mm - np.minimum(self.cavity(p), self.value(p)))
