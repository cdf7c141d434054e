"""Where each voxel of a training crop comes from: turned, scaled, mirrored, bent, and sometimes broken."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

from training.segmenter.target import HALF, Target
from trajplan.anatomy.network_input import SEED_TO_CENTER_MM, SHAPE_ZYX, SPACING_MM

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
MAX_TURN_DEG = 15.0
MAX_SCALE = 1.25
ANISOTROPY = 0.05
MAX_SEED_ERROR_MM = (6.0, 10.0, 13.0)
"""Along z, y, x: people click within the body, which is wider than it is high."""

ELASTIC_KNOTS = (5, 6, 6)
ELASTIC_SIGMA_VOX = (0.3, 1.6)
BROKEN_SHARE = 0.4
ASTRAY_SHARE = 0.12
ASTRAY_MM = (16.0, 55.0)

_OFFSETS = np.moveaxis(np.indices(SHAPE_ZYX), 0, -1) - (np.array(SHAPE_ZYX) - 1) / 2
_FROM_SEED = (_OFFSETS + SEED_TO_CENTER_MM[::-1] / SPACING_MM).astype(np.float32)


def draw_warp(target: Target, rng: np.random.Generator) -> Float32Array:
    """Voxel positions (z, y, x) in the target's cube for every voxel of a crop, shape (z, y, x, 3).

    Some seeds go astray, so that the network learns to see no target where none is (`synthesis.without_target`).
    """
    scale = np.exp(rng.uniform(-np.log(MAX_SCALE), np.log(MAX_SCALE)) + rng.normal(0, ANISOTROPY, 3))
    matrix = rotation(np.radians(rng.uniform(-MAX_TURN_DEG, MAX_TURN_DEG, 3))) @ np.diag(1 / scale)
    if rng.random() < 0.5:
        matrix = matrix @ np.diag([1.0, 1.0, -1.0])
    direction = rng.normal(0, 1, 3)
    if rng.random() < ASTRAY_SHARE:
        reach_mm: FloatArray = np.full(3, rng.uniform(*ASTRAY_MM))
    else:
        reach_mm = rng.uniform(0, 1) * np.array(MAX_SEED_ERROR_MM)
    error = direction / np.linalg.norm(direction) * reach_mm / SPACING_MM
    at = (_FROM_SEED + error.astype(np.float32)) @ matrix.T.astype(np.float32)
    if rng.random() < 0.8:
        at += elastic(rng.uniform(*ELASTIC_SIGMA_VOX), rng)
    if rng.random() < BROKEN_SHARE:
        squeeze(at, 0.5 * target.height_vox, rng)
    return np.asarray(at + np.float32(HALF), dtype=np.float32)


def rotation(angles_rad: FloatArray) -> FloatArray:
    """Turn about z, y and x in (z, y, x) coordinates."""
    (cz, cy, cx), (sz, sy, sx) = np.cos(angles_rad), np.sin(angles_rad)
    about_x = np.array([[cx, -sx, 0], [sx, cx, 0], [0, 0, 1]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_z = np.array([[1, 0, 0], [0, cz, -sz], [0, sz, cz]])
    return np.asarray(about_x @ about_y @ about_z)


def elastic(sigma_vox: float, rng: np.random.Generator) -> Float32Array:
    """A smooth displacement, shape (z, y, x, 3): random at a few knots, linear between."""
    return np.stack([spread(rng.normal(0, sigma_vox, ELASTIC_KNOTS)) for _ in range(3)], axis=-1)


def spread(knots: FloatArray) -> Float32Array:
    """Knots at the corners of the crop and between, carried to its voxels, linear."""
    out = knots.astype(np.float32)
    for axis, count in enumerate(SHAPE_ZYX):
        out = between(out, axis, np.linspace(0, knots.shape[axis] - 1, count))
    return out


def between(array: Float32Array, axis: int, at: FloatArray) -> Float32Array:
    """Planes of an array of three axes at places (in planes) along one of them, linear."""
    last = array.shape[axis] - 1
    low = np.minimum(at.astype(int), max(last - 1, 0))
    share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    high = np.minimum(low + 1, last)
    return np.asarray(np.take(array, low, axis) * (1 - share) + np.take(array, high, axis) * share, dtype=np.float32)


def squeeze(at: Float32Array, half_height_vox: float, rng: np.random.Generator) -> None:
    """Take 5 to 65 % of the body's height away, in place: in front, in the middle or everywhere.

    `at` is relative to the body centre. What lies beyond the end plates follows. The dent in the middle is narrow or
    wide: thick slices blur a narrow one, which a network that has seen wide ones only fills.
    """
    least, y = rng.uniform(0.35, 0.95), at[..., 1]
    front, middle, whole = (
        np.clip((8 - y) / 20, 0, 1),
        np.exp(-(((y + 1) / rng.uniform(4.5, 8.0)) ** 2)),
        np.clip((11 - y) / 6, 0, 1),
    )
    where = (front, middle, whole)[rng.integers(3)]
    factor = 1 - (1 - least) * where * np.exp(-((at[..., 2] / 22) ** 4)) * np.clip((24 - y) / 10, 0, 1)
    z = at[..., 0].copy()
    inside = np.clip(z, -half_height_vox * factor, half_height_vox * factor)
    at[..., 0] = inside / factor + (z - inside)


def blur(image: Float32Array, sigma_vox: tuple[float, float, float] | list[float]) -> Float32Array:
    """Gaussian, axes under 0.2 voxels skipped."""
    for axis, sigma in enumerate(sigma_vox):
        if sigma >= 0.2:
            image = ndi.gaussian_filter1d(image, sigma, axis=axis, truncate=2.5, mode="nearest")
    return image
