"""The way in from the skin: where the path leaves the body, and whether bone is in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray

AIR_HU = -400.0
"""Between lung or air (below) and fat (above -150)."""

BONE_HU = 300.0
"""Cortical bone on the soft-tissue way; contrast-filled muscle does not exist, vessels there are small."""

_STEP_MM = 0.5
_OUTSIDE_RUN_MM = 8.0
_DOCKING_MM = 4.0


@dataclass(frozen=True, eq=False)
class SkinWay:
    """`skin_lps` is None when the scan ends before the skin; `bone_mm` is the length of bone met on the way."""

    skin_lps: FloatArray | None
    bone_mm: float
    seen_mm: float


def way_from_skin(ct: Volume, entry_lps: FloatArray, direction_lps: FloatArray) -> SkinWay:
    """Walk from the entry back out along -`direction_lps` (unit, into the body) through the CT.

    The skin is the last tissue before at least 8 mm of air, so that a pocket of gas or a fold is not taken for it.
    """
    steps = np.arange(0.0, 250.0, _STEP_MM)
    points = entry_lps - steps[:, None] * direction_lps
    in_scan = ct.grid.contains(points)
    last = int(np.argmin(in_scan)) if not in_scan.all() else len(steps)
    hu = map_coordinates(ct.array, ct.grid.world_to_index(points[:last]).T, order=1, mode="nearest").astype(float)
    bone = (hu > BONE_HU) & (steps[:last] > _DOCKING_MM)
    air = hu < AIR_HU
    run = round(_OUTSIDE_RUN_MM / _STEP_MM)
    for i in range(last):
        # air up to the scan's edge also is outside, if the edge comes within the run
        ahead = air[i : i + run]
        if ahead.all() and (len(ahead) == run or len(ahead) * _STEP_MM >= 2.0):
            return SkinWay(points[max(i - 1, 0)], float(bone[:i].sum() * _STEP_MM), float(steps[i]))
    return SkinWay(None, float(bone.sum() * _STEP_MM), float(steps[last - 1]) if last else 0.0)
