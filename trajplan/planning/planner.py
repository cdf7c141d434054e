"""The planner: one trajectory or refusal a side, and the choice of approach."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning import refusals
from trajplan.planning.angles import trocar_angles
from trajplan.planning.breach import breach_probability
from trajplan.planning.evaluate import gertzbein_robbins, required_margin, summarise
from trajplan.planning.lattice import Lattice, make_lattice
from trajplan.planning.plan import Approach, PlanSettings, Refusal, Trajectory, Verdict
from trajplan.planning.refine import RefinedPath, refine
from trajplan.planning.search import search
from trajplan.planning.skin import way_from_skin
from trajplan.planning.target import TargetZone, docking_u_mm, target_zone
from trajplan.planning.verdict import judge
from trajplan.planning.walls import Wall, wall_field

AUTOMATIC_MASK_MARGIN_MM = 1.0
"""Added to every wall margin when nobody has confirmed the mask: the isthmus of an automatic mask is 0.3-1.7 mm off."""

Outcome = tuple[tuple[Trajectory, ...], tuple[Refusal, ...]]


def plan_vertebra(
    ct: Volume,
    vertebra: Vertebra,
    settings: PlanSettings,
    *,
    automatic_mask: bool,
    progress: Callable[[float, str], None] = lambda _fraction, _what: None,
) -> Outcome:
    """Plan the approach asked for.

    ``auto`` and ``bipedicular`` try both sides with tips half-way to the midline. When ``auto`` finds only one side
    feasible it plans that side again with its tip near the midline (unipedicular).

    Parameters
    ----------
    ct : Volume
        Canonical CT that holds the vertebra; also searched for skin and bone on the way.
    automatic_mask : bool
        The mask came from a segmentation nobody has confirmed: a further margin is asked.

    Returns
    -------
    tuple of Trajectory, tuple of Refusal
    """
    only = {Approach.UNIPEDICULAR_LEFT: Side.LEFT, Approach.UNIPEDICULAR_RIGHT: Side.RIGHT}.get(settings.approach)
    if only is not None:
        progress(0.0, f"{only} path")
        return _split([_plan_side(ct, vertebra, only, "unipedicular", settings, automatic_mask)])
    results = []
    for i, side in enumerate(Side):
        progress(i / 2, f"{side} path")
        results.append(_plan_side(ct, vertebra, side, "bipedicular", settings, automatic_mask))
    planned, refused = _split(results)
    if settings.approach is Approach.AUTO and len(planned) == 1:
        progress(0.9, "one side only: unipedicular")
        alone = _plan_side(ct, vertebra, planned[0].side, "unipedicular", settings, automatic_mask)
        planned, more = _split([alone])
        refused += more
    return planned, refused


def _split(results: list[Trajectory | Refusal]) -> Outcome:
    return (
        tuple(r for r in results if isinstance(r, Trajectory)),
        tuple(r for r in results if isinstance(r, Refusal)),
    )


def _plan_side(
    ct: Volume, vertebra: Vertebra, side: Side, approach: str, settings: PlanSettings, automatic_mask: bool
) -> Trajectory | Refusal:
    pedicle = vertebra.pedicles.get(side)
    if pedicle is None:
        return refusals.no_pedicle(vertebra, side, approach)
    extra = AUTOMATIC_MASK_MARGIN_MM if automatic_mask else 0.0
    try:
        field = wall_field(vertebra, side)
        zone = target_zone(vertebra, side, settings, approach == "unipedicular")
    except AnatomyError as reason:
        return Refusal(side, approach, reason.code, f"{reason}.", reason.numbers)
    margin = required_margin(settings)
    lattice = make_lattice(vertebra, field)
    flip = np.array([side.sign, 1.0, 1.0])
    ideal_uvw = vertebra.frame.to_local(zone.ideal_lps) * flip
    crossings = _crossings(vertebra, side, settings)
    targets = _targets(ideal_uvw, zone, approach == "unipedicular")
    dock_u = docking_u_mm(vertebra, side)
    found = search(lattice, crossings, targets, ideal_uvw, margin, settings, dock_u)
    if not found.best:
        return refusals.blocked(side, approach, found.tried, found.blocked, found.out_of_angle)
    refined = [refine(c, vertebra, field, zone, dock_u, margin, settings) for c in found.best]
    refined.sort(key=lambda r: -r.score)
    judged = [
        _judge(ct, vertebra, lattice, side, approach, settings, path, margin, extra, found.tried) for path in refined
    ]
    # a second-best path with a free way in is better than the best one through a rib
    free = (t for t in judged if isinstance(t, Trajectory) and t.verdict is not Verdict.UNSAFE)
    return next(free, judged[0])


def _crossings(vertebra: Vertebra, side: Side, settings: PlanSettings) -> FloatArray:
    """Points of the isthmus section, 0.75 mm apart, as (side * u, v, w); shape (P, 3)."""
    pedicle = vertebra.pedicles[side]
    center = vertebra.frame.to_local(pedicle.isthmus_center_lps) * np.array([side.sign, 1.0, 1.0])
    half_u = max(pedicle.width_mm / 2 - settings.instrument.radius_mm / 2, 0.75)
    half_w = max(pedicle.height_mm / 2 - settings.instrument.radius_mm / 2, 0.75)
    step = 0.75
    u = np.arange(-np.ceil(half_u / step), np.ceil(half_u / step) + 1) * step
    w = np.arange(-np.ceil(half_w / step), np.ceil(half_w / step) + 1) * step
    uu, ww = np.meshgrid(u, w, indexing="ij")
    keep = (uu / half_u) ** 2 + (ww / half_w) ** 2 <= 1.05
    return np.asarray(center + np.stack([uu[keep], np.zeros(keep.sum()), ww[keep]], axis=1))


def _targets(ideal_uvw: FloatArray, zone: TargetZone, unipedicular: bool) -> FloatArray:
    """Tips in the anterior third about the ideal one, 2 mm apart, (T, 3); unipedicular ones keep to the midline."""
    reach_u = 4.0 if unipedicular else 8.0
    u = np.arange(-reach_u, reach_u + 0.1, 2.0)
    v = np.arange(-4.0, 8.1, 2.0)
    w = np.arange(-8.0, 8.1, 2.0)
    grid = ideal_uvw + np.stack(np.meshgrid(u, v, w, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(grid[zone.behind_third_mm(grid[:, 1], grid[:, 2]) <= 1e-6])


def _judge(
    ct: Volume,
    vertebra: Vertebra,
    lattice: Lattice,
    side: Side,
    approach: str,
    settings: PlanSettings,
    best: RefinedPath,
    margin: FloatArray,
    extra_mm: float,
    tried: int,
) -> Trajectory | Refusal:
    """Hard limits first (refusal), then the verdict with its reasons."""
    slack = best.clearance.walls_mm - margin
    depth_index, wall_index = np.unravel_index(int(np.argmin(slack)), slack.shape)
    wall = Wall(int(wall_index))
    if slack.min() < 0:
        pedicle = vertebra.pedicles[side]
        narrow = pedicle.width_mm < refusals.needed_width_mm(settings, 0.0)
        if narrow and wall in (Wall.MEDIAL, Wall.LATERAL, Wall.CANAL):
            return refusals.too_narrow(pedicle, approach, settings, 0.0)
        return refusals.no_margin(
            side,
            approach,
            wall,
            float(best.clearance.walls_mm[depth_index, wall_index]),
            float(margin[wall]),
            float(best.clearance.depth_mm[depth_index]),
            tried,
        )
    way = way_from_skin(ct, best.path.start_lps, best.path.direction_lps)
    from_skin, instrument = None, settings.instrument
    if way.skin_lps is not None:
        from_skin = float(np.linalg.norm(best.path.end_lps - way.skin_lps))
        reaching = instrument.reaching(from_skin)
        if reaching is None:
            return refusals.too_long(side, approach, from_skin, settings)
        instrument = reaching
    breach = breach_probability(lattice, vertebra, side, best.path.start_lps, best.path.end_lps, settings)
    verdict, reasons = judge(vertebra, settings, way, float(slack.min()), extra_mm, breach)
    convergence, craniocaudal = trocar_angles(best.path.direction_lps, vertebra.frame, side)
    return Trajectory(
        side=side,
        approach=approach,
        verdict=verdict,
        reasons=reasons,
        instrument=instrument,
        skin_lps=way.skin_lps,
        entry_lps=best.path.start_lps,
        target_lps=best.path.end_lps,
        length_in_bone_mm=best.path.length_mm,
        length_from_skin_mm=from_skin,
        convergence_deg=convergence,
        craniocaudal_deg=craniocaudal,
        clearance=summarise(best.clearance),
        gertzbein_robbins=gertzbein_robbins(best.clearance),
        breach=breach,
        candidates_tried=tried,
    )
