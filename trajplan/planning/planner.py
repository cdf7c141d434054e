"""The planner: one trajectory or refusal a side, and the choice of approach."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Capsule, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning import refusals
from trajplan.planning.angles import trocar_angles
from trajplan.planning.breach import breach_probability
from trajplan.planning.check_settings import check_settings
from trajplan.planning.evaluate import gertzbein_robbins, required_margin, summarise
from trajplan.planning.lattice import Lattice, make_lattice
from trajplan.planning.plan import Approach, PlanSettings, Refusal, Trajectory, Verdict
from trajplan.planning.refine import RefinedPath, refine
from trajplan.planning.search import search
from trajplan.planning.skin import SkinWay, through_other_bone, way_from_skin
from trajplan.planning.target import TargetZone, docking_u_mm, target_zone, tip_limits_u_mm
from trajplan.planning.verdict import judge
from trajplan.planning.walls import Wall, wall_field

AUTOMATIC_MASK_MARGIN_MM = 1.0
"""Added to every wall margin when nobody has confirmed the mask: the isthmus of an automatic mask is 0.3-1.7 mm off."""

FINE_MASK_MM = 1.0
"""Labels on voxels up to this put the walls within the guard of the distances."""

COARSE_MASK_SHARE = 0.3
"""Further margin asked for each millimetre of spacing beyond that.

Measured on turned phantoms: 99 of 100 distances to the wall are over-stated by less than 0.3 mm at 1.5 mm, 0.3-0.8 mm
at 2-3 mm and 0.8-1.6 mm at 5 mm of spacing.
"""


@dataclass(frozen=True)
class MaskDoubt:
    """By how much more than the margins a path must keep to be called safe on this mask (mm), and why."""

    extra_mm: float
    why: str


Outcome = tuple[tuple[Trajectory, ...], tuple[Refusal, ...]]


def plan_vertebra(
    ct: Volume,
    vertebra: Vertebra,
    settings: PlanSettings,
    *,
    automatic_mask: bool,
    mask_spacing_mm: float | None = None,
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
    mask_spacing_mm : float, optional
        Largest voxel spacing of the labels or the scan the mask was made on: thick slices leave the walls uncertain, so
        that a further margin is asked before a path is called safe.

    Returns
    -------
    tuple of Trajectory, tuple of Refusal

    Raises
    ------
    InputError
        ``settings_invalid``: a margin, limit or error of `settings` is not a number or below zero.
    """
    check_settings(settings)
    doubt = mask_doubt(automatic_mask, mask_spacing_mm)
    only = {Approach.UNIPEDICULAR_LEFT: Side.LEFT, Approach.UNIPEDICULAR_RIGHT: Side.RIGHT}.get(settings.approach)
    if only is not None:
        progress(0.0, f"{only} path")
        return _split([_plan_side(ct, vertebra, only, "unipedicular", settings, doubt)])
    results = []
    for i, side in enumerate(Side):
        progress(i / 2, f"{side} path")
        results.append(_plan_side(ct, vertebra, side, "bipedicular", settings, doubt))
    planned, refused = _split(results)
    if settings.approach is Approach.AUTO and len(planned) == 1:
        progress(0.9, "one side only: unipedicular")
        alone = _plan_side(ct, vertebra, planned[0].side, "unipedicular", settings, doubt)
        if isinstance(alone, Refusal):
            alone = refusals.only_half_way(alone)
        planned, more = _split([alone])
        refused += more
    return planned, refused


def _split(results: list[Trajectory | Refusal]) -> Outcome:
    return (
        tuple(r for r in results if isinstance(r, Trajectory)),
        tuple(r for r in results if isinstance(r, Refusal)),
    )


def mask_doubt(automatic: bool, spacing_mm: float | None) -> MaskDoubt:
    """What is asked beyond the margins of an automatic mask or coarse labels; the larger of the two."""
    coarse_mm = COARSE_MASK_SHARE * max(0.0, (spacing_mm or 0.0) - FINE_MASK_MM)
    if automatic and coarse_mm <= AUTOMATIC_MASK_MARGIN_MM:
        return MaskDoubt(AUTOMATIC_MASK_MARGIN_MM, "the mask is automatic (error about 1 mm): confirm the contours")
    return MaskDoubt(
        coarse_mm, f"the mask was made on voxels of {spacing_mm or 0.0:.1f} mm: the walls are known no better than that"
    )


def _plan_side(
    ct: Volume, vertebra: Vertebra, side: Side, approach: str, settings: PlanSettings, mask: MaskDoubt
) -> Trajectory | Refusal:
    pedicle = vertebra.pedicles.get(side)
    if pedicle is None:
        return refusals.no_pedicle(vertebra, side, approach)
    try:
        field = wall_field(vertebra, side)
        zone = target_zone(vertebra, side, settings, approach == "unipedicular")
    except AnatomyError as reason:
        return Refusal(side, approach, reason.code, f"{reason}.", reason.numbers)
    margin = required_margin(settings)
    if not len(vertebra.pedicles[side].outline_lps):
        return refusals.no_pedicle(vertebra, side, approach)
    lattice = make_lattice(vertebra, field)
    flip = np.array([side.sign, 1.0, 1.0])
    ideal_uvw = vertebra.frame.to_local(zone.ideal_lps) * flip
    crossings = _crossings(vertebra, side, settings)
    tip_u = tip_limits_u_mm(approach == "unipedicular")
    targets = _targets(ideal_uvw, zone, tip_u)
    dock_u = docking_u_mm(vertebra, side)
    found = search(lattice, crossings, targets, ideal_uvw, margin, settings, dock_u)
    if not found.best:
        return refusals.blocked(side, approach, found.tried, found.blocked, found.out_of_angle)
    refined = [refine(c, vertebra, field, zone, dock_u, margin, settings, tip_u) for c in found.best]
    refined = sorted((r for r in refined if r.allowed), key=lambda r: -r.score)
    if not refined:
        return refusals.no_free_line(side, approach, found.tried)
    first: Trajectory | Refusal | None = None
    for path in refined:
        judged = _judge(ct, vertebra, lattice, side, approach, settings, path, margin, mask, found.tried)
        # a second-best path with a free way in is better than the best one through a rib
        if isinstance(judged, Trajectory) and judged.verdict is not Verdict.UNSAFE:
            return judged
        first = first or judged
    return first or refusals.no_free_line(side, approach, found.tried)


def _way_in(ct: Volume, vertebra: Vertebra, path: Capsule) -> SkinWay:
    """The way from the skin in the CT, and through the other bone that the labels know (it may be soft in the CT)."""
    way = way_from_skin(ct, path.start_lps, path.direction_lps)
    axis_mm, grazed_mm = through_other_bone(
        vertebra.other_bone, vertebra.parts.grid, path.start_lps, path.direction_lps, path.radius_mm
    )
    return dataclasses.replace(way, bone_mm=max(way.bone_mm, axis_mm), grazed_mm=grazed_mm)


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


def _targets(ideal_uvw: FloatArray, zone: TargetZone, tip_u_mm: tuple[float, float]) -> FloatArray:
    """Tips in the anterior third and within `tip_u_mm` of the midline about the ideal one, 2 mm apart, (T, 3)."""
    u = np.arange(-8.0, 8.1, 2.0)
    v = np.arange(-4.0, 8.1, 2.0)
    w = np.arange(-8.0, 8.1, 2.0)
    grid = ideal_uvw + np.stack(np.meshgrid(u, v, w, indexing="ij"), axis=-1).reshape(-1, 3)
    within = (grid[:, 0] >= tip_u_mm[0]) & (grid[:, 0] <= tip_u_mm[1])
    return np.asarray(grid[within & (zone.behind_third_mm(grid[:, 1], grid[:, 2]) <= 1e-6)])


def _judge(
    ct: Volume,
    vertebra: Vertebra,
    lattice: Lattice,
    side: Side,
    approach: str,
    settings: PlanSettings,
    best: RefinedPath,
    margin: FloatArray,
    mask: MaskDoubt,
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
    way = _way_in(ct, vertebra, best.path)
    from_skin, instrument = None, settings.instrument
    if way.skin_lps is not None:
        from_skin = float(np.linalg.norm(best.path.end_lps - way.skin_lps))
        reaching = instrument.reaching(from_skin)
        if reaching is None:
            return refusals.too_long(side, approach, from_skin, settings)
        instrument = reaching
    breach = breach_probability(lattice, vertebra, side, best.path.start_lps, best.path.end_lps, settings)
    verdict, reasons = judge(vertebra, settings, way, float(slack.min()), mask.extra_mm, breach, mask.why)
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
