"""All vertebrae of a column in one label map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.pieces import largest
from trajplan.geometry.resample import resample_mask
from trajplan.levels import LEVEL_IDS, UNNAMED_FIRST_ID

SPACING_MM = 1.0
_ROOM_MM = 3.0


def column_ids(names: Sequence[str | None]) -> tuple[int, ...]:
    """VerSe ids of names from top to bottom; vertebrae without a name count from ``UNNAMED_FIRST_ID``.

    >>> column_ids(("T12", "L1", None))
    (19, 20, 132)
    """
    return tuple(UNNAMED_FIRST_ID + k if name is None else LEVEL_IDS[name] for k, name in enumerate(names))


def spine_labels(vertebrae: Sequence[FoundVertebra], ids: Sequence[int], names: Sequence[str | None]) -> LabelMap:
    """The masks on a 1 mm grid; where two meet, a voxel belongs to the one the network is surer of."""
    boxes = [_box(one) for one in vertebrae]
    whole = Grid.isotropic(
        np.min([low for low, _ in boxes], axis=0), np.max([high for _, high in boxes], axis=0), SPACING_MM
    )
    array = np.zeros(whole.shape_zyx, dtype=np.uint8)
    best = np.full(whole.shape_zyx, 0.5, dtype=np.float32)
    for one, identifier, (low, high) in zip(vertebrae, ids, boxes, strict=True):
        start = np.floor(whole.world_to_index(low)).astype(int)
        stop = np.minimum(np.ceil(whole.world_to_index(high)).astype(int) + 1, whole.shape_zyx)
        part = tuple(slice(max(0, a), b) for a, b in zip(start, stop, strict=True))
        grid = whole.cropped([s.start for s in part], [s.stop for s in part])
        share = resample_mask(one.seen.target_share, one.seen.grid, grid)
        mine = largest(share > 0.5) & (share > best[part])
        array[part][mine] = identifier
        best[part][mine] = share[mine]
    texts = {i: name or f"vertebra {k + 1} from above" for k, (i, name) in enumerate(zip(ids, names, strict=True))}
    return LabelMap(array, whole, texts)


def _box(one: FoundVertebra) -> tuple[np.ndarray, np.ndarray]:
    points = one.seen.grid.index_to_world(np.argwhere(one.mask))
    return points.min(axis=0) - _ROOM_MM, points.max(axis=0) + _ROOM_MM
