"""Whether the sizes of a vertebra can belong to one bone; what cannot is refused with its numbers."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np

from trajplan.errors import InputError
from trajplan_phantoms.body import LEAST_RIM_MM
from trajplan_phantoms.fracture import ANTERIOR_COLUMN
from trajplan_phantoms.morphometry import Morphometry

MIN_HEIGHT_MM = 8.0
"""Of a body in front."""
WIDEST_PEDICLE_SHARE = 0.40
"""Of the narrower end plate's width."""
CANAL_SHARE = 1.0
"""What a canal may be of the body's width."""
HIGHEST_PEDICLE_SHARE = 1.2
"""Of the body's posterior height."""
_SIGNED = (
    "wedge_deg",
    "convergence_deg",
    "caudal_deg",
    "disc_below_deg",
    "facet_tilt_deg",
    "superior_apex",
    "inferior_apex",
)
_MAY_BE_ZERO = ("superior_concavity_mm", "inferior_concavity_mm", "spinous_drop_deg", "transverse_forward_mm")
_ANGLES = {
    "wedge_deg": 30.0,
    "convergence_deg": 45.0,
    "caudal_deg": 35.0,
    "disc_below_deg": 30.0,
    "facet_tilt_deg": 45.0,
    "spinous_drop_deg": 75.0,
}


def check_sizes(level: str, m: Morphometry) -> None:
    """Refuse sizes that are no numbers, not positive, or that contradict one another.

    Raises
    ------
    InputError
        Naming the size, its value and what would do.
    """
    for field in fields(m):
        value = float(getattr(m, field.name))
        least = -math.inf if field.name in _SIGNED else 0.0
        if not math.isfinite(value) or value < least or (value == 0.0 and field.name not in (*_SIGNED, *_MAY_BE_ZERO)):
            raise _refused(level, f"{_said(field.name)} {value:g} is not a positive number", value, 0.0)
        most = _ANGLES.get(field.name)
        if most is not None and abs(value) > most:
            raise _refused(level, f"{_said(field.name)} {value:g} degrees is not within {most:g}", value, most)
    width = m.plate_width_upper_mm if level == "S1" else min(m.plate_width_upper_mm, m.plate_width_lower_mm)
    depth = 0.5 * (m.plate_depth_upper_mm + m.plate_depth_lower_mm)
    front = m.height_posterior_mm - 2.0 * depth * float(np.tan(np.deg2rad(0.5 * m.wedge_deg)))
    lowest = min(m.height_posterior_mm, front)
    hollow = m.superior_concavity_mm + m.inferior_concavity_mm
    _at_least(level, "body height in front or behind", lowest, MIN_HEIGHT_MM, "the wedge angle and height leave it")
    _at_most(level, "canal width", m.canal_width_mm, CANAL_SHARE * width, "the body's width")
    _at_most(level, "canal depth", m.canal_depth_mm, m.canal_width_mm * 2.0, "twice the canal's width")
    _at_most(
        level,
        "pedicle height",
        m.pedicle_height_mm,
        HIGHEST_PEDICLE_SHARE * m.height_posterior_mm,
        "1.2 of the body's posterior height",
    )
    _at_most(
        level,
        "pedicle width",
        m.pedicle_width_mm,
        WIDEST_PEDICLE_SHARE * width,
        f"{WIDEST_PEDICLE_SHARE:g} of the body's width",
    )
    _at_most(level, "concavity of both end plates", hollow, 0.6 * lowest, "0.6 of the body's height")
    small, large = sorted((m.plate_width_upper_mm, m.plate_width_lower_mm))
    _at_most(level, "end-plate width, upper and lower,", large, 2.0 * small, "twice the smaller one")
    small, large = sorted((m.plate_depth_upper_mm, m.plate_depth_lower_mm))
    if level == "S1":
        _at_most(level, "end-plate depth, upper and lower,", large, 2.0 * small, "twice the smaller one")
    else:
        # backs are flush, so the place of the anterior height lies this share of the sum of both in front of them
        share = 0.5 * (0.5 - ANTERIOR_COLUMN)
        most = ((1.0 - share) * small - LEAST_RIM_MM) / share
        _at_most(level, "end-plate depth, upper and lower,", large, most, "the anterior height must end on both")
    _at_most(level, "end-plate depth", depth, 1.4 * width, "1.4 of the body's width")
    _at_most(level, "transverse forward", m.transverse_forward_mm, 0.6 * depth, "0.6 of the body's depth")


def _said(name: str) -> str:
    return name.removesuffix("_mm").removesuffix("_deg").replace("_", " ")


def _at_most(level: str, what: str, value: float, most: float, because: str) -> None:
    if value > most:
        raise _refused(level, f"{what} {value:.1f} mm; use at most {most:.1f} mm ({because})", value, most)


def _at_least(level: str, what: str, value: float, least: float, because: str) -> None:
    if value < least:
        raise _refused(level, f"{what} {value:.1f} mm ({because}); use at least {least:.1f} mm", value, least)


def _refused(level: str, text: str, value: float, limit: float) -> InputError:
    return InputError(
        f"sizes of {level} cannot be built: {text}", code="sizes_invalid", numbers={"value": value, "limit": limit}
    )
