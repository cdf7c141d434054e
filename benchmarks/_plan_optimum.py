"""Is the planned path the best one? Its score against a brute force ten times as dense and differential evolution.

Both judge by the planner's own objective on the wall samples (`climb.loss`); the brute force takes every line at
0.25 mm and 0.75 deg within 2 mm and 4 deg of the planned one and over the whole range at 1 mm and 2 deg (both ends of
the question: is there a better hill, and is this its top), differential evolution (scipy) the whole range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numba as nb
import numpy as np
from _plan_suite import Made, case
from scipy.optimize import differential_evolution

from trajplan.parts import Side
from trajplan.planning.climb import INFEASIBLE, Problem, fewer, line_of, loss
from trajplan.planning.evaluate import required_margin
from trajplan.planning.kernels import margins, zone_depth
from trajplan.planning.plan import PlanSettings, Trajectory
from trajplan.planning.planner import plan_approaches
from trajplan.planning.refine import problem_of
from trajplan.planning.routes import Route, lines_of
from trajplan.planning.workbench import Workbench


@nb.njit(parallel=True)
def _losses(points, problem):  # type: ignore[no-untyped-def]
    out = np.empty(len(points))
    for i in nb.prange(len(points)):
        out[i] = loss(points[i], problem)
    return out


def brute_force(
    problem: Problem, center: np.ndarray, reach: np.ndarray, counts: tuple[int, ...]
) -> tuple[float, np.ndarray]:
    """The least loss on a regular net about `center`, and where.

    One wall sample in twelve gives a bound that no path can fall below; only paths whose bound is below the best found
    so far are judged on all samples, which changes nothing in the result.
    """
    axes = [np.linspace(c - r, c + r, n) for c, r, n in zip(center, reach, counts, strict=True)]
    points = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    bound = _losses(points, fewer(problem, 12))
    order = np.argsort(bound, kind="stable")
    least, where = np.inf, center
    for start in range(0, len(order), 500):
        batch = order[start : start + 500]
        if bound[batch[0]] >= least:
            break
        values = _losses(points[batch], problem)
        if values.min() < least:
            least, where = float(values.min()), points[batch[int(np.argmin(values))]]
    return least, where


def margin_mm(x: np.ndarray, problem: Problem) -> float:
    """Least slack over all walls of a path, in units of its weighted sigma times the sigma at the entry, mm."""
    entry, along, length, _ = line_of(x, problem)
    zone = zone_depth(problem.zone, problem.to_index, problem.at_index, entry, along, length)
    starts = np.array([(0.0, zone, zone + problem.late_mm, -40.0)[k] for k in problem.start])
    worst, _ = margins(
        problem.samples, problem.at, problem.kinds, problem.balls, entry, along, length, starts, problem.taken,
        problem.weight, problem.entry_sigma, problem.angle_sigma, problem.reach,
    )  # fmt: skip
    return float(worst * problem.entry_sigma)


def compare(made: Made, path: Trajectory, settings: PlanSettings) -> tuple[float, float, float, float]:
    """Scores of the plan, the brute force and differential evolution, and by how much the latter's margin is larger."""
    assert made.vertebra is not None
    vertebra, side = made.vertebra, Side(path.side)
    bench = Workbench(vertebra, made.ct).bench(side)
    lines = lines_of(Route(side, path.approach), vertebra, settings)
    problem = problem_of(vertebra, bench.field, bench.facets_uvw, lines, required_margin(settings), settings)
    flip = np.array([side.sign, 1.0, 1.0])
    tip, entry = vertebra.frame.to_local(path.target_lps) * flip, vertebra.frame.to_local(path.entry_lps) * flip
    share = (problem.crossing_v - entry[1]) / (tip[1] - entry[1])
    crossing = entry + share * (tip - entry)
    x = np.r_[crossing[0], crossing[2], tip]
    planned = -loss(x, problem)
    low, high = lines.crossings_uvw.min(axis=0), lines.crossings_uvw.max(axis=0)
    bounds = [(low[0], high[0]), (low[2], high[2])] + [(c - 8.0, c + 8.0) for c in lines.ideal_uvw]
    near = brute_force(problem, x, np.array([1.5, 1.5, 2.0, 2.0, 2.0]), (9, 9, 9, 9, 9))
    middle = np.array([(a + b) / 2 for a, b in bounds])
    half = np.array([(b - a) / 2 for a, b in bounds])
    wide = brute_force(problem, middle, half, (13, 17, 13, 13, 13))
    dense = max(-near[0], -wide[0])
    evolved = differential_evolution(loss, bounds, args=(problem,), seed=1, maxiter=120, popsize=12, tol=1e-6)
    if evolved.fun > INFEASIBLE / 2:
        return planned, dense, float("nan"), 0.0
    return planned, dense, -float(evolved.fun), margin_mm(evolved.x, problem) - margin_mm(x, problem)


def optimum_table(seed: int, numbers: Iterable[int]) -> Iterator[str]:
    """Scores side by side."""
    settings = PlanSettings()
    yield "score: planned, dense brute force, differential evolution (larger is better)"
    worst_share, worst_margin, total = 0.0, 0.0, 0
    for index in numbers:
        made = case(seed, index)
        if made.vertebra is None:
            continue
        found = plan_approaches(made.ct, made.vertebra, settings, automatic_mask=False, mask_spacing_mm=1.0)
        for option in found.options:
            if option.path is None or option.approach == "extrapedicular":
                continue
            planned, dense, evolved, margin = compare(made, option.path, settings)
            best = max(dense, evolved if np.isfinite(evolved) else -np.inf)
            share = (best - planned) / max(abs(best), 1.0)
            # a score that is as good may stand on another trade of margin against target
            margin = margin if evolved > planned + 1e-3 else 0.0
            worst_share, worst_margin, total = max(worst_share, share), max(worst_margin, margin), total + 1
            yield (
                f"{index:4d} {made.level:4} {option.side!s:6}{option.approach:13} {planned:7.3f} {dense:7.3f} "
                f"{evolved:7.3f}  short by {100 * share:+.2f} %, margin {margin:+.3f} mm"
            )
    yield f"paths {total}; score short of the best by at most {100 * worst_share:.2f} % (must: <= 1 %)"
    yield f"margin below that of a better differential evolution by at most {worst_margin:.3f} mm (must: <= 0.05 mm)"
