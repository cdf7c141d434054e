"""The parts of case.json, made from a case and turned back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from pydantic import JsonValue

from trajplan import DISCLAIMER, __version__
from trajplan.anatomy.backend import LabelResult
from trajplan.anatomy.vertebra import Confidence
from trajplan.case import settings_parameters
from trajplan.edited import Ends
from trajplan.exports.case_model import CASE_SCHEMA, AskedModel, CaseDocument, KeptModel, MovedModel
from trajplan.exports.plain import numbers, plain
from trajplan.exports.plan_json import parameters_sha256
from trajplan.exports.plan_model import SoftwareModel
from trajplan.exports.saved_case import SavedCase
from trajplan.exports.vertebra_model import ConfidenceModel
from trajplan.geometry import LabelMap
from trajplan.kept import Kept
from trajplan.parts import Side


def document_of(case: SavedCase, files: Mapping[str, str]) -> CaseDocument:
    """case.json of a case whose other files have these hashes."""
    parameters = json.loads(json.dumps(settings_parameters(case.settings), allow_nan=False))
    return CaseDocument(
        schema=CASE_SCHEMA,
        software=SoftwareModel(name="trajplan", version=__version__),
        disclaimer=DISCLAIMER,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        input=case.scan,
        asked=AskedModel(
            level=case.level,
            seed_lps=None if case.seed_lps is None else _vector(case.seed_lps),
            backend=case.backend,
            labels_source=case.labels_source,
            labels_sha256=None if case.labels is None else case.labels.sha256(),
            confirmed_mask=case.confirmed_mask,
        ),
        parameters=parameters,
        parameter_sha256=parameters_sha256(parameters),
        kept=None if case.kept is None else _kept_model(case.kept),
        moved={
            _side(side): MovedModel(entry_lps=_vector(entry), target_lps=_vector(target))
            for side, (entry, target) in case.moved.items()
        },
        files=dict(files),
    )


def kept_of(model: KeptModel | None, labels: LabelMap | None) -> Kept | None:
    """The kept segmentation again, from its facts and its labels."""
    if model is None or labels is None:
        return None
    rated = Confidence(
        min(1.0, max(0.0, model.confidence.score)),
        {name: value for name, value in model.confidence.values.items() if value is not None},
        model.confidence.check,
    )
    made = LabelResult(labels, model.label_id, rated, model.made_by)
    return Kept(made, model.level, model.level_confirmed, model.source, model.notes, model.provenance, model.spacing_mm)


def ends_of(one: MovedModel) -> Ends:
    """Entry and target of a moved path."""
    return np.array(one.entry_lps), np.array(one.target_lps)


def _kept_model(kept: Kept) -> KeptModel:
    made, rated = kept.made, kept.made.confidence
    return KeptModel(
        label_id=made.target_id,
        level=kept.level,
        level_confirmed=kept.level_confirmed,
        source=kept.source,
        confidence=ConfidenceModel(
            score=float(rated.score), values=numbers(rated.values), check=tuple(rated.check)
        ),
        notes=kept.notes,
        provenance=_object(kept.provenance),
        spacing_mm=kept.spacing_mm,
        made_by=_object(made.provenance),
    )  # fmt: skip


def _object(values: Mapping[str, object]) -> dict[str, JsonValue]:
    found = plain(dict(values))
    return found if isinstance(found, dict) else {}


def _vector(point: object) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in np.asarray(point, dtype=np.float64).reshape(3))
    return x, y, z


def _side(side: Side) -> Literal["left", "right"]:
    return "left" if side is Side.LEFT else "right"
