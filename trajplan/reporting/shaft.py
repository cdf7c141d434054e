"""The trocar as it is drawn: from where it enters the body to its tip."""

from __future__ import annotations

import numpy as np

from trajplan.geometry import Capsule, Grid
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import Trajectory


def outer_lps(path: Trajectory, grid: Grid) -> FloatArray:
    """Where the drawn trocar begins: the skin point, or where its axis leaves the scan when the skin is not in it."""
    if path.skin_lps is not None:
        return path.skin_lps
    entry = grid.world_to_index(path.entry_lps)
    step = grid.world_to_index(path.entry_lps - path.direction_lps) - entry
    border = np.where(step > 0, np.array(grid.shape_zyx) - 0.5, -0.5)
    moving = np.abs(step) > 1e-9
    back_mm = max(0.0, float(((border - entry)[moving] / step[moving]).min()))
    return np.asarray(path.entry_lps - back_mm * path.direction_lps)


def outer_name(path: Trajectory) -> str:
    """What the outer end is: ``skin`` or ``scan border``."""
    return "scan border" if path.skin_lps is None else "skin"


def shaft(path: Trajectory, depth_mm: float, grid: Grid) -> Capsule:
    """The trocar from the skin (or the scan border) to a tip `depth_mm` from the bone entry."""
    tip = path.entry_lps + depth_mm * path.direction_lps
    return Capsule(outer_lps(path, grid), tip, path.instrument.radius_mm)
