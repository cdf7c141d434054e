"""write_case and read_case: ``case.trajplan`` (docs/case-file.md). Plain JSON and NRRD, checked by hash."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from trajplan import __version__
from trajplan.case import settings_of
from trajplan.errors import InputError, TrajplanError
from trajplan.exports.case_model import CASE_SCHEMA, CaseDocument
from trajplan.exports.case_pack import CASE_JSON, LABELS, MASK, PARTS, PLAN_JSON, pack, sha256, unpack
from trajplan.exports.case_parts import document_of, ends_of, kept_of
from trajplan.exports.labels_file import write_labels
from trajplan.exports.plan_json import parameters_sha256, plan_text, read_plan
from trajplan.exports.saved_case import SavedCase
from trajplan.geometry import LabelMap
from trajplan.geometry.resample import canonical
from trajplan.levels import LEVEL_NAMES
from trajplan.parts import PART_NAMES, Side
from trajplan.planning.check_settings import check_settings
from trajplan.planning.plan import PlanSettings
from trajplan.reading.read import open_voxels
from trajplan.reading.voxel_file import fill

_SCHEMA = re.compile(r"trajplan\.case/(\d+)")


def write_case(case: SavedCase, path: Path) -> Path:
    """Write a case: a zip where `path` ends in ``.trajplan``, else a folder; whole or not at all.

    Raises
    ------
    InputError
        It cannot be written there.
    """
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, labels in _label_files(case).items():
            files[name] = write_labels(labels, Path(folder) / name).read_bytes()
    if case.plan is not None:
        files[PLAN_JSON] = plan_text(case.plan).encode()
    document = document_of(case, {name: sha256(data) for name, data in sorted(files.items())})
    text = json.dumps(document.model_dump(mode="json", by_alias=True), allow_nan=False, indent=1, ensure_ascii=False)
    return pack({CASE_JSON: f"{text}\n".encode(), **files}, path)


def read_case(path: Path) -> SavedCase:
    """Read and check a case.

    Whether it belongs to a CT is another question: `trajplan.exports.saved_case.require_scan`.

    Raises
    ------
    InputError
        ``case_damaged``, ``case_unsafe``, ``case_unreadable``, ``case_newer`` (written by a newer version) or
        ``case_invalid``; the message says what to do.
    """
    found = unpack(path)
    document = _checked(path.name, found)
    labels: dict[str, LabelMap] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in document.files:
            (Path(folder) / name).write_bytes(found[name])
        for name, names in ((LABELS, LEVEL_NAMES), (MASK, LEVEL_NAMES), (PARTS, PART_NAMES)):
            if name in document.files:
                labels[name] = _read_labels(Path(folder) / name, {int(i): one for i, one in names.items()})
        plan = read_plan(Path(folder) / PLAN_JSON) if PLAN_JSON in document.files else None
    asked = document.asked
    if asked.labels_sha256 is not None and (LABELS not in labels or labels[LABELS].sha256() != asked.labels_sha256):
        raise InputError(f"the labels in {path.name} are not those it was saved with", code="case_damaged")
    return SavedCase(
        document.input,
        asked.level,
        None if asked.seed_lps is None else np.array(asked.seed_lps),
        labels.get(LABELS),
        asked.labels_source,
        asked.backend,
        _settings(path.name, document),
        asked.confirmed_mask,
        kept_of(document.kept, labels.get(MASK)),
        {Side(side): ends_of(one) for side, one in document.moved.items()},
        plan,
        labels.get(PARTS),
    )


def _label_files(case: SavedCase) -> dict[str, LabelMap]:
    given = {LABELS: case.labels, MASK: case.kept.made.labels if case.kept else None, PARTS: case.parts}
    return {name: labels for name, labels in given.items() if labels is not None}


def _checked(name: str, found: Mapping[str, bytes]) -> CaseDocument:
    """case.json, read and held against the files beside it."""
    try:
        data = json.loads(found[CASE_JSON].decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{name} is damaged: its {CASE_JSON} is not JSON", code="case_damaged") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    number = _SCHEMA.fullmatch(str(schema))
    if number is None:
        raise InputError(f"{name} is no case of trajplan: its {CASE_JSON} has schema {schema!r}", code="case_invalid")
    if schema != CASE_SCHEMA:
        by = data.get("software") or {}
        version = by.get("version") if isinstance(by, dict) else None
        raise InputError(
            f"{name} was written by another trajplan ({str(version)[:20]}, format {schema}); this one, {__version__}, "
            f"reads {CASE_SCHEMA}: install the version that wrote it",
            code="case_newer",
        )
    try:
        document = CaseDocument.model_validate_json(found[CASE_JSON])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{name} is no valid case: {field}: {first['msg']}", code="case_invalid") from error
    for file, digest in document.files.items():
        if file not in found or sha256(found[file]) != digest:
            what = "is missing" if file not in found else "is not the one that was saved"
            raise InputError(
                f"{name} is damaged or was changed: {file} in it {what}; copy it again", code="case_damaged"
            )
    return document


def _read_labels(path: Path, names: Mapping[int, str]) -> LabelMap:
    try:
        array, grid = fill(open_voxels(path, "nrrd"), np.uint8, lambda values, _name: values.astype(np.uint8))
        return canonical(LabelMap(array, grid, names))
    except TrajplanError as error:
        raise InputError(f"the case is damaged: {error}", code="case_damaged") from error


def _settings(name: str, document: CaseDocument) -> PlanSettings:
    try:
        if parameters_sha256(document.parameters) != document.parameter_sha256:
            raise InputError(f"{name} was changed: its parameters are not those it was saved with", code="case_damaged")
        settings = settings_of(document.parameters)
        check_settings(settings)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, TrajplanError):
            raise
        raise InputError(f"{name} is no valid case: its parameters cannot be read", code="case_invalid") from error
    return settings
