"""The safety map: the best margin that can be reached from each place on the dorsal surface, and at each angle."""

from __future__ import annotations

import numba as nb
import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.planning.breach import least_clearance
from trajplan.planning.kernels import way_back
from trajplan.planning.lattice import index_of_side
from trajplan.planning.plan import PlanSettings, SafetyMap
from trajplan.planning.routes import Route, lines_of
from trajplan.planning.workbench import Bench
from trajplan.threads import in_slices

CROSSING_STEP_MM = 1.0
ANGLE_STEP_DEG = 2.0
_STEP_MM = 1.5
"""Along each path."""

PLACE_MM = 1.5
"""Entries this near to one another are one place of the map."""


def safety_map(bench: Bench, vertebra: Vertebra, route: Route, settings: PlanSettings) -> SafetyMap:
    """Try every crossing of the isthmus (1 mm) at every angle (2 deg), with the tip nearest to the ideal one.

    The margin of a line is its least clearance to any wall, mm (with the guard, negative when it crosses); docking and
    bone on the way are left out, so that the map shows why a place is bad, not only that it is not allowed.
    """
    lines = lines_of(route, vertebra, settings, CROSSING_STEP_MM, ANGLE_STEP_DEG)
    crossings = np.repeat(lines.crossings_uvw, len(lines.directions_uvw), axis=0)
    along = np.tile(lines.directions_uvw, (len(lines.crossings_uvw), 1))
    to_index, at_index = index_of_side(bench.field, vertebra)
    bone = bench.field.bone_field
    (out,) = in_slices(lambda part: (_entries(bone, to_index, at_index, crossings[part], along[part]),), len(along))
    forward = np.einsum("ij,ij->i", lines.ideal_uvw - crossings, along)
    known = (out > 0) & (forward > 5.0)
    entries = crossings - out[:, None] * along
    length = np.where(known, out + forward, 1.0)
    radius = settings.instrument.radius_mm + bench.lattice.guard_mm
    play = bench.field.play
    least = least_clearance(bench.lattice, entries, along, length, radius, play, _STEP_MM, nearest_only=True).min(
        axis=1
    )
    convergence = np.degrees(np.arctan2(-along[:, 0], -along[:, 1]))
    craniocaudal = np.degrees(np.arctan2(-along[:, 2], np.hypot(along[:, 0], along[:, 1])))
    places, best = _best_by(np.round(entries[known] / PLACE_MM), least[known])
    columns: FloatArray = np.unique(np.round(convergence, 3)).astype(np.float64)
    rows: FloatArray = np.unique(np.round(craniocaudal, 3)).astype(np.float64)
    window = np.full((len(rows), len(columns)), np.nan)
    at = np.searchsorted(rows, np.round(craniocaudal, 3)), np.searchsorted(columns, np.round(convergence, 3))
    order = np.argsort(np.where(known, least, -np.inf), kind="stable")
    window[at[0][order], at[1][order]] = np.where(known[order], least[order], np.nan)
    flip = np.array([route.side.sign, 1.0, 1.0])
    first = entries[known][places]
    return SafetyMap(vertebra.frame.to_world(first * flip), best, columns, rows, window)


def _best_by(keys: FloatArray, values: FloatArray) -> tuple[AnyArray, FloatArray]:
    """(index of the best value of each distinct key, that value)."""
    order = np.lexsort((-values, *keys.T))
    sorted_keys = keys[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)
    chosen = order[first]
    return chosen, values[chosen]


@nb.njit(cache=True, nogil=True)
def _entries(bone, to_index, at_index, crossings, along):  # type: ignore[no-untyped-def]
    out = np.empty(len(crossings))
    for n in range(len(crossings)):
        out[n] = way_back(bone, to_index, at_index, crossings[n], -along[n])
    return out
