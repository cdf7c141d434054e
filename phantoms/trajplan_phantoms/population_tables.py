"""How the sizes of vertebrae vary between people: means, deviations and correlations, with their sources.

Coefficients of variation were read in the sources named; *assumed* marks what nobody was found to have measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trajplan.levels import is_thoracic, level_id

Sex = Literal["any", "female", "male"]
SEXES: tuple[str, ...] = ("any", "female", "male")

BODY_FACTOR = 1.06
"""Bodies on CT are this much larger than the cadaver sizes of the table (from the volumes of both)."""
SIZE_CV = 0.066
"""Of the size factor that all sizes of a person share (0.07 / 1.06)."""
SEX_SHIFT = 0.63
"""Mean of the size deviate: + for men, - for women, in SDs of the mixed population; women are 0.92 of men."""
ELDERLY_YEARS = 65.0
ELDERLY_FEMALE = ((0.98 / BODY_FACTOR - 1.0) / SIZE_CV, 0.06 / BODY_FACTOR / SIZE_CV)
"""Mean and SD of the size deviate of elderly women, whose bodies are 0.98 +- 0.06 of the table."""
CLIP_SD = 2.5
"""No single size lies further from its mean than this many SDs."""
PERSON_SHARE, LEVEL_SHARE, FIELD_SHARE = 0.7, 0.2, 0.1
"""Of the variance that is not body size: common to all levels of a person, to a level, and to one size (*assumed*)."""
WIDEST_PEDICLE_SHARE = 0.39
"""Of the narrower end plate's width: no drawn pedicle is wider."""
LOWEST_DISC_MM = 2.2
"""No drawn disc is lower."""


@dataclass(frozen=True)
class Variation:
    """One size: factor on the table's mean, spread, and how much of it is the person's size.

    Attributes
    ----------
    group : str
        Sizes of one group vary together.
    factor : float
        On the table's mean.
    cv : float
        SD as a share of the mean, or 0 where `sd` holds.
    sd : float
        In mm or degrees.
    load : float
        Correlation with the person's size deviate.
    """

    group: str
    factor: float = 1.0
    cv: float = 0.0
    sd: float = 0.0
    load: float = 0.0


_WIDTH = Variation("width", BODY_FACTOR, 0.08, load=SIZE_CV / 0.08)  # assumed: between height and depth
_DEPTH = Variation("depth", BODY_FACTOR, 0.10, load=SIZE_CV / 0.10)  # Cook 2021: 35.7 +- 3.5
_FACET = Variation("facet", 1.0, 0.10, load=0.5)  # assumed

VARIATIONS: dict[str, Variation] = {
    "plate_width_upper_mm": _WIDTH,
    "plate_width_lower_mm": _WIDTH,
    "plate_depth_upper_mm": _DEPTH,
    "plate_depth_lower_mm": _DEPTH,
    "height_posterior_mm": Variation("height", BODY_FACTOR, 0.07, load=SIZE_CV / 0.07),  # Cook 2021: 26.3 +- 1.9
    "wedge_deg": Variation("wedge", sd=2.0),  # assumed
    "canal_width_mm": Variation("canal width", 1.0, 0.11, load=0.3),  # Cook 2021: 28.2 +- 3.1
    "canal_depth_mm": Variation("canal depth", 1.0, 0.13, load=0.2),  # Cook 2021: 15.6 +- 2.1
    "pedicle_width_mm": Variation("pedicle width", 1.0, 0.14, load=0.4),  # Cook 2021; thoracic: see `variation`
    "pedicle_height_mm": Variation("pedicle height", 1.0, 0.125, load=0.5),  # Cook 2021: 12.9 +- 1.9
    "convergence_deg": Variation("convergence", sd=3.0),  # 2.1 to 5.2 quoted
    "caudal_deg": Variation("caudal", sd=2.3),  # 2.2 quoted at T2
    "transverse_span_mm": Variation("transverse", 1.0, 0.08, load=0.6),  # Kaur: 23.5 +- 2.1 and 31.2 +- 1.9
    "spinous_tip_mm": Variation("spinous", 1.0, 0.06, load=0.6),  # assumed
    "spinous_drop_deg": Variation("drop", sd=3.0),  # thoracic 6.7 to 9.3 quoted, less so that neighbours stay apart
    "facet_width_mm": _FACET,
    "facet_height_mm": _FACET,
    "facet_deg": Variation("facet angle", sd=5.0),  # assumed
    "disc_below_mm": Variation("disc", 1.0, 0.16, load=0.4),  # 0.20 to 0.35 quoted with measuring error
    "superior_concavity_mm": Variation("superior concavity", 1.0, 0.3),  # assumed
    "inferior_concavity_mm": Variation("inferior concavity", 1.0, 0.3),  # assumed
}
"""By field of `Morphometry`; fields that are not here stay as in the table."""

_WEDGE_SEX_DEG = {
    "T9": 1.0, "T10": 0.6, "T11": 0.4, "T12": 0.7, "T13": 0.7, "L1": 0.75, "L2": 0.95, "L3": 1.2, "L4": 1.2,
    "L5": 1.6, "L6": 1.6,
}  # fmt: skip
"""Half the difference of the wedge angle between men (more kyphotic) and women, Masharawi 2010."""


def variation(level: str, name: str) -> Variation:
    """How a size varies at a level: pedicle widths vary more in the thorax (Kaur: 4.5 +- 0.93, 8.3 +- 1.8)."""
    row = VARIATIONS[name]
    if name == "pedicle_width_mm" and is_thoracic(level_id(level)):
        return Variation(row.group, row.factor, 0.20, load=row.load)
    return row


def sex_offset(level: str, name: str, sex_sign: int) -> float:
    """What a sex (+1 male, -1 female) adds to a mean beyond its size: only the wedge angle, degrees."""
    return sex_sign * _WEDGE_SEX_DEG.get(level, 0.5) if name == "wedge_deg" else 0.0


def bone_hu(age_years: float) -> tuple[float, float]:
    """Mean and SD of cancellous bone, HU at 120 kV, by age.

    Jang 2019 (n = 20 374): 226 +- 44 below 30 years, -2.5 HU a year, 89 +- 38 from 90.

    >>> bone_hu(25.0)
    (226.0, 44.0)
    """
    return (
        float(np.interp(age_years, [25.0, 75.0, 90.0], [226.0, 101.0, 89.0])),
        float(np.interp(age_years, [25.0, 90.0], [44.0, 38.0])),
    )
