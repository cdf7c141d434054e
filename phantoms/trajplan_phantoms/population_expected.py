"""Mean, SD and correlation that draws of a population have, everything that cuts a deviate short worked in."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.stats import norm

from trajplan.geometry.arrays import FloatArray
from trajplan_phantoms.morphometry import morphometry
from trajplan_phantoms.population_tables import (
    CLIP_SD,
    FIELD_SHARE,
    LEVEL_SHARE,
    LOWEST_DISC_MM,
    PERSON_SHARE,
    SEX_SHIFT,
    WIDEST_PEDICLE_SHARE,
    Sex,
    sex_offset,
    variation,
)

_PLATES = ("plate_width_upper_mm", "plate_width_lower_mm")


def expected(level: str, name: str, sex: Sex = "any") -> tuple[float, float]:
    """Mean and SD of a size at a level, mm or degrees, below 65 years, as drawn.

    Worked in exactly are the clipping at `CLIP_SD` (1.1 % off an SD), the lowest disc (T4 and T5), and the pedicle's
    largest share of the body's width (L5: 0.05 mm off the mean, 4 % off the SD).

    >>> [round(x, 2) for x in expected("L1", "pedicle_width_mm")]
    [8.7, 1.2]
    >>> [round(x, 2) for x in expected("L5", "pedicle_width_mm")]  # 16.0 and 2.24 before the cut
    [15.95, 2.14]
    """
    signs = {"male": (1,), "female": (-1,), "any": (1, -1)}[sex]
    first, second = np.mean([_moments(level, name, sign) for sign in signs], axis=0)
    return float(first), float(np.sqrt(second - first**2))


def expected_correlation(level: str, name: str, other_level: str, other_name: str) -> float:
    """Correlation of two sizes of people of either sex, clipping left out (it takes less than 0.01 off).

    The product of both shares of body size, and of what is left the person's, the level's and the size's own part where
    both sizes belong to one group; sexes differ in wedge angles as well.

    >>> round(expected_correlation("L2", "plate_width_upper_mm", "L2", "plate_depth_upper_mm"), 2)
    0.54
    """
    rows = variation(level, name), variation(other_level, other_name)
    common = 0.0
    if rows[0].group == rows[1].group:
        common = PERSON_SHARE + LEVEL_SHARE * (level == other_level)
        common += FIELD_SHARE * (level == other_level and name == other_name)
    product = rows[0].load * rows[1].load
    product += common * math.sqrt((1.0 - rows[0].load ** 2) * (1.0 - rows[1].load ** 2))
    shifts, total = [], []
    for where, what, row in ((level, name, rows[0]), (other_level, other_name, rows[1])):
        spread = row.cv * abs(float(getattr(morphometry(where), what)) * row.factor) + row.sd
        offset = sex_offset(where, what, 1) / spread
        shifts.append((offset, row.load * SEX_SHIFT))
        total.append(math.sqrt(1.0 + offset**2 + 2.0 * offset * row.load * SEX_SHIFT))
    (a, load_a), (b, load_b) = shifts
    return (product + a * load_b + b * load_a + a * b) / (total[0] * total[1])


def _moments(level: str, name: str, sign: int) -> tuple[float, float]:
    """E[x] and E[x**2] of one sex."""
    if name == "pedicle_width_mm":
        return _pedicle_moments(level, sign)
    middle, spread = _scale(level, name, sign)
    lowest = -CLIP_SD if name != "disc_below_mm" else max(-CLIP_SD, (LOWEST_DISC_MM - middle) / spread)
    load = variation(level, name).load
    first, second = _clipped(load * SEX_SHIFT * sign, math.sqrt(1.0 - (load * SEX_SHIFT) ** 2), lowest, CLIP_SD)
    return middle + spread * first, middle**2 + 2.0 * middle * spread * first + spread**2 * second


def _scale(level: str, name: str, sign: int) -> tuple[float, float]:
    row = variation(level, name)
    middle = float(getattr(morphometry(level), name)) * row.factor
    return middle + sex_offset(level, name, sign), row.cv * abs(middle) + row.sd


def _clipped(mean: float, sd: float, low: float, high: float) -> tuple[float, float]:
    """First and second moment of a normal deviate clipped to [low, high]."""
    a, b = (low - mean) / sd, (high - mean) / sd
    below, above, inside = norm.cdf(a), norm.sf(b), norm.cdf(b) - norm.cdf(a)
    slope = norm.pdf(a) - norm.pdf(b)
    square = inside + a * norm.pdf(a) - b * norm.pdf(b)
    first = low * below + high * above + mean * inside + sd * slope
    second = low**2 * below + high**2 * above + mean**2 * inside + 2.0 * mean * sd * slope + sd**2 * square
    return float(first), float(second)


@lru_cache(maxsize=64)
def _pedicle_moments(level: str, sign: int) -> tuple[float, float]:
    """A pedicle is the smaller of its own draw and a share of the narrower end plate.

    Given body size and what end plates of a person and level have in common, the draw and both plates are
    independent; E[x] and E[x**2] are integrals of the chance that all three exceed t.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    weights = weights / weights.sum()
    size = (SEX_SHIFT * sign + math.sqrt(1.0 - SEX_SHIFT**2) * nodes)[:, None, None]
    t = np.linspace(0.0, 40.0, 801)
    common = math.sqrt(PERSON_SHARE + LEVEL_SHARE) * nodes[None, :, None]
    chance = _above(level, "pedicle_width_mm", sign, size, 0.0, 1.0, t)
    for name in _PLATES:
        chance = chance * _above(level, name, sign, size, common, math.sqrt(FIELD_SHARE), t / WIDEST_PEDICLE_SHARE)
    beyond = np.einsum("i,j,ijk->k", weights, weights, chance)
    return float(np.trapezoid(beyond, t)), float(np.trapezoid(2.0 * t * beyond, t))


def _above(
    level: str, name: str, sign: int, size: FloatArray, common: FloatArray | float, own: float, limit: FloatArray
) -> FloatArray:
    """Chance that a clipped size exceeds `limit`, given body size and the common part of what is not body size."""
    middle, spread = _scale(level, name, sign)
    load, z = variation(level, name).load, (limit - middle) / spread
    rest = math.sqrt(1.0 - load**2)
    chance = norm.sf((z - load * size - rest * common) / (rest * own))
    return np.asarray(np.where(z < -CLIP_SD, 1.0, np.where(z >= CLIP_SD, 0.0, chance)))
