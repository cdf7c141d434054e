"""What a DICOM series says of its values, its patient's position and its compression, checked before any pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.reading.answers import Doubt
from trajplan.reading.dicom_header import Header
from trajplan.reading.dicom_pixel_data import MAX_SIDE
from trajplan.reading.scan import Finding

_HU_TYPES = {"", "HU", "US"}
_POSTURE = {"S": "supine", "P": "prone", "DR": "lying on the right side", "DL": "lying on the left side"}
# First image row (cosines) of an axial slice as the scanner sees it, by PatientPosition; DICOM C.7.3.1.1.2.
_ROWS: dict[str, tuple[int, int, int]] = {
    "HFS": (1, 0, 0),
    "HFP": (-1, 0, 0),
    "HFDR": (0, 1, 0),
    "HFDL": (0, -1, 0),
    "FFS": (-1, 0, 0),
    "FFP": (1, 0, 0),
    "FFDR": (0, 1, 0),
    "FFDL": (0, -1, 0),
}


def check_values(group: Sequence[Header], *, assume_hu: bool) -> None:
    """That stored values are HU by the header's own word, in a sound pixel format.

    Raises
    ------
    InputError
        ``too_many_voxels``, ``bits``, ``rescale_invalid``; and unless `assume_hu` ``no_rescale``, ``rescale_type``.
    """
    for h in group:
        name = h.path.name
        if max(h.shape) > MAX_SIDE:
            raise InputError(
                f"{name} is {h.shape[0]} x {h.shape[1]} pixels; at most {MAX_SIDE} a side are read",
                code="too_many_voxels",
                numbers={"rows": float(h.shape[0]), "columns": float(h.shape[1])},
            )
        if min(h.shape) < 1:
            raise InputError(f"{name} declares {h.shape[0]} x {h.shape[1]} pixels", code="empty_image")
        allocated, stored, high = h.bits
        if allocated not in {8, 16, 32} or not 1 <= stored <= allocated or high != stored - 1:
            raise InputError(
                f"{name} stores {stored} of {allocated} bits with high bit {high}; these do not fit each other",
                code="bits",
                numbers={"allocated": float(allocated), "stored": float(stored), "high_bit": float(high)},
            )
        if h.rescale is not None and not (0 < h.rescale[0] < 1e4 and abs(h.rescale[1]) < 1e6):
            raise InputError(
                f"{name} has rescale slope {h.rescale[0]:g} and intercept {h.rescale[1]:g}; no CT is scaled like that",
                code="rescale_invalid",
                numbers={"slope": h.rescale[0], "intercept": h.rescale[1]},
            )
        if assume_hu:
            continue
        if h.rescale is None:
            raise Doubt(
                f"{name} has no RescaleSlope and RescaleIntercept, so Hounsfield units are unknown; use the original",
                code="no_rescale",
                field="assume_hu",
            )
        if h.rescale_type not in _HU_TYPES:
            raise InputError(
                f"{name} has values of type {h.rescale_type[:16]!r}, not HU; use the series in HU",
                code="rescale_type",
            )


def header_findings(group: Sequence[Header], *, assume_hu: bool) -> list[Finding]:
    """Patient position, laterality, lossy compression, and HU taken on request."""
    findings = []
    first = group[0]
    if assume_hu and any(h.modality != "CT" or h.rescale is None or h.rescale_type not in _HU_TYPES for h in group):
        text = f"modality {first.modality[:16] or 'not given'}: stored values taken as Hounsfield units on request"
        findings.append(Finding("hu_assumed", "warning", text))
    lossy = next((h.lossy for h in group if h.lossy), None)
    if lossy:
        findings.append(Finding("lossy", "warning", f"lossy compression ({lossy}): HU may be off by tens"))
    findings += _position(first.patient_position, first.orientation)
    sides = sorted({h.laterality for h in group} & {"L", "R"})
    if sides:
        text = f"laterality tag {' and '.join(sides)} not used: left and right come from the slice orientation"
        findings.append(Finding("laterality", "info", text))
    return findings


def _position(stated: str, orientation: FloatArray | None) -> list[Finding]:
    """The position and orientation of the slices always rule; what is unusual or at odds with them is told."""
    row = _ROWS.get(stated)
    if row is None or orientation is None:
        return []
    axial = abs(float(np.cross(orientation[:3], orientation[3:])[2])) > 0.7
    agrees = float(orientation[:3] @ np.array(row, dtype=float)) > 0.7
    how = ("head first, " if stated[0] == "H" else "feet first, ") + _POSTURE[stated[2:]]
    if axial and not agrees:
        text = f"PatientPosition {stated} ({how}) disagrees with the slice orientation; the orientation is used"
    elif stated != "HFS":
        text = f"the patient lay {how} ({stated}); left, right, front and back follow from the slice orientation"
    else:
        return []
    return [Finding("patient_position", "info", text)]
