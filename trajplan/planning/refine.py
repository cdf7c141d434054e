"""Continuous refinement of lattice candidates on the wall samples themselves, and the exact clearance of the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import AnyArray, FloatArray, unit
from trajplan.planning.climb import TOLERANCE, Problem, climb, line_of
from trajplan.planning.evaluate import PathClearance, path_clearance
from trajplan.planning.kernels import way_back
from trajplan.planning.lattice import FACET, index_of_side
from trajplan.planning.objective import sigmas, wall_weight
from trajplan.planning.packing import pack
from trajplan.planning.plan import PlanSettings
from trajplan.planning.search import Candidate, Lines
from trajplan.planning.walls import Wall, WallField

EVALUATIONS = 300
FROM_BEHIND = 3
"""Start of play of other bone: from 40 mm behind the entry."""

_STARTS = 7
_BESIDE_MM = np.array([
    [0.5, 0.8, 0.0, 0.0, 0.8], [-0.5, -0.8, 0.0, 0.0, -0.8], [0.5, -0.8, 0.0, 1.0, -0.8], [-0.5, 0.8, 0.0, 1.0, 0.8],
    [0.0, 0.0, 1.5, 1.0, 1.5], [0.0, 0.0, -1.5, 1.0, -1.5],
])  # fmt: skip
"""Further starts beside the best candidate where it does not keep its margins on the lattice: crossing (u, w) and
target (u, v, w). One climb alone may stop on a ridge between two walls, and call a side too narrow that is not."""

_KEPT = 6
_SAME_MM = 0.4
_NEAR_MM = 17.0
"""Samples farther than this from the middle of the corridor touch no score."""


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


def dorsal_entry(field: WallField, vertebra: Vertebra, crossing_lps: FloatArray, back_lps: FloatArray) -> FloatArray:
    """Where a line through the isthmus leaves the bone going back (unit `back_lps`), LPS mm, to 0.03 mm."""
    to_index, at_index = index_of_side(field, vertebra)
    flip = np.array([field.side.sign, 1.0, 1.0])
    start = vertebra.frame.to_local(crossing_lps) * flip
    back = vertebra.frame.direction_to_local(back_lps) * flip
    out = way_back(field.bone_field, to_index, at_index, start, back)
    return np.asarray(crossing_lps + out * back_lps)


def problem_of(
    vertebra: Vertebra,
    field: WallField,
    facets_uvw: FloatArray,
    lines: Lines,
    margin_mm: FloatArray,
    settings: PlanSettings,
) -> Problem:
    """The objective of one side and route for the compiled search.

    Parameters
    ----------
    facets_uvw : ndarray, shape (N, 3)
        Samples of the surface of other bone, (side * u, v, w): coming near it costs, touching it is no limit.
    """
    to_index, at_index = index_of_side(field, vertebra)
    samples = np.concatenate([field.samples_uvw, facets_uvw])
    kinds = np.r_[field.kinds, np.full(len(facets_uvw), FACET)]
    middle = lines.crossings_uvw.mean(axis=0)
    along = unit(lines.ideal_uvw - middle)
    t = np.clip((samples - middle) @ along, -60.0, float((lines.ideal_uvw - middle) @ along) + 8.0)
    near = np.linalg.norm(samples - middle - t[:, None] * along, axis=1) < _NEAR_MM
    radius, guard = settings.instrument.radius_mm, field.distances[Wall.CANAL].guard_mm
    return Problem(
        bone=field.bone_field,
        zone=field.zone_field,
        to_index=to_index,
        at_index=at_index,
        **pack(samples[near], kinds[near])._asdict(),
        start=np.array([*field.play.start, FROM_BEHIND]),
        late_mm=float(field.play.late_mm),
        taken=np.r_[margin_mm, 0.0] + radius + guard,
        weight=np.r_[wall_weight(), 1.0],
        entry_sigma=sigmas(settings)[0],
        angle_sigma=sigmas(settings)[1],
        reach=float(field.distances[Wall.CANAL].reach_mm),
        crossing_v=float(middle[1]),
        ideal=np.asarray(lines.ideal_uvw, dtype=np.float64),
        third=np.array([lines.slope, lines.offset]),
        tip_u=np.array(lines.tip_u_mm, dtype=np.float64),
        dock_u=float(lines.dock_u_mm),
        limits_deg=np.array(
            [settings.max_convergence_deg, settings.min_craniocaudal_deg, settings.max_craniocaudal_deg]
        ),
    )


def refine(
    candidates: tuple[Candidate, ...],
    vertebra: Vertebra,
    field: WallField,
    problem: Problem,
    radius_mm: float,
) -> list[RefinedPath]:
    """Maximise the score over the crossing (u, w) and the target (u, v, w) from every candidate; best first."""
    if not candidates:
        return []
    given = np.array([[c.crossing_uvw[0], c.crossing_uvw[2], *c.target_uvw] for c in candidates])
    short = candidates[0].score < 0
    starts = np.concatenate([given, given[0] + _BESIDE_MM[: max(_STARTS - len(given), 0)]]) if short else given
    found, losses = climb(starts, problem, EVALUATIONS)
    kept: list[AnyArray] = []
    for i in np.argsort(losses, kind="stable"):
        if len(kept) == _KEPT:
            break
        # several candidates climb to one optimum: it is judged once
        if all(np.abs(found[i] - found[j]).max() > _SAME_MM for j in kept):
            kept.append(i)
    return [_exact(found[i], float(losses[i]), vertebra, field, problem, radius_mm) for i in kept]


def _exact(
    x: AnyArray, value: float, vertebra: Vertebra, field: WallField, problem: Problem, radius_mm: float
) -> RefinedPath:
    flip = np.array([field.side.sign, 1.0, 1.0])
    entry, _, _, over = line_of(x, problem)
    path = Capsule(vertebra.frame.to_world(entry * flip), vertebra.frame.to_world(x[2:] * flip), radius_mm)
    clearance = path_clearance(field, path)
    missed = bool(np.isneginf(clearance.walls_mm).any())
    return RefinedPath(path, clearance, -value, over <= TOLERANCE and not missed)
