"""Ribs of the thoracic levels, from their costovertebral joint to where the field of view ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.levels import level_id
from trajplan.parts import Side
from trajplan_phantoms.build import Plan
from trajplan_phantoms.shapes import Coordinates, Tube, joint_bounds, smooth_min
from trajplan_phantoms.vertebra import Select, everywhere

COSTAL_GAP_MM = 1.6
"""Joint space that ribs keep from vertebrae, so that neither swallows the other."""
_PIECES = 12


@dataclass(frozen=True, eq=False)
class Rib:
    """One rib in the frame of its vertebra: a chain of flat tubes along a spline."""

    tubes: tuple[Tube, ...]

    def value(self, p: Coordinates, select: Select = everywhere) -> AnyArray:
        """Implicit value, mm, before the joints are cut out of it; "large" well outside."""
        total = np.full(np.shape(p[0]), 1000.0, dtype=np.asarray(p[0]).dtype)
        for tube in self.tubes:
            where = select(*tube.bounds())
            if where is not None:
                value = tube.value((p[0][where], p[1][where], p[2][where]))
                total[where] = smooth_min(total[where], value, 1.5)
        return total

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """A box around the rib."""
        return joint_bounds(self.tubes)


def ribs(plan: Plan) -> tuple[Rib, ...]:
    """Left and right rib of a thoracic level; none elsewhere."""
    return tuple(_rib(plan, side) for side in Side) if plan.thoracic else ()


def _rib(plan: Plan, side: Side) -> Rib:
    s, body, sign = plan.scale, plan.body().intact, side.sign
    number = 13 if plan.level == "T13" else level_id(plan.level) - 7
    head = np.array([0.0, plan.wall_mm - 2.5 * s, (0.5 if number <= 9 else 0.22) * body.height_mm])
    u = np.linspace(0.1, 0.8, 701) * body.width_mm
    room = body.side(sign * u, np.full_like(u, head[1]), 1.0)
    head[0] = sign * float(np.interp(3.4 * s + 0.5 * COSTAL_GAP_MM, room, u))
    tip = plan.transverse(side).end
    joint = tip + np.array([sign * 1.5, -(2.8 + COSTAL_GAP_MM + 2.2), 1.0]) * s
    if number >= 11:  # floating ribs have no joint with the transverse process
        joint = np.array([head[0] + sign * 13.0 * s, plan.wall_mm + 7.0 * s, head[2] - 5.0 * s])
    path = [head, joint]
    out, back, down = abs(joint[0]), joint[1], joint[2]
    if number == 13:
        steps = [(14.0, 4.0, -5.0)]
    elif number == 12:
        steps = [(20.0, 8.0, -10.0), (45.0, 9.0, -24.0), (68.0, 2.0, -38.0)]
    elif number == 11:
        steps = [(22.0, 8.0, -9.0), (50.0, 6.0, -24.0), (80.0, -16.0, -44.0)]
    else:
        steps = [(24.0, 9.0, -7.0), (50.0, 4.0, -17.0), (76.0, -18.0, -32.0)]
    path += [np.array([sign * (out + a * s), back + b * s, down + c * s]) for a, b, c in steps]
    line = _spline(np.array(path), _PIECES)
    wide = np.linspace(0.0, 1.0, len(line))
    thick = np.interp(wide, [0.0, 0.12, 0.3, 1.0], [3.4, 2.7, 3.3, 3.3]) * s
    tall = np.interp(wide, [0.0, 0.12, 0.3, 1.0], [4.6, 3.9, 5.6, 6.2]) * s
    if number > 11:
        thick, tall = 0.85 * thick, 0.8 * tall
    tubes = [
        Tube(line[i], line[i + 1], np.array([0.0, -0.15, 1.0]), (thick[i], tall[i]), (thick[i + 1], tall[i + 1]),
             cap_mm=2.4 * s)
        for i in range(len(line) - 1)
    ]  # fmt: skip
    return Rib(tuple(tubes))


def _spline(points: FloatArray, pieces: int) -> FloatArray:
    """A Catmull-Rom curve through the points, evenly in its parameter, ends included."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0.0, len(points) - 1.0, pieces + 1)
    k = np.minimum(t.astype(int), len(points) - 2)
    f = (t - k)[:, None]
    a, b, c, d = (padded[k + j] for j in range(4))
    return np.asarray(0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3))
