"""SavedCase: what is needed to go on with a case on the same CT, and what it had come to; never the CT itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trajplan.anatomy.backends import DEFAULT
from trajplan.edited import Ends
from trajplan.errors import InputError
from trajplan.exports.plan_model import InputModel, PlanDocument
from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import FloatArray
from trajplan.kept import Kept
from trajplan.parts import Side
from trajplan.planning.plan import PlanSettings
from trajplan.reading.scan import Scan

SHOWN = 12
"""Digits of a hash that are shown to a person."""


@dataclass(frozen=True, eq=False)
class SavedCase:
    """A case as saved (docs/case-file.md).

    Parameters
    ----------
    scan : InputModel
        The CT by hash, kind and size.
    level, seed_lps, labels, labels_source, backend, settings, confirmed_mask
        What a person had chosen; as in `trajplan.case.CaseRequest`.
    kept : Kept or None
        The segmentation, where a back-end had made one.
    moved : mapping of Side to Ends
        Paths that a person had moved.
    plan : PlanDocument or None
        The verified plan with its moved paths; None where there was none, or a stale one.
    parts : LabelMap or None
        Parts of the vertebra that `plan` was made on.
    """

    scan: InputModel
    level: str | None = None
    seed_lps: FloatArray | None = None
    labels: LabelMap | None = None
    labels_source: str | None = None
    backend: str = DEFAULT
    settings: PlanSettings = field(default_factory=PlanSettings)
    confirmed_mask: str | None = None
    kept: Kept | None = None
    moved: Mapping[Side, Ends] = field(default_factory=dict)
    plan: PlanDocument | None = None
    parts: LabelMap | None = None


def scan_line(scan: InputModel) -> str:
    """The CT of a case in words by which a person can find it; nothing of the patient.

    >>> scan_line(InputModel(path_name="", sha256="0123456789abcdef", kind="nifti", size_zyx=(3, 2, 1),
    ...                      spacing_zyx_mm=(1.0, 0.5, 0.5), findings=()))
    'nifti, 1 x 2 x 3 voxels of 0.50 x 0.50 x 1.00 mm, SHA-256 0123456789ab'
    """
    size = " x ".join(str(n) for n in scan.size_zyx[::-1])
    spacing = " x ".join(f"{v:.2f}" for v in scan.spacing_zyx_mm[::-1])
    named = f"phantom {scan.path_name}" if scan.kind == "phantom" else scan.kind
    return f"{named}, {size} voxels of {spacing} mm, SHA-256 {scan.sha256[:SHOWN]}"


def require_scan(case: SavedCase | PlanDocument, scan: Scan | None) -> None:
    """Refuse to go on with a case on any CT but the one it was made on.

    Raises
    ------
    InputError
        ``scan_not_open`` without a scan, ``other_scan`` on another one: which CT is meant is said.
    """
    wanted = case.scan if isinstance(case, SavedCase) else case.input
    if scan is None:
        raise InputError(
            f"the CT of this case is not open, and a case file does not hold it: open {scan_line(wanted)}",
            code="scan_not_open",
        )
    if scan.sha256 != wanted.sha256:
        raise InputError(
            f"this case was made on another CT than the one that is open (SHA-256 {scan.sha256[:SHOWN]}): open "
            f"{scan_line(wanted)}",
            code="other_scan",
        )
