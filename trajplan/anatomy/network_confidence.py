"""How far a mask of the network can be trusted, from what its looks disagree about."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.network_pass import Look, dice, overlapping
from trajplan.anatomy.rules import Rule, rate
from trajplan.anatomy.vertebra import Confidence
from trajplan.geometry.arrays import BoolArray, Float32Array

# The limit of `doubt_width_mm` (half way: 1.75 mm) was found on 40 masks of phantoms and of patients the network had
# not learnt, half of them seen through worse scanners (benchmarks/segmentation.py --hard): of the eight with Dice below
# 0.87 seven lie above it (the other, 0.851, at 1.63), of the 25 above 0.90 three (0.911 to 0.924, 1.77 to 1.97). As a
# share of the volume the same doubt told small vertebrae from large ones rather than bad masks from good.
# That of `pedicle_doubt_mm` (1.48 mm) on the same masks: of the five whose pedicle regions have Dice below 0.895 three
# lie above it (1.49 to 1.52; the others 1.14 and 1.44), of the 29 above 0.92 none.
_RULES = {
    "flip_dice": Rule(0.80, 0.92, "the network sees another outline in the mirror image"),
    "recentre_dice": Rule(0.80, 0.92, "the network sees another outline from the body's centre than from the seed"),
    "doubt_width_mm": Rule(2.13, 1.37, "the network is undecided about where the outline is"),
    "pedicle_doubt_mm": Rule(2.05, 0.91, "the network is undecided about where the pedicles are"),
    "neighbour_overlap": Rule(0.15, 0.03, "the network sees a part of the vertebra as its neighbour too"),
    "fragment_share": Rule(0.10, 0.02, "the network sees pieces of the vertebra far from it"),
}

UNDECIDED = (0.3, 0.7)
"""The network answers with the share of its voxel (1.5 mm) that is bone: about a sharp edge too it says less than 0.8
and more than 0.2 for a millimetre."""

PEDICLE_MM = 6.0
"""Half a pedicle's length and a little: as far as it reaches from body and from arch."""


def judge_looks(
    first: Look,
    second: Look | None,
    share: Float32Array,
    mask: BoolArray,
    moved_mm: float,
    spacing_mm: float,
    overlap_share: float | None = None,
) -> Confidence:
    """Confidence in `mask`, found from the mean probability `share` of two looks, or of one.

    `mask` and `share` lie on one grid of `spacing_mm` in every direction; `mask` is what `share` says, before any edge
    of the CT has had its say.

    The values: agreement of image and mirror image, agreement of the two looks, how wide the border is where the
    probability is `UNDECIDED`, the same about the pedicles, share of the target that lay in other pieces than
    the largest, and `overlap_share`, how much of the target the neighbours also claim.
    """
    pieces, size = int(np.count_nonzero(share > 0.5)), int(np.count_nonzero(mask))
    values = {
        "flip_dice": first.flip_dice if second is None else min(first.flip_dice, second.flip_dice),
        "doubt_share": doubt_share(share),
        "doubt_width_mm": doubt_width_mm(share, mask, spacing_mm),
        "pedicle_doubt_mm": pedicle_doubt_mm(second or first),
        "fragment_share": 1.0 - size / max(1, pieces),
    }
    if second is not None:
        values["recentre_dice"] = _agreement(first, second)
    if overlap_share is not None:
        values["neighbour_overlap"] = overlap_share
    return rate(values | {"moved_mm": moved_mm}, {name: rule for name, rule in _RULES.items() if name in values})


def doubt_share(share: Float32Array) -> float:
    """Volume with an undecided probability, as a share of that above 0.5."""
    doubtful = int(np.count_nonzero(undecided(share)))
    return doubtful / max(1, int(np.count_nonzero(share > 0.5)))


def undecided(share: Float32Array) -> BoolArray:
    """Where the probability lies within `UNDECIDED`."""
    low, high = UNDECIDED
    return np.asarray((share > low) & (share < high))


def doubt_width_mm(
    share: Float32Array, mask: BoolArray, spacing_mm: float, where: BoolArray | slice = slice(None)
) -> float:
    """Volume with an undecided probability over the area of the outline (a face each of its voxels), mm."""
    outline = (mask & ~ndi.binary_erosion(mask))[where]
    doubtful = int(np.count_nonzero(undecided(share)[where]))
    return spacing_mm * doubtful / max(1, int(np.count_nonzero(outline)))


def pedicle_doubt_mm(one: Look) -> float:
    """The width of doubt within `PEDICLE_MM` of both body and posterior elements, which is about the pedicles."""
    mask, body = one.mask(), one.body()
    reach = round(PEDICLE_MM / float(one.grid.spacing_zyx[0]))
    about = ndi.binary_dilation(body, iterations=reach) & ndi.binary_dilation(mask & ~body, iterations=reach)
    return doubt_width_mm(one.target_share, mask, float(one.grid.spacing_zyx[0]), about)


def _agreement(first: Look, second: Look) -> float:
    """Dice of both looks at the nearest voxels of the first's grid, where the second reaches."""
    shift = np.round(second.grid.world_to_index(first.grid.index_to_world(np.zeros(3)))).astype(int)
    one, two = overlapping(first.mask(), second.mask(), shift)
    return dice(one, two) if one.size else 0.0
