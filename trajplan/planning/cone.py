"""The safe cone: how far the needle may be turned about its entry, in every direction, before it crosses a wall."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Capsule
from trajplan.parts import Side
from trajplan.planning.breach import across, least_clearance, side_line
from trajplan.planning.lattice import Lattice
from trajplan.planning.plan import SafeCone
from trajplan.planning.walls import THROUGH_PEDICLE, Play, Wall

DIRECTIONS = 24
WIDEST_DEG = 15.0
_STEPS = 61


def safe_cone(
    lattice: Lattice, vertebra: Vertebra, side: Side, path: Capsule, play: Play = THROUGH_PEDICLE
) -> SafeCone:
    """Turn a path about its entry, in steps of a quarter degree, until its surface meets a wall (with the guard)."""
    entry, axis, length = side_line(vertebra, side, path.start_lps, path.end_lps)
    first, second = across(axis)
    azimuth = np.arange(DIRECTIONS) * 360.0 / DIRECTIONS
    angle = np.linspace(0.0, WIDEST_DEG, _STEPS)
    turn, tilt = np.meshgrid(np.radians(azimuth), np.tan(np.radians(angle)), indexing="ij")
    lateral = -first if first[0] < 0 else first
    directions = axis + tilt[..., None] * (np.cos(turn)[..., None] * lateral + np.sin(turn)[..., None] * second)
    directions = (directions / np.linalg.norm(directions, axis=-1, keepdims=True)).reshape(-1, 3)
    starts = np.broadcast_to(entry, directions.shape)
    # the guard stays on: the cone, like a clearance, must not be over-stated
    radius_mm = path.radius_mm + lattice.guard_mm
    least = least_clearance(lattice, starts, directions, length, radius_mm, play, below_mm=0.0)
    inside = (least.min(axis=1) >= 0).reshape(turn.shape)
    count = np.where(inside.all(axis=1), inside.shape[1], np.argmin(inside, axis=1))
    held = np.where(count > 0, angle[np.maximum(count - 1, 0)], 0.0)
    narrow = int(np.argmin(held))
    at = narrow * inside.shape[1] + min(int(count[narrow]), inside.shape[1] - 1)
    worst = Wall(int(np.argmin(least[at]))).name.lower()
    return SafeCone(azimuth, np.asarray(held), float(held[narrow]), worst if held[narrow] < WIDEST_DEG else "")
