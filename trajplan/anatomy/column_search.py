"""Every vertebra of a scan by the network: from first guesses it walks up and down, then looks into the gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.network_pass import dice, overlapping
from trajplan.geometry.arrays import FloatArray

Settle = Callable[[FloatArray], FoundVertebra | None]
"""``settle(seed_lps)``: the vertebra about a seed, or None; also None outside the scan."""

FIRST_STEP_SHARE = 1.3
"""Distance between two body centres in heights of a body: body and disc."""

GAP_SHARE = 1.5
"""Neighbours further apart than this share of what is usual there may have another between them."""

STEP_RANGE_MM = (9.0, 60.0)
MAX_TURN_DEG = 40.0
SAME_DICE, MAX_SHARED = 0.3, 0.15
SURER_DICE = 0.03
"""A vertebra met again is seen better when image and mirror image agree by this much more."""

MIN_VOLUME_SHARE = 0.45
"""Of the vertebra next to it: less, and not cut, is a piece of something else (S2, a rib's head)."""

_TRIES_MM = (0.0, 7.0, -6.0, 14.0)
_ASIDE_MM = (0.0, 5.0, -5.0)


def search_column(settle: Settle, proposals: Sequence[FloatArray]) -> tuple[FoundVertebra, ...]:
    """All vertebrae reached from the proposals (LPS mm, likeliest first), from the uppermost to the lowest."""
    found: list[FoundVertebra] = []
    for point in proposals:
        if _explained(point, found):
            continue
        one = settle(point)
        if one is None or _known(one, found):
            continue
        _add(one, found)
        for sign in (1.0, -1.0):
            _walk(settle, one, sign, found)
    # a piece of a vertebra may stand where the whole one is: it goes first, then its place is looked into again
    found = _without_strays(found)
    _fill_gaps(settle, found)
    return tuple(_without_strays(found))


def _walk(settle: Settle, start: FoundVertebra, sign: float, found: list[FoundVertebra]) -> None:
    """Add the vertebrae above (sign 1) or below `start`, until none is seen or the next is known."""
    here, step = start, sign * FIRST_STEP_SHARE * start.height_mm * np.array([0.0, 0.0, 1.0])
    while True:
        after = _next(settle, here, step, sign)
        if after is not None and same(after, here):
            found[found.index(here)] = here = after
            step = sign * FIRST_STEP_SHARE * here.height_mm * np.array([0.0, 0.0, 1.0])
            continue
        if after is None or _known(after, found):
            return
        _add(after, found)
        step, here = after.center_lps - here.center_lps, after


def _next(settle: Settle, here: FoundVertebra, step: FloatArray, sign: float) -> FoundVertebra | None:
    """Look one step on; when that is still this vertebra, or nothing, a little further and nearer.

    Returns `here` itself where it is met again and seen better.
    """
    along = step / np.linalg.norm(step)
    for more in _TRIES_MM:
        one = settle(here.center_lps + step + more * along)
        if one is None:
            continue
        if same(one, here):
            if one.seen.flip_dice > here.seen.flip_dice + SURER_DICE:
                return one
            continue
        moved = one.center_lps - here.center_lps
        distance = float(np.linalg.norm(moved))
        straight = float(moved @ along) >= np.cos(np.radians(MAX_TURN_DEG)) * distance
        if STEP_RANGE_MM[0] <= distance <= STEP_RANGE_MM[1] and straight and sign * moved[2] > 0:
            return one
    return None


def gaps(found: Sequence[FoundVertebra]) -> tuple[int, ...]:
    """The places k where vertebrae may be missing between ``found[k]`` and ``found[k + 1]``."""
    return tuple(k for k in range(len(found) - 1) if _apart(found, k) > GAP_SHARE * _usual_mm(found, k))


def _apart(found: Sequence[FoundVertebra], k: int) -> float:
    return float(np.linalg.norm(found[k].center_lps - found[k + 1].center_lps))


def _usual_mm(found: Sequence[FoundVertebra], k: int) -> float:
    """Distance expected between ``found[k]`` and the next: median of the steps about, or by the heights of the two."""
    near = [j for j in range(k - 2, k + 3) if j != k and 0 <= j < len(found) - 1]
    by_height = FIRST_STEP_SHARE * 0.5 * (found[k].height_mm + found[k + 1].height_mm)
    return float(np.median([_apart(found, j) for j in near])) if len(near) > 1 else by_height


def _fill_gaps(settle: Settle, found: list[FoundVertebra]) -> None:
    for k in reversed(gaps(found)):
        upper, lower = found[k], found[k + 1]
        way = lower.center_lps - upper.center_lps
        missing = max(1, round(_apart(found, k) / _usual_mm(found, k)) - 1)
        for n in range(1, missing + 1):
            for aside in _ASIDE_MM:
                one = settle(upper.center_lps + way * n / (missing + 1) + aside * way / np.linalg.norm(way))
                if one is not None and not _known(one, found):
                    _add(one, found)
                    break


def _without_strays(found: list[FoundVertebra]) -> list[FoundVertebra]:
    """Of two that share volume the surer one; and nothing that stands alone beside a longer chain."""
    kept: list[FoundVertebra] = []
    for one in sorted(found, key=lambda v: -v.seen.flip_dice):
        if all(shared(one, other) <= MAX_SHARED for other in kept):
            kept.append(one)
    kept.sort(key=lambda v: -v.center_lps[2])
    kept = [one for k, one in enumerate(kept) if one.cut or one.volume_ml >= MIN_VOLUME_SHARE * _beside_ml(kept, k)]
    chains: list[list[FoundVertebra]] = []
    for one in kept:
        if chains and np.linalg.norm(one.center_lps - chains[-1][-1].center_lps) <= 2 * STEP_RANGE_MM[1]:
            chains[-1].append(one)
        else:
            chains.append([one])
    longest = max((len(chain) for chain in chains), default=0)
    return [one for chain in chains for one in chain if len(chain) > 1 or longest < 3]


def _beside_ml(found: Sequence[FoundVertebra], k: int) -> float:
    """Volume of the smaller wholly visible neighbour of ``found[k]``; 0 without one."""
    near = [found[j].volume_ml for j in (k - 1, k + 1) if 0 <= j < len(found) and not found[j].cut]
    return min(near, default=0.0)


def _explained(point: FloatArray, found: list[FoundVertebra]) -> bool:
    """Whether a point lies beside the vertebrae already found, at their height."""
    if any(abs(point[2] - one.center_lps[2]) < 0.8 * one.height_mm for one in found):
        return True
    open_places = gaps(found)
    return any(
        found[k + 1].center_lps[2] < point[2] < found[k].center_lps[2] and k not in open_places
        for k in range(len(found) - 1)
    )


def _add(one: FoundVertebra, found: list[FoundVertebra]) -> None:
    found.append(one)
    found.sort(key=lambda v: -v.center_lps[2])


def _known(one: FoundVertebra, found: list[FoundVertebra]) -> bool:
    return any(same(one, other) for other in found)


def same(a: FoundVertebra, b: FoundVertebra) -> bool:
    """Whether two looks show one vertebra: their masks overlap."""
    if np.abs(a.center_lps - b.center_lps).max() > 60.0:
        return False
    return dice(*_together(a, b)) > SAME_DICE


def shared(a: FoundVertebra, b: FoundVertebra) -> float:
    """Volume two masks share, of the smaller one."""
    if np.abs(a.center_lps - b.center_lps).max() > 90.0:
        return 0.0
    one, two = _together(a, b)
    smaller = min(int(np.count_nonzero(a.mask)), int(np.count_nonzero(b.mask)))
    return float(np.count_nonzero(one & two)) / max(1, smaller)


def _together(a: FoundVertebra, b: FoundVertebra) -> tuple[np.ndarray, np.ndarray]:
    shift = np.rint(b.seen.grid.world_to_index(a.seen.grid.index_to_world(np.zeros(3)))).astype(int)
    return overlapping(a.mask, b.mask, shift)
