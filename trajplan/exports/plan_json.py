"""plan.json: a case result as a document, to a file and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pydantic import JsonValue, ValidationError

from trajplan import DISCLAIMER, __version__
from trajplan.errors import InputError
from trajplan.exports import plan_parts as parts
from trajplan.exports.atomic import write_atomically
from trajplan.exports.augmentation_parts import augmentation
from trajplan.exports.path_model import RefusalModel
from trajplan.exports.plain import numbers, plain, rounded
from trajplan.exports.plan_model import SCHEMA, FilesModel, PlanDocument, ProvenanceModel, SoftwareModel, ViewsModel

if TYPE_CHECKING:
    from trajplan.case import CaseResult

_KNOWN_PROVENANCE = {"parameters", "parameter_sha256", "mask_sha256", "timings_s"}


def plan_document(
    result: CaseResult, parts_file: str | None = None, augmentation_file: str | None = None
) -> PlanDocument:
    """The document of a case: everything a reader needs, nothing computed anew.

    Parameters
    ----------
    result : CaseResult
    parts_file : str, optional
        Name of the parts label file written beside plan.json.
    augmentation_file : str, optional
        Name of the label file of the cement written beside it.

    Raises
    ------
    InputError
        A required number is not finite.
    """
    vertebra = result.vertebra
    views = {name: parts.view(v) for name, v in result.views.items()}
    return PlanDocument(
        schema=SCHEMA,
        software=SoftwareModel(name="trajplan", version=__version__),
        disclaimer=DISCLAIMER,
        created=result.created,
        input=parts.scan_input(result.scan),
        vertebra=None if vertebra is None else parts.vertebra(vertebra),
        pedicles=() if vertebra is None else tuple(parts.pedicle(p) for p in vertebra.pedicles.values()),
        trajectories=tuple(
            parts.trajectory(
                t,
                result.stages.get(t.side, ()),
                result.views.get(f"en_face_{t.side.value}"),
                result.both_ways.get(t.side),
            )
            for t in result.trajectories
        ),
        refusals=tuple(
            RefusalModel(
                side=parts.side_name(r.side),
                approach=str(r.approach),
                code=r.code,
                message=r.message,
                numbers=numbers(r.numbers),
            )
            for r in result.refusals
        ),
        views=ViewsModel(
            ap=views.get("ap"),
            lateral=views.get("lateral"),
            en_face_left=views.get("en_face_left"),
            en_face_right=views.get("en_face_right"),
            oblique_left=views.get("oblique_left"),
            oblique_right=views.get("oblique_right"),
        ),
        provenance=plan_provenance(result),
        notes=tuple(result.notes),
        options=tuple(parts.option(o) for o in result.options),
        files=FilesModel(parts=parts_file, augmentation=augmentation_file),
        augmentation=None if result.augmentation is None else augmentation(result.augmentation),
    )


def plan_text(document: PlanDocument) -> str:
    """The JSON text of a document; the same document always gives the same text."""
    data = document.model_dump(mode="json", by_alias=True)
    return json.dumps(data, allow_nan=False, indent=1, ensure_ascii=False) + "\n"


def write_plan(document: PlanDocument, path: Path) -> Path:
    """Write plan.json whole or not at all."""
    write_atomically(path, plan_text(document).encode())
    return path


def read_plan(path: Path) -> PlanDocument:
    """Read and check a plan.json.

    Raises
    ------
    InputError
        Not readable, not JSON, another schema, or a field missing or of the wrong kind (the message names it).
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"cannot read plan {name}: {reason}", code="plan_unreadable") from error
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{name} is not valid JSON: {error}", code="plan_not_json") from error
    if not isinstance(data, dict):
        raise InputError(f"{name} is not a plan: expected a JSON object", code="plan_not_json")
    schema = data.get("schema")
    if schema != SCHEMA:
        raise InputError(
            f"{name} has schema {schema!r}, this version reads {SCHEMA!r}; plan the case again or use the version that "
            "wrote it",
            code="plan_schema",
        )
    try:
        return PlanDocument.model_validate_json(text.removeprefix("\ufeff"))
    except ValidationError as error:
        raise InputError(f"{name} is not a valid plan: {_first(error)}", code="plan_invalid") from error


def json_schema() -> dict[str, JsonValue]:
    """The JSON Schema (draft 2020-12) of plan.json, generated from the models."""
    body = PlanDocument.model_json_schema(by_alias=True, mode="validation")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:trajplan:plan:1"}
    return head | body


def schema_text() -> str:
    """What `schema/plan-1.json` must hold.

    Regenerate it with ``python -m trajplan.exports.schema_file``.
    """
    return json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"


def plan_provenance(result: CaseResult) -> ProvenanceModel:
    """Parameters, hashes, timings and what else is known of how the case was made, as plain values."""
    given = result.provenance
    stated = given.get("parameters")
    parameters = _parameters(result.request.settings if stated is None else stated)
    digest = given.get("parameter_sha256")
    mask = given.get("mask_sha256")
    if mask is None and result.vertebra is not None:
        mask = result.vertebra.parts.sha256()
    if digest is None:
        digest = parameters_sha256(parameters)
    details = plain({k: v for k, v in given.items() if k not in _KNOWN_PROVENANCE})
    return ProvenanceModel(
        parameters=parameters,
        parameter_sha256=str(digest),
        mask_sha256=None if mask is None else str(mask),
        timings_s={str(k): rounded(v, 3) for k, v in result.timings_s.items()},
        details=details if isinstance(details, dict) else {},
    )


def parameters_sha256(parameters: Mapping[str, JsonValue]) -> str:
    """Hash of plan parameters, the same before and after they were written to plan.json."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _parameters(stated: object) -> dict[str, JsonValue]:
    """As they are where they are JSON already: a rounded number would not have the hash that was taken of it."""
    try:
        exact = json.loads(json.dumps(stated, allow_nan=False))
    except (TypeError, ValueError):
        exact = plain(stated)
    return exact if isinstance(exact, dict) else {"parameters": exact}


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not a JSON number", name, 0)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"field {field} is missing"
    return f"field {field}: {first['msg']}"
