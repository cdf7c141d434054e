"""Sizes of vertebrae T4..S1 (T13 and L6 as variants), one row a level, and the discs between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from trajplan.errors import InputError


@dataclass(frozen=True)
class Morphometry:
    """Sizes of one adult vertebra, mm and degrees.

    **Provenance.** The cells are secondary and partly *unverified*: body, canal, transverse span and spinous length
    as commonly quoted from Panjabi 1991/1992 (Spine 16:888, 17:299), pedicles from Zindrick 1987 (Spine 12:160), none
    of which was opened for this table; facet sizes as quoted from Panjabi 1993; wedge angles are the mean of both sexes
    in Masharawi 2010 (read); disc heights from Fletcher 2016 (thoracic) and Jentzsch 2024 (lumbar, CT; read); the
    disc angles and the lamina are derived; wedge angles and discs of T4..T8, and the rows of T13, L6 and S1, are
    our own interpolation (*unverified*); facet orientation follows Masharawi 2004 (read). Good for phantoms that look
    and measure like vertebrae, not a source of normal values. T12's pedicle convergence is quoted between -10 and +4
    degrees; 0 is used.

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
    facet_deg : float
        The joints with the vertebra above: angle of the joint from the midsagittal plane, seen from above. Below 90 the
        superior facet looks inwards (lumbar), above it backwards and outwards (thoracic).
    facet_tilt_deg : float
        How far the joint leans forward from the vertical.
    superior_concavity_mm, inferior_concavity_mm : float
        Depth of the end plates below their rim (Wang 2012, n = 591: cranial and caudal end plate of a body).
    superior_apex, inferior_apex : float
        Deepest place: share of the body's depth behind the body centre (*unverified*).
    transverse_height_mm : float
        Of the transverse processes at their root.
    transverse_forward_mm : float
        How far in front of the pars they spring from the pedicle, broadly where this is not 0: at L5 from its whole
        outer wall as far as the body (about 10; *unverified*, read off one scan). The isthmus then has no free outer
        wall, so phantoms for judging pedicles leave it at 0.
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
    facet_deg: float
    facet_tilt_deg: float = 3.0
    superior_concavity_mm: float = 0.7
    inferior_concavity_mm: float = 1.5
    superior_apex: float = 0.04
    inferior_apex: float = 0.04
    transverse_height_mm: float = 10.4
    transverse_forward_mm: float = 0.0


_ROWS: tuple[tuple[str, tuple[float, ...]], ...] = (
    #       EPWu  EPDu  EPWl  EPDl  VBHp  wedge SCW   SCD   PW   PH   conv caud TPW SPL drop facet W H disc mm deg facet
    ("T4", (24.5, 23.3, 26.0, 24.5, 16.2, 2.5, 17.0, 16.2, 4.7, 12.1, 14, 16, 58, 51, 47, 10.4, 11.0, 2.7, 0, 99)),
    ("T5", (24.9, 24.3, 27.0, 25.8, 16.2, 3.0, 17.3, 16.3, 4.5, 11.9, 10, 15, 59, 51, 55, 9.7, 10.9, 3.0, 0, 99)),
    ("T6", (26.2, 26.0, 28.2, 26.9, 17.4, 3.5, 17.3, 16.3, 5.2, 12.2, 9, 15, 60, 54, 58, 9.6, 10.3, 3.5, 0, 99)),
    ("T7", (27.8, 27.4, 29.1, 28.5, 18.2, 3.8, 17.2, 15.9, 5.3, 12.1, 9, 16, 60, 55, 55, 9.8, 10.6, 4.0, 0, 99)),
    ("T8", (29.5, 27.9, 30.5, 29.4, 18.7, 3.5, 17.7, 15.9, 5.9, 12.5, 8, 16, 60, 55, 50, 10.4, 10.9, 4.5, 0, 99)),
    ("T9", (30.6, 29.3, 33.0, 31.0, 19.3, 3.8, 17.9, 15.7, 6.1, 13.9, 7, 15, 59, 52, 42, 11.9, 12.3, 5.0, 0, 99)),
    ("T10", (31.9, 30.5, 35.4, 31.6, 20.2, 3.2, 18.2, 15.5, 6.3, 14.9, 5, 15, 57, 49, 33, 11.9, 12.4, 5.3, 0, 99)),
    ("T11", (34.9, 31.9, 39.1, 31.8, 21.3, 5.0, 19.4, 16.1, 7.8, 16.4, 1, 10, 51, 52, 24, 11.4, 13.3, 6.2, 1, 99)),
    ("T12", (39.0, 32.8, 42.1, 33.4, 22.7, 4.2, 22.2, 18.1, 7.1, 16.0, 0, 8, 47, 56, 16, 9.5, 12.5, 7.5, 2, 99)),
    ("T13", (40.1, 33.5, 42.7, 34.4, 23.2, 3.8, 23.0, 18.5, 7.9, 15.8, 5, 6, 52, 60, 12, 11.0, 14.0, 8.3, 3, 99)),
    ("L1", (41.2, 34.1, 43.3, 35.3, 23.8, 3.4, 23.7, 19.0, 8.7, 15.5, 11, 4, 71, 68, 8, 12.4, 15.3, 9.2, 4, 31)),
    ("L2", (42.6, 34.6, 45.5, 34.9, 24.3, 1.7, 23.8, 18.2, 8.9, 15.0, 12, 2, 76, 72, 8, 12.7, 16.0, 10.6, 6, 33)),
    ("L3", (44.1, 35.2, 48.0, 34.8, 23.8, 0.1, 24.3, 17.5, 10.3, 14.6, 14, 0, 86, 73, 8, 13.8, 15.7, 11.3, 8, 38)),
    ("L4", (46.6, 35.5, 49.5, 33.9, 24.1, -1.9, 25.4, 18.6, 12.9, 15.0, 18, 0, 79, 70, 8, 14.7, 16.2, 11.4, 10, 44)),
    ("L5", (47.3, 34.7, 49.4, 33.2, 22.9, -6.2, 27.1, 19.7, 16.0, 14.0, 28, 0, 92, 61, 12, 15.6, 18.4, 10.5, 12, 50)),
    ("L6", (47.3, 34.7, 49.4, 33.2, 22.9, -6.2, 27.1, 19.7, 16.0, 14.0, 28, 0, 92, 61, 12, 15.6, 18.4, 10.0, 10, 50)),
    ("S1", (50.0, 33.0, 36.0, 22.0, 24.0, -8.0, 31.0, 16.0, 14.0, 18.0, 30, 10, 96, 46, 40, 16.0, 17.0, 2.0, 0, 54)),
)

TABLE: dict[str, Morphometry] = {name: Morphometry(*map(float, row)) for name, row in _ROWS}
for _name in ("T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "T13"):
    TABLE[_name] = replace(TABLE[_name], facet_tilt_deg=16.0)
for _name in ("L3", "L4", "L5", "L6"):
    TABLE[_name] = replace(TABLE[_name], inferior_apex=0.08)
del _name

LEVELS: tuple[str, ...] = tuple(name for name in TABLE if name not in ("T13", "L6", "S1"))
"""Everyday targets, top to bottom: T4..L5."""

COLUMN: tuple[str, ...] = tuple(TABLE)
"""Everything that can be built, top to bottom, variants and sacrum included."""

_OPTIONAL = ("T13", "L6")


def morphometry(level: str) -> Morphometry:
    """The row of `level`; refuses levels outside T4..S1.

    >>> morphometry("L1").pedicle_width_mm
    8.7
    """
    row = TABLE.get(level)
    if row is None:
        raise InputError(
            f"no phantom sizes for level {level!r}; supported are {LEVELS[0]}..{LEVELS[-1]}, S1, and T13 and L6 as "
            "variants",
            code="level_unsupported",
        )
    return row


def level_below(level: str) -> str:
    """The next level down in a spine without variants; the sacrum stands in below itself.

    >>> level_below("T12"), level_below("T13"), level_below("S1")
    ('L1', 'L1', 'S1')
    """
    for name in COLUMN[COLUMN.index(level) + 1 :]:
        if name not in _OPTIONAL:
            return name
    return level


def are_adjacent(levels: tuple[str, ...]) -> bool:
    """Whether levels follow one another downwards; T13 and L6 may be there or not.

    >>> are_adjacent(("T12", "L1")), are_adjacent(("T12", "T13", "L1")), are_adjacent(("L1", "L3"))
    (True, True, False)
    """
    for upper, lower in pairwise(levels):
        first, last = COLUMN.index(upper), COLUMN.index(lower)
        if last <= first or any(name not in _OPTIONAL for name in COLUMN[first + 1 : last]):
            return False
    return bool(levels)


def default_levels(target: str, above: int = 2, below: int = 2) -> tuple[str, ...]:
    """`target` with its neighbours T4..L5 as far as they go, top to bottom; a variant comes with its neighbours.

    >>> default_levels("T10")
    ('T8', 'T9', 'T10', 'T11', 'T12')
    >>> default_levels("L6")
    ('L4', 'L5', 'L6', 'S1')
    """
    morphometry(target)
    if target in LEVELS:
        index = LEVELS.index(target)
        return LEVELS[max(0, index - above) : index + below + 1]
    column = tuple(name for name in COLUMN if name == target or name not in _OPTIONAL)
    index = column.index(target)
    return column[max(0, index - above) : index + below + 1]
