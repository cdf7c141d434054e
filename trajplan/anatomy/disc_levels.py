"""Where the discs are along the canal: end plate pairs and foramina, tied by a plausible spacing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.straighten import Straightened
from trajplan.geometry.arrays import FloatArray

SPACING_MM = (13, 46)
_SPACING_WEIGHT = 1.2
_NODE_PRICE = 0.62


@dataclass(frozen=True, eq=False)
class SpineSignals:
    """Profiles along s, each shape (S,): body HU, pedicle HU (the weaker side), disc evidence and foramen evidence."""

    body_hu: FloatArray
    pedicle_hu: FloatArray
    disc: FloatArray
    foramen: FloatArray


def spine_signals(straight: Straightened) -> SpineSignals:
    """Profiles on which discs and pedicles repeat with the vertebrae."""
    inner = straight.band((9, 22), (-8, 8))
    body = ndi.gaussian_filter1d(0.5 * np.median(inner, axis=(1, 2)) + 0.5 * inner.mean(axis=(1, 2)), 0.8)
    sides = [straight.band((-3, 5), u).max(axis=2).mean(axis=1) for u in ((8, 19), (-19, -8))]
    pedicle = ndi.gaussian_filter1d(np.minimum(*np.clip(sides, -100.0, 600.0)), 1.5)
    top = ndi.maximum_filter1d(pedicle, 37, mode="nearest")
    # The foramen opens just above the disc's middle, at the lower third of the body above.
    low = _shifted(ndi.uniform_filter1d(pedicle, 5, mode="nearest"), 5)
    foramen = np.clip((top - low) / np.maximum(top, 150.0), 0.0, 1.0)
    return SpineSignals(body, pedicle, _disc_evidence(body), foramen)


def _shifted(profile: FloatArray, by: int) -> FloatArray:
    """``profile[s + by]`` at s, ends repeated."""
    index = np.clip(np.arange(len(profile)) + by, 0, len(profile) - 1)
    return np.asarray(profile[index])


def _disc_evidence(body: FloatArray) -> FloatArray:
    """Two end plates with a gap of 3..15 mm, both brighter than the spongy bone beyond; 0..1.5."""
    best = np.zeros_like(body)
    for half in (1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5):
        a, b = int(np.floor(half)), int(np.ceil(half))
        above = np.maximum(_shifted(body, a), _shifted(body, b))
        below = np.maximum(_shifted(body, -a), _shifted(body, -b))
        beyond_above = np.minimum(_shifted(body, b + 5), _shifted(body, b + 8))
        beyond_below = np.minimum(_shifted(body, -b - 5), _shifted(body, -b - 8))
        rise = np.minimum(above - beyond_above, below - beyond_below)
        dip = 0.5 * np.maximum(np.minimum(above, below) - body, 0.0)
        best = np.maximum(best, rise + dip)
    return np.asarray(np.clip(best / 90.0, 0.0, 1.5))


def find_discs(signals: SpineSignals, usable: np.ndarray) -> list[int]:
    """Disc positions s (mm, ascending) of the best chain of vertebrae; fewer than two mean that none was found.

    The value of a chain is the sum of its nodes' and vertebrae's evidence, less a price a node (so that weak nodes
    are not added) and less the jumps in spacing between neighbours.
    """
    strongest = ndi.maximum_filter1d(signals.foramen, 45, mode="nearest")
    opening = signals.foramen / np.maximum(strongest, 0.3)
    node = 0.4 * np.minimum(signals.disc, 1.0) + 0.7 * opening - _NODE_PRICE
    # A node needs scan on both sides: where the scan ends, air imitates a foramen.
    node = np.where(ndi.minimum_filter1d(usable.astype(np.uint8), 15, mode="constant", cval=0) > 0, node, -2.0)
    lo, hi = SPACING_MM
    count = len(node)
    spacings = np.arange(lo, hi + 1)
    penalty = _SPACING_WEIGHT * np.minimum(np.abs(np.log(spacings[:, None] / spacings[None, :])), 0.7)
    # value[s, k]: best chain ending at s whose last vertebra spans spacings[k]; start[s]: chain of s alone.
    value = np.full((count, len(spacings)), -np.inf)
    origin = np.full((count, len(spacings)), -1, dtype=int)
    for s in range(lo, count):
        for k, span in enumerate(spacings[: s - lo + 1]):
            before = s - span
            if before < 0:
                break
            options = value[before] - penalty[:, k]
            j = int(np.argmax(options))
            first = node[before]
            gain = node[s] + _vertebra_value(signals.pedicle_hu, opening, before, s)
            if options[j] > first:
                value[s, k], origin[s, k] = options[j] + gain, j
            else:
                value[s, k], origin[s, k] = first + gain, -1
    if count <= lo or not np.isfinite(value).any():
        return []
    s, k = (int(i) for i in np.unravel_index(int(np.argmax(value)), value.shape))
    chain = [s]
    while True:
        j = origin[s, k]
        s -= int(spacings[k])
        chain.append(s)
        if j < 0:
            return _ends_by_plates(chain[::-1], signals.disc, usable)
        k = int(j)


def _ends_by_plates(chain: list[int], disc: FloatArray, usable: np.ndarray) -> list[int]:
    """The two outermost discs placed by end plates alone.

    Beyond the last mobile vertebra (sacrum, end of the ribs) the foramen signal means nothing.
    """
    if len(chain) < 3:
        return chain
    out = list(chain)
    for end, near, step in ((0, 1, 1), (len(chain) - 1, len(chain) - 2, -1)):
        usual = abs(chain[near] - chain[near + step])
        spans = np.arange(round(0.65 * usual), round(1.45 * usual) + 1)
        place = chain[near] - step * spans
        kept = (place >= 0) & (place < len(disc))
        kept[kept] = usable[place[kept]]
        if not kept.any():
            continue
        value = disc[place[kept]] - 0.8 * np.abs(np.log(spans[kept] / usual))
        out[end] = int(place[kept][int(np.argmax(value))])
    return out


def _vertebra_value(pedicle_hu: FloatArray, opening: FloatArray, below: int, above: int) -> float:
    """Evidence that one vertebra lies between two discs: pedicles beside its upper half, no foramen half-way.

    Weighted by the length spanned, so that cutting a vertebra in two gains nothing.
    """
    span = above - below
    upper = pedicle_hu[below + round(0.45 * span) : above - round(0.1 * span)]
    middle = opening[below + round(0.4 * span) : above - round(0.25 * span) + 1]
    pedicles = float(np.clip((upper.mean() - 150.0) / 150.0, -1.0, 1.0))
    return (0.5 * pedicles - 0.6 * float(middle.max())) * span / 25.0
