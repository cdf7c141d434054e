"""What a scanner does to a crop: thick slices, coarse pixels, noise, contrast, shading, a field of view that ends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.segmenter.target import voxels
from training.segmenter.warp import between, blur, spread
from trajplan.anatomy.network_input import PADDING_HU, SHAPE_ZYX

Float32Array = npt.NDArray[np.float32]
MAX_CUT_VOX = 18
COARSE_SHARE, MAX_PIXEL_MM = 0.35, 3.2
"""Scans that were stored again at 2 to 3 mm in all directions to save room."""

RESAMPLED_VOX = 1.2


def scan(hu: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Slices of 1 to 5 mm, pixels of 1 to 3.2 mm, noise to 70 HU, contrast, bias field, gamma."""
    if rng.random() < 0.6:
        thick = voxels(rng.uniform(1, 5))
        pixel = voxels(rng.uniform(2, MAX_PIXEL_MM) if rng.random() < COARSE_SHARE else rng.uniform(1, 2))
        hu = blur(hu, [0.4 * thick if thick > 1 else float(rng.uniform(0, 0.4)), 0.35 * pixel, 0.35 * pixel])
        for axis, spacing in enumerate((thick, pixel, pixel)):
            if spacing > RESAMPLED_VOX:
                hu = sampled(hu, axis, spacing, float(rng.uniform(0, spacing)))
    if rng.random() < 0.7:
        noise = blur(rng.standard_normal(SHAPE_ZYX, dtype=np.float32), [float(rng.uniform(0, 0.8))] * 3)
        hu = hu + np.float32(rng.uniform(0, 70) / noise.std()) * noise
    hu = (hu - 100) * np.float32(rng.uniform(0.75, 1.3)) + np.float32(100 + rng.normal(0, 25))
    if rng.random() < 0.3:
        hu = hu + spread(rng.normal(0, 40, (3, 3, 3)))
    if rng.random() < 0.3:
        unit = np.clip((hu + 250) / 1300, 0, 1)
        hu = unit ** np.float32(np.exp(rng.uniform(-0.35, 0.35))) * 1300 - 250
    return np.asarray(hu, dtype=np.float32)


def cut_field_of_view(hu: Float32Array, share: Float32Array, rng: np.random.Generator) -> None:
    """In a third of the crops, padding on one or both sides of one axis (mostly z), in place."""
    if rng.random() >= 0.35:
        return
    axis = int(rng.integers(3)) if rng.random() < 0.4 else 0
    for low in (True, False):
        count = int(rng.uniform(0, MAX_CUT_VOX)) if rng.random() < 0.6 else 0
        if count:
            cut: list[slice] = [slice(None)] * 3
            cut[axis] = slice(0, count) if low else slice(SHAPE_ZYX[axis] - count, None)
            hu[tuple(cut)] = PADDING_HU
            share[tuple(cut)] = 0.0


def sampled(hu: Float32Array, axis: int, spacing_vox: float, first_vox: float) -> Float32Array:
    """Keep a plane every `spacing_vox` along an axis and interpolate between, as a reader resamples a coarse series."""
    count = hu.shape[axis]
    kept = np.arange(first_vox, count - 1 + 1e-6, spacing_vox)
    at = np.clip((np.arange(count) - first_vox) / spacing_vox, 0, len(kept) - 1)
    return between(between(hu, axis, kept), axis, at)
