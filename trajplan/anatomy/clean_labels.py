"""Labels from other hands: loose pieces go, holes are filled, pieces of a neighbour return to it; all of it told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import AnyArray, BoolArray
from trajplan.levels import LEVEL_NAMES

TOLD_ML = 0.02
"""What is less is mended and not mentioned."""

_NEAR_MM = 2.5
_KEPT_SHARE = 0.01
"""A loose piece of this share within `_NEAR_MM` of its vertebra is a fragment of it (a broken rim)."""

_TOUCHED_SHARE = 0.5
"""A small piece goes to another level when this share of its outline touches that one."""

_BLOCK_ML, _BLOCK_TOUCHED_SHARE = 1.0, 0.15
"""A piece larger than any articular process is a block of another body: that needs to touch it on one side only."""


@dataclass(frozen=True)
class Mended:
    """What was mended in the label of one level: volumes (ml) taken away, given to another level, filled."""

    level_id: int
    loose_ml: float = 0.0
    filled_ml: float = 0.0
    moved_ml: float = 0.0
    moved_to: int | None = None

    def told(self) -> str | None:
        """A sentence, or None when nothing worth telling was mended."""
        name = LEVEL_NAMES.get(self.level_id, f"label {self.level_id}")
        parts = []
        if self.loose_ml >= TOLD_ML:
            parts.append(f"{self.loose_ml:.2f} ml of loose pieces were left out")
        if self.moved_ml >= TOLD_ML and self.moved_to is not None:
            parts.append(f"{self.moved_ml:.2f} ml that stand in {LEVEL_NAMES.get(self.moved_to)} were given to it")
        if self.filled_ml >= TOLD_ML:
            parts.append(f"{self.filled_ml:.2f} ml of holes were filled")
        return f"Labels of {name}: {', '.join(parts)}." if parts else None


def clean_labels(labels: LabelMap) -> tuple[LabelMap, tuple[Mended, ...]]:
    """Every level as one whole vertebra.

    A piece apart from the largest of its level stays when it is a near fragment; it goes to another level when most of
    its labelled surroundings are that level; otherwise it is left out. Holes are filled where nothing else is labelled.
    """
    array: AnyArray = labels.array
    voxel_ml = float(np.prod(labels.grid.spacing_zyx)) / 1000.0
    reach = np.maximum(1, np.ceil(_NEAR_MM / labels.grid.spacing_zyx)).astype(int)
    found = []
    for identifier, place in enumerate(ndi.find_objects(array), 1):
        if place is None:
            continue
        box = tuple(slice(max(0, s.start - r - 1), s.stop + r + 1) for s, r in zip(place, reach, strict=True))
        mended, one = _mend(array[box], identifier, reach, voxel_ml)
        if mended is not None:
            if array is labels.array:  # a large scan is copied only when something is to be mended
                array = array.copy()
            array[box] = mended
        found.append(one)
    return (labels if array is labels.array else LabelMap(array, labels.grid, labels.names)), tuple(found)


def _mend(given: AnyArray, identifier: int, reach: AnyArray, voxel_ml: float) -> tuple[AnyArray | None, Mended]:
    """The box `given` about one level, mended (None when there is nothing to mend), and what was done."""
    view = given.copy()
    own = view == identifier
    numbered, count = ndi.label(own, np.ones((3, 3, 3)))  # voxels that touch at a corner belong together
    loose = moved = 0
    moved_to: int | None = None
    if count > 1:
        sizes = np.bincount(numbered.ravel())
        sizes[0] = 0
        main = int(sizes.argmax())
        near = _grown(numbered == main, reach)
        for piece in np.flatnonzero(sizes):
            if piece == main:
                continue
            here = numbered == piece
            if sizes[piece] >= _KEPT_SHARE * sizes[main] and bool((here & near).any()):
                continue
            other = _host(view, here, identifier, sizes[piece] * voxel_ml)
            view[here] = other or 0
            if other:
                moved, moved_to = moved + int(sizes[piece]), other
            else:
                loose += int(sizes[piece])
    own = view == identifier
    holes = ndi.binary_fill_holes(own) & (view == 0)
    view[holes] = identifier
    filled = int(np.count_nonzero(holes))
    done = Mended(identifier, loose * voxel_ml, filled * voxel_ml, moved * voxel_ml, moved_to)
    return (view if loose or moved or filled else None), done


def _host(view: AnyArray, piece: BoolArray, own: int, volume_ml: float) -> int | None:
    """The other level that a piece belongs to by what its outline touches, or None."""
    around = view[ndi.binary_dilation(piece) & ~piece]
    counts = np.bincount(around)
    counts[own if own < len(counts) else 0] = 0
    touched = int(counts[1:].argmax()) + 1 if len(counts) > 1 else 0
    asked = _TOUCHED_SHARE if volume_ml < _BLOCK_ML else _BLOCK_TOUCHED_SHARE
    return touched if touched and counts[touched] >= asked * len(around) else None


def _grown(mask: BoolArray, reach: AnyArray) -> BoolArray:
    size = 2 * reach + 1
    return np.asarray(ndi.maximum_filter(mask, size=tuple(int(n) for n in size)))
