"""CaseDocument: the model of ``case.json`` inside a ``.trajplan`` file (schema ``trajplan.case/1``).

Lengths are mm, points patient LPS mm. Unknown fields are ignored; a changed meaning raises the number in `CASE_SCHEMA`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from trajplan.exports.model_base import Model, Vector
from trajplan.exports.plan_model import InputModel, SoftwareModel
from trajplan.exports.vertebra_model import ConfidenceModel

CASE_SCHEMA: Literal["trajplan.case/1"] = "trajplan.case/1"


class AskedModel(Model):
    """What a person chose. `labels_*` are null where the vertebra was segmented by `backend`."""

    level: str | None
    seed_lps: Vector | None
    backend: str
    labels_source: str | None
    labels_sha256: str | None
    confirmed_mask: str | None


class KeptModel(Model):
    """What is known of ``mask.nrrd``: a back-end's labels of one vertebra (`label_id`), before it was measured."""

    label_id: int
    level: str | None
    level_confirmed: bool
    source: str
    confidence: ConfidenceModel
    notes: tuple[str, ...]
    provenance: dict[str, JsonValue]
    spacing_mm: float | None
    made_by: dict[str, JsonValue]


class MovedModel(Model):
    """Where a person has put a path."""

    entry_lps: Vector
    target_lps: Vector


class CaseDocument(Model):
    """The whole of case.json. `files` are the other files of the case by name, with their SHA-256."""

    schema_name: Literal["trajplan.case/1"] = Field(alias="schema")
    software: SoftwareModel
    disclaimer: str
    created: str
    input: InputModel
    asked: AskedModel
    parameters: dict[str, JsonValue]
    parameter_sha256: str
    kept: KeptModel | None
    moved: dict[Literal["left", "right"], MovedModel]
    files: dict[str, str]
