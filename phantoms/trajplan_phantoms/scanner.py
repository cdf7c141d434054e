"""The CT scanner: spacing, blur, noise, and rounding to stored Hounsfield units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, Float32Array

LOWEST_HU, HIGHEST_HU = -1024, 3071

_GRAIN = 0.55
_WEIGHTS = ndimage.gaussian_filter1d(np.eye(1, 9, 4)[0], _GRAIN, truncate=2.5)
_GRAIN_SD = float((_WEIGHTS**2).sum())
"""In-plane correlation of the noise (pixels, like a body kernel) and what it leaves of a standard deviation of 1."""


@dataclass(frozen=True)
class Scanner:
    """How the phantom is scanned.

    Parameters
    ----------
    spacing_zyx : (float, float, float)
        Voxel spacing, mm, 0.3 to 5.
    noise_hu : float
        Standard deviation of the noise, HU.
    psf_mm : float
        Standard deviation of the Gaussian blur, mm.
    seed : int
        Of the noise; the same seed gives the same bytes.
    """

    spacing_zyx: tuple[float, float, float] = (1.0, 0.8, 0.8)
    noise_hu: float = 15.0
    psf_mm: float = 0.45
    seed: int = 1

    def __post_init__(self) -> None:
        spacing = tuple(float(s) for s in self.spacing_zyx)
        if len(spacing) != 3 or not all(0.3 <= s <= 5.0 for s in spacing):
            raise InputError(
                f"scanner spacing {spacing} mm cannot be built; use three values of 0.3 to 5 mm",
                code="spacing_invalid",
            )
        if not 0.0 <= self.noise_hu <= 500.0:
            raise InputError(f"scanner noise {self.noise_hu} HU is not within 0 to 500 HU", code="noise_invalid")
        if not 0.0 <= self.psf_mm <= 5.0:
            raise InputError(f"scanner blur {self.psf_mm} mm is not within 0 to 5 mm", code="psf_invalid")
        if not self.seed >= 0:
            raise InputError(f"scanner seed {self.seed} must not be negative", code="seed_invalid")
        object.__setattr__(self, "spacing_zyx", spacing)


def scan(ideal_hu: Float32Array, scanner: Scanner) -> AnyArray:
    """Blur, add noise, round and clip: (z, y, x) HU -> int16 HU. `ideal_hu` is overwritten."""
    image = ideal_hu
    if scanner.psf_mm > 0:
        sigma = [scanner.psf_mm / s for s in scanner.spacing_zyx]
        ndimage.gaussian_filter(image, sigma, output=image, mode="nearest", truncate=3.0)
    if scanner.noise_hu > 0:
        random = np.random.default_rng(scanner.seed)
        for plane in image:  # slice by slice keeps the memory small
            grain = ndimage.gaussian_filter(random.standard_normal(plane.shape, dtype=np.float32), _GRAIN, truncate=2.5)
            plane += grain * np.float32(scanner.noise_hu / _GRAIN_SD)
    np.rint(image, out=image)
    return np.clip(image, LOWEST_HU, HIGHEST_HU).astype(np.int16)
