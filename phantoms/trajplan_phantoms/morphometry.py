"""Sizes of vertebrae T9..L5, one row a level, and the discs between them."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.errors import InputError


@dataclass(frozen=True)
class Morphometry:
    """Sizes of one adult vertebra, mm and degrees.

    **Provenance.** The cells are secondary and partly *unverified*: body, canal, transverse span and spinous length
    as commonly quoted from Panjabi 1991/1992 (Spine 16:888, 17:299), pedicles from Zindrick 1987 (Spine 12:160), none
    of which was opened for this table; facet sizes as quoted from Panjabi 1993; wedge angles are the mean of both sexes
    in Masharawi 2010 (read); disc heights from Fletcher 2016 (thoracic) and Jentzsch 2024 (lumbar, CT; read); the
    disc angles and the lamina are derived. Good for phantoms that look and measure like vertebrae, not a source of
    normal values. T12's pedicle convergence is quoted between -10 and +4 degrees; 0 is used.

    Attributes
    ----------
    plate_width_upper_mm, plate_depth_upper_mm, plate_width_lower_mm, plate_depth_lower_mm : float
        End plates, across and front to back.
    height_posterior_mm : float
        Posterior body height.
    wedge_deg : float
        Angle between the end plates, + when the front is lower (kyphotic).
    canal_width_mm, canal_depth_mm : float
        Between the pedicles; posterior wall to lamina.
    pedicle_width_mm, pedicle_height_mm : float
        At the isthmus.
    convergence_deg, caudal_deg : float
        Pedicle axis going forward: towards the midline +; downwards +.
    transverse_span_mm : float
        Tip to tip of the transverse processes.
    spinous_tip_mm : float
        Spinous tip behind the body centre. The quoted "canal centre to tip" lengths fit CT only when read from the
        body centre, and are used so.
    spinous_drop_deg : float
        Slope of the spinous process below the horizontal.
    facet_width_mm, facet_height_mm : float
        Inferior facet.
    disc_below_mm, disc_below_deg : float
        Disc under this vertebra at mid-depth, and its opening angle, + when the front is higher (lordotic).
    """

    plate_width_upper_mm: float
    plate_depth_upper_mm: float
    plate_width_lower_mm: float
    plate_depth_lower_mm: float
    height_posterior_mm: float
    wedge_deg: float
    canal_width_mm: float
    canal_depth_mm: float
    pedicle_width_mm: float
    pedicle_height_mm: float
    convergence_deg: float
    caudal_deg: float
    transverse_span_mm: float
    spinous_tip_mm: float
    spinous_drop_deg: float
    facet_width_mm: float
    facet_height_mm: float
    disc_below_mm: float
    disc_below_deg: float


#       EPWu  EPDu  EPWl  EPDl  VBHp  wedge SCW   SCD   PW    PH    conv caud  TPW  SPL  drop facet W,H   disc mm, deg
TABLE: dict[str, Morphometry] = {
    "T9": Morphometry(30.6, 29.3, 33.0, 31.0, 19.3, 3.8, 17.9, 15.7, 6.1, 13.9, 7, 12, 59, 52, 42, 11.9, 12.3, 5.0, 0),
    "T10": Morphometry(31.9, 30.5, 35.4, 31.6, 20.2, 3.2, 18.2, 15.5, 6.3, 14.9, 5, 12, 57, 49, 33, 11.9, 12.4, 5.3, 0),
    "T11": Morphometry(34.9, 31.9, 39.1, 31.8, 21.3, 5.0, 19.4, 16.1, 7.8, 16.4, 1, 10, 51, 52, 24, 11.4, 13.3, 6.2, 1),
    "T12": Morphometry(39.0, 32.8, 42.1, 33.4, 22.7, 4.2, 22.2, 18.1, 7.1, 16.0, 0, 8, 47, 56, 16, 9.5, 12.5, 7.5, 2),
    "L1": Morphometry(41.2, 34.1, 43.3, 35.3, 23.8, 3.4, 23.7, 19.0, 8.7, 15.5, 11, 4, 71, 68, 8, 12.4, 15.3, 9.2, 4),
    "L2": Morphometry(42.6, 34.6, 45.5, 34.9, 24.3, 1.7, 23.8, 18.2, 8.9, 15.0, 12, 2, 76, 72, 8, 12.7, 16.0, 10.6, 6),
    "L3": Morphometry(44.1, 35.2, 48.0, 34.8, 23.8, 0.1, 24.3, 17.5, 10.3, 14.6, 14, 0, 86, 73, 8, 13.8, 15.7, 11.3, 8),
    "L4": Morphometry(
        46.6, 35.5, 49.5, 33.9, 24.1, -1.9, 25.4, 18.6, 12.9, 15.0, 18, 0, 79, 70, 8, 14.7, 16.2, 11.4, 10
    ),
    "L5": Morphometry(
        47.3, 34.7, 49.4, 33.2, 22.9, -6.2, 27.1, 19.7, 16.0, 14.0, 28, 0, 92, 61, 12, 15.6, 18.4, 10.5, 12
    ),
}
LEVELS: tuple[str, ...] = tuple(TABLE)
"""Supported levels, top to bottom."""

SUPERIOR_CONCAVITY_MM = 0.7
INFERIOR_CONCAVITY_MM = 1.5
"""Depth of the end plates below their rim: cranial and caudal end plate of a body (Wang 2012, n = 591)."""


def morphometry(level: str) -> Morphometry:
    """The row of `level`; refuses levels outside T9..L5.

    >>> morphometry("L1").pedicle_width_mm
    8.7
    """
    row = TABLE.get(level)
    if row is None:
        raise InputError(
            f"no phantom sizes for level {level!r}; supported are {LEVELS[0]}..{LEVELS[-1]}", code="level_unsupported"
        )
    return row


def level_below(level: str) -> str:
    """The next level down; L5 stands in for the sacrum below itself."""
    index = LEVELS.index(level)
    return LEVELS[min(index + 1, len(LEVELS) - 1)]


def default_levels(target: str, above: int = 2, below: int = 2) -> tuple[str, ...]:
    """`target` with its neighbours as far as the table goes, top to bottom.

    >>> default_levels("T10")
    ('T9', 'T10', 'T11', 'T12')
    """
    morphometry(target)
    index = LEVELS.index(target)
    return LEVELS[max(0, index - above) : index + below + 1]
