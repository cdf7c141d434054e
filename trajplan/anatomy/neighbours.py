"""The vertebrae above and below the target: frames, end plates and heights; the cheap path, body only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.body_frame import canal_front, coarse_frame
from trajplan.anatomy.borrowed_axis import AxisHints, typical_wedge_deg
from trajplan.anatomy.canal import find_ring
from trajplan.anatomy.heights import BodyHeights, measure_heights
from trajplan.anatomy.lean import lean_deg
from trajplan.anatomy.scan_edge import cut_sides
from trajplan.anatomy.vertebra import Endplate
from trajplan.anatomy.working_grid import (
    COARSE_SPACING_MM,
    frame_axes,
    frame_grid,
    label_volume_ml,
    occupancy,
    target_labels,
    working_grid,
)
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, LabelMap, Volume
from trajplan.geometry.arrays import unit
from trajplan.geometry.pieces import largest
from trajplan.geometry.resample import resample_mask
from trajplan.levels import LEVEL_IDS

_CHAIN = tuple(LEVEL_IDS[n] for n in LEVEL_IDS if n not in {"S1", "T13"})
_CHAIN = (*_CHAIN[: _CHAIN.index(20)], LEVEL_IDS["T13"], *_CHAIN[_CHAIN.index(20) :])
"""VerSe ids from top to bottom, T13 in its place; the sacrum has no body of two end plates."""

SOUND_RATIO = 0.78
"""A neighbour whose least height is below this share of its greatest is itself deformed and no reference."""


@dataclass(frozen=True, eq=False)
class Neighbour:
    """One whole neighbour: `steps` is its distance in levels, positive above the target; `volume_ml` of its mask."""

    level_id: int
    steps: int
    frame: Frame
    superior: Endplate
    inferior: Endplate
    heights: BodyHeights
    volume_ml: float

    @property
    def sound(self) -> bool:
        """Regular enough to serve as a reference."""
        values = self.heights.values_mm
        return bool(values.min() >= SOUND_RATIO * values.max())

    @property
    def wedge_deg(self) -> float:
        """Angle between its end plates in its own sagittal plane, + when the front is lower."""
        return lean_deg(self.frame, self.inferior.normal_lps) - lean_deg(self.frame, self.superior.normal_lps)


def look_at_neighbours(labels: LabelMap, target_id: int, ct: Volume) -> tuple[Neighbour, ...]:
    """The nearest sound neighbour above and below, and a deformed one that lies nearer; from above to below.

    At most two levels away. A neighbour that is cut by the scan or cannot be measured is left out.
    """
    if target_id not in _CHAIN:
        return ()
    present = set(labels.ids())
    chain = [i for i in _CHAIN if i == target_id or i in present]
    at = chain.index(target_id)
    found: list[Neighbour] = []
    for direction in (-1, 1):
        for steps in (1, 2):
            k = at + direction * steps
            if not 0 <= k < len(chain) or not _adjacent(chain[k], chain[k - direction]):
                break
            one = _look_at(labels, chain[k], -direction * steps, ct)
            if one is not None:
                found.append(one)
                if one.sound:
                    break
    return tuple(sorted(found, key=lambda n: -n.steps))


def flanking(neighbours: Sequence[Neighbour]) -> tuple[Neighbour | None, Neighbour | None]:
    """The nearest sound neighbour above and the one below."""
    sound = sorted((n for n in neighbours if n.sound), key=lambda n: abs(n.steps))
    above, below = (next((n for n in sound if sign * n.steps > 0), None) for sign in (1, -1))
    return above, below


def weight_above(above: Neighbour, below: Neighbour) -> float:
    """How much the one above counts when a figure of the target is interpolated by levels."""
    return -below.steps / (above.steps - below.steps)


def axis_hints(target_id: int, neighbours: tuple[Neighbour, ...]) -> AxisHints:
    """What sound neighbours say of the target's axis and wedging; the axis needs one on both sides."""
    typical = typical_wedge_deg(target_id)
    above, below = flanking(neighbours)
    if above is None or below is None:
        one = above or below
        return AxisHints(None, typical if one is None else 0.5 * (typical + one.wedge_deg))
    share = weight_above(above, below)
    wedge = share * above.wedge_deg + (1 - share) * below.wedge_deg
    return AxisHints(unit(share * above.frame.w + (1 - share) * below.frame.w), wedge)


def _adjacent(a: int, b: int) -> bool:
    """Next to each other in the spine: also when T13 is not there."""
    gap = abs(_CHAIN.index(a) - _CHAIN.index(b))
    return gap == 1 or (gap == 2 and {a, b} == {LEVEL_IDS["T12"], LEVEL_IDS["L1"]})


def _look_at(labels: LabelMap, other: int, steps: int, ct: Volume) -> Neighbour | None:
    if cut_sides(labels, other, ct.grid):
        return None
    try:
        box = target_labels(labels, other, margin_mm=6.0)
        look = coarse_frame(box, other, symmetry=False)
        heights = _heights_only(box, other, look.frame)
    except AnatomyError:
        return None
    volume_ml = label_volume_ml(box, other)
    return Neighbour(other, steps, look.frame, look.superior, look.inferior, heights, volume_ml)


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
    front = canal_front(ring.hole, axes_mm[1])
    body = largest((turned > 0.5) & (axes_mm[1] < front)[None, :, None])
    return measure_heights(body, turned, axes_mm)
