"""The chance of a breach that a plan states, against 1 000 000 executed paths on the analytic truth.

The truth's exact signed distances are put on a 0.75 mm grid about the path (`Truth.surface_distance`, no voxels, no
wall of ours); every executed path is tried on it from 4 mm behind the true isthmus on, and on the canal's function.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from trajplan.planning.kernels import between
from trajplan.planning.plan import PlanSettings, Trajectory
from trajplan_phantoms import Truth

DRAWS = 1_000_000
_SPACING_MM = 0.75
_REACH_MM = 7.5


def brute_force(path: Trajectory, truth: Truth, settings: PlanSettings, draws: int = DRAWS) -> float:
    """Share of executed paths that leave the true bone or enter the true canal."""
    along = path.direction_lps
    first = np.cross(along, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(first, along)
    length = path.length_in_bone_mm
    n_across = int(2 * _REACH_MM / _SPACING_MM) + 1
    depth = np.arange(0.0, length + _SPACING_MM, _SPACING_MM)
    side = np.linspace(-_REACH_MM, _REACH_MM, n_across)
    grid = (
        path.entry_lps
        + depth[:, None, None, None] * along
        + side[None, :, None, None] * first
        + side[None, None, :, None] * second
    )
    inside_mm = -truth.surface_distance(grid)
    inside_mm = np.minimum(inside_mm, truth.canal_value(grid))
    isthmus = truth.pedicles[path.side].isthmus_center_lps
    start = max(0.0, float((isthmus - path.entry_lps) @ along) - 4.0)
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(draws, 4)).astype(np.float32)
    tilt = np.tan(np.radians(settings.angle_sigma_deg) * noise[:, 2:])
    return float(
        _crossed(
            inside_mm.astype(np.float32), settings.entry_sigma_mm * noise[:, :2], tilt, start, length,
            path.instrument.radius_mm,
        ).mean()
    )  # fmt: skip


@nb.njit(parallel=True)
def _crossed(inside_mm, shift, tilt, start, length, radius):  # type: ignore[no-untyped-def]
    out = np.zeros(len(shift), dtype=np.bool_)
    for n in nb.prange(len(shift)):
        norm = np.sqrt(1.0 + tilt[n, 0] ** 2 + tilt[n, 1] ** 2)
        t = start
        while t <= length:
            reach = t / norm
            x, y = shift[n, 0] + reach * tilt[n, 0], shift[n, 1] + reach * tilt[n, 1]
            value = between(
                inside_mm, reach / _SPACING_MM, (x + _REACH_MM) / _SPACING_MM, (y + _REACH_MM) / _SPACING_MM
            )
            if value < radius:
                out[n] = True
                break
            t += 0.5
    return out
