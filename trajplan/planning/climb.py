"""Continuous search of the best path near a candidate: the objective in one call, and Nelder-Mead, both compiled."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray
from trajplan.planning.kernels import margins, way_back, zone_depth
from trajplan.planning.objective import CENTRING, ENOUGH_SIGMAS, SHORTFALL, TARGET_SCALE_MM
from trajplan.planning.packing import Packed, thinned
from trajplan.threads import in_slices

INFEASIBLE = 500.0
TOLERANCE = 1e-6

_THIN = 3
"""The first climb looks at one sample in so many: it only has to find the hill."""

_AGAIN = (-1.0, 0.7, -0.5)
"""Size and sense of the fresh simplexes after it: on the ridge between two walls one alone stops early."""

_HOPELESS = 2.0
"""A loss above which fresh simplexes no longer help: they gain 0.1 at most, and below 0 the margins are kept."""


class Problem(NamedTuple):
    """Everything the objective needs, as arrays in (side * u, v, w) mm.

    `samples` to `balls` are the walls and other bone as in `packing.Packed`.
    `start` (0 entry, 1 zone, 2 late, 3 from far behind the entry), `taken` and `weight` are by kind of sample;
    `limits_deg` is (greatest convergence, least and greatest craniocaudal); `third` is (slope, offset) of the border of
    the anterior third; `tip_u` the limits of the tip from the midline.
    """

    bone: Float32Array
    zone: Float32Array
    to_index: FloatArray
    at_index: FloatArray
    samples: FloatArray
    at: AnyArray
    kinds: AnyArray
    balls: FloatArray
    start: AnyArray
    late_mm: float
    taken: FloatArray
    weight: FloatArray
    entry_sigma: float
    angle_sigma: float
    reach: float
    crossing_v: float
    ideal: FloatArray
    third: FloatArray
    tip_u: FloatArray
    dock_u: float
    limits_deg: FloatArray


@nb.njit(cache=True)
def line_of(x, p):  # type: ignore[no-untyped-def]
    """(entry, along, length, over) of the path through crossing (x0, v, x1) and target x2..x4.

    `over` is by how much the worst limit is exceeded, mm or deg.
    """
    crossing = np.array([x[0], p.crossing_v, x[1]])
    target = x[2:5].copy()
    back = crossing - target
    back /= np.sqrt((back**2).sum())
    out = way_back(p.bone, p.to_index, p.at_index, crossing, back)
    entry = crossing + out * back
    length = np.sqrt(((entry - target) ** 2).sum())
    convergence = np.degrees(np.arctan2(back[0], back[1]))
    craniocaudal = np.degrees(np.arctan2(back[2], np.hypot(back[0], back[1])))
    over = max(
        abs(convergence) - p.limits_deg[0],
        p.limits_deg[1] - craniocaudal,
        craniocaudal - p.limits_deg[2],
        x[3] - p.third[0] * x[4] - p.third[1],
        p.dock_u - entry[0],
        p.tip_u[0] - x[2],
        x[2] - p.tip_u[1],
    )
    if out == 0.0:
        over = max(over, 1.0)
    return entry, -back, length, over


@nb.njit(cache=True)
def loss(x, p):  # type: ignore[no-untyped-def]
    """Minus the score of a path; 500 or more when it breaks a limit or misses its zone."""
    entry, along, length, over = line_of(x, p)
    if over > TOLERANCE:
        return INFEASIBLE + over
    zone = zone_depth(p.zone, p.to_index, p.at_index, entry, along, length)
    if zone < 0:
        return INFEASIBLE
    starts = np.empty(len(p.start))
    for k in range(len(p.start)):
        starts[k] = (0.0, zone, zone + p.late_mm, -40.0)[p.start[k]]
    worst, vertical = margins(
        p.samples, p.at, p.kinds, p.balls, entry, along, length, starts, p.taken, p.weight, p.entry_sigma,
        p.angle_sigma, p.reach,
    )  # fmt: skip
    miss2 = ((x[2:5] - p.ideal) ** 2).sum()
    value = (min(worst, ENOUGH_SIGMAS) if worst >= 0 else SHORTFALL * worst) - miss2 / TARGET_SCALE_MM**2
    if vertical < 1e8:
        value += CENTRING * min(vertical, 10.0)
    return -max(value, -INFEASIBLE + 1.0)


@nb.njit(cache=True)
def _nelder_mead(start, step, p, evaluations):  # type: ignore[no-untyped-def]
    """The best x near `start` and its loss: the usual coefficients, to 0.01 mm and 0.0005 of the score."""
    n = len(start)
    x, f = np.empty((n + 1, n)), np.empty(n + 1)
    middle, trial = np.empty(n), np.empty((2, n))
    # numbers are copied one by one throughout: assigning a row takes seconds to compile, for its error message
    for i in range(n + 1):
        for j in range(n):
            x[i, j] = start[j] + (step[j] if j == i - 1 else 0.0)
    first, used = 0, 0  # from which corner on the loss is not known
    while True:
        for i in range(first, n + 1):
            f[i] = loss(x[i], p)
        used += n + 1 - first
        if used >= evaluations:
            break
        _sort(f, x)
        first, far = n + 1, 0.0
        for j in range(n):
            total = 0.0
            for i in range(n):
                total += x[i, j]
            middle[j] = total / n
            for i in range(1, n + 1):
                far = max(far, abs(x[i, j] - x[0, j]))
        if f[n] - f[0] < 5e-4 and far < 0.01:
            break
        # reflected first; then further along when that is the best, nearer when it is no good. In one loop: each place
        # that calls the loss takes seconds to compile
        at, there = 0.0, 0.0
        for turn in range(2):
            for j in range(n):
                reflected = 2.0 * middle[j] - x[n, j]
                if turn == 0:
                    trial[0, j] = reflected
                elif at < f[0]:
                    trial[1, j] = 3.0 * middle[j] - 2.0 * x[n, j]
                else:
                    trial[1, j] = 0.5 * (middle[j] + (reflected if at < f[n] else x[n, j]))
            there = loss(trial[turn], p)
            used += 1
            if turn == 0:
                at = there
                if f[0] <= at < f[n - 1]:
                    break
        first_kept = f[0] <= at < f[n - 1] or (at < f[0] and there >= at)
        if first_kept or there < min(at, f[n]):
            f[n] = at if first_kept else there
            for j in range(n):
                x[n, j] = trial[0 if first_kept else 1, j]
        else:
            for i in range(1, n + 1):
                for j in range(n):
                    x[i, j] = x[0, j] + 0.5 * (x[i, j] - x[0, j])
            first = 1
    best = np.argmin(f)
    return x[best], f[best]


@nb.njit(cache=True)
def _sort(f, x):  # type: ignore[no-untyped-def]
    """Losses and their corners, the least first; equal ones stay in their order."""
    for i in range(1, len(f)):
        for k in range(i, 0, -1):
            if f[k] >= f[k - 1]:
                break
            f[k], f[k - 1] = f[k - 1], f[k]
            for j in range(x.shape[1]):
                x[k, j], x[k - 1, j] = x[k - 1, j], x[k, j]


def fewer(p: Problem, every: int) -> Problem:
    """The problem with every so many of its samples: what it tells is never worse."""
    few = thinned(Packed(p.samples, p.at, p.kinds, p.balls), every)
    return p._replace(**few._asdict())


def climb(starts: FloatArray, p: Problem, evaluations: int) -> tuple[FloatArray, FloatArray]:
    """Refine every start (S, 5): Nelder-Mead on every third sample, then on all with fresh, smaller simplexes.

    Returns (S, 5) and the losses (S,). Each start is worked on alone, so the result does not depend on threads.
    """
    wide = np.array([0.7, 0.7, 1.0, 1.0, 1.0]), fewer(p, _THIN)
    first, *others = ((size * np.array([0.4, -0.4, 0.6, -0.6, 0.6]), p) for size in _AGAIN)
    found, losses = _climbed(starts, [wide, first], evaluations)
    if losses.min(initial=np.inf) <= _HOPELESS:
        found, losses = _climbed(found, others, evaluations)
    return found, losses


def _climbed(
    starts: FloatArray, climbs: list[tuple[FloatArray, Problem]], evaluations: int
) -> tuple[FloatArray, FloatArray]:
    """`climb_each` with one simplex and problem after the other, the starts shared among threads."""

    def work(part: slice) -> tuple[FloatArray, FloatArray]:
        found, losses = starts[part], np.empty(0)
        for step, problem in climbs:
            found, losses = climb_each(found, step, problem, evaluations)
        return found, losses

    found, losses = in_slices(work, len(starts))
    return found, losses


@nb.njit(cache=True, nogil=True)
def climb_each(starts, step, p, evaluations):  # type: ignore[no-untyped-def]
    """Nelder-Mead from each of the starts (S, 5)."""
    out = np.empty(starts.shape)
    losses = np.empty(len(starts))
    for i in range(len(starts)):
        best, losses[i] = _nelder_mead(starts[i], step, p, evaluations)
        for j in range(len(best)):
            out[i, j] = best[j]
    return out, losses
