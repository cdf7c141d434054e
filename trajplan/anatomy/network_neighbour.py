"""From one vertebra to its neighbours: the network looks where the next body should be, and again from where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.network_model import NetworkModel
from trajplan.anatomy.network_pass import Look, dice, look, overlapping
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray

FIRST_STEP_SHARE = 1.3
"""Distance to the next body's centre, in heights of this one: body and disc."""

STEP_RANGE_MM = (10.0, 55.0)
MAX_TURN_DEG = 40.0
SAME_DICE = 0.3
MIN_VOLUME_ML = 4.0
FURTHER_MM = 7.0
_TRIES = 3


@dataclass(frozen=True, eq=False)
class Step:
    """One vertebra met on the way: what was seen from its own body centre (LPS mm)."""

    seen: Look
    center_lps: FloatArray


def neighbour(model: NetworkModel, ct: Volume, start: Step, *, upwards: bool) -> Step | None:
    """The vertebra above (or below) `start`; None where none is seen or the border of the scan cuts it."""
    sign = 1.0 if upwards else -1.0
    guess = sign * FIRST_STEP_SHARE * _height_mm(start) * np.array([0.0, 0.0, 1.0])
    found = _next(model, ct, start, guess, sign)
    return None if found is None or _is_cut(found, ct) else found


def _next(model: NetworkModel, ct: Volume, here: Step, step: FloatArray, sign: float) -> Step | None:
    """Look one step on; when that is still this vertebra, a little further."""
    along = step / np.linalg.norm(step)
    for attempt in range(_TRIES):
        guess = here.center_lps + step + attempt * FURTHER_MM * along
        if not bool(ct.grid.contains(guess, margin_mm=2.0)):
            return None
        first = look(model, ct, guess, mirrored=False)
        center = first.body_center_lps()
        if center is None or _same(first, here.seen):
            continue
        second = look(model, ct, center, mirrored=False)
        again = second.body_center_lps()
        if again is None or _volume_ml(second) < MIN_VOLUME_ML or _same(second, here.seen):
            continue
        moved = again - here.center_lps
        distance = float(np.linalg.norm(moved))
        straight = float(moved @ along) >= np.cos(np.radians(MAX_TURN_DEG)) * distance
        if STEP_RANGE_MM[0] <= distance <= STEP_RANGE_MM[1] and straight and sign * moved[2] > 0:
            return Step(second, again)
    return None


def _same(a: Look, b: Look) -> bool:
    """Whether two looks show one vertebra: their masks overlap."""
    shift = np.round(b.grid.world_to_index(a.grid.index_to_world(np.zeros(3)))).astype(int)
    return dice(*overlapping(a.mask(), b.mask(), shift)) > SAME_DICE


def _height_mm(step: Step) -> float:
    """Of the body, at its centre."""
    body = step.seen.body()
    _, y, x = np.round(step.seen.grid.world_to_index(step.center_lps)).astype(int)
    column = body[:, y, x]
    return max(10.0, float(np.count_nonzero(column)) * float(step.seen.grid.spacing_zyx[0]))


def _volume_ml(seen: Look) -> float:
    return float(np.count_nonzero(seen.mask())) * float(np.prod(seen.grid.spacing_zyx)) / 1000.0


def _is_cut(step: Step, ct: Volume) -> bool:
    """Whether the body reaches the border of the scan."""
    points = step.seen.grid.index_to_world(np.argwhere(step.seen.body()))
    return not bool(np.all(ct.grid.contains(points, margin_mm=1.0)))
