"""The vertebra of ``plan.json``: frame, heights, measures, confidence, pedicles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trajplan.exports.model_base import Model, Vector


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
