"""Exact clearance of one straight path along its depth. What the search proposes, this decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import Clearance, PlanSettings
from trajplan.planning.walls import ENTRY, LATE, ZONE, Wall, WallField

STEP_MM = 0.25

GERTZBEIN_ROBBINS = (
    "A no breach, B below 2, C below 4, D below 6, E 6 mm or more out of the bone or into the canal; made for screws, "
    "here of the needle's outer surface"
)


@dataclass(frozen=True, eq=False)
class PathClearance:
    """Clearance of the instrument's outer surface along its depth.

    Parameters
    ----------
    depth_mm : ndarray, shape (N,)
        From the entry.
    walls_mm : ndarray, shape (N, 8)
        By `Wall`; `inf` where a wall is missing or not yet in play (`Play`): the walls of the bone count from the
        first point in the pedicle on, because before it the instrument is on its way in; canal and foramina always do.
    """

    depth_mm: FloatArray
    walls_mm: FloatArray

    def smallest(self) -> FloatArray:
        """Smallest clearance to each wall, shape (8,), mm."""
        return np.asarray(self.walls_mm.min(axis=0))


def path_clearance(field: WallField, path: Capsule, step_mm: float = STEP_MM) -> PathClearance:
    """Clearance of `path` (entry to tip, instrument radius) to the walls of `field`."""
    depth, points = path.points_along(step_mm)
    walls = field.point_clearance(points) - path.radius_mm
    in_zone = field.in_zone(points)
    first = int(np.argmax(in_zone)) if in_zone.any() else len(depth)
    start = np.array(field.play.start)
    if first == len(depth):
        # never in the pedicle (or the body): nothing about its walls is known to be good
        walls[:, start != ENTRY] = -np.inf
        return PathClearance(depth, walls)
    walls[:first, start == ZONE] = np.inf
    walls[np.ix_(depth < depth[first] + field.play.late_mm, start == LATE)] = np.inf
    return PathClearance(depth, walls)


def required_margin(settings: PlanSettings, extra_mm: float = 0.0) -> FloatArray:
    """The least clearance asked of each `Wall`, shape (8,), mm; `extra_mm` is added for a mask nobody has confirmed."""
    margin = np.full(len(Wall), settings.wall_margin_mm)
    margin[Wall.ANTERIOR] = settings.anterior_margin_mm
    margin[Wall.ENDPLATE] = settings.endplate_margin_mm
    margin[Wall.CANAL] = settings.canal_margin_mm
    return margin + extra_mm


def summarise(path: PathClearance) -> Clearance:
    """The plan's clearance record of an evaluated path."""
    smallest = path.smallest()

    def value(wall: Wall) -> float | None:
        return float(smallest[wall]) if np.isfinite(smallest[wall]) else None

    profile = np.stack([path.depth_mm, path.walls_mm.min(axis=1)], axis=1)
    finite = np.isfinite(profile[:, 1])
    shown = (np.arange(len(profile)) % 2 == 0) | (profile[:, 1] == profile[finite, 1].min(initial=np.inf))
    profile = profile[finite & shown]
    return Clearance(
        min_mm=float(smallest.min()),
        medial_mm=value(Wall.MEDIAL),
        lateral_mm=value(Wall.LATERAL),
        superior_mm=value(Wall.SUPERIOR),
        inferior_mm=value(Wall.INFERIOR),
        anterior_mm=value(Wall.ANTERIOR),
        endplate_mm=value(Wall.ENDPLATE),
        canal_mm=value(Wall.CANAL),
        foramen_mm=value(Wall.FORAMEN),
        profile=profile,
    )


def gertzbein_robbins(path: PathClearance) -> str:
    """Grade A-E by how far the instrument leaves the pedicle or body, or enters the canal.

    A none, B < 2 mm, C < 4 mm, D < 6 mm, E >= 6 mm (Gertzbein and Robbins, limits as in 10.1007/s11701-024-02001-w).
    Made for screws; here it grades the outer surface of the instrument.
    """
    breach = max(0.0, -float(path.smallest().min()))
    return "A" if breach <= 0 else "B" if breach < 2 else "C" if breach < 4 else "D" if breach < 6 else "E"
