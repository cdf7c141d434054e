"""The planner: one trajectory or refusal a side, and the choice of approach."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning import refusals
from trajplan.planning.advice import Option, options_of, worth
from trajplan.planning.check_settings import check_settings
from trajplan.planning.evaluate import required_margin
from trajplan.planning.grade import MaskDoubt, grade, mask_doubt, with_room
from trajplan.planning.plan import Approach, PlanSettings, Refusal, Trajectory, Verdict
from trajplan.planning.refine import RefinedPath, problem_of, refine
from trajplan.planning.routes import (
    BIPEDICULAR,
    CROSSING_STEP_MM,
    DIRECTION_STEP_DEG,
    EXTRAPEDICULAR,
    THORACIC,
    UNIPEDICULAR,
    Route,
    lines_of,
)
from trajplan.planning.search import search, worst_slack, worth_beating
from trajplan.planning.target import HEIGHT_DOUBT_MM, height_at_mm, least_height_mm, too_flat
from trajplan.planning.walls import BONE, Wall
from trajplan.planning.workbench import Bench, Workbench
from trajplan.threads import each

Outcome = tuple[tuple[Trajectory, ...], tuple[Refusal, ...]]


@dataclass(frozen=True, eq=False)
class PlanSet:
    """What is offered and refused, and every option that was looked at on the way (`Option`), best first."""

    trajectories: tuple[Trajectory, ...]
    refusals: tuple[Refusal, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, eq=False)
class _Task:
    """What every route of one vertebra is planned with."""

    ct: Volume
    vertebra: Vertebra
    settings: PlanSettings
    doubt: MaskDoubt
    workbench: Workbench


def plan_vertebra(
    ct: Volume,
    vertebra: Vertebra,
    settings: PlanSettings,
    *,
    automatic_mask: bool,
    mask_spacing_mm: float | None = None,
    progress: Callable[[float, str], None] = lambda _fraction, _what: None,
) -> Outcome:
    """The trajectories and refusals of `plan_approaches`."""
    found = plan_approaches(
        ct, vertebra, settings, automatic_mask=automatic_mask, mask_spacing_mm=mask_spacing_mm, progress=progress
    )
    return found.trajectories, found.refusals


def plan_approaches(
    ct: Volume,
    vertebra: Vertebra,
    settings: PlanSettings,
    *,
    automatic_mask: bool,
    mask_spacing_mm: float | None = None,
    progress: Callable[[float, str], None] = lambda _fraction, _what: None,
) -> PlanSet:
    """Plan the approach asked for.

    ``auto`` plans every approach on both sides and offers the first of these that has no unsafe path: bipedicular;
    unipedicular on the better side; extrapedicular (thoracic levels) on the better side. When none has, the
    bipedicular paths are shown with their verdicts.

    Parameters
    ----------
    ct : Volume
        Canonical CT that holds the vertebra; also searched for skin and bone on the way.
    automatic_mask : bool
        The mask came from a segmentation nobody has confirmed: a further margin is asked.
    mask_spacing_mm : float, optional
        Largest voxel spacing of the labels or the scan the mask was made on: thick slices leave the walls uncertain, so
        that a further margin is asked before a path is called safe.

    Raises
    ------
    InputError
        ``settings_invalid``: a margin, limit or error of `settings` is not a number or below zero.
    """
    check_settings(settings)
    task = _Task(ct, vertebra, settings, mask_doubt(automatic_mask, mask_spacing_mm), Workbench(vertebra, ct))
    wanted = routes_of(settings.approach, vertebra)
    task.workbench.make({route.side for route in wanted})
    planned = each(
        lambda route: _plan_route(task, route),
        wanted,
        lambda i: progress(i / len(wanted), f"{wanted[i].side} {wanted[i].approach} path"),
    )
    results = dict(zip(wanted, planned, strict=True))
    found = (
        offer(results, vertebra)
        if settings.approach is Approach.AUTO
        else PlanSet(*_split(results.values()), options=options_of(results, vertebra))
    )
    withheld = refusals.withheld(vertebra, settings.approach, automatic_mask, _to_border_mm(ct, vertebra))
    shown = [
        with_room(t, vertebra, settings, task.workbench.bench(t.side, Route(t.side, t.approach).beside))
        for t in found.trajectories
    ]
    return dataclasses.replace(found, trajectories=tuple(shown), refusals=(*withheld, *found.refusals))


def _to_border_mm(ct: Volume, vertebra: Vertebra) -> float:
    """Distance of the vertebra's bone from the border of the scan, mm; 0 at or beyond it."""
    bone = np.isin(vertebra.parts.array, BONE)
    # the grid of the parts lies along the axes: the extreme voxels are those of the box about the bone
    filled = [np.flatnonzero(bone.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    bone_lps = vertebra.parts.grid.index_to_world([[f[0] for f in filled], [f[-1] for f in filled]])
    corners = ct.grid.corners_lps()
    inner = np.minimum(bone_lps.min(axis=0) - corners.min(axis=0), corners.max(axis=0) - bone_lps.max(axis=0))
    return float(max(0.0, inner.min()))


def routes_of(approach: Approach, vertebra: Vertebra) -> tuple[Route, ...]:
    """The sides and approaches to plan."""
    thoracic = vertebra.level in THORACIC
    table = {
        Approach.AUTO: (BIPEDICULAR, UNIPEDICULAR, EXTRAPEDICULAR) if thoracic else (BIPEDICULAR, UNIPEDICULAR),
        Approach.BIPEDICULAR: (BIPEDICULAR,),
    }
    one = {
        Approach.UNIPEDICULAR_LEFT: Route(Side.LEFT, UNIPEDICULAR),
        Approach.UNIPEDICULAR_RIGHT: Route(Side.RIGHT, UNIPEDICULAR),
        Approach.EXTRAPEDICULAR_LEFT: Route(Side.LEFT, EXTRAPEDICULAR),
        Approach.EXTRAPEDICULAR_RIGHT: Route(Side.RIGHT, EXTRAPEDICULAR),
    }
    if approach in one:
        return (one[approach],)
    return tuple(Route(side, name) for name in table[approach] for side in Side)


def offer(results: dict[Route, Trajectory | Refusal], vertebra: Vertebra) -> PlanSet:
    """What ``auto`` offers of all that was planned."""
    options = options_of(results, vertebra)

    def fit(name: str) -> list[Trajectory]:
        found = [r for route, r in results.items() if route.approach == name and isinstance(r, Trajectory)]
        return [t for t in found if t.verdict is not Verdict.UNSAFE]

    both = fit(BIPEDICULAR)
    refused = [r for route, r in results.items() if route.approach == BIPEDICULAR and isinstance(r, Refusal)]
    if len(both) == 2:
        return PlanSet(tuple(both), (), options)
    for name in (UNIPEDICULAR, EXTRAPEDICULAR):
        alone = fit(name)
        if alone:
            return PlanSet((max(alone, key=worth),), tuple(refused), options)
        # one half-way path is all there is: say what the other approaches lack
        refused += [
            refusals.only_half_way(r) if any(t.side is r.side for t in both) and name == UNIPEDICULAR else r
            for route, r in results.items()
            if route.approach == name and isinstance(r, Refusal)
        ]
    shown = tuple(r for route, r in results.items() if route.approach == BIPEDICULAR and isinstance(r, Trajectory))
    if len(shown) == 1 and shown[0].verdict is not Verdict.UNSAFE:
        shown = ()
    return PlanSet(shown, tuple(refused), options)


def _split(results: Iterable[Trajectory | Refusal]) -> Outcome:
    found = tuple(results)
    return (
        tuple(r for r in found if isinstance(r, Trajectory)),
        tuple(r for r in found if isinstance(r, Refusal)),
    )


def _plan_route(task: _Task, route: Route) -> Trajectory | Refusal:
    vertebra, settings = task.vertebra, task.settings
    side, approach = route.side, route.approach
    pedicle = vertebra.pedicles.get(side)
    if pedicle is None or not len(pedicle.outline_lps):
        return refusals.no_pedicle(vertebra, side, approach)
    if route.beside and vertebra.level not in THORACIC:
        return refusals.not_thoracic(vertebra, side)
    try:
        bench = task.workbench.bench(side, route.beside)
        lines = lines_of(route, vertebra, settings)
        coarse_lines = lines_of(route, vertebra, settings, 3 * CROSSING_STEP_MM, 3 * DIRECTION_STEP_DEG)
    except AnatomyError as reason:
        return Refusal(side, approach, reason.code, f"{reason}.", reason.numbers)
    margin = required_margin(settings)
    slack = worst_slack(bench.lattice, margin, settings, bench.field.play)
    floor = worth_beating(search(bench.lattice, coarse_lines, slack, settings, keep=1, best_only=True))
    found = search(bench.lattice, lines, slack, settings, floor=floor)
    if not found.best and np.isfinite(floor):
        found = search(bench.lattice, lines, slack, settings)
    if not found.best and not route.beside and pedicle.width_mm < refusals.needed_width_mm(settings, 0.0):
        return refusals.too_narrow(pedicle, approach, settings, 0.0)
    if not found.best:
        return refusals.blocked(side, approach, found.tried, found.blocked, found.out_of_angle)
    problem = problem_of(vertebra, bench.field, bench.facets_uvw, lines, margin, settings)
    refined = refine(found.best, vertebra, bench.field, problem, settings.instrument.radius_mm)
    refined = [r for r in refined if r.allowed]
    if not refined:
        return refusals.no_free_line(side, approach, found.tried)
    first: Trajectory | Refusal | None = None
    for path in refined:
        judged = _judge(task, route, bench, path, margin, found.tried)
        # a second-best path with a free way in is better than the best one through a rib
        if isinstance(judged, Trajectory) and judged.verdict is not Verdict.UNSAFE:
            return judged
        first = first or judged
    return first or refusals.no_free_line(side, approach, found.tried)


def _judge(
    task: _Task, route: Route, bench: Bench, best: RefinedPath, margin: FloatArray, tried: int
) -> Trajectory | Refusal:
    """Hard limits first (refusal), then the verdict with its reasons."""
    vertebra, settings = task.vertebra, task.settings
    slack = best.clearance.walls_mm - margin
    depth_index, wall_index = np.unravel_index(int(np.argmin(slack)), slack.shape)
    wall = Wall(int(wall_index))
    if slack.min() < 0:
        pedicle = vertebra.pedicles[route.side]
        sideways = wall in (Wall.MEDIAL, Wall.LATERAL, Wall.CANAL)
        sure_mm = pedicle.width_mm - (refusals.KNOWN_WIDTH_MM if sideways else 0.0)
        if sure_mm < refusals.needed_width_mm(settings, 0.0) and not route.beside:
            return refusals.too_narrow(pedicle, route.approach, settings, 0.0)
        height_mm = height_at_mm(vertebra, best.path.end_lps)
        if wall is Wall.ENDPLATE and height_mm < least_height_mm(settings) + HEIGHT_DOUBT_MM:
            reason = too_flat(vertebra, height_mm, settings)
            return Refusal(route.side, route.approach, reason.code, f"{reason}.", reason.numbers)
        return refusals.no_margin(
            route.side,
            route.approach,
            wall,
            float(best.clearance.walls_mm[depth_index, wall_index]),
            float(margin[wall]),
            float(best.clearance.depth_mm[depth_index]),
            tried,
        )
    return grade(task.ct, vertebra, settings, route, bench, best.path, best.clearance, task.doubt, margin, tried)
