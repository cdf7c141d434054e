"""Handover: a finished plan, its mask and its scan, checked to belong together, ready for other formats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trajplan.errors import InputError
from trajplan.exports.atomic import MANIFEST
from trajplan.exports.labels_file import read_parts
from trajplan.exports.leftovers import is_interrupted
from trajplan.exports.plan_json import plan_text, read_plan
from trajplan.exports.plan_model import PlanDocument
from trajplan.exports.stale import require_current
from trajplan.geometry import LabelMap, Volume
from trajplan.reading.origin import Origin

REPORT = "report.pdf"


@dataclass(frozen=True, eq=False)
class Handover:
    """A plan with what it was made from.

    Parameters
    ----------
    document : PlanDocument
    parts : LabelMap
        Part labels (`trajplan.parts.Part`).
    volume : Volume
        The CT, axis-aligned LPS.
    origin : Origin or None
        Study and frame of reference of a DICOM scan; None for any other input.
    cement : LabelMap or None
        Where cement is planned (`trajplan.augmentation.cement`).
    report : bytes or None
        The report.pdf that was written with the plan; None where it is missing or another one.
    """

    document: PlanDocument
    parts: LabelMap
    volume: Volume
    origin: Origin | None = None
    cement: LabelMap | None = None
    report: bytes | None = None

    @property
    def sha256(self) -> str:
        """Hash of the plan's text: every identifier that is made up is derived from it."""
        return hashlib.sha256(plan_text(self.document).encode()).hexdigest()


def plan_and_parts(plan_file: Path) -> tuple[PlanDocument, LabelMap]:
    """A plan.json and the mask beside it.

    Raises
    ------
    InputError
        Not readable, no mask, or a run was killed while it replaced the two.
    """
    if is_interrupted(plan_file.absolute().parent):
        raise InputError(
            f"a run was killed while it replaced the result beside {plan_file.name}; plan the case again",
            code="interrupted",
        )
    document = read_plan(plan_file)
    if document.files.parts is None:
        raise InputError(f"{plan_file.name} holds no vertebra mask, so there is nothing to work on", code="no_mask")
    return document, read_parts(plan_file.parent / document.files.parts)


def hand_over(plan_file: Path, volume: Volume, sha256: str, origin: Origin | None = None) -> Handover:
    """A plan.json with its mask, its report and the scan it was made on.

    Parameters
    ----------
    plan_file : Path
    volume : Volume
        The CT as read, axis-aligned LPS.
    sha256 : str
        Its hash.
    origin : Origin, optional

    Raises
    ------
    InputError
        What `plan_and_parts` refuses; a stale plan (`require_current`); ``stale_cement``.
    """
    document, parts = plan_and_parts(plan_file)
    require_current(document, sha256, parts)
    written = _written_with(plan_file)
    named = document.files.augmentation
    cement = None
    if named is not None:
        if not _is_as_written(plan_file.parent / named, written):
            raise InputError(
                f"{named} is not the one that was written with {plan_file.name}; plan the case again",
                code="stale_cement",
            )
        cement = read_parts(plan_file.parent / named)
    report = plan_file.with_name(REPORT)
    return Handover(
        document, parts, volume, origin, cement, report.read_bytes() if _is_as_written(report, written) else None
    )


def _written_with(plan_file: Path) -> Mapping[str, str]:
    """Hashes of the files that were written together with this very plan, as its manifest tells."""
    try:
        listed = json.loads((plan_file.parent / MANIFEST).read_text(encoding="utf-8"))["files"]
        own = hashlib.sha256(plan_file.read_bytes()).hexdigest()
        return dict(listed) if listed[plan_file.name] == own else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _is_as_written(path: Path, written: Mapping[str, str]) -> bool:
    try:
        return written.get(path.name) == hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return False
