"""Heights of the vertebrae above and below the target: the cheap path, body only."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.body_frame import canal_front, coarse_frame
from trajplan.anatomy.canal import find_ring
from trajplan.anatomy.endplates import body_of
from trajplan.anatomy.heights import BodyHeights, measure_heights
from trajplan.anatomy.scan_edge import cut_sides
from trajplan.anatomy.working_grid import (
    COARSE_SPACING_MM,
    frame_axes,
    frame_grid,
    occupancy,
    target_labels,
    working_grid,
)
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, LabelMap, Volume
from trajplan.geometry.resample import resample_mask
from trajplan.levels import LEVEL_NAMES


def neighbour_heights(labels: LabelMap, target_id: int, ct: Volume) -> dict[int, BodyHeights]:
    """Heights of the whole neighbours above and below; a neighbour that cannot be measured is no reference."""
    found: dict[int, BodyHeights] = {}
    present = set(labels.ids())
    for other in (target_id - 1, target_id + 1):
        if other not in present or LEVEL_NAMES.get(other, "S1") == "S1" or cut_sides(labels, other, ct.grid):
            continue
        try:
            box = target_labels(labels, other, margin_mm=6.0)
            look = coarse_frame(box, other, symmetry=False)
            found[other] = _heights_only(box, other, look.frame)
        except AnatomyError:
            continue
    return found


def _heights_only(box: LabelMap, target_id: int, frame: Frame) -> BodyHeights:
    grid = working_grid(box, target_id, COARSE_SPACING_MM, margin_mm=5.0)
    share = occupancy(box, target_id, grid)
    points = frame.to_local(grid.index_to_world(np.argwhere(share > 0.5)))
    local = frame_grid(frame, points.min(axis=0) - 3, points.max(axis=0) + 3, COARSE_SPACING_MM)
    axes_mm = frame_axes(local, frame)
    turned = resample_mask(share, grid, local)
    ring = find_ring(turned > 0.5, axes_mm[0], axes_mm[1], behind_mm=5.0)
    if ring is None:
        raise AnatomyError("no closed bony ring about a canal. Check the mask", code="no_canal", numbers={})
    body = body_of(turned > 0.5, canal_front(ring.hole, axes_mm[1]), axes_mm[1])
    return measure_heights(body, turned, axes_mm)
