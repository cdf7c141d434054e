"""The image of a crop: real intensities varied, or every tissue painted anew (so that shape, not HU, is learnt)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.segmenter.tissues import AORTA, BY_HU, CORTEX, COUNT, DENSE, RIBS, TRABECULAR
from training.segmenter.warp import blur
from trajplan.anatomy.network_input import SHAPE_ZYX

Float32Array = npt.NDArray[np.float32]
_BONE = (CORTEX, TRABECULAR, DENSE)


def vary(hu: Float32Array, bone: npt.NDArray[np.bool_], rng: np.random.Generator) -> Float32Array:
    """Real intensities: sometimes a sharper kernel, sometimes porotic or sclerotic bone."""
    if rng.random() < 0.3:
        hu = hu + np.float32(rng.uniform(0.3, 1.5)) * (hu - blur(hu, (1, 1, 1)))
    if rng.random() < 0.5:
        hu = hu + blur(bone.astype(np.float32), (1, 1, 1)) * np.float32(rng.uniform(-150, 250))
    return hu


def recolour(hu: Float32Array, tissues: npt.NDArray[np.uint8], rng: np.random.Generator) -> Float32Array:
    """A new mean and texture for every tissue, plus 0 to 100 % of what is left of the real image."""
    count = np.bincount(tissues.ravel(), minlength=COUNT)
    real = np.bincount(tissues.ravel(), weights=hu.ravel(), minlength=COUNT) / np.maximum(count, 1)
    mean, spread = _colours(real, np.flatnonzero(count), rng)
    texture = blur(rng.standard_normal(SHAPE_ZYX, dtype=np.float32), [float(rng.uniform(0, 1))] * 3)
    kept = np.float32(rng.uniform(0, 1))
    residual = np.clip(hu - real.astype(np.float32)[tissues], -400, 600)
    painted = mean[tissues] + spread[tissues] * texture / texture.std() + kept * residual
    return blur(painted, [float(rng.uniform(0.3, 0.8))] * 3)


def _colours(
    real: npt.NDArray[np.float64], present: npt.NDArray[np.int_], rng: np.random.Generator
) -> tuple[Float32Array, Float32Array]:
    mean, spread = np.zeros(COUNT, np.float32), np.zeros(COUNT, np.float32)
    near = rng.random(COUNT) < 0.5
    mean[:] = np.where(near, rng.normal(0, 60, COUNT), rng.uniform(-120, 250, COUNT))
    mean[present] += np.where(near[present], real[present], 0.0)
    spread[:] = rng.uniform(0, 40, COUNT)
    if rng.random() < 0.5:  # unlabelled tissue keeps its order
        soft = rng.uniform(-60, 120)
        contrast, bone = soft + rng.uniform(20, 150), rng.uniform(200, 600)
        mean[BY_HU.start : BY_HU.stop] = [-950, -500, rng.uniform(-130, -40), soft, contrast, bone]
    trabecular = rng.uniform(0, 450) if rng.random() < 0.8 else rng.uniform(-60, 60)
    cortex = trabecular + rng.uniform(0, 450)
    mean[list(_BONE)] = cortex, trabecular, trabecular + rng.uniform(-20, 200)
    spread[list(_BONE)] = rng.uniform(0, 120, 3)
    if rng.random() < 0.7:
        mean[RIBS.start : RIBS.stop] = cortex * rng.uniform(0.4, 1.0)
    if rng.random() < 0.3:
        mean[AORTA] = rng.uniform(100, 600)
    return mean, spread
