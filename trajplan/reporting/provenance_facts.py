"""Where the plan comes from and what it cannot know: provenance rows, methods and limits."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from trajplan import __version__
from trajplan.exports.plan_json import plan_provenance

if TYPE_CHECKING:
    from trajplan.case import CaseResult

METHODS = (
    "World coordinates are patient LPS millimetres: +x left, +y posterior, +z superior.",
    "Clearance is the distance from the outer surface of the instrument to the nearest wall, negative when crossed.",
    "The chance of a breach repeats the path with random entry and angle errors and counts the wall crossings.",
    (
        "The grade is Gertzbein-Robbins by the depth of the crossing (A none, B below 2, C 2 to 4, D 4 to 6, E 6 mm or "
        "more), made for screws and applied here to the needle's surface."
    ),
    (
        "Simulated X-rays are line integrals through the CT; C-arm angles are LAO + / RAO − and CRA + / CAU −, "
        "relative to the patient."
    ),
    (
        "Stages follow the taught rule: on AP the tip may cross the medial pedicle border only after the lateral view "
        "shows it past the posterior wall. Margins are in mm in the patient, magnification removed."
    ),
)
LIMITS = (
    "The plan is as good as the segmentation: compare every outline with the CT before believing a clearance.",
    "Walls, nerves and vessels that the scan does not show are not planned around.",
    "The patient was scanned supine or prone; the spine lies differently on the table.",
    "Bone does not bend the simulated needle, and a real one may deflect.",
    "The posterior wall is concave: a tip that looks just inside it on the lateral view may still be in the canal.",
    "Error sigmas and margins are settings, not measurements of an operator.",
)
_PACKAGES = ("numpy", "scipy", "SimpleITK", "numba", "scikit-image")


def provenance_rows(result: CaseResult) -> tuple[tuple[str, str], ...]:
    """Input, hashes, versions, parameters and timings as label and text."""
    scan, provenance = result.scan, plan_provenance(result)
    size = " × ".join(str(n) for n in scan.size_zyx)
    spacing = " × ".join(f"{s:.3g}" for s in scan.spacing_zyx_mm)
    rows = [
        ("Input", f"{scan.path_name} ({scan.kind})"),
        ("Stored size and spacing (z, y, x)", f"{size}; {spacing} mm"),
        ("Scan SHA-256", scan.sha256),
        ("Mask SHA-256", provenance.mask_sha256 or "none"),
        ("Parameter SHA-256", provenance.parameter_sha256),
        ("Made", result.created),
        ("Versions", ", ".join([f"trajplan {__version__}", f"Python {platform.python_version()}", *_versions()])),
    ]
    rows.append(("Parameters", _flat(provenance.parameters)))
    rows += [(name.replace("_", " ").capitalize(), _flat(value)) for name, value in provenance.details.items() if value]
    rows.append(("Timings", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in provenance.timings_s.items())))
    return tuple(rows)


def _versions() -> list[str]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(
            f"{k}: {_flat(v)}" if not isinstance(v, dict) else f"{k} ({_flat(v)})" for k, v in value.items()
        )
    if isinstance(value, list):
        return ", ".join(_flat(v) for v in value)
    return str(value)
