"""How exactly a planned path is carried out: presets of execution error, each with where its figures come from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from trajplan.errors import InputError
from trajplan.planning.plan import PlanSettings


@dataclass(frozen=True)
class Execution:
    """One way of working; sigmas are per axis: of the entry's sideways place, of the angle, of breathing."""

    name: str
    entry_sigma_mm: float
    angle_sigma_deg: float
    respiration_sigma_mm: float
    source: str


_PRESETS = (
    Execution(
        "freehand-single-shot", 1.95, 3.0, 0.0,
        "2.1 mm at the isthmus (with 3 deg over 15 mm) reproduces 36 % penetration of 370 uncorrected lumbar screws "
        "(Xu 2019); derived",
    ),
    Execution(
        "fluoroscopy-corrected", 0.75, 2.0, 0.0,
        "0.7-1.0 mm at the isthmus reproduces the 2.6-9 % breach of fluoroscopic percutaneous screws (Winder, Landriel "
        "2017, Sumiya 2020 PMC7071703); derived",
    ),
    Execution(
        "navigated", 0.85, 2.0, 0.0,
        "1.0 mm at the isthmus: robot-navigated cadaver screws T2-L4, mid-pedicle 0.75 mm absolute, tip 1.67 mm "
        "(PMC11222209); derived",
    ),
)  # fmt: skip
PRESETS: dict[str, Execution] = {p.name: p for p in _PRESETS}
DEFAULT = "fluoroscopy-corrected"

FREE_BREATHING_SIGMA_MM = 1.23
"""Per axis, from 1.96 mm mean 3-D motion of the vertebra (PMC6686387) over 1.596; added where breath is not held."""


def execution(name: str) -> Execution:
    """A preset by name; refuses with the list of names.

    >>> execution("navigated").angle_sigma_deg
    2.0
    """
    if name not in PRESETS:
        raise InputError(f"unknown execution {name!r}; use one of {', '.join(PRESETS)}", code="unknown_execution")
    return PRESETS[name]


def carried_out(settings: PlanSettings, preset: Execution, free_breathing: bool = False) -> PlanSettings:
    """The settings with the errors of a preset."""
    return dataclasses.replace(
        settings,
        execution=preset.name,
        entry_sigma_mm=preset.entry_sigma_mm,
        angle_sigma_deg=preset.angle_sigma_deg,
        respiration_sigma_mm=FREE_BREATHING_SIGMA_MM if free_breathing else preset.respiration_sigma_mm,
    )
