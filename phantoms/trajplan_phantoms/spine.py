"""A spine segment: vertebrae stacked over discs, each with its place, about the target's body centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.parts import Side
from trajplan_phantoms.body import Body
from trajplan_phantoms.build import Joint, plan_of
from trajplan_phantoms.follow import plate_motion
from trajplan_phantoms.fracture import INTACT
from trajplan_phantoms.fracture_fit import check_fits
from trajplan_phantoms.morphometry import level_below
from trajplan_phantoms.osteophytes import osteophytes
from trajplan_phantoms.ribs import Rib, ribs
from trajplan_phantoms.sacrum import sacrum
from trajplan_phantoms.shapes import Coordinates, Shape, Union, corners
from trajplan_phantoms.spec import PhantomSpec
from trajplan_phantoms.stack import Placement, stack
from trajplan_phantoms.vertebra import JOINT_GAP_MM, POSTERIOR_BLEND_MM, Vertebra

__all__ = ["Placement", "Spine", "build_spine"]

ARCH_GAP_MM = 0.8
"""Spinous processes and laminae keep this much more than a joint gap from the vertebra below."""


@dataclass(frozen=True, eq=False)
class Spine:
    """Vertebrae with their placements, top to bottom, in patient coordinates (target body centre at 0).

    `ribs` holds the left and right rib of every level, in its frame, or nothing.
    """

    spec: PhantomSpec
    vertebrae: tuple[Vertebra, ...]
    placements: tuple[Placement, ...]
    ribs: tuple[tuple[Rib, ...], ...] = ()

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
    """All functions of a phantom. Neighbours keep the place they had before the fracture (its disc space opens),
    unless the fracture asks them to follow."""
    plans = []
    for level in spec.levels:
        is_target = level == spec.target
        widths = {side: spec.pedicle_width_mm(side) for side in Side} if is_target else None
        fracture = spec.fracture_of_target if is_target else INTACT
        plans.append(plan_of(level, spec.scale, widths, fracture, spec.sizes_of(level)))
    stand_in = level_below(spec.levels[-1])
    chain = [*plans, plan_of(stand_in, spec.scale, sizes=spec.sizes_of(stand_in))]
    places = stack(chain, spec.levels.index(spec.target), spec.curve)
    target_plan = plans[spec.levels.index(spec.target)]
    check_fits(target_plan.body(), target_plan.canal(), spec.target)
    if spec.fracture_of_target.follow:
        places = _follow(places, spec.levels.index(spec.target), target_plan.body())
    vertebrae: list[Vertebra] = []
    keep_out: tuple[Shape, ...] = ()
    for index, plan in enumerate(plans):
        below, here = places[index + 1], places[index]
        relative = Placement(here.linear.T @ below.linear, here.to_own(below.origin))
        lower = chain[index + 1]
        if plan.level == "S1":
            vertebrae.append(sacrum(plan, keep_out))
            continue
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
        body = plan.body()
        beaks = osteophytes(body, spec.osteophyte_mm)
        # the isthmus is kept free of processes, but for those that spring from the pedicle itself
        roots = tuple(plan.transverse(side) for side in Side if plan.sizes.transverse_forward_mm)
        vertebrae.append(Vertebra(plan.level, body, pedicles, tuple(pieces), plan.canal(), keep_out, (*beaks, *roots)))
        keep_out = (
            _neighbour(pieces, relative, 0.0),
            _neighbour([*pieces[:1], *pieces[1::4]], relative, ARCH_GAP_MM),
            _neighbour(list(pedicles.values()), relative, 0.0),
        )
    costae = tuple(ribs(plan) if spec.full else () for plan in plans)
    return Spine(spec, tuple(vertebrae), tuple(places[:-1]), costae)


def _follow(places: list[Placement], target: int, body: Body) -> list[Placement]:
    """Move what lies above and below the target with its end plates."""
    home = places[target]
    moved = []
    for index, place in enumerate(places):
        if index == target:
            moved.append(place)
            continue
        linear, origin = plate_motion(body, upper=index < target)
        turned = home.linear @ linear @ home.linear.T  # the motion is given in the frame of the target
        moved.append(place.then(turned, home.to_patient(origin) - turned @ home.origin))
    return moved


def _neighbour(pieces: list[Shape], relative: Placement, more_mm: float) -> _Neighbour:
    union = Union(tuple(pieces), POSTERIOR_BLEND_MM)
    reach = relative.to_own(corners(*union.bounds()))
    spare = JOINT_GAP_MM + more_mm
    return _Neighbour(union, relative, (reach.min(axis=0) - spare, reach.max(axis=0) + spare), more_mm)


@dataclass(frozen=True, eq=False)
class _Neighbour:
    """The posterior elements of the vertebra above, seen from below: `relative` takes lower points to its frame.

    `box` holds them, with a joint gap to spare, in the lower frame; `more_mm` widens the gap.
    """

    shape: Shape
    relative: Placement
    box: tuple[FloatArray, FloatArray]
    more_mm: float

    def value(self, p: Coordinates) -> AnyArray:
        q = []
        for row, shift in zip(self.relative.linear, self.relative.origin, strict=True):
            q.append(p[0] * float(row[0]) + p[1] * float(row[1]) + p[2] * float(row[2]) + float(shift))
        return self.shape.value((q[0], q[1], q[2])) - self.more_mm

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        return self.box


def _moved(joint: Joint, relative: Placement) -> Joint:
    return Joint(relative.to_patient(joint.center), relative.linear @ joint.normal, joint.width_mm, joint.height_mm)
