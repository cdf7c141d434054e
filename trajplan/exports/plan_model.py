"""PlanDocument: the models of plan.json (schema ``trajplan.plan/1``). Names are a contract; unknown fields are ignored.

Lengths are mm, angles degrees, points patient LPS mm. A field that may be unknown is null, never a made-up number.
A new field with a default is additive; a changed meaning raises the number in `SCHEMA`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from trajplan.exports.augmentation_model import AugmentationModel
from trajplan.exports.model_base import Model, Pixel, Vector

SCHEMA: Literal["trajplan.plan/1"] = "trajplan.plan/1"
PLAIN_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"


class SoftwareModel(Model):
    """The program that wrote the document."""

    name: str
    version: str


class FindingModel(Model):
    """One thing found while reading the scan."""

    code: str
    severity: str
    message: str


class InputModel(Model):
    """The scan, by hash. `path_name` is the last path component only: folders may name a patient."""

    path_name: str
    sha256: str
    kind: str
    size_zyx: tuple[int, int, int]
    spacing_zyx_mm: Vector
    findings: tuple[FindingModel, ...]


class FrameModel(Model):
    """Vertebra frame: u patient left, v posterior, w superior (unit vectors, LPS)."""

    origin_lps: Vector
    u: Vector
    v: Vector
    w: Vector


class HeightsModel(Model):
    """Anterior, middle and posterior body height and the loss against the reference."""

    ha_mm: float
    hm_mm: float
    hp_mm: float
    reference_mm: float | None
    loss_percent: float | None
    reference_source: str = ""


class FractureModel(Model):
    """Genant type and grade 0..3."""

    type: str
    genant_grade: int | None


class ConfidenceModel(Model):
    """How far the anatomy can be trusted, 0..1, and what to check by eye."""

    score: float
    values: dict[str, float | None] = Field(default_factory=dict)
    check: tuple[str, ...] = ()


class LimitModel(Model):
    """A published limit that a density lies below."""

    hu: float
    meaning: str
    source: str
    evidence: str


class MeasuresModel(Model):
    """What else is measured of the body.

    `six_points_lps`: anterior, middle and posterior, each superior then inferior; the heights stand on them. Triples
    are anterior, middle, posterior. Angles are + when the front is lower; `bulge_mm` is how far the posterior wall
    stands into the canal; `cleft_ml` is gas.
    """

    frame_source: str
    frame_caution: str
    six_points_lps: tuple[Vector, ...]
    expected_mm: tuple[float, ...] | None
    losses_percent: tuple[float, ...] | None
    wedge_deg: float
    local_kyphosis_deg: float | None
    local_kyphosis_levels: str
    bulge_mm: float | None
    canal_depth_mm: float | None
    cleft_ml: float
    cleft_center_lps: Vector | None
    body_hu_sd: float
    trabecular_ml: float
    body_hu_below: tuple[LimitModel, ...]


class EndplateRingsModel(Model):
    """Outlines of the two end plates, each in its own plane; empty where there is no body."""

    superior_lps: tuple[Vector, ...]
    inferior_lps: tuple[Vector, ...]


class VertebraModel(Model):
    """The measured vertebra."""

    level: str | None
    level_id: int | None
    level_confirmed: bool
    frame: FrameModel
    heights: HeightsModel
    fracture: FractureModel
    body_volume_ml: float
    body_hu: float
    confidence: ConfidenceModel
    source: str = ""
    touches_edge: bool = False
    posterior_wall_lps: tuple[Vector, ...] = ()
    anterior_wall_lps: tuple[Vector, ...] = ()
    measures: MeasuresModel | None = None
    endplates: EndplateRingsModel | None = None


class PedicleModel(Model):
    """One pedicle at its isthmus; the axis points anterior."""

    side: Literal["left", "right"]
    isthmus_center_lps: Vector
    axis_lps: Vector
    width_mm: float
    height_mm: float
    outline_lps: tuple[Vector, ...] = ()


class InstrumentModel(Model):
    """The access instrument."""

    name: str
    outer_diameter_mm: float
    length_mm: float
    diameter_verified: bool = True
    length_verified: bool = True


class AnglesModel(Model):
    """Trocar angles in the vertebra frame: convergence towards the midline +, caudal going forward +."""

    convergence_deg: float
    craniocaudal_deg: float


class ClearanceModel(Model):
    """Instrument surface to wall, negative when crossed. `profile` rows are [depth_mm, clearance_mm].

    `foramen_mm`: front of the articular processes and pars beside the pedicle; `facet_mm`: other bone (the level above,
    ribs), which is not part of `min_mm`.
    """

    min_mm: float
    medial_mm: float | None
    lateral_mm: float | None
    superior_mm: float | None
    inferior_mm: float | None
    anterior_mm: float | None
    endplate_mm: float | None
    canal_mm: float | None
    profile: tuple[tuple[float, float | None], ...]
    foramen_mm: float | None = None
    facet_mm: float | None = None


class BreachModel(Model):
    """Monte-Carlo chance (0..1) of crossing a wall, by direction; `any_low` to `any_high` is the interval of `any`."""

    any: float
    medial: float
    lateral: float
    superior: float
    inferior: float
    samples: int
    entry_sigma_mm: float
    angle_sigma_deg: float
    anterior: float | None = None
    endplate: float | None = None
    foramen: float | None = None
    any_low: float | None = None
    any_high: float | None = None
    worst: str = ""
    respiration_sigma_mm: float = 0.0
    segmentation_sigma_mm: float = 0.0
    execution: str = ""


class SafeConeModel(Model):
    """Largest angular error at the entry that stays inside; azimuth 0 is towards the side, 90 up, at most 15 deg."""

    azimuth_deg: tuple[float, ...]
    angle_deg: tuple[float, ...]
    least_deg: float
    worst: str


class BalloonModel(Model):
    """A balloon that fits at the tip: ellipsoid of diameter x length about the path, `margin_mm` from every cortex.

    `verified` is False where no source was opened for the balloon's sizes; `limit` names the wall that stops it.
    """

    name: str
    verified: bool
    center_lps: Vector
    diameter_mm: float
    length_mm: float
    volume_ml: float
    margin_mm: float
    limit: str
    in_anterior_share: float


class OptionModel(Model):
    """One side and approach that was planned, offered or not; figures are null where it was refused."""

    side: Literal["left", "right"]
    approach: str
    verdict: str
    code: str
    clearance_mm: float | None
    breach: float | None
    midline_mm: float | None
    convergence_deg: float | None
    published: str


class PositionerModel(Model):
    """C-arm angles: LAO + / RAO -, CRA + / CAU -, relative to the patient."""

    primary_deg: float
    secondary_deg: float


class PlaceModel(Model):
    """Where a tip stands: mm in the patient, px on the picture.

    `clock_hours` is around the middle of the pedicle's outline on the AP, 12 towards the head; `out_of_center` the
    share of the way from there to the outline. `medial_border_*`: lateral of the medial pedicle border on the AP +.
    `wall_line_*`: past the posterior wall line that the stages are judged by on the lateral +; `rims_mm`: past the
    line of the rims, which is seen best; `true_wall_mm`: past the wall in space where the tip is. `midline_mm`: from
    the midline towards the path's own side +.
    """

    clock_hours: float
    out_of_center: float
    medial_border_mm: float
    medial_border_px: float
    wall_line_mm: float
    wall_line_px: float
    rims_mm: float
    true_wall_mm: float
    third: str
    midline_mm: float


class BothWaysModel(Model):
    """The taught rule as the views show it and as it is in space.

    Depths at which the tip crosses the medial pedicle border on the AP, is past the posterior rims on the lateral, and
    is past the posterior wall in space; null where it never does. `canal_mm` is the planned clearance to the canal.
    """

    medial_mm: float | None
    line_mm: float | None
    wall_mm: float | None
    canal_mm: float | None
    passed_as_seen: bool
    passed_in_space: bool
    safe_in_space: bool | None
    disagreement: str | None


class StageModel(Model):
    """One depth of the staged rule. `passed` is null when it cannot be judged; pixels are (row, column).

    `margin_px` is the margin on the picture of the view that it was judged on. `passed_in_space` and `space_margin_mm`
    judge the same depth by the true wall and the true border instead of their lines on the views.
    """

    name: str
    depth_mm: float
    passed: bool | None
    margin_mm: float | None
    rule: str
    tip_lps: Vector | None = None
    ap_px: Pixel | None = None
    lateral_px: Pixel | None = None
    margin_px: float | None = None
    passed_in_space: bool | None = None
    space_margin_mm: float | None = None
    place: PlaceModel | None = None


class TrajectoryModel(Model):
    """One planned path; `target_lps` is the tip's end point."""

    side: Literal["left", "right"]
    approach: str
    verdict: Literal["safe", "unsafe", "unknown"]
    reasons: tuple[str, ...]
    instrument: InstrumentModel
    skin_lps: Vector | None
    entry_lps: Vector
    target_lps: Vector
    length_in_bone_mm: float
    length_from_skin_mm: float | None
    angles: AnglesModel
    clearance: ClearanceModel
    gertzbein_robbins: str
    breach_probability: BreachModel
    en_face: PositionerModel
    stages: tuple[StageModel, ...]
    capsule_radius_mm: float | None = None
    candidates_tried: int | None = None
    safe_cone: SafeConeModel | None = None
    balloons: tuple[BalloonModel, ...] = ()
    both_ways: BothWaysModel | None = None
    heary: str = ""
    hu_profile: tuple[tuple[float, float | None], ...] = ()


class RefusalModel(Model):
    """No path, and why. `side` is null when it concerns the whole vertebra or scan."""

    side: Literal["left", "right"] | None
    approach: str
    code: str
    message: str
    numbers: dict[str, float | None]


class ViewModel(PositionerModel):
    """One solved C-arm position and its residuals."""

    isocenter_lps: Vector | None = None
    source_detector_mm: float | None = None
    source_isocenter_mm: float | None = None
    detector_px: tuple[int, int] | None = None
    pixel_mm: float | None = None
    magnification: float | None = None
    residuals: dict[str, float | None] = Field(default_factory=dict)


class ViewsModel(Model):
    """The standard views; null where a view could not be solved or no path exists."""

    ap: ViewModel | None
    lateral: ViewModel | None
    en_face_left: ViewModel | None = None
    en_face_right: ViewModel | None = None
    oblique_left: ViewModel | None = None
    oblique_right: ViewModel | None = None


class ProvenanceModel(Model):
    """What the plan was made from and with."""

    parameters: dict[str, JsonValue]
    parameter_sha256: str
    mask_sha256: str | None
    timings_s: dict[str, float]
    details: dict[str, JsonValue] = Field(default_factory=dict)


class FilesModel(Model):
    """Plain names of files beside plan.json (never a path: it will be opened); null when not written."""

    parts: str | None = Field(default=None, pattern=PLAIN_NAME)
    augmentation: str | None = Field(default=None, pattern=PLAIN_NAME)


class PlanDocument(Model):
    """The whole of plan.json."""

    schema_name: Literal["trajplan.plan/1"] = Field(alias="schema")
    software: SoftwareModel
    disclaimer: str
    created: str
    input: InputModel
    vertebra: VertebraModel | None
    pedicles: tuple[PedicleModel, ...]
    trajectories: tuple[TrajectoryModel, ...]
    refusals: tuple[RefusalModel, ...]
    views: ViewsModel
    provenance: ProvenanceModel
    notes: tuple[str, ...] = ()
    options: tuple[OptionModel, ...] = ()
    files: FilesModel = FilesModel()
    augmentation: AugmentationModel | None = None
