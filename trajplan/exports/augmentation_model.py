"""The augmentation block of plan.json: instruments, balloons, height, cement, leak findings, candidacy facts."""

from __future__ import annotations

from typing import Literal

from trajplan.exports.model_base import Model, Vector

Heights = tuple[float, float, float]
"""Anterior, middle, posterior, mm."""


class PublishedModel(Model):
    """A published figure; `evidence` is ``read``, ``secondary``, ``derived``, ``unverified`` or ``proposed``."""

    text: str
    source: str
    evidence: str


class SequenceStepModel(Model):
    """One instrument in place. `from_skin_mm` is the depth mark from the skin, `from_hub_mm` the shaft left outside."""

    name: str
    instrument: str
    tip_lps: Vector
    depth_mm: float
    from_skin_mm: float | None
    from_hub_mm: float | None
    rule: PublishedModel


class SequenceModel(Model):
    """The instruments along one path; `balloon` is null where none fits."""

    side: Literal["left", "right"]
    steps: tuple[SequenceStepModel, ...]
    cannula: str
    cannula_outer_diameter_mm: float
    cannula_clearance_mm: float
    drill: str
    balloon: str | None
    warnings: tuple[str, ...]


class EnvelopeModel(Model):
    """A balloon's surface: radii (slices x angles) about an axis. `axes_lps` rows: two across, then the axis; slice k
    is ``z_mm[k]`` along it from `center_lps`, angle j is ``2 pi j / M`` from the first to the second."""

    center_lps: Vector
    axes_lps: tuple[Vector, Vector, Vector]
    z_mm: tuple[float, ...]
    radius_mm: tuple[tuple[float, ...], ...]


class InflationStepModel(Model):
    """The balloon at one volume; distances to walls in mm, negative where an end plate has been lifted past."""

    volume_ml: float
    diameter_mm: float
    length_mm: float
    cavity_ml: float
    nearest_mm: dict[str, float | None]
    contact: tuple[str, ...]


class InflationModel(Model):
    """One balloon up to where it is stopped; `envelope` is its last step."""

    side: Literal["left", "right"]
    balloon: str
    verified: bool
    stop: str
    why: str
    strict_ml: float | None
    steps: tuple[InflationStepModel, ...]
    envelope: EnvelopeModel


class ShapeModel(Model):
    """Heights and sagittal angles of a body, + when the front is lower."""

    heights_mm: Heights
    wedge_deg: float
    local_kyphosis_deg: float | None


class RestorationStepModel(Model):
    """The body at one filling volume of all balloons together."""

    volume_ml: float
    heights_mm: Heights
    wedge_deg: float
    lifted_ml: float


class RestorationModel(Model):
    """Heights before, and predicted with the balloons inflated: an upper bound. `kept` is what is published."""

    before: ShapeModel
    predicted: ShapeModel
    expected_mm: Heights
    failed: str
    steps: tuple[RestorationStepModel, ...]
    kept: tuple[PublishedModel, ...]


class CementModel(Model):
    """The fill; `planned_ml` is `fill_ml` or the bound where that is less; shares of it are 0..1.

    Where it lies is in the label file `files.augmentation`.
    """

    cavity_ml: float
    fill_ml: float
    planned_ml: float
    held_back_ml: float
    body_share: float
    restored_share: float
    cap_ml: float
    touches: tuple[str, ...]
    posterior_wall_mm: float | None
    stop_line_lps: tuple[Vector, Vector]
    published: tuple[PublishedModel, ...]


class LeakModel(Model):
    """Something cement may leak by; `present` is null where it could not be judged. No probability."""

    code: str
    present: bool | None
    text: str
    at_lps: Vector | None
    value: float | None
    unit: str
    published: PublishedModel | None


class CriterionModel(Model):
    """A published criterion: it `speaks` ``for``, ``against``, ``neither``, or is ``blank``."""

    name: str
    speaks: str
    because: str
    published: PublishedModel


class CandidacyModel(Model):
    """Facts beside each other; no recommendation."""

    entered: tuple[tuple[str, str], ...]
    measured: tuple[tuple[str, str], ...]
    criteria: tuple[CriterionModel, ...]
    disagreements: tuple[PublishedModel, ...]


class AugmentationModel(Model):
    """What follows access. Nothing of it is advice, and no verdict depends on it."""

    settings: dict[str, float | bool | str | None]
    sequences: tuple[SequenceModel, ...]
    inflations: tuple[InflationModel, ...]
    restoration: RestorationModel | None
    cement: CementModel | None
    leaks: tuple[LeakModel, ...]
    candidacy: CandidacyModel
    notes: tuple[str, ...]
