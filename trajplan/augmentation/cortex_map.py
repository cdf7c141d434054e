"""Cortex map: where about the body the CT shows no cortex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.leak import CortexMap
from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, FloatArray

ACROSS_MM = 1.5
"""The peak is looked for this far inside and outside the surface of the mask."""

OVER_MARROW_SD = 1.0
"""A cortex stands out of the bone inside by more than this many of its standard deviations (proposed)."""

LEAST_MM2 = 10.0
"""Smaller gaps are not told from noise and partial volume (proposed)."""


@dataclass(frozen=True, eq=False)
class Gap:
    """A connected piece of surface without a cortex: wall, area, middle."""

    wall: int
    area_mm2: float
    center_lps: FloatArray


def cortex_map(ct: Volume, vertebra: Vertebra, block: BodyBlock) -> CortexMap:
    """Peak HU across the wall at every sample of the body's surface."""
    spread_hu = vertebra.measures.body_hu_sd if vertebra.measures is not None else 0.0
    limit = vertebra.body_hu + OVER_MARROW_SD * spread_hu
    along = np.arange(-ACROSS_MM, ACROSS_MM + 1e-9, 0.25)
    points = block.surface.points_lps[:, None, :] + along[:, None] * block.surface.normals_lps[:, None, :]
    index = np.moveaxis(ct.grid.world_to_index(points), -1, 0)
    peak = ndi.map_coordinates(ct.array, index, order=1, mode="nearest", output=np.float64).max(axis=1)
    return CortexMap(block.surface.points_lps, peak, peak < limit, block.wall, limit)


def gaps_of(cortex: CortexMap, block: BodyBlock, without: BoolArray) -> tuple[Gap, ...]:
    """Connected defects of at least 10 mm2 on one wall each, largest first; samples of `without` are left out."""
    grid = block.bone_grid
    normal = np.abs(block.surface.normals_lps).sum(axis=1)
    area = float(np.prod(grid.spacing_zyx) ** (2 / 3)) / np.maximum(normal, 1e-6)
    found = []
    for wall in np.unique(cortex.wall):
        use = cortex.defect & (cortex.wall == wall) & ~without
        if not use.any():
            continue
        mask = np.zeros(grid.shape_zyx, dtype=bool)
        cells = block.surface.inside_zyx[use]
        mask[tuple(cells.T)] = True
        pieces, count = ndi.label(mask, np.ones((3, 3, 3)))
        of = pieces[tuple(cells.T)]
        for k in range(1, count + 1):
            size = float(area[use][of == k].sum())
            if size >= LEAST_MM2:
                found.append(Gap(int(wall), size, cortex.points_lps[use][of == k].mean(axis=0)))
    return tuple(sorted(found, key=lambda g: -g.area_mm2))
