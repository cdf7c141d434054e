"""Choose balloon: which size, and where in the drilled channel it can be filled most before a cortex is reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.augmentation.balloon_shape import free_shape
from trajplan.augmentation.body_block import BodyBlock
from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.planning.instruments import Balloon
from trajplan.planning.plan import Trajectory

AS_GOOD_SHARE = 0.1
"""Of balloons that would hold as much to within this, the longest is taken: it may hold more once the bone yields."""

_PLACE_MM = 1.0
_ALONG_MM = 0.5
_GROW_MM = 0.1


@dataclass(frozen=True)
class Placed:
    """A balloon with its far marker at a depth from the bone entry, and what it could hold there, unhindered."""

    balloon: Balloon
    far_mm: float
    radius_mm: float
    volume_ml: float


def choose_balloon(
    path: Trajectory,
    block: BodyBlock,
    balloons: tuple[Balloon, ...],
    first_mm: float,
    last_mm: float,
    contact_mm: float,
) -> Placed | None:
    """The balloon and the place that hold most before the cortex comes within `contact_mm`; None where none fits.

    End plates are not looked at: the balloon bears on them. Of equal ones the foremost is taken.

    Parameters
    ----------
    first_mm, last_mm : float
        Where both markers may lie, depths from the bone entry.
    """
    along = np.arange(first_mm - 12.0, last_mm + 12.0, _ALONG_MM)
    points = path.entry_lps + along[:, None] * path.direction_lps
    within = block.in_bone(points)
    cortex = np.min([block.wall_distance(k).signed(points, within) for k in range(3)], axis=0) - contact_mm
    found = []
    for balloon in balloons:
        for far in np.arange(last_mm, first_mm + balloon.length_mm - 1e-6, -_PLACE_MM):
            radius = _radius(balloon, along - (far - balloon.length_mm / 2), cortex, along >= first_mm)
            if radius > 0:
                volume = min(free_shape(balloon, radius).volume_ml, balloon.volume_ml)
                found.append(Placed(balloon, float(far), radius, volume))
    most = max((p.volume_ml for p in found), default=0.0)
    as_good = [p for p in found if p.volume_ml >= (1 - AS_GOOD_SHARE) * most]
    longest = max((p.balloon.length_mm for p in as_good), default=0.0)
    return max(
        (p for p in as_good if p.balloon.length_mm == longest),
        key=lambda p: (round(p.volume_ml, 1), p.far_mm),
        default=None,
    )


def _radius(balloon: Balloon, z_mm: FloatArray, cortex_mm: FloatArray, free: BoolArray) -> float:
    """Largest radius of the free shape that stays clear of the cortex, mm; 0 when not even the folded one does."""
    best = 0.0
    for radius in np.arange(balloon.folded_diameter_mm / 2, 14.0, _GROW_MM):
        shape = free_shape(balloon, float(radius))
        inside = free & (np.abs(z_mm) < shape.length_mm / 2)
        if (cortex_mm[inside] < shape.radius_at(z_mm[inside])).any() or shape.volume_ml > balloon.volume_ml:
            break
        best = float(radius)
    return best
