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
from trajplan_phantoms.fracture_shapes import FragmentShape, Push
from trajplan_phantoms.shapes import Coordinates, Shape, Tube, joint_bounds, smooth_max, smooth_min, superellipse

JOINT_GAP_MM = 1.8
POSTERIOR_BLEND_MM = 4.0
PEDICLE_BLEND_MM = 2.6
BODY_BLEND_MM = 3.5
KEEP_OUT_REACH_MM = 3.0
ISTHMUS_REACH_MM = 4.0
"""Pedicles blend fully with what they join only this far from their isthmus."""
ISTHMUS_FREE_MM = 1.6
"""Laminae and processes join a pedicle no nearer than this behind its isthmus."""
NOTCH_CURVATURE = 0.12
"""Per mm: how fast the notch that frees the isthmus closes away from the pedicle's wall."""

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


def _join_pedicle(posterior: AnyArray, total: AnyArray, tube: Tube, p: Coordinates, select: Select) -> None:
    """Join a pedicle to both sides; the blend fades out at the isthmus, so that its section is exactly the request."""
    where = select(*tube.bounds())
    if where is None:
        return
    q = (p[0][where], p[1][where], p[2][where])
    value = tube.value(q)
    share = np.square(np.minimum(tube.from_waist(q) * (1.0 / ISTHMUS_REACH_MM), 1.0))
    share = 0.02 + 0.98 * share
    posterior[where] = smooth_min(posterior[where], value, share * PEDICLE_BLEND_MM)
    total[where] = smooth_min(total[where], value, share * BODY_BLEND_MM)


def _free_isthmus(posterior: AnyArray, tube: Tube, p: Coordinates, select: Select) -> None:
    """Notch laminae and processes where they would swallow the isthmus of a wide, tall or steep pedicle."""
    where = select(*tube.bounds())
    if where is None:
        return
    part = posterior[where]
    q = (p[0][where], p[1][where], p[2][where])
    behind = tube.behind_waist(q)
    near = (part < 1.0) & (behind < ISTHMUS_FREE_MM + 1.0)  # elsewhere the notch changes nothing that matters
    if near.any():
        away = np.maximum(tube.value((q[0][near], q[1][near], q[2][near])), 0.0)
        notch = ISTHMUS_FREE_MM - behind[near] - NOTCH_CURVATURE * np.square(away)
        part[near] = smooth_max(part[near], notch, 1.0)
        posterior[where] = part


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
    push : Push, optional
        A retropulsed posterior wall, which narrows it.
    obstacle : FragmentShape, optional
        A burst fragment, which is not free canal.
    """

    front_mm: float
    width_mm: float
    depth_mm: float
    half_height_mm: float
    push: Push | None = None
    obstacle: FragmentShape | None = None

    def tube(self, p: Coordinates) -> AnyArray:
        """Implicit value of the endless tube, mm."""
        tube = self._egg(p[0], p[1])
        if self.push is None:
            return tube
        # only the front half gives way: the side walls and the back stay
        centre = self.front_mm + 0.45 * self.depth_mm
        return np.maximum(tube, self._egg(p[0], np.minimum(self.push.before_in_canal(p, self.depth_mm), centre)))

    def _egg(self, u: AnyArray, v: AnyArray) -> AnyArray:
        centre = self.front_mm + 0.45 * self.depth_mm
        y = v - centre
        b = np.where(y < 0, 0.45 * self.depth_mm, 0.55 * self.depth_mm).astype(y.dtype)
        return superellipse(u, y, 0.5 * self.width_mm, b, 2.5)

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value of the part at this vertebra, mm; negative inside."""
        inside = np.maximum(self.tube(p), np.abs(p[2]) - self.half_height_mm)
        return inside if self.obstacle is None else np.maximum(inside, -self.obstacle.value(p))

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
        Posterior elements and pedicles of the vertebra above, in this frame; bone stays a joint gap away from them.
    extras : tuple of Shape
        What grows on the body: osteophytes, and the wings and lower segments of the sacrum.
    """

    level: str
    body: Body
    pedicles: dict[Side, Tube]
    posterior: tuple[Shape, ...]
    canal: Canal
    keep_out: tuple[Shape, ...] = field(default=())
    extras: tuple[Shape, ...] = ()

    def value(self, p: Coordinates, select: Select = everywhere) -> AnyArray:
        """Implicit value of the whole vertebra, mm; negative inside bone (cortex included).

        `select` may name the part of the points that a box can reach, to save work on image grids; then values
        well outside bone are only "large".
        """
        posterior = self.posterior_value(p, select)
        total = _nothing(p)
        _join(total, self.body, p, 0.5, select)
        for tube in self.pedicles.values():
            _join_pedicle(posterior, total, tube, p, select)
        for shape in self.extras:
            self._join_extra(total, shape, p, select)
        np.minimum(total, posterior, out=total)
        self._carve(total, p, select)
        self._burst(total, p, select)
        return total

    def _join_extra(self, total: AnyArray, shape: Shape, p: Coordinates, select: Select) -> None:
        """Join a beak without letting its blend raise the rims into the disc; the sacrum's wings join whole."""
        where = select(*shape.bounds())
        if where is None:
            return
        q = (p[0][where], p[1][where], p[2][where])
        joined = smooth_min(total[where], shape.value(q), BODY_BLEND_MM)
        if self.level != "S1":
            _, _, rim_top, rim_bottom = self.body.plates(q[0], q[1])
            joined = np.minimum(total[where], np.maximum(joined, np.maximum(q[2] - rim_top, rim_bottom - q[2])))
        total[where] = joined

    def _burst(self, total: AnyArray, p: Coordinates, select: Select) -> None:
        """Put the fragment back where the canal was carved, and keep all other bone away from it."""
        fragment = self.body.fragment
        where = None if fragment is None else select(*self.body.bounds())
        if fragment is not None and where is not None:
            q = (p[0][where], p[1][where], p[2][where])
            clear = smooth_max(total[where], fragment.keep_clear(q), 0.5)
            total[where] = np.minimum(clear, fragment.value(q))

    def posterior_value(self, p: Coordinates, select: Select = everywhere) -> AnyArray:
        """Implicit value of the posterior elements before canal and joints are carved, mm."""
        total = _nothing(p)
        for shape in self.posterior:
            _join(total, shape, p, POSTERIOR_BLEND_MM, select)
        for tube in self.pedicles.values():
            _free_isthmus(total, tube, p, select)
        return total

    def _carve(self, total: AnyArray, p: Coordinates, select: Select) -> None:
        lower, upper = self.canal.bounds()
        endless = np.array([0.0, 0.0, 40.0])
        where = select(lower - endless, upper + endless)
        if where is not None:
            tube = self.canal.tube((p[0][where], p[1][where], p[2][where]))
            total[where] = np.maximum(total[where], -tube)  # no blend: it would shift the posterior wall
        for shape in self.keep_out:
            where = select(*shape.bounds())
            if where is None:
                continue
            part = total[where]
            near = part < KEEP_OUT_REACH_MM  # further out nothing that matters changes
            if near.any():
                value = shape.value((p[0][where][near], p[1][where][near], p[2][where][near]))
                part[near] = np.maximum(part[near], JOINT_GAP_MM - value)
                total[where] = part

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
        lower, upper = joint_bounds([self.body, *self.pedicles.values(), *self.posterior, *self.extras])
        return lower - 1.0, upper + 1.0
