"""One vertebra as implicit functions in its own frame: body, pedicles, posterior elements and canal.

The frame is (u left, v posterior, w superior) mm with its origin at the centre of the intact body. Facet joints are
planes shared with the neighbours: the superior articular process of the lower vertebra ends `JOINT_GAP_MM` / 2 on one
side of it, the inferior one of the upper vertebra as far on the other, so that vertebrae never fuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.parts import Part, Side
from trajplan_phantoms.body import Body
from trajplan_phantoms.shapes import Coordinates, Shape, Tube, joint_bounds, smooth_max, smooth_min, superellipse

JOINT_GAP_MM = 1.8
POSTERIOR_BLEND_MM = 4.0
PEDICLE_BLEND_MM = 2.6
BODY_BLEND_MM = 3.5

Select = Callable[[FloatArray, FloatArray], Any]
"""From a box (lower, upper) to the index of the points it can reach, or None where there are none."""


def everywhere(lower: FloatArray, upper: FloatArray) -> Any:
    """All points, whatever the box."""
    return ...


def _nothing(p: Coordinates) -> AnyArray:
    return np.full(np.shape(p[0]), 1000.0, dtype=np.asarray(p[0]).dtype)


def _join(total: AnyArray, shape: Shape, p: Coordinates, blend_mm: float, select: Select) -> None:
    where = select(*shape.bounds())
    if where is not None:
        value = shape.value((p[0][where], p[1][where], p[2][where]))
        total[where] = smooth_min(total[where], value, blend_mm)


@dataclass(frozen=True)
class Canal:
    """The spinal canal: an egg-shaped tube along w, flat in front.

    Attributes
    ----------
    front_mm : float
        v of its anterior wall (the posterior wall of the body).
    width_mm, depth_mm : float
    half_height_mm : float
        It belongs to the vertebra up to this |w|.
    """

    front_mm: float
    width_mm: float
    depth_mm: float
    half_height_mm: float

    def tube(self, p: Coordinates) -> AnyArray:
        """Implicit value of the endless tube, mm."""
        u, v, _ = p
        centre = self.front_mm + 0.45 * self.depth_mm
        y = v - centre
        b = np.where(y < 0, 0.45 * self.depth_mm, 0.55 * self.depth_mm).astype(y.dtype)
        return superellipse(u, y, 0.5 * self.width_mm, b, 2.5)

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value of the part at this vertebra, mm; negative inside."""
        return np.maximum(self.tube(p), np.abs(p[2]) - self.half_height_mm)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """A box around the canal at this vertebra."""
        half, height = 0.5 * self.width_mm, self.half_height_mm
        return (
            np.array([-half, self.front_mm, -height]),
            np.array([half, self.front_mm + self.depth_mm, height]),
        )


@dataclass(frozen=True, eq=False)
class Vertebra:
    """All functions of one vertebra.

    Attributes
    ----------
    level : str
    body : Body
    pedicles : dict of Side to Tube
        Their waist is the isthmus; `Tube.axis` points backwards.
    posterior : tuple of Shape
    canal : Canal
    keep_out : tuple of Shape
        Posterior elements of the vertebra above, in this frame; bone stays a joint gap away from them.
    """

    level: str
    body: Body
    pedicles: dict[Side, Tube]
    posterior: tuple[Shape, ...]
    canal: Canal
    keep_out: tuple[Shape, ...] = field(default=())

    def value(self, p: Coordinates, select: Select = everywhere) -> AnyArray:
        """Implicit value of the whole vertebra, mm; negative inside bone (cortex included).

        `select` may name the part of the points that a box can reach, to save work on image grids; then values
        well outside bone are only "large".
        """
        posterior = self.posterior_value(p, select)
        total = _nothing(p)
        _join(total, self.body, p, 0.5, select)
        for tube in self.pedicles.values():
            _join(posterior, tube, p, PEDICLE_BLEND_MM, select)
            _join(total, tube, p, BODY_BLEND_MM, select)
        np.minimum(total, posterior, out=total)
        self._carve(total, p, select)
        return total

    def posterior_value(self, p: Coordinates, select: Select = everywhere) -> AnyArray:
        """Implicit value of the posterior elements before canal and joints are carved, mm."""
        total = _nothing(p)
        for shape in self.posterior:
            _join(total, shape, p, POSTERIOR_BLEND_MM, select)
        return total

    def _carve(self, total: AnyArray, p: Coordinates, select: Select) -> None:
        lower, upper = self.canal.bounds()
        endless = np.array([0.0, 0.0, 40.0])
        where = select(lower - endless, upper + endless)
        if where is not None:
            tube = self.canal.tube((p[0][where], p[1][where], p[2][where]))
            total[where] = smooth_max(total[where], -tube, 0.5)
        for shape in self.keep_out:
            where = select(*shape.bounds())
            if where is not None:
                value = shape.value((p[0][where], p[1][where], p[2][where]))
                total[where] = np.maximum(total[where], JOINT_GAP_MM - value)

    def parts(self, p: Coordinates, bone: AnyArray) -> AnyArray:
        """Part ids (uint8) where `bone` or the canal is negative; 0 elsewhere.

        A bone point belongs to the piece whose own function is the smallest there; a pedicle ends where its tube ends.
        """
        values = [self.body.value(p)]
        for side in Side:
            values.append(self.pedicles[side].value(p))
        values.append(self.posterior_value(p))
        order = np.array([Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR], dtype=np.uint8)
        best = order[np.argmin(np.stack(values), axis=0)]
        best[values[0] < 0] = Part.BODY
        out = np.where(bone < 0, best, 0).astype(np.uint8)
        out[(bone >= 0) & (self.canal.value(p) < 0)] = Part.CANAL
        return out

    @cached_property
    def box(self) -> tuple[FloatArray, FloatArray]:
        """A box around the bone, (lower, upper) in (u, v, w) mm."""
        lower, upper = joint_bounds([self.body, *self.pedicles.values(), *self.posterior])
        return lower - 1.0, upper + 1.0
