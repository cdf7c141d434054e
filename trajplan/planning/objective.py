"""What makes one path better than another: the smallest margin in units of its own execution error."""

from __future__ import annotations

import numpy as np

from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import PlanSettings
from trajplan.planning.walls import Wall

ENOUGH_SIGMAS = 2.5
"""Beyond this margin more distance from the walls buys little (chance of crossing below 1 %): the target decides."""

TARGET_SCALE_MM = 6.0
"""A tip this far from the ideal costs one sigma of margin."""


SHORTFALL = 20.0
"""A sigma that lacks to a required margin counts this many times: a path that keeps its margins comes first."""


def wall_weight() -> FloatArray:
    """How many sigmas of slack count as one, by `Wall`, shape (8,): below 1 a wall may be come nearer to.

    Nerves lie close to the medial and inferior walls, farther from the superior and lateral ones (Lien 2007,
    PMC2200778); the end plate is bone to rest a balloon against.
    """
    weight = np.ones(len(Wall))
    weight[[Wall.LATERAL, Wall.SUPERIOR]] = 1 / 1.15
    weight[Wall.ENDPLATE] = 1 / 1.3
    return weight


_LEAST_SIGMA_MM = 0.25
"""The search takes no hand for steadier than this: with no error at all every room would be enough."""


def sigmas(settings: PlanSettings) -> tuple[float, float]:
    """(sideways error of the entry in mm, error of the angle in rad), as the search counts with them."""
    return max(settings.entry_sigma_mm, _LEAST_SIGMA_MM), float(np.radians(settings.angle_sigma_deg))


def sigma_at(depth_mm: FloatArray, settings: PlanSettings) -> FloatArray:
    """Standard deviation of the axis' sideways position at a depth from the entry, mm.

    Entry error and angle error are independent: the angle's part grows with depth.
    """
    entry, angle = sigmas(settings)
    return np.asarray(np.hypot(entry, angle * depth_mm))


def score(slack_mm: FloatArray, sigma_mm: FloatArray, target_miss_mm: float) -> float:
    """Score of a path (larger is better).

    Parameters
    ----------
    slack_mm : ndarray, shape (N, 8)
        Clearance minus the required margin, by depth and `Wall`; `inf` where not in play.
    sigma_mm : ndarray, shape (N,)
    target_miss_mm : float
        Distance of the tip from the ideal target.
    """
    margin = float((slack_mm / (sigma_mm[:, None] * wall_weight())).min())
    kept = min(margin, ENOUGH_SIGMAS) if margin >= 0 else SHORTFALL * margin
    return kept - (target_miss_mm / TARGET_SCALE_MM) ** 2


CENTRING = 0.1
"""What one sigma of height within the pedicle is worth when everything else is equal."""


def centring(slack_mm: FloatArray, sigma_mm: FloatArray) -> float:
    """A small bonus for staying half-way between the top and the bottom of the pedicle.

    A pedicle is higher than wide: its sides set the score and leave the height free. Without this, copies of one
    patient that differ by a rotation would be given paths at different heights.
    """
    both = slack_mm[:, [Wall.SUPERIOR, Wall.INFERIOR]] / sigma_mm[:, None]
    nearest = float(both.min())
    return CENTRING * min(nearest, 10.0) if np.isfinite(nearest) else 0.0
