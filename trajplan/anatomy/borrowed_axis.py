"""Which way is up for a crushed vertebra: its w axis from what the fracture has left standing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.lean import lean_deg
from trajplan.geometry import Frame
from trajplan.geometry.arrays import FloatArray, unit

TYPICAL_WEDGE_DEG: dict[int, float] = {
    16: 3.8, 17: 3.2, 18: 5.0, 19: 4.2, 20: 3.4, 21: 1.7, 22: 0.1, 23: -1.9, 24: -6.2,
}  # fmt: skip
"""Angle between the end plates of intact bodies T9..L5, + when the front is lower: mean of both sexes in Masharawi 2010
(PMC2899959, table 1). Above T9 no figures were found; 3 degrees is assumed, and 0 where the level is unknown."""

PLATE_SD_DEG, NEIGHBOURS_SD_DEG, WALL_SD_DEG = 3.2, 3.3, 4.5
"""How far each evidence stood from the mean end-plate normal in 19 unfractured vertebrae of two CT scans (T2..L5)."""

SUPERIOR_FACTOR = 1.5
"""The superior end plate is the one that mostly fails: it is trusted less than the inferior one."""

KYPHOTIC_RAMP_DEG, LORDOTIC_RAMP_DEG = (4.0, 8.0), (9.0, 14.0)
"""Wedging beyond the expected at which the own end plates begin to lose their say, and have lost it. Ordinary bodies
differ from the expected by 3 degrees; a lower back than front is mostly shape and hardly ever fracture."""

LEAST_TURN_DEG = 1.0
"""Less is no turn: both end plates failed alike, or none did."""

WALL_NAME, NEIGHBOURS_NAME = "posterior wall", "neighbours"
SUPERIOR_NAME, INFERIOR_NAME = "upper end plate", "lower end plate"


@dataclass(frozen=True, eq=False)
class AxisHints:
    """What the surroundings say of the axis.

    Parameters
    ----------
    neighbours_w_lps : ndarray or None, shape (3,)
        Unit superior axis at this vertebra, interpolated between sound neighbours above and below.
    expected_wedge_deg : float
        Wedging of the intact body.
    """

    neighbours_w_lps: FloatArray | None
    expected_wedge_deg: float


@dataclass(frozen=True, eq=False)
class ChosenAxis:
    """The superior axis, where it comes from, what to tell the user (empty for "own end plates")."""

    w_lps: FloatArray
    source: str
    caution: str


OWN = "own end plates"


def typical_wedge_deg(level_id: int) -> float:
    """Expected wedging of a level by itself, degrees."""
    return TYPICAL_WEDGE_DEG.get(level_id, 3.0 if 8 <= level_id < 16 else 0.0)


def choose_axis(
    frame: Frame, superior_lps: FloatArray, inferior_lps: FloatArray, wall_deg: float | None, hints: AxisHints
) -> ChosenAxis:
    """The superior axis of a body whose `frame` has w along the mean of its end-plate normals.

    While the wedging of the body is what is expected of it, that is the mean normal. Beyond, four witnesses in the
    sagittal plane are weighed against each other so that one that stands alone (the failed end plate; neighbours that
    followed it) loses its say: either end plate less half the expected wedging, the neighbours, the posterior wall.

    Parameters
    ----------
    superior_lps, inferior_lps : ndarray, shape (3,)
        End-plate normals, both pointing superior.
    wall_deg : float or None
        Lean of the posterior wall against w, + backwards going up.
    """
    top, bottom = lean_deg(frame, superior_lps), lean_deg(frame, inferior_lps)
    excess = (bottom - top) - hints.expected_wedge_deg
    low, high = KYPHOTIC_RAMP_DEG if excess > 0 else LORDOTIC_RAMP_DEG
    distrust = float(np.clip((abs(excess) - low) / (high - low), 0.0, 1.0))
    if distrust == 0.0:
        return ChosenAxis(frame.w, OWN, "")
    half = 0.5 * hints.expected_wedge_deg
    witnesses = [
        (SUPERIOR_NAME, top + half, PLATE_SD_DEG * SUPERIOR_FACTOR),
        (INFERIOR_NAME, bottom - half, PLATE_SD_DEG),
    ]
    if hints.neighbours_w_lps is not None:
        witnesses.append((NEIGHBOURS_NAME, lean_deg(frame, hints.neighbours_w_lps), NEIGHBOURS_SD_DEG))
    if wall_deg is not None:
        witnesses.append((WALL_NAME, wall_deg, WALL_SD_DEG))
    lean, weights = _agreed([w[1] for w in witnesses], [w[2] for w in witnesses])
    shift = distrust * lean
    if abs(shift) < LEAST_TURN_DEG:
        return ChosenAxis(frame.w, OWN, "")
    angle = float(np.radians(shift))
    w_lps = unit(np.cos(angle) * frame.w + np.sin(angle) * frame.v)
    heard = [witnesses[i][0] for i in np.argsort(-weights) if weights[i] >= 0.15 * weights.sum()]
    return ChosenAxis(
        w_lps,
        heard[0],
        f"check the frame: the body is {excess:+.0f} degrees more wedged than expected, so its upward axis was turned "
        f"by {abs(shift):.0f} degrees from the mean of its end plates to agree with its {_listed(heard)}",
    )


def _agreed(angles_deg: Sequence[float], sd_deg: Sequence[float]) -> tuple[float, FloatArray]:
    """Weighted mean in which a witness loses its weight as it stands apart; and the weights."""
    angle, sd = np.array(angles_deg), np.array(sd_deg)
    order = np.argsort(angle)
    share = np.cumsum(1.0 / sd[order] ** 2)
    best = float(angle[order][np.searchsorted(share, 0.5 * share[-1])])
    weight: FloatArray = 1.0 / sd**2
    for _ in range(30):
        weight = 1.0 / (sd**2 * (1.0 + ((angle - best) / (1.5 * sd)) ** 2) ** 2)
        best = float(np.average(angle, weights=weight))
    return best, weight


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
