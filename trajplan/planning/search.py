"""Exhaustive search on the lattice: every isthmus crossing in every direction, with every tip along it."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np

from trajplan.geometry.arrays import AnyArray, BoolArray, Float32Array, FloatArray
from trajplan.planning.kernels import between, between_here
from trajplan.planning.lattice import Lattice
from trajplan.planning.objective import ENOUGH_SIGMAS, SHORTFALL, TARGET_SCALE_MM, sigmas, wall_weight
from trajplan.planning.plan import PlanSettings
from trajplan.planning.walls import THROUGH_PEDICLE, Play
from trajplan.threads import in_slices

_STEP_MM = 0.5
_FARTHEST_BACK_MM = 90.0
BLOCKED, OUT_OF_ANGLE, NO_TIP, WORSE = -1e6, -2e6, -3e6, -4e6
"""Scores of lines that are ruled out: no free way in, against the angle limits, no tip where one may end; or that
cannot come near the best."""

WINDOW = 0.3
"""A line whose score must stay this far below the best one found on a coarser net is given up on the way."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A line through an isthmus crossing and a target, both (side * u, v, w) mm, and its score on the lattice."""

    crossing_uvw: FloatArray
    target_uvw: FloatArray
    score: float


@dataclass(frozen=True, eq=False)
class Lines:
    """What is tried: crossings (P, 3), directions (D, 3) into the body (unit), and where a tip may end.

    `tip_u_mm` are the limits of the tip from the midline, `dock_u_mm` is the least distance of the entry from it.
    """

    crossings_uvw: FloatArray
    directions_uvw: FloatArray
    ideal_uvw: FloatArray
    slope: float
    offset: float
    tip_u_mm: tuple[float, float] = (-np.inf, np.inf)
    dock_u_mm: float = -np.inf


@dataclass(frozen=True, eq=False)
class Slack:
    """Least weighted slack (mm) at each lattice point over the walls in play from the entry, from the zone, and from
    `late_mm` beyond that on; 99 where no wall is."""

    always: Float32Array
    zoned: Float32Array
    late: Float32Array
    late_mm: float


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The best candidates, best first (well separated), and how many lines were tried and ruled out and why."""

    best: tuple[Candidate, ...]
    tried: int
    blocked: int
    out_of_angle: int
    scores: AnyArray


def directions_uvw(settings: PlanSettings, step_deg: float = 1.0) -> FloatArray:
    """All directions within the angle limits, `step_deg` apart, (D, 3) unit (side * u, v, w) into the body."""
    widest = settings.max_convergence_deg
    convergence = np.radians(np.arange(-widest, widest + 1e-9, step_deg))
    down = np.radians(np.arange(settings.min_craniocaudal_deg, settings.max_craniocaudal_deg + 1e-9, step_deg))
    c, d = (a.ravel() for a in np.meshgrid(convergence, down, indexing="ij"))
    return np.stack([-np.sin(c) * np.cos(d), -np.cos(c) * np.cos(d), -np.sin(d)], axis=1)


def towards(directions: FloatArray, crossings: FloatArray, ideal: FloatArray, reach_mm: float = 10.0) -> FloatArray:
    """The directions that take some crossing to within `reach_mm` (u and w) of the ideal tip."""
    forward = (ideal[1] - crossings[:, 1].mean()) / np.minimum(directions[:, 1], -1e-3)
    end = forward[:, None] * directions[:, [0, 2]]
    low, high = crossings[:, [0, 2]].min(axis=0), crossings[:, [0, 2]].max(axis=0)
    keep = ((end + high > ideal[[0, 2]] - reach_mm) & (end + low < ideal[[0, 2]] + reach_mm)).all(axis=1)
    return np.asarray(directions[keep & (forward > 0)])


def within_angles(directions: FloatArray, settings: PlanSettings) -> BoolArray:
    """Which directions (D, 3) keep the limits of convergence and craniocaudal angle."""
    u, v, w = directions.T
    craniocaudal = np.degrees(np.arctan2(-w, np.hypot(u, v)))
    keep = np.abs(np.degrees(np.arctan2(-u, -v))) <= settings.max_convergence_deg + 1e-9
    keep &= craniocaudal >= settings.min_craniocaudal_deg - 1e-9
    return np.asarray(keep & (craniocaudal <= settings.max_craniocaudal_deg + 1e-9))


def search(
    lattice: Lattice,
    lines: Lines,
    slack: Slack,
    settings: PlanSettings,
    keep: int = 6,
    floor: float = -np.inf,
    best_only: bool = False,
) -> SearchResult:
    """Score every crossing with every direction; along each line every tip, 0.5 mm apart, is tried.

    The score is that of `objective.score`, on clearances between lattice points. Lines that cannot reach `floor` are
    given up as soon as that is certain; with `best_only` so are those that cannot come up to another line through the
    same crossing.
    """
    crossings, directions = (np.ascontiguousarray(a) for a in (lines.crossings_uvw, lines.directions_uvw))
    allowed = within_angles(directions, settings)

    def work(part: slice) -> tuple[FloatArray, FloatArray]:
        found: tuple[FloatArray, FloatArray] = _score_all(
            crossings[part],
            directions,
            allowed,
            slack.always,
            slack.zoned,
            slack.late,
            slack.late_mm,
            lattice.bone,
            lattice.obstacle,
            lattice.pedicle,
            lattice.origin_uvw,
            np.asarray(lines.ideal_uvw, dtype=np.float64),
            np.array([lines.slope, lines.offset, *lines.tip_u_mm, lines.dock_u_mm]),
            np.array(sigmas(settings)),
            float(floor),
            best_only,
        )
        return found

    scores, reach = in_slices(work, len(crossings))
    best: list[Candidate] = []
    # stable order, so that equal scores are settled the same way on every machine
    promising = np.flatnonzero(scores > max(BLOCKED, scores.max() - 2 * WINDOW))
    for flat in promising[np.argsort(-scores.flat[promising], kind="stable")]:
        if len(best) == keep:
            break
        i, j = np.unravel_index(int(flat), scores.shape)
        crossing = lines.crossings_uvw[i]
        found = Candidate(crossing, crossing + reach[i, j] * lines.directions_uvw[j], float(scores[i, j]))
        if all(
            np.linalg.norm(found.crossing_uvw - b.crossing_uvw) + np.linalg.norm(found.target_uvw - b.target_uvw) > 4
            for b in best
        ):
            best.append(found)
    return SearchResult(
        tuple(best), scores.size, int((scores == BLOCKED).sum()), int((scores == OUT_OF_ANGLE).sum()), scores
    )


def worth_beating(coarse: SearchResult) -> float:
    """The score that lines of the finer net must be able to reach, given the best on a coarser net.

    Where the best keeps its margins, `WINDOW` below it; where it does not, as far below as candidates are looked for.
    """
    if not coarse.best:
        return -np.inf
    best = coarse.best[0].score
    return best - WINDOW if best > -1 else best - 2 * WINDOW


def worst_slack(lattice: Lattice, margin_mm: FloatArray, settings: PlanSettings, play: Play = THROUGH_PEDICLE) -> Slack:
    """The slack of an instrument at each lattice point, given the margins (8,) asked of the walls, mm."""
    taken = (settings.instrument.radius_mm + margin_mm).astype(np.float32)
    least = _least_by_start(lattice.walls, taken, wall_weight().astype(np.float32), np.array(play.start))
    return Slack(least[0], least[1], least[2], float(play.late_mm))


@nb.njit(cache=True, nogil=True)
def _least_by_start(walls, taken, weight, start):  # type: ignore[no-untyped-def]
    nx, ny, nz, count = walls.shape
    out = np.full((3, nx, ny, nz), np.float32(99.0), dtype=np.float32)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                for w in range(count):
                    slack = (walls[i, j, k, w] - taken[w]) / weight[w]
                    if slack < out[start[w], i, j, k]:
                        out[start[w], i, j, k] = slack
    return out


@nb.njit(cache=True, inline="always")
def _passing(crossing, along, ideal):  # type: ignore[no-untyped-def]
    """What a line loses at least because it passes beside the ideal tip."""
    ix, iy, iz = ideal[0] - crossing[0], ideal[1] - crossing[1], ideal[2] - crossing[2]
    near = ix * along[0] + iy * along[1] + iz * along[2]
    mx, my, mz = ix - near * along[0], iy - near * along[1], iz - near * along[2]
    return (mx * mx + my * my + mz * mz) / TARGET_SCALE_MM**2


@nb.njit(cache=True, inline="always")
def _given_up(crossing, along, always, zoned, bone, zone, origin, ideal, sigmas, floor):  # type: ignore[no-untyped-def]
    """Whether a line cannot reach `floor`: it passes too far from the ideal tip, or too near a wall just ahead.

    What is left over counts in the least error there can be, what lacks in the greatest, so that this can only be too
    hopeful.
    """
    passing = _passing(crossing, along, ideal)
    x, y, z = crossing[0] - origin[0], crossing[1] - origin[1], crossing[2] - origin[2]
    # the entry lies in the lattice, or the line is not looked at further back
    behind = min(_FARTHEST_BACK_MM, (bone.shape[1] - y) / max(-along[1], 0.01))
    lost = ENOUGH_SIGMAS - passing < floor
    if not lost and between_here(zone, x, y, z) >= 0.5:
        for step in range(13):
            px, py, pz = x + step * along[0], y + step * along[1], z + step * along[2]
            slack = min(between_here(always, px, py, pz), between_here(zoned, px, py, pz))
            if slack < 0.0:
                hope = SHORTFALL * slack / np.sqrt(sigmas[0] ** 2 + (sigmas[1] * (behind + step)) ** 2)
            else:
                hope = slack / np.sqrt(sigmas[0] ** 2 + (sigmas[1] * step) ** 2)
            if hope - passing < floor:
                lost = True
                break
    return lost


@nb.njit(cache=True)
def _score_line(  # type: ignore[no-untyped-def]
    crossing, along, always, zoned, late, late_mm, bone, obstacle, zone, origin, ideal, ends, sigmas, floor
):
    """(score, distance from crossing to tip) of the best path on one line."""
    passing = _passing(crossing, along, ideal)
    x, y, z = crossing[0] - origin[0], crossing[1] - origin[1], crossing[2] - origin[2]
    # back to the cortex; the zone begins at the last point of it that is met going back
    out, back_zone = 0.0, -1e3
    while out < _FARTHEST_BACK_MM:
        px, py, pz = x - out * along[0], y - out * along[1], z - out * along[2]
        if between(bone, px, py, pz) < 0.5:
            break
        if between(zone, px, py, pz) >= 0.5:
            back_zone = out
        out += _STEP_MM
    if out == 0.0 or crossing[0] - out * along[0] < ends[4]:
        return BLOCKED, 0.0
    worst, best, best_s = 1e9, NO_TIP, 0.0
    first = -back_zone if back_zone > -1e3 else 1e3
    t = -out
    while t < 70.0:
        px, py, pz = x + t * along[0], y + t * along[1], z + t * along[2]
        depth = t + out
        sigma = np.sqrt(sigmas[0] ** 2 + (sigmas[1] * depth) ** 2)
        slack = between(always, px, py, pz)
        if first > 999.0 and between(zone, px, py, pz) >= 0.5:
            first = t
        if t >= first:
            slack = min(slack, between(zoned, px, py, pz))
            if late_mm > 0.0 and t >= first + late_mm:
                slack = min(slack, between(late, px, py, pz))
        worst = min(worst, slack / sigma)
        kept = min(worst, ENOUGH_SIGMAS) if worst >= 0.0 else SHORTFALL * worst
        if worst < -6.0 or kept - passing < floor:
            break
        qx, qy, qz = crossing[0] + t * along[0], crossing[1] + t * along[1], crossing[2] + t * along[2]
        if qy < ideal[1] - 8.0:
            break
        if t > first and qy - ends[0] * qz - ends[1] <= 0.0 and ends[2] <= qx <= ends[3]:
            miss2 = (qx - ideal[0]) ** 2 + (qy - ideal[1]) ** 2 + (qz - ideal[2]) ** 2
            value = kept - miss2 / TARGET_SCALE_MM**2
            if value > best:
                best, best_s = value, t
        t += _STEP_MM
    if best < floor:
        return (WORSE if best == NO_TIP and worst < ENOUGH_SIGMAS else best), best_s
    s = out + 1.5
    while s < out + 60.0:
        px, py, pz = x - s * along[0], y - s * along[1], z - s * along[2]
        if between(bone, px, py, pz) >= 0.5 or between(obstacle, px, py, pz) >= 0.5:
            return BLOCKED, 0.0
        s += 0.75
    return best, best_s


@nb.njit(cache=True, nogil=True)
def _score_all(  # type: ignore[no-untyped-def]
    crossings,
    directions,
    allowed,
    always,
    zoned,
    late,
    late_mm,
    bone,
    obstacle,
    zone,
    origin,
    ideal,
    ends,
    sigmas,
    floor,
    best_only,
):
    out = np.empty((crossings.shape[0], directions.shape[0]))
    reach = np.zeros(out.shape)
    for i in range(crossings.shape[0]):
        asked = floor
        if best_only:
            # the line that passes nearest to the ideal tip first: few can do better
            near, first = -1e9, 0
            for j in range(directions.shape[0]):
                passes = 0.0
                for axis in range(3):
                    passes += (ideal[axis] - crossings[i, axis]) * directions[j, axis]
                if allowed[j] and passes > near:
                    near, first = passes, j
            asked = max(
                floor,
                _score_line(
                    crossings[i], directions[first], always, zoned, late, late_mm, bone, obstacle, zone, origin, ideal,
                    ends, sigmas, floor,
                )[0],
            )  # fmt: skip
        at = crossings[i] - origin
        beside = between(bone, at[0], at[1], at[2]) < 0.5
        for j in range(directions.shape[0]):
            if not allowed[j]:
                out[i, j] = OUT_OF_ANGLE
            elif _given_up(crossings[i], directions[j], always, zoned, bone, zone, origin, ideal, sigmas, asked):
                out[i, j] = WORSE
            elif beside:
                out[i, j] = BLOCKED
            else:
                out[i, j], reach[i, j] = _score_line(
                    crossings[i], directions[j], always, zoned, late, late_mm, bone, obstacle, zone, origin, ideal,
                    ends, sigmas, asked,
                )  # fmt: skip
                if best_only:
                    asked = max(asked, out[i, j])
    return out, reach
