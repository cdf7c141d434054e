"""The patient table, a curved carbon shell around foam with a thin mattress, and the round field of view over it."""

from __future__ import annotations

import numpy as np

from trajplan.geometry.arrays import AnyArray
from trajplan.geometry.grid import Grid
from trajplan_phantoms.sampling import Sampler
from trajplan_phantoms.scanner import Scanner
from trajplan_phantoms.shapes import Coordinates
from trajplan_phantoms.spine import Placement
from trajplan_phantoms.tissue import Torso

SHELL_HU, FOAM_HU, MATTRESS_HU = -180.0, -940.0, -900.0
"""Rough figures of tables in scans at hand: the thin carbon shell shows far below its own density."""
MATTRESS_MM, SHELL_MM, HEIGHT_MM, HALF_WIDTH_MM, RADIUS_MM = 8.0, 1.6, 32.0, 205.0, 430.0
BELOW_MM = 28.0
"""The field reaches so far below the skin, where it is large enough to."""
_SLAB = 24


def paint_table(hu: AnyArray, p: Coordinates, skin_y_mm: float, side: float, skin_value: AnyArray) -> None:
    """Paint the table outside the patient; changes `hu`.

    Parameters
    ----------
    hu : ndarray
        HU at the points.
    p : three ndarrays
        Patient coordinates (x, y, z) of the points, mm.
    skin_y_mm : float
        y of the skin in the midline on the side of the table.
    side : float
        +1: the table lies behind the patient (supine); -1: in front (prone).
    skin_value : ndarray
        Implicit value of the skin, negative inside the patient, who is not painted over.
    """
    x = np.abs(p[0])
    down = side * (p[1] - skin_y_mm) + x * x / (2.0 * RADIUS_MM)  # depth below the trough that holds the patient
    block = np.maximum(np.abs(down - MATTRESS_MM - 0.5 * HEIGHT_MM) - 0.5 * HEIGHT_MM, x - HALF_WIDTH_MM)
    mattress = np.maximum(np.abs(down - 0.5 * MATTRESS_MM) - 0.5 * MATTRESS_MM, x - HALF_WIDTH_MM)
    for value, paint_hu in ((mattress, MATTRESS_HU), (block, SHELL_HU), (block + SHELL_MM, FOAM_HU)):
        outside = np.maximum(value, -skin_value)
        share = np.clip(0.5 - outside / 1.2, 0.0, 1.0)
        hu += share * (np.float32(paint_hu) - hu)


def lay_table(hu: AnyArray, sampler: Sampler, torso: Torso, side: float) -> None:
    """Paint the table under (`side` +1) or in front of (-1) a trunk on the whole of a grid; changes `hu` (z, y, x)."""
    skin_y = torso.back_mm if side > 0 else torso.front_mm
    planes, rows, columns = sampler.grid.shape_zyx
    for start in range(0, planes, _SLAB):
        slab = slice(start, min(start + _SLAB, planes))
        p = sampler.coordinates((slab, slice(0, rows), slice(0, columns)))
        paint_table(hu[slab], p, skin_y, side, torso.skin_value(p))


def round_field(scanner: Scanner, torso: Torso, low_mm: float, high_mm: float, world: Placement) -> Grid:
    """A square slice for a circular field of view: a small one about the spine, a large one about the trunk."""
    half = 0.5 * float(scanner.fov_mm or 0.0)
    spine_y, trunk_y = torso.canal_y_mm - 25.0, 0.5 * (torso.back_mm + torso.front_mm)
    middle = float(np.clip(torso.back_mm + BELOW_MM - half, trunk_y, spine_y))
    ends = world.to_patient(np.array([[0.0, middle, low_mm], [0.0, middle, high_mm]]))
    reach = np.array([half, half, 0.5 * abs(ends[1, 2] - ends[0, 2])])
    spacing_xyz = np.array(scanner.spacing_zyx[::-1])
    count = np.ceil(2.0 * reach / spacing_xyz - 1e-6).astype(int) + np.array([0, 0, 1])
    origin = ends.mean(axis=0) - 0.5 * (count - 1) * spacing_xyz
    return Grid(tuple(count[::-1]), origin, scanner.spacing_zyx)
