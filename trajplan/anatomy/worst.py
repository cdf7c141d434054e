"""The vertebra to look at when nobody said which: the largest height loss against its neighbours."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.column import Column
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import FloatArray

FRACTURE_PERCENT = 20.0
"""Height loss from which Genant's scale speaks of a fracture."""


def worst_vertebra(column: Column) -> tuple[int, float]:
    """Index in `column.vertebrae` and height loss in percent of the vertebra most flattened against its neighbours.

    The expected height (anterior, middle and posterior on their own) is a robust straight line through up to three
    vertebrae on each side. The outermost two are never chosen: their outer end plates and neighbours are not known.

    Raises
    ------
    AnatomyError
        ``too_few_vertebrae``: fewer than three vertebrae, so that none has neighbours on both sides.
    """
    count = len(column.vertebrae)
    if count < 3:
        raise AnatomyError(
            f"{count} whole vertebrae were found, 3 are needed to compare heights; name the level or click a seed",
            code="too_few_vertebrae",
            numbers={"vertebrae": float(count)},
        )
    heights = np.array([[v.ha_mm, v.hm_mm, v.hp_mm] for v in column.vertebrae])
    loss = [
        max(100.0 * (1.0 - heights[k, j] / _expected(heights[:, j], k)) for j in range(3)) for k in range(1, count - 1)
    ]
    worst = int(np.argmax(loss))
    return worst + 1, float(loss[worst])


def _expected(heights: FloatArray, at: int) -> float:
    """Median of the straight lines through all pairs of neighbours on both sides (and of their means)."""
    below, above = range(max(0, at - 3), at), range(at + 1, min(len(heights), at + 4))
    lines = [heights[i] + (heights[j] - heights[i]) * (at - i) / (j - i) for i in below for j in above]
    return max(1.0, float(np.median(lines)))
