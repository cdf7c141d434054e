"""A path of ``plan.json``: instrument, angles, clearance, chance of breach, balloon, stages; or why there is none."""

from __future__ import annotations

from typing import Literal

from trajplan.exports.model_base import Model, Vector
from trajplan.exports.stage_model import BothWaysModel, PositionerModel, StageModel


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
