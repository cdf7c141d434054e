"""The parts of plan.json, each made from one dataclass."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from trajplan.anatomy.vertebra import Pedicle, Vertebra
from trajplan.exports.measures import measures
from trajplan.exports.path_model import (
    AnglesModel,
    BalloonModel,
    BreachModel,
    ClearanceModel,
    InstrumentModel,
    OptionModel,
    SafeConeModel,
    TrajectoryModel,
)
from trajplan.exports.plain import UNIT_DIGITS, numbers, optional, pixel, points, required, rounded, vector
from trajplan.exports.plan_model import FindingModel, InputModel, ViewModel
from trajplan.exports.stage_model import BothWaysModel, PlaceModel, PositionerModel, StageModel
from trajplan.exports.vertebra_model import (
    ConfidenceModel,
    EndplateRingsModel,
    FractureModel,
    FrameModel,
    HeightsModel,
    PedicleModel,
    VertebraModel,
)
from trajplan.fluoroscopy.carm import angles_of_beam
from trajplan.fluoroscopy.lines import endplate_ring
from trajplan.fluoroscopy.views import SolvedView
from trajplan.parts import Side
from trajplan.planning.advice import Option
from trajplan.planning.heary import heary_grade
from trajplan.planning.plan import BalloonFit, Breach, Clearance, SafeCone, Trajectory
from trajplan.reading.scan import Scan
from trajplan.verification.both_ways import BothWays
from trajplan.verification.place import Place
from trajplan.verification.stages import Stage


def side_name(side: Side | None) -> Literal["left", "right"] | None:
    """``left``, ``right`` or None."""
    if side is None:
        return None
    return "left" if side is Side.LEFT else "right"


def _side(side: Side) -> Literal["left", "right"]:
    return "left" if side is Side.LEFT else "right"


def scan_input(scan: Scan) -> InputModel:
    """The scan by name, hash and stored geometry."""
    depth, rows, columns = (int(n) for n in scan.size_zyx)
    return InputModel(
        path_name=scan.path_name,
        sha256=scan.sha256,
        kind=scan.kind,
        size_zyx=(depth, rows, columns),
        spacing_zyx_mm=vector(scan.spacing_zyx_mm, "input.spacing_zyx_mm", 6),
        findings=tuple(FindingModel(code=f.code, severity=f.severity, message=f.message) for f in scan.findings),
    )


def vertebra(v: Vertebra) -> VertebraModel:
    """Level, frame, heights, fracture, density and confidence."""
    frame = {
        name: vector(axis, f"vertebra.frame.{name}", UNIT_DIGITS)
        for name, axis in (("u", v.frame.u), ("v", v.frame.v), ("w", v.frame.w))
    }
    h = v.heights
    return VertebraModel(
        level=v.level,
        level_id=v.level_id,
        level_confirmed=v.level_confirmed,
        frame=FrameModel(origin_lps=vector(v.frame.origin_lps, "vertebra.frame.origin_lps"), **frame),
        heights=HeightsModel(
            ha_mm=required(h.ha_mm, "vertebra.heights.ha_mm"),
            hm_mm=required(h.hm_mm, "vertebra.heights.hm_mm"),
            hp_mm=required(h.hp_mm, "vertebra.heights.hp_mm"),
            reference_mm=optional(h.reference_mm),
            loss_percent=optional(h.loss_percent),
            reference_source=h.reference_source,
        ),
        fracture=FractureModel(type=v.fracture.type, genant_grade=v.fracture.genant_grade),
        body_volume_ml=required(v.body_volume_ml, "vertebra.body_volume_ml"),
        body_hu=required(v.body_hu, "vertebra.body_hu", 2),
        confidence=ConfidenceModel(
            score=required(v.confidence.score, "vertebra.confidence.score"),
            values=numbers(v.confidence.values),
            check=tuple(v.confidence.check),
        ),
        source=v.source,
        touches_edge=bool(v.touches_edge),
        posterior_wall_lps=points(v.posterior_wall_lps, "vertebra.posterior_wall_lps"),
        anterior_wall_lps=points(v.anterior_wall_lps, "vertebra.anterior_wall_lps"),
        measures=measures(v),
        endplates=EndplateRingsModel(
            superior_lps=points(endplate_ring(v, v.superior), "vertebra.endplates.superior_lps"),
            inferior_lps=points(endplate_ring(v, v.inferior), "vertebra.endplates.inferior_lps"),
        ),
    )


def pedicle(p: Pedicle) -> PedicleModel:
    """One pedicle at its isthmus."""
    return PedicleModel(
        side=_side(p.side),
        isthmus_center_lps=vector(p.isthmus_center_lps, "pedicles.isthmus_center_lps"),
        axis_lps=vector(p.axis_lps, "pedicles.axis_lps", UNIT_DIGITS),
        width_mm=required(p.width_mm, "pedicles.width_mm"),
        height_mm=required(p.height_mm, "pedicles.height_mm"),
        outline_lps=points(p.outline_lps, "pedicles.outline_lps"),
    )


def trajectory(
    t: Trajectory, stages: tuple[Stage, ...], en_face: SolvedView | None, both: BothWays | None = None
) -> TrajectoryModel:
    """One path with its stages; without a solved en-face view its angles are those of the path itself."""
    angles = (
        angles_of_beam(t.direction_lps) if en_face is None else (en_face.carm.primary_deg, en_face.carm.secondary_deg)
    )
    where = f"trajectories.{t.side.value}"
    return TrajectoryModel(
        side=_side(t.side),
        approach=str(t.approach),
        verdict=t.verdict.value,
        reasons=tuple(t.reasons),
        instrument=InstrumentModel(
            name=t.instrument.name,
            outer_diameter_mm=rounded(t.instrument.outer_diameter_mm),
            length_mm=rounded(t.instrument.length_mm),
            diameter_verified=t.instrument.diameter_verified,
            length_verified=t.instrument.length_verified,
        ),
        skin_lps=None if t.skin_lps is None else vector(t.skin_lps, f"{where}.skin_lps"),
        entry_lps=vector(t.entry_lps, f"{where}.entry_lps"),
        target_lps=vector(t.target_lps, f"{where}.target_lps"),
        length_in_bone_mm=required(t.length_in_bone_mm, f"{where}.length_in_bone_mm"),
        length_from_skin_mm=optional(t.length_from_skin_mm),
        angles=AnglesModel(
            convergence_deg=required(t.convergence_deg, f"{where}.angles.convergence_deg"),
            craniocaudal_deg=required(t.craniocaudal_deg, f"{where}.angles.craniocaudal_deg"),
        ),
        clearance=_clearance(t.clearance, where),
        gertzbein_robbins=t.gertzbein_robbins,
        breach_probability=_breach(t.breach, where),
        en_face=PositionerModel(primary_deg=rounded(angles[0]), secondary_deg=rounded(angles[1])),
        stages=tuple(stage(s) for s in stages),
        capsule_radius_mm=rounded(t.instrument.radius_mm),
        candidates_tried=int(t.candidates_tried),
        safe_cone=None if t.cone is None else _cone(t.cone),
        balloons=tuple(_balloon(b) for b in t.balloons),
        both_ways=None if both is None else both_ways(both),
        heary=heary_grade(t.clearance),
        hu_profile=()
        if t.hu_profile is None
        else tuple((rounded(float(d)), optional(float(h))) for d, h in t.hu_profile),
    )


def option(o: Option) -> OptionModel:
    """One side and approach that was planned."""
    return OptionModel(
        side=_side(o.side),
        approach=o.approach,
        verdict=o.verdict,
        code=o.code,
        clearance_mm=optional(o.clearance_mm),
        breach=optional(o.breach),
        midline_mm=optional(o.midline_mm),
        convergence_deg=optional(o.convergence_deg),
        published=o.published,
    )


def _cone(c: SafeCone) -> SafeConeModel:
    return SafeConeModel(
        azimuth_deg=tuple(rounded(float(a)) for a in c.azimuth_deg),
        angle_deg=tuple(rounded(float(a)) for a in c.angle_deg),
        least_deg=rounded(c.least_deg),
        worst=c.worst,
    )


def _balloon(b: BalloonFit) -> BalloonModel:
    return BalloonModel(
        name=b.balloon.name,
        verified=b.balloon.verified,
        center_lps=vector(b.center_lps, "balloons.center_lps"),
        diameter_mm=rounded(b.diameter_mm),
        length_mm=rounded(b.length_mm),
        volume_ml=rounded(b.volume_ml),
        margin_mm=rounded(b.margin_mm),
        limit=b.limit,
        in_anterior_share=rounded(b.in_anterior_share),
    )


def stage(s: Stage) -> StageModel:
    """One depth of the staged rule."""
    return StageModel(
        name=s.name,
        depth_mm=required(s.depth_mm, f"stages.{s.name}.depth_mm"),
        passed=None if s.passed is None else bool(s.passed),
        margin_mm=optional(s.margin_mm),
        rule=s.rule,
        tip_lps=vector(s.tip_lps, f"stages.{s.name}.tip_lps"),
        ap_px=pixel(s.ap_px),
        lateral_px=pixel(s.lateral_px),
        margin_px=optional(s.margin_px),
        passed_in_space=None if s.passed_in_space is None else bool(s.passed_in_space),
        space_margin_mm=optional(s.space_margin_mm),
        place=None if s.place is None else place(s.place),
    )


def place(p: Place) -> PlaceModel:
    """Where a tip stands on both views and against the true wall."""
    facts = {name: value if isinstance(value, str) else rounded(value) for name, value in asdict(p).items()}
    return PlaceModel.model_validate(facts)


def both_ways(b: BothWays) -> BothWaysModel:
    """The taught rule as seen and in space."""
    return BothWaysModel(
        medial_mm=optional(b.medial_mm),
        line_mm=optional(b.line_mm),
        wall_mm=optional(b.wall_mm),
        canal_mm=optional(b.canal_mm),
        passed_as_seen=bool(b.passed_as_seen),
        passed_in_space=bool(b.passed_in_space),
        safe_in_space=None if b.safe_in_space is None else bool(b.safe_in_space),
        disagreement=b.disagreement(),
    )


def view(solved: SolvedView) -> ViewModel:
    """One C-arm position, enough to rebuild the camera."""
    c = solved.carm
    rows, columns = (int(n) for n in c.detector_px)
    return ViewModel(
        primary_deg=rounded(c.primary_deg),
        secondary_deg=rounded(c.secondary_deg),
        isocenter_lps=vector(c.isocenter_lps, f"views.{solved.name}.isocenter_lps"),
        source_detector_mm=rounded(c.source_detector_mm),
        source_isocenter_mm=rounded(c.source_isocenter_mm),
        detector_px=(rows, columns),
        pixel_mm=rounded(c.pixel_mm, 6),
        magnification=rounded(c.magnification, 6),
        residuals=numbers(solved.residuals),
    )


def _clearance(c: Clearance, where: str) -> ClearanceModel:
    return ClearanceModel(
        min_mm=required(c.min_mm, f"{where}.clearance.min_mm"),
        medial_mm=optional(c.medial_mm),
        lateral_mm=optional(c.lateral_mm),
        superior_mm=optional(c.superior_mm),
        inferior_mm=optional(c.inferior_mm),
        anterior_mm=optional(c.anterior_mm),
        endplate_mm=optional(c.endplate_mm),
        canal_mm=optional(c.canal_mm),
        profile=tuple(
            (required(float(depth), f"{where}.clearance.profile"), optional(float(mm))) for depth, mm in c.profile
        ),
        foramen_mm=optional(c.foramen_mm),
        facet_mm=optional(c.facet_mm),
    )


def _breach(b: Breach, where: str) -> BreachModel:
    chance = {
        name: required(float(getattr(b, name)), f"{where}.breach_probability.{name}", 6)
        for name in ("any", "medial", "lateral", "superior", "inferior", "anterior", "endplate", "foramen")
    }
    return BreachModel(
        **chance,
        samples=int(b.samples),
        entry_sigma_mm=rounded(b.entry_sigma_mm),
        angle_sigma_deg=rounded(b.angle_sigma_deg),
        any_low=optional(b.any_low),
        any_high=optional(b.any_high),
        worst=b.worst,
        respiration_sigma_mm=rounded(b.respiration_sigma_mm),
        segmentation_sigma_mm=rounded(b.segmentation_sigma_mm),
        execution=b.execution,
    )
