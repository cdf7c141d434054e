"""A spine segment: vertebrae stacked over discs, each with its place, about the target's body centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.parts import Side
from trajplan_phantoms.body import Body
from trajplan_phantoms.build import Joint, Plan, plan_of
from trajplan_phantoms.morphometry import level_below, morphometry
from trajplan_phantoms.shapes import Coordinates, Shape, Union, joint_bounds
from trajplan_phantoms.spec import PhantomSpec
from trajplan_phantoms.vertebra import POSTERIOR_BLEND_MM, Vertebra


@dataclass(frozen=True, eq=False)
class Placement:
    """A rigid place: ``patient = linear @ own + origin``; `linear` is orthogonal."""

    linear: FloatArray
    origin: FloatArray

    def to_patient(self, points: ArrayLike) -> FloatArray:
        """(..., 3) own mm -> (..., 3) patient mm."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.linear.T + self.origin)

    def to_own(self, points: ArrayLike) -> FloatArray:
        """(..., 3) patient mm -> (..., 3) own mm."""
        return np.asarray((np.asarray(points, dtype=np.float64) - self.origin) @ self.linear)

    def then(self, linear: FloatArray, origin: FloatArray) -> Placement:
        """This placement followed by another."""
        return Placement(linear @ self.linear, linear @ self.origin + origin)


@dataclass(frozen=True, eq=False)
class Spine:
    """Vertebrae with their placements, top to bottom, in patient coordinates (target body centre at 0)."""

    spec: PhantomSpec
    vertebrae: tuple[Vertebra, ...]
    placements: tuple[Placement, ...]

    @property
    def target(self) -> int:
        """Index of the target."""
        return self.spec.levels.index(self.spec.target)

    def canal_center(self) -> FloatArray:
        """Centres of the canal at each vertebra, (n, 3) patient mm, top to bottom."""
        return np.array(
            [
                place.to_patient([0.0, one.canal.front_mm + 0.45 * one.canal.depth_mm, 0.0])
                for one, place in zip(self.vertebrae, self.placements, strict=True)
            ]
        )


def build_spine(spec: PhantomSpec) -> Spine:
    """All functions of a phantom. Neighbours keep the place they had before the fracture (its disc space opens)."""
    plans = []
    for level in spec.levels:
        is_target = level == spec.target
        widths = {side: spec.pedicle_width_mm(side) for side in Side} if is_target else None
        plans.append(plan_of(level, spec.scale, widths, *([spec.fracture_of_target] if is_target else [])))
    extra = plan_of(level_below(spec.levels[-1]), spec.scale)
    chain = [*plans, extra]
    # placements relative to the lowest (stand-in) vertebra, going up, then moved to the target
    places = [Placement(np.eye(3), np.zeros(3))]
    for upper, lower in zip(reversed(plans), reversed(chain[1:]), strict=True):
        places.append(_on_top(upper, lower, places[-1]))
    places = places[::-1]
    target = places[spec.levels.index(spec.target)]
    inverse = target.linear.T
    places = [p.then(inverse, -inverse @ target.origin) for p in places]
    vertebrae: list[Vertebra] = []
    keep_out: tuple[Shape, ...] = ()
    for index, plan in enumerate(plans):
        below, here = places[index + 1], places[index]
        relative = Placement(here.linear.T @ below.linear, here.to_own(below.origin))
        lower = chain[index + 1]
        pieces: list[Shape] = [plan.spinous()]
        for side in Side:
            joint = _moved(lower.joint_above(side), relative)
            pieces += [
                plan.lamina(side),
                plan.superior_process(side),
                plan.inferior_process(side, joint, spec.scale),
                plan.transverse(side),
            ]
        pedicles = {side: plan.pedicle(side) for side in Side}
        vertebrae.append(Vertebra(plan.level, plan.body(), pedicles, tuple(pieces), plan.canal(), keep_out))
        reach = joint_bounds([lower.superior_process(side) for side in Side])
        keep_out = (_Neighbour(Union(tuple(pieces), POSTERIOR_BLEND_MM), relative, reach),)
    return Spine(spec, tuple(vertebrae), tuple(places[:-1]))


@dataclass(frozen=True, eq=False)
class _Neighbour:
    """The posterior elements of the vertebra above, seen from below: `relative` takes lower points to its frame.

    `box` is the part of the lower vertebra that can come near (its superior articular processes).
    """

    shape: Shape
    relative: Placement
    box: tuple[FloatArray, FloatArray]

    def value(self, p: Coordinates) -> AnyArray:
        q = []
        for row, shift in zip(self.relative.linear, self.relative.origin, strict=True):
            q.append(p[0] * float(row[0]) + p[1] * float(row[1]) + p[2] * float(row[2]) + float(shift))
        return self.shape.value((q[0], q[1], q[2]))

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        return self.box


def _moved(joint: Joint, relative: Placement) -> Joint:
    return Joint(relative.to_patient(joint.center), relative.linear @ joint.normal, joint.width_mm, joint.height_mm)


def _on_top(upper: Plan, lower: Plan, below: Placement) -> Placement:
    """Place `upper` over the disc above `lower`, posterior walls in line."""
    low, up = _intact(lower), _intact(upper)
    row = morphometry(upper.level)
    lordosis = float(np.deg2rad(row.disc_below_deg))
    slope_low = float(np.arctan(low.slope))
    slope_up = float(np.arctan(up.slope))
    # angle of the upper body's inferior end plate in the lower frame is slope_low - lordosis; its own is -slope_up
    turn = slope_low - lordosis + slope_up
    middle = slope_low - 0.5 * lordosis
    gap = row.disc_below_mm * upper.scale
    plate = np.array([0.0, 0.0, 0.5 * low.height_mm]) + gap * np.array([0.0, -np.sin(middle), np.cos(middle)])
    c, s = float(np.cos(turn)), float(np.sin(turn))
    linear = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    own = np.array([0.0, upper.wall_mm - lower.wall_mm, -0.5 * up.height_mm])
    origin = plate - linear @ own
    return Placement(linear, origin).then(below.linear, below.origin)


def _intact(plan: Plan) -> Body:
    return Plan(plan.level, plan.sizes, plan.scale, plan.width_mm).body()
