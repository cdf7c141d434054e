"""The trunk behind the spine of an upright patient: two slices, carried along the curve of the spine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from trajplan.geometry.arrays import AnyArray
from trajplan_phantoms.sampling import Sampler
from trajplan_phantoms.tissue import DIAPHRAGM_MM, Torso


def upright_background(hu: AnyArray, sampler: Sampler, torso: Torso) -> AnyArray:
    """Paint one slice of chest and one of belly, and carry them along the curve of the spine."""
    grid, linear = sampler.grid, sampler.place.linear
    full = slice(0, grid.shape_zyx[1]), slice(0, grid.shape_zyx[2])
    first = sampler.coordinates((slice(0, 1), *full))
    chest, belly = (replace(torso, bend=None, chest_from_mm=z).paint(first)[0] for z in (-np.inf, np.inf))
    step = float((linear.T @ grid.direction * grid.spacing_xyz)[2, 2])
    z = float(first[2].flat[0]) + step * np.arange(grid.shape_zyx[0])
    share = np.clip((z - torso.chest_from_mm) / DIAPHRAGM_MM + 0.5, 0.0, 1.0)
    shift = np.zeros((len(z), 3))
    if torso.bend is not None:
        shift[:, :2] = torso.bend.at(z)
    moved = shift @ linear.T @ grid.direction / grid.spacing_xyz
    for k, (x, y, _) in enumerate(moved):
        plane = belly + np.float32(share[k]) * (chest - belly)
        hu[k] = ndimage.shift(plane, (y, x), order=1, mode="nearest") if abs(x) + abs(y) > 1e-9 else plane
    return hu
