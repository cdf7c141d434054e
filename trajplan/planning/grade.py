"""Everything that is said of one path: the way in, the needle, the chance of a breach, the verdict, what fits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.density import hu_along
from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Capsule, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.planning import refusals
from trajplan.planning.angles import trocar_angles
from trajplan.planning.balloon import fit_balloons
from trajplan.planning.breach import breach_probability
from trajplan.planning.cone import safe_cone
from trajplan.planning.evaluate import PathClearance, gertzbein_robbins, summarise
from trajplan.planning.facets import facet_clearance
from trajplan.planning.plan import BalloonFit, PlanSettings, Refusal, SafetyMap, Trajectory, Verdict
from trajplan.planning.reach import reach_caution
from trajplan.planning.routes import Route
from trajplan.planning.safety_map import safety_map
from trajplan.planning.skin import SkinWay, through_other_bone, way_from_skin
from trajplan.planning.verdict import broken_margins, judge
from trajplan.planning.workbench import Bench

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


BESIDE_UNPROVED = (
    "an extrapedicular path is geometry only: rib joint, pleura, nerve and vessels beside the pedicle are not seen"
)
"""Said of each such path. Its clearance is held up by phantom truth and by the re-check; what lies outside the bone
on its way is in no label."""


def mask_doubt(automatic: bool, spacing_mm: float | None) -> MaskDoubt:
    """What is asked beyond the margins of an automatic mask or coarse labels; the larger of the two."""
    coarse_mm = COARSE_MASK_SHARE * max(0.0, (spacing_mm or 0.0) - FINE_MASK_MM)
    if automatic and coarse_mm <= AUTOMATIC_MASK_MARGIN_MM:
        return MaskDoubt(AUTOMATIC_MASK_MARGIN_MM, "the mask is automatic (error about 1 mm): confirm the contours")
    return MaskDoubt(
        coarse_mm, f"the mask was made on voxels of {spacing_mm or 0.0:.1f} mm: the walls are known no better than that"
    )


def grade(
    ct: Volume,
    vertebra: Vertebra,
    settings: PlanSettings,
    route: Route,
    bench: Bench,
    path: Capsule,
    clearance: PathClearance,
    doubt: MaskDoubt,
    margin: FloatArray,
    tried: int = 1,
) -> Trajectory | Refusal:
    """Everything that is said of one path: the way in, needle, chance of breach, verdict; ``too_long`` is refused."""
    way = _way_in(ct, vertebra, path)
    from_skin, instrument = None, settings.instrument
    if way.skin_lps is not None:
        from_skin = float(np.linalg.norm(path.end_lps - way.skin_lps))
        reaching = instrument.reaching(from_skin)
        if reaching is None:
            return refusals.too_long(route.side, route.approach, from_skin, settings)
        instrument = reaching
    breach = breach_probability(
        bench.lattice, vertebra, route.side, path.start_lps, path.end_lps, settings, bench.field.play
    )
    slack = clearance.walls_mm - margin
    verdict, reasons = judge(vertebra, settings, way, float(slack.min()), doubt.extra_mm, breach, doubt.why)
    if route.beside:
        reasons = (BESIDE_UNPROVED, *reasons)
        verdict = Verdict.UNKNOWN if verdict is Verdict.SAFE else verdict
    if slack.min() < 0:
        verdict, reasons = Verdict.UNSAFE, (*broken_margins(clearance, margin), *reasons)
    convergence, craniocaudal = trocar_angles(path.direction_lps, vertebra.frame, route.side)
    reasons = (*reasons, *reach_caution(path.direction_lps, settings))
    facet_mm = facet_clearance(bench.facets_uvw, vertebra, route.side, path)
    return Trajectory(
        side=route.side,
        approach=route.approach,
        verdict=verdict,
        reasons=reasons,
        instrument=instrument,
        skin_lps=way.skin_lps,
        entry_lps=path.start_lps,
        target_lps=path.end_lps,
        length_in_bone_mm=path.length_mm,
        length_from_skin_mm=from_skin,
        convergence_deg=convergence,
        craniocaudal_deg=craniocaudal,
        clearance=dataclasses.replace(summarise(clearance), facet_mm=facet_mm),
        gertzbein_robbins=gertzbein_robbins(clearance),
        breach=breach,
        candidates_tried=tried,
        cone=safe_cone(bench.lattice, vertebra, route.side, path, bench.field.play),
        hu_profile=_hu_along(ct, path),
    )


def with_room(
    path: Trajectory, vertebra: Vertebra, settings: PlanSettings, bench: Bench, safety: SafetyMap | None = None
) -> Trajectory:
    """The path with the balloons that fit at its tip, and the safety map of its side.

    The map is the same for every path of a route; one that was made before may be given.
    """
    route = Route(path.side, path.approach)
    return dataclasses.replace(
        path,
        balloons=_balloons(vertebra, settings, bench, path.capsule),
        safety=safety_map(bench, vertebra, route, settings) if safety is None else safety,
    )


def _balloons(vertebra: Vertebra, settings: PlanSettings, bench: Bench, path: Capsule) -> tuple[BalloonFit, ...]:
    front = float(np.median(vertebra.frame.to_local(vertebra.anterior_wall_lps)[:, 1]))
    back = float(np.median(vertebra.frame.to_local(vertebra.posterior_wall_lps)[:, 1]))
    frame = vertebra.frame
    return fit_balloons(bench.field, path, settings.balloons, front + (back - front) * 2 / 3, frame.v, frame.origin_lps)


def _hu_along(ct: Volume, path: Capsule) -> FloatArray:
    """Depth (mm) and mean HU over the instrument's section, shape (N, 2)."""
    found = hu_along(ct, path.start_lps, path.end_lps, path.radius_mm)
    return np.stack([found.depth_mm, found.hu], axis=1)


def _way_in(ct: Volume, vertebra: Vertebra, path: Capsule) -> SkinWay:
    """The way from the skin in the CT, and through the other bone that the labels know (it may be soft in the CT)."""
    way = way_from_skin(ct, path.start_lps, path.direction_lps)
    axis_mm, grazed_mm = through_other_bone(
        vertebra.other_bone, vertebra.parts.grid, path.start_lps, path.direction_lps, path.radius_mm
    )
    return dataclasses.replace(way, bone_mm=max(way.bone_mm, axis_mm), grazed_mm=grazed_mm)
