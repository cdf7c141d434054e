"""Can the C-arm look down the path? The angles of the en-face view against what the arm reaches."""

from __future__ import annotations

import numpy as np

from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import PlanSettings


def beam_angles_deg(direction_lps: FloatArray) -> tuple[float, float]:
    """Size of the LAO/RAO and of the cranial/caudal angle at which the beam runs along a path, deg.

    >>> beam_angles_deg(np.array([0.0, -1.0, 0.0]))
    (0.0, 0.0)
    """
    x, y, z = direction_lps
    return float(np.degrees(np.arctan2(abs(x), abs(y)))), float(np.degrees(np.arcsin(min(abs(z), 1.0))))


def reach_caution(direction_lps: FloatArray, settings: PlanSettings) -> tuple[str, ...]:
    """A caution when the en-face view of a path is out of the C-arm's reach: the needle is then never seen end-on."""
    angles = beam_angles_deg(direction_lps)
    limits = settings.carm_primary_deg, settings.carm_secondary_deg
    return tuple(
        f"caution: the en-face view needs {angle:.0f} deg of {name} angulation, the C-arm reaches {limit:.0f} deg"
        for angle, limit, name in zip(angles, limits, ("LAO/RAO", "cranial/caudal"), strict=True)
        if angle > limit
    )
