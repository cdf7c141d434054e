"""Exhaustive search on the lattice: every isthmus crossing with every target, then the best ones to be refined."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np

from trajplan.geometry.arrays import FloatArray
from trajplan.planning.lattice import SPACING_MM, Lattice
from trajplan.planning.objective import ENOUGH_SIGMAS, TARGET_SCALE_MM, wall_weight
from trajplan.planning.plan import PlanSettings

_STEP_MM = 0.75
_REJECTED = -1e6


@dataclass(frozen=True, eq=False)
class Candidate:
    """A line through an isthmus crossing and a target, both (side * u, v, w) mm, and its score on the lattice."""

    crossing_uvw: FloatArray
    target_uvw: FloatArray
    score: float


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The best candidates, best first (well separated), and how many lines were tried and ruled out and why."""

    best: tuple[Candidate, ...]
    tried: int
    blocked: int
    out_of_angle: int


def search(
    lattice: Lattice,
    crossings_uvw: FloatArray,
    targets_uvw: FloatArray,
    ideal_uvw: FloatArray,
    margin_mm: FloatArray,
    settings: PlanSettings,
    dock_u_mm: float = -np.inf,
    keep: int = 3,
) -> SearchResult:
    """Score all lines through `crossings_uvw` (P, 3) and `targets_uvw` (T, 3).

    Angles are limited as in `settings`; the entry must lie at least `dock_u_mm` from the midline (docking on the
    lateral half of the pedicle).
    """
    scores = _score_all(
        crossings_uvw,
        targets_uvw,
        ideal_uvw,
        lattice.walls,
        lattice.bone,
        lattice.obstacle,
        lattice.pedicle,
        lattice.origin_uvw,
        settings.instrument.radius_mm,
        margin_mm,
        wall_weight(),
        settings.entry_sigma_mm,
        np.radians(settings.angle_sigma_deg),
        np.radians([settings.max_convergence_deg, settings.min_craniocaudal_deg, settings.max_craniocaudal_deg]),
        dock_u_mm,
    )
    best: list[Candidate] = []
    # stable order, so that equal scores are settled the same way on every machine
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        if len(best) == keep or scores.flat[flat] <= _REJECTED:
            break
        i, j = np.unravel_index(int(flat), scores.shape)
        found = Candidate(crossings_uvw[i], targets_uvw[j], float(scores[i, j]))
        if all(
            np.linalg.norm(found.crossing_uvw - b.crossing_uvw) + np.linalg.norm(found.target_uvw - b.target_uvw) > 4
            for b in best
        ):
            best.append(found)
    return SearchResult(
        tuple(best), scores.size, int((scores == _REJECTED).sum()), int((scores == 2 * _REJECTED).sum())
    )


@nb.njit(cache=True, inline="always")
def _at(volume, x, y, z):  # type: ignore[no-untyped-def]
    """Trilinear value of a (nu, nv, nw) array; the border value outside."""
    nx, ny, nz = volume.shape
    x = min(max(x, 0.0), nx - 1.001)
    y = min(max(y, 0.0), ny - 1.001)
    z = min(max(z, 0.0), nz - 1.001)
    i, j, k = int(x), int(y), int(z)
    a, b, c = x - i, y - j, z - k
    return (
        (1 - a) * ((1 - b) * ((1 - c) * volume[i, j, k] + c * volume[i, j, k + 1])
                   + b * ((1 - c) * volume[i, j + 1, k] + c * volume[i, j + 1, k + 1]))
        + a * ((1 - b) * ((1 - c) * volume[i + 1, j, k] + c * volume[i + 1, j, k + 1])
               + b * ((1 - c) * volume[i + 1, j + 1, k] + c * volume[i + 1, j + 1, k + 1]))
    )  # fmt: skip


@nb.njit(cache=True)
def _way_out(crossing, back, bone, obstacle, origin):  # type: ignore[no-untyped-def]
    """Distance from the crossing back to the cortex, and whether the way beyond it is free of bone."""
    out = 0.0
    x, y, z = (crossing - origin) / SPACING_MM
    bx, by, bz = back / SPACING_MM
    while out < 90.0 and _at(bone, x + out * bx, y + out * by, z + out * bz) >= 0.5:
        out += _STEP_MM
    free = True
    s = out + 1.5
    while s < out + 60.0:
        px, py, pz = x + s * bx, y + s * by, z + s * bz
        if px < 0 or py < 0 or pz < 0 or px > bone.shape[0] - 1 or py > bone.shape[1] - 1 or pz > bone.shape[2] - 1:
            break
        if _at(bone, px, py, pz) >= 0.5 or _at(obstacle, px, py, pz) >= 0.5:
            free = False
            break
        s += _STEP_MM
    return out, free


@nb.njit(cache=True)
def _score_line(  # type: ignore[no-untyped-def]
    crossing, target, ideal, walls, bone, obstacle, pedicle, origin, radius, margin, weight, entry_sigma, angle_sigma,
    limits, dock_u,
):  # fmt: skip
    reach = np.sqrt(((crossing - target) ** 2).sum())
    back = (crossing - target) / reach
    convergence = np.arctan2(back[0], back[1])
    craniocaudal = np.arctan2(back[2], np.hypot(back[0], back[1]))
    if abs(convergence) > limits[0] or craniocaudal < limits[1] or craniocaudal > limits[2]:
        return 2 * _REJECTED
    out, free = _way_out(crossing, back, bone, obstacle, origin)
    if not free or out == 0.0 or crossing[0] + out * back[0] < dock_u:
        return _REJECTED
    length = reach + out
    last_pedicle = -1.0
    s = 0.0
    while s <= length:
        p = (target + s * back - origin) / SPACING_MM
        if _at(pedicle, p[0], p[1], p[2]) >= 0.5:
            last_pedicle = s
        s += _STEP_MM
    if last_pedicle < 0:
        return _REJECTED
    worst = 1e9
    s = 0.0
    while s <= length:
        p = (target + s * back - origin) / SPACING_MM
        depth = length - s
        sigma = np.sqrt(entry_sigma**2 + (angle_sigma * depth) ** 2)
        first = 0 if s <= last_pedicle else 6  # the canal is always in play
        for wall in range(first, 7):
            slack = _at(walls[:, :, :, wall], p[0], p[1], p[2]) - radius - margin[wall]
            worst = min(worst, slack / (sigma * weight[wall]))
        if worst < -6.0:
            break
        s += _STEP_MM
    miss2 = ((target - ideal) ** 2).sum()
    return min(worst, ENOUGH_SIGMAS) - miss2 / TARGET_SCALE_MM**2


@nb.njit(cache=True, parallel=True)
def _score_all(  # type: ignore[no-untyped-def]
    crossings, targets, ideal, walls, bone, obstacle, pedicle, origin, radius, margin, weight, entry_sigma, angle_sigma,
    limits, dock_u,
):  # fmt: skip
    out = np.empty((crossings.shape[0], targets.shape[0]))
    for i in nb.prange(crossings.shape[0]):
        for j in range(targets.shape[0]):
            out[i, j] = _score_line(
                crossings[i], targets[j], ideal, walls, bone, obstacle, pedicle, origin, radius, margin, weight,
                entry_sigma, angle_sigma, limits, dock_u,
            )  # fmt: skip
    return out
