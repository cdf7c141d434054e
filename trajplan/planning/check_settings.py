"""Plan settings that cannot be meant: a margin below zero or not a number would make every path look kept."""

from __future__ import annotations

import math

from trajplan.errors import InputError
from trajplan.planning.plan import PlanSettings

_NOT_NEGATIVE = (
    "wall_margin_mm",
    "canal_margin_mm",
    "anterior_margin_mm",
    "endplate_margin_mm",
    "max_convergence_deg",
    "max_skin_midline_mm",
    "entry_sigma_mm",
    "angle_sigma_deg",
    "respiration_sigma_mm",
    "segmentation_sigma_mm",
    "carm_primary_deg",
    "carm_secondary_deg",
)
_FINITE = ("min_craniocaudal_deg", "max_craniocaudal_deg")


def check_settings(settings: PlanSettings) -> None:
    """Refuse settings under which a comparison with a limit means nothing.

    Raises
    ------
    InputError
        ``settings_invalid`` with the name and the value.
    """
    diameter_mm = settings.instrument.outer_diameter_mm
    wrong = [
        *(f"{n} is {getattr(settings, n)}" for n in _NOT_NEGATIVE if not 0 <= getattr(settings, n) < math.inf),
        *(f"{n} is {getattr(settings, n)}" for n in _FINITE if not math.isfinite(getattr(settings, n))),
        *([f"breach_samples is {settings.breach_samples}"] if settings.breach_samples < 1 else []),
        *([f"the instrument's diameter is {diameter_mm} mm"] if not 0 < diameter_mm < math.inf else []),
    ]
    if wrong:
        raise InputError(
            f"plan settings: {'; '.join(wrong)}. Margins, limits and errors are finite numbers of at least 0, "
            "samples and diameters above 0",
            code="settings_invalid",
        )
