"""Anterior, middle and posterior height of a body in its midsagittal slab."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.endplates import column_ends, footprint_of
from trajplan.anatomy.working_grid import largest
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray

SLAB_HALF_MM = 4.0
ANTERIOR_BAND = (0.06, 0.16)
MIDDLE_BAND = (0.40, 0.60)
POSTERIOR_BAND = (0.84, 0.94)
"""Bands along the end-plate footprint, from its front: a tenth, the middle, nine tenths; the very rims are left out."""


@dataclass(frozen=True)
class BodyHeights:
    """Heights and depth of one body, mm."""

    ha_mm: float
    hm_mm: float
    hp_mm: float
    depth_mm: float


def measure_heights(
    body: BoolArray, share: Float32Array, axes_mm: tuple[FloatArray, FloatArray, FloatArray]
) -> BodyHeights:
    """Heights along w of a body on its [w, v, u] frame grid, from the 0.5 crossings of the occupancy `share`.

    Thickness is the median over the slab |u| <= 4 mm; anterior and posterior heights are medians over their band,
    the middle height is the least 3 mm mean of its band.

    Raises
    ------
    AnatomyError
        ``no_heights`` when the midsagittal slab holds less than 10 mm of body.
    """
    u_mm, _, w_mm = axes_mm
    step = float(u_mm[1] - u_mm[0])
    core = largest(ndi.binary_opening(body, iterations=max(1, round(2.0 / step))))
    slab = np.abs(u_mm) <= SLAB_HALF_MM
    foot = footprint_of(core)[:, slab].mean(axis=1) > 0.5
    span = np.flatnonzero(foot)
    if len(span) * step < 10:
        raise AnatomyError(
            f"the body is only {len(span) * step:.1f} mm deep in the midsagittal slab: heights cannot be measured. "
            "Check the mask",
            code="no_heights",
            numbers={"depth_mm": len(span) * step},
        )
    rows = slice(int(span[0]), int(span[-1]) + 1)
    top, bottom = column_ends(core[:, rows, slab], share[:, rows, slab], w_mm)
    thickness = np.nanmedian(top - bottom, axis=1)
    place = (np.arange(len(thickness)) + 0.5) / len(thickness)

    def band(limits: tuple[float, float]) -> FloatArray:
        return np.asarray(thickness[(place >= limits[0]) & (place <= limits[1])])

    three = max(1, round(3.0 / step))
    middle = ndi.uniform_filter1d(thickness, three)[(place >= MIDDLE_BAND[0]) & (place <= MIDDLE_BAND[1])]
    return BodyHeights(
        float(np.median(band(ANTERIOR_BAND))),
        float(middle.min()),
        float(np.median(band(POSTERIOR_BAND))),
        len(thickness) * step,
    )
