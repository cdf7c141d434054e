"""The chance that the executed path crosses a wall: Monte Carlo over entry, angle, breathing and wall error."""

from __future__ import annotations

import numba as nb
import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.kernels import between, between_all, cell_of
from trajplan.planning.lattice import Lattice
from trajplan.planning.plan import Breach, PlanSettings
from trajplan.planning.walls import THROUGH_PEDICLE, Play, Wall
from trajplan.threads import in_slices

STEP_MM = 0.75

WALL_ERROR_MM = 0.25
"""What is not known of the place of a wall even of a correct mask on 1 mm voxels; the interval allows for it."""

SPREAD = 1.96
"""Standard errors to either side of the interval (95 %)."""

_GROUPS = {
    "medial": (Wall.MEDIAL, Wall.CANAL),
    "lateral": (Wall.LATERAL,),
    "superior": (Wall.SUPERIOR,),
    "inferior": (Wall.INFERIOR,),
    "anterior": (Wall.ANTERIOR,),
    "endplate": (Wall.ENDPLATE,),
    "foramen": (Wall.FORAMEN,),
}


def breach_probability(
    lattice: Lattice,
    vertebra: Vertebra,
    side: Side,
    entry_lps: FloatArray,
    target_lps: FloatArray,
    settings: PlanSettings,
    play: Play = THROUGH_PEDICLE,
) -> Breach:
    """Share of executed paths that cross a wall, by direction.

    The entry is displaced sideways by an isotropic Gaussian (`entry_sigma_mm` and `respiration_sigma_mm` an axis), the
    direction turned by a Gaussian about two axes (`angle_sigma_deg` each), all walls moved by a Gaussian
    (`segmentation_sigma_mm`); depth is taken as controlled on the lateral view. Distances are the likeliest ones here,
    without the guard of the clearances. The interval holds the sampling error (95 %, Wilson) and walls that lie 0.25 mm
    nearer or farther. Seeded: the same plan always gives the same figure.
    """
    entry, axis, length = side_line(vertebra, side, entry_lps, target_lps)
    noise = np.random.default_rng(settings.seed).normal(size=(settings.breach_samples, 5))
    sideways = float(np.hypot(settings.entry_sigma_mm, settings.respiration_sigma_mm))
    first, second = across(axis)
    starts = entry + sideways * (noise[:, :1] * first + noise[:, 1:2] * second)
    tilt = np.radians(settings.angle_sigma_deg)
    directions = axis + np.tan(tilt * noise[:, 2:3]) * first + np.tan(tilt * noise[:, 3:4]) * second
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    moved = settings.segmentation_sigma_mm * noise[:, 4:5]
    below_mm = WALL_ERROR_MM + float(np.abs(moved).max())
    radius_mm = settings.instrument.radius_mm
    least = least_clearance(lattice, starts, directions, length, radius_mm, play, below_mm=below_mm) + moved

    def share(walls: tuple[Wall, ...], moved_mm: float = 0.0) -> float:
        return float((least[:, list(walls)] < moved_mm).any(axis=1).mean())

    every = tuple(Wall)
    groups = {name: share(walls) for name, walls in _GROUPS.items()}
    low, _ = wilson(share(every, -WALL_ERROR_MM), settings.breach_samples)
    _, high = wilson(share(every, WALL_ERROR_MM), settings.breach_samples)
    chance = share(every)
    return Breach(
        any=chance,
        **groups,
        any_low=low,
        any_high=high,
        worst=max(groups, key=lambda name: groups[name]) if chance > 0 else "",
        samples=settings.breach_samples,
        entry_sigma_mm=settings.entry_sigma_mm,
        angle_sigma_deg=settings.angle_sigma_deg,
        respiration_sigma_mm=settings.respiration_sigma_mm,
        segmentation_sigma_mm=settings.segmentation_sigma_mm,
        execution=settings.execution,
    )


def wilson(share: float, samples: int) -> tuple[float, float]:
    """95 % interval of a share counted in `samples` draws (Wilson's score interval).

    >>> [round(v, 4) for v in wilson(0.0, 10000)]
    [0.0, 0.0004]
    """
    z2 = SPREAD**2 / samples
    middle = (share + z2 / 2) / (1 + z2)
    half = SPREAD / (1 + z2) * np.sqrt(share * (1 - share) / samples + z2 / (4 * samples))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def side_line(
    vertebra: Vertebra, side: Side, entry_lps: FloatArray, target_lps: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """(entry, unit direction, length) of a path in (side * u, v, w)."""
    flip = np.array([side.sign, 1.0, 1.0])
    entry, target = vertebra.frame.to_local(entry_lps) * flip, vertebra.frame.to_local(target_lps) * flip
    length = float(np.linalg.norm(target - entry))
    return entry, (target - entry) / length, length


def across(axis: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors across an axis: towards the side, and up."""
    first = np.cross(axis, np.array([0.0, 0.0, 1.0]))
    first /= np.linalg.norm(first)
    return first, np.cross(first, axis)


def least_clearance(
    lattice: Lattice,
    starts_uvw: FloatArray,
    directions_uvw: FloatArray,
    length_mm: float | FloatArray,
    radius_mm: float,
    play: Play = THROUGH_PEDICLE,
    step_mm: float = STEP_MM,
    below_mm: float = np.inf,
    nearest_only: bool = False,
) -> FloatArray:
    """Least clearance (N, 8) of N paths to each `Wall`, mm, without the guard; -1000 where the zone is missed.

    Quicker where not all is asked for: what is not below `below_mm`, or with `nearest_only` all but the least of a
    path, may be given too large.
    """
    taken = radius_mm - lattice.guard_mm
    lengths = np.broadcast_to(np.asarray(length_mm, dtype=np.float64), (len(starts_uvw),)).copy()
    starts, directions = np.ascontiguousarray(starts_uvw), np.ascontiguousarray(directions_uvw)
    cell_mm = lattice.cell_mm  # made here: the threads share it

    def work(part: slice) -> tuple[FloatArray]:
        found: FloatArray = _least(
            lattice.walls, cell_mm, lattice.pedicle, lattice.origin_uvw, starts[part], directions[part], lengths[part],
            taken, np.array(play.start), float(play.late_mm), step_mm, float(below_mm), nearest_only,
        )  # fmt: skip
        return (found,)

    (least,) = in_slices(work, len(starts))
    return np.asarray(least)


@nb.njit(cache=True, nogil=True)
def _least(  # type: ignore[no-untyped-def]
    walls, cell, zone, origin, starts, directions, lengths, taken, play, late_mm, step_mm, below, nearest_only
):
    count = walls.shape[3]
    out = np.full((len(starts), count), 1e3)
    for n in range(len(starts)):
        length = lengths[n]
        steps = max(2, int(np.ceil(length / step_mm)) + 1)
        value = np.empty(count, dtype=np.float32)
        first, asked = -1.0, below
        for i in range(steps):
            # to the very tip: a step that stops short of it would not see the front of the body
            t = length * i / (steps - 1)
            x = starts[n, 0] + t * directions[n, 0] - origin[0]
            y = starts[n, 1] + t * directions[n, 1] - origin[1]
            z = starts[n, 2] + t * directions[n, 2] - origin[2]
            if first < 0.0 and between(zone, x, y, z) >= 0.5:
                first = t
            # no wall comes nearer within this cell than at its corners
            if cell_of(cell, x, y, z) - taken >= asked:
                continue
            between_all(walls, x, y, z, value)
            for w in range(count):
                begun = play[w] == 0 or (first >= 0.0 and (play[w] == 1 or t >= first + late_mm))
                if begun:
                    out[n, w] = min(out[n, w], value[w] - taken)
                    if nearest_only:
                        asked = min(asked, out[n, w])
        if first < 0.0:
            out[n, :] = -1e3
    return out
