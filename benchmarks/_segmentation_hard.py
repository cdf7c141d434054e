"""The same case through a worse scanner: what a confidence has to tell from a good one."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi
from segmentation import Case

from trajplan.geometry import Grid, Volume
from trajplan.geometry.resample import resample_volume

HARDNESS = ("slices of 5 mm", "noise of 150 HU", "bone like water", "slices of 6 mm and noise of 100 HU")


def harden(case: Case, number: int) -> Case:
    """Case `number` made hard in one of four ways, in turn."""
    kind = HARDNESS[number % len(HARDNESS)]
    rng = np.random.default_rng([7, number])
    ct = case.ct
    if "slices" in kind:
        ct = _thick(ct, 6.0 if "6" in kind else 5.0)
    hu = np.asarray(ct.array, dtype=np.float32)
    if "noise" in kind:
        grain = ndi.gaussian_filter(rng.standard_normal(hu.shape, dtype=np.float32), (0.0, 0.7, 0.7))
        hu = hu + (150.0 if "150" in kind else 100.0) * grain / grain.std()
    if "water" in kind:
        hu = np.where(hu > 40.0, 40.0 + 0.3 * (hu - 40.0), hu)
    hard = Volume(np.clip(np.rint(hu), -1024, 3071).astype(np.int16), ct.grid)
    return Case(f"{case.name}, {kind}", hard, case.labels, case.one)


def _thick(ct: Volume, slice_mm: float) -> Volume:
    """Averaged over `slice_mm` and kept at that distance, as a thick series is read."""
    spacing = ct.grid.spacing_zyx
    width = max(1, round(slice_mm / float(spacing[0])))
    blurred = ndi.uniform_filter1d(np.asarray(ct.array, dtype=np.float32), width, axis=0, mode="nearest")
    count = max(2, int(ct.grid.shape_zyx[0] * float(spacing[0]) / slice_mm))
    grid = Grid((count, *ct.grid.shape_zyx[1:]), ct.grid.origin_lps, (slice_mm, float(spacing[1]), float(spacing[2])))
    return resample_volume(Volume(np.rint(blurred).astype(np.int16), ct.grid), grid)
