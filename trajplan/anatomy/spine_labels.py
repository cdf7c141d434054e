"""All vertebrae of a column in one label map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.network_labels import box_in, output_grid, settled_share
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.pieces import largest
from trajplan.levels import LEVEL_IDS, UNNAMED_FIRST_ID


def column_ids(names: Sequence[str | None]) -> tuple[int, ...]:
    """VerSe ids of names from top to bottom; vertebrae without a name count from ``UNNAMED_FIRST_ID``.

    >>> column_ids(("T12", "L1", None))
    (19, 20, 132)
    """
    return tuple(UNNAMED_FIRST_ID + k if name is None else LEVEL_IDS[name] for k, name in enumerate(names))


def spine_labels(
    ct: Volume, vertebrae: Sequence[FoundVertebra], ids: Sequence[int], names: Sequence[str | None]
) -> LabelMap:
    """The masks on a 1 mm grid, settled on the CT's edges; where two meet, a voxel is the surer one's."""
    looks = [one.seen for one in vertebrae]
    start = output_grid(looks[:1])
    boxes = [box_in(start, one) for one in looks]
    low, high = np.min([a for a, _ in boxes], axis=0), np.max([b for _, b in boxes], axis=0)
    whole = start.cropped(low, high)
    array = np.zeros(whole.shape_zyx, dtype=np.uint8)
    best = np.full(whole.shape_zyx, 0.5, dtype=np.float32)
    for one, identifier, (first, last) in zip(looks, ids, boxes, strict=True):
        part = tuple(slice(a, b) for a, b in zip(first - low, last - low, strict=True))
        _, share = settled_share(ct, one, start.cropped(first, last))
        mine = largest(share > 0.5) & (share > best[part])
        array[part][mine] = identifier
        best[part][mine] = share[mine]
    texts = {i: name or f"vertebra {k + 1} from above" for k, (i, name) in enumerate(zip(ids, names, strict=True))}
    return LabelMap(array, whole, texts)
