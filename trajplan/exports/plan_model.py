"""PlanDocument: the models of plan.json (schema ``trajplan.plan/1``). Names are a contract; unknown fields are ignored.

Lengths are mm, angles degrees, points patient LPS mm. A field that may be unknown is null, never a made-up number.
A new field with a default is additive; a changed meaning raises the number in `SCHEMA`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from trajplan.exports.augmentation_model import AugmentationModel
from trajplan.exports.model_base import Model, Vector
from trajplan.exports.path_model import OptionModel, RefusalModel, TrajectoryModel
from trajplan.exports.stage_model import PositionerModel
from trajplan.exports.vertebra_model import PedicleModel, VertebraModel

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
