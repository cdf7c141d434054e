"""Continuous refinement of a lattice candidate against the exact sub-voxel clearance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray, unit
from trajplan.planning.angles import trocar_angles
from trajplan.planning.evaluate import PathClearance, path_clearance
from trajplan.planning.objective import centring, score, sigma_at
from trajplan.planning.plan import PlanSettings
from trajplan.planning.search import Candidate
from trajplan.planning.target import TargetZone
from trajplan.planning.walls import WallField

_COARSE_STEP_MM = 0.75
_INFEASIBLE = -50.0
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class RefinedPath:
    """A path entry -> tip (LPS mm) with its exact clearance and score.

    `allowed` is False when no path near the candidate keeps the angle limits, docks far enough lateral, ends where a
    tip may end and passes the pedicle; such a path must not be offered whatever its margins are.
    """

    path: Capsule
    clearance: PathClearance
    score: float
    allowed: bool


def dorsal_entry(
    field: WallField, crossing_lps: FloatArray, back_lps: FloatArray, limit_mm: float = 90.0
) -> FloatArray:
    """Where a line through the isthmus leaves the bone going back (unit `back_lps`), LPS mm, to 0.05 mm."""
    steps = np.arange(0.0, limit_mm, 0.5)
    inside = field.in_bone(crossing_lps + steps[:, None] * back_lps)
    if inside.all():
        return np.asarray(crossing_lps + limit_mm * back_lps)
    out = float(steps[int(np.argmin(inside))])
    low, high = max(out - 0.5, 0.0), out
    for _ in range(4):
        middle = (low + high) / 2
        if field.in_bone(crossing_lps + middle * back_lps):
            low = middle
        else:
            high = middle
    return np.asarray(crossing_lps + high * back_lps)


def refine(
    candidate: Candidate,
    vertebra: Vertebra,
    field: WallField,
    zone: TargetZone,
    dock_u_mm: float,
    margin_mm: FloatArray,
    settings: PlanSettings,
    tip_u_mm: tuple[float, float] = (-np.inf, np.inf),
) -> RefinedPath:
    """Maximise the score over the crossing (u, w) and the target (u, v, w) by Nelder-Mead from `candidate`."""
    flip = np.array([field.side.sign, 1.0, 1.0])
    start = np.r_[candidate.crossing_uvw[[0, 2]], candidate.target_uvw]

    def build(x: FloatArray) -> tuple[Capsule, FloatArray]:
        crossing = vertebra.frame.to_world(np.array([x[0], candidate.crossing_uvw[1], x[1]]) * flip)
        target = vertebra.frame.to_world(x[2:] * flip)
        entry = dorsal_entry(field, crossing, unit(crossing - target))
        return Capsule(entry, target, settings.instrument.radius_mm), target

    def beyond(x: FloatArray, path: Capsule) -> float:
        """By how much the worst limit is exceeded, mm or deg."""
        convergence, craniocaudal = trocar_angles(path.direction_lps, vertebra.frame, field.side)
        return max(
            abs(convergence) - settings.max_convergence_deg,
            settings.min_craniocaudal_deg - craniocaudal,
            craniocaudal - settings.max_craniocaudal_deg,
            float(zone.behind_third_mm(x[3], x[4])),
            dock_u_mm - float(vertebra.frame.to_local(path.start_lps)[0]) * field.side.sign,
            tip_u_mm[0] - float(x[2]),
            float(x[2]) - tip_u_mm[1],
        )

    def loss(x: FloatArray) -> float:
        path, target = build(x)
        over = beyond(x, path)
        if over > _TOLERANCE:
            return -_INFEASIBLE + over
        found = path_clearance(field, path, _COARSE_STEP_MM)
        slack, sigma = found.walls_mm - margin_mm, sigma_at(found.depth_mm, settings)
        value = score(slack, sigma, float(np.linalg.norm(target - zone.ideal_lps))) + centring(slack, sigma)
        return -max(value, _INFEASIBLE)

    simplex = np.vstack([start, start + np.diag([0.7, 0.7, 1.0, 1.0, 1.0])])
    best = minimize(
        loss,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.05, "fatol": 0.005, "maxfev": 200},
    )
    path, _ = build(best.x)
    clearance = path_clearance(field, path)
    missed = bool(np.isneginf(clearance.walls_mm).any())
    return RefinedPath(path, clearance, -float(best.fun), beyond(best.x, path) <= _TOLERANCE and not missed)
