"""What a polychromatic beam does to an image: cupping, dark bands between bones, streaks of metal.

Each slice is projected on a coarse parallel-beam grid as water and dense material apart; the logarithm of the
polychromatic intensity is not linear in their thickness. What is left after the scanner's water correction is
reconstructed by filtered back projection and added to the slice.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray
from trajplan_phantoms.parallel_beam import back_project, project

SHARES = np.array([0.12, 0.30, 0.28, 0.20, 0.10])
"""Photons detected at about 40, 55, 70, 90 and 110 keV of a 120 kV beam: coarse, to show the effect."""
WATER_PER_MM = np.array([0.0268, 0.0215, 0.0193, 0.0176, 0.0166])
"""Linear attenuation of water at those energies, 1/mm (NIST tables, interpolated)."""
BONE_OVER_WATER = np.array([4.76, 3.23, 2.59, 2.19, 2.04])
"""Attenuation of cortical bone (1.92 g/cm3) over that of water, by energy (NIST tables, interpolated)."""
METAL_OVER_WATER = np.array([37.1, 19.9, 12.8, 8.4, 6.5])
"""The same for titanium (4.5 g/cm3)."""
HARDENED = SHARES * np.exp(-200.0 * WATER_PER_MM) * WATER_PER_MM
"""The beam inside a trunk weighs the energies so: Hounsfield units are stated for it."""
BONE_HU, METAL_HU = 250.0, 2800.0
"""Above the first a voxel holds bone, above the second metal."""
CELL_MM, MARGIN_MM, VIEWS = 2.0, 60.0, 150


def beam_hardening(
    image: Float32Array,
    spacing_yx: tuple[float, float],
    strength: float = 1.0,
    uncorrected: float = 0.0,
    photons: float = 0.0,
    seed: int = 1,
) -> None:
    """Add beam hardening to a (z, y, x) image in place.

    Parameters
    ----------
    image : ndarray of float32, shape (z, y, x)
        HU without noise; changed. What lies outside it is taken as its edge for 60 mm, then as air.
    spacing_yx : (float, float)
        mm.
    strength : float
        Factor on the hardening by bone and metal; 1 is what the spectrum gives.
    uncorrected : float
        Share 0..1 of the hardening by water that the scanner leaves in: cupping.
    photons : float
        Photons a ray starts with; rays through metal that few survive get the noise of their count. 0: no such noise.
    seed : int
        Of that noise.
    """
    random = np.random.default_rng([seed, 7])
    rows, columns = (round(n * s / CELL_MM) for n, s in zip(image.shape[1:], spacing_yx, strict=True))
    rows, columns = max(rows, 8), max(columns, 8)
    margin = round(MARGIN_MM / CELL_MM)
    cells = max(rows, columns) + 2 * margin
    angles: FloatArray = np.arange(VIEWS, dtype=np.float64) * (np.pi / VIEWS)
    for plane in image:
        coarse = _to_cells(plane, (rows, columns))
        padded = _centred(np.pad(coarse, margin, mode="edge"), cells)
        error = _projection_error(padded, angles, strength, uncorrected, photons, random)
        if error is None:
            continue
        added = back_project(_ramp(error), angles, cells)
        top, left = (cells - rows) // 2, (cells - columns) // 2
        patch = added[top : top + rows, left : left + columns] * (1000.0 / _mono())
        plane += _from_cells(patch, plane.shape)


def _projection_error(
    hu: Float32Array,
    angles: FloatArray,
    strength: float,
    uncorrected: float,
    photons: float,
    random: np.random.Generator,
) -> AnyArray | None:
    """Measured less ideal line integrals (view, detector cell), 1; None where nothing in the slice hardens."""
    dense = np.clip(hu - BONE_HU, 0.0, None)
    metal = np.where(hu > METAL_HU, hu - BONE_HU, 0.0)
    bone = dense - metal
    if not (dense.any() and strength > 0) and not uncorrected > 0:
        return None
    mono = _mono()
    # Amounts in mm of full material whose monochromatic attenuation is the voxel's.
    tissue = np.clip(1.0 + (hu - dense) / 1000.0, 0.0, None)
    water_mm = project(tissue, angles) * CELL_MM
    bone_over, metal_over = (float(o @ HARDENED / HARDENED.sum()) for o in (BONE_OVER_WATER, METAL_OVER_WATER))
    bone_mm = _thickness_mm(bone, angles) / bone_over
    metal_mm = _thickness_mm(metal, angles) / metal_over
    ideal = mono * (water_mm + bone_over * bone_mm + metal_over * metal_mm)
    alone = _log_poly(water_mm, np.zeros_like(water_mm), np.zeros_like(water_mm))
    measured = _log_poly(water_mm, bone_mm, metal_mm)
    error = strength * (_water_corrected(measured) - ideal) + uncorrected * (alone - mono * water_mm)
    if photons > 0 and metal.any():
        survivors = np.maximum(photons * np.exp(-measured), 1.0)
        without = np.maximum(photons * np.exp(-alone), 1.0)
        excess = np.sqrt(np.maximum(1.0 / survivors - 1.0 / without, 0.0))
        error += np.where(metal_mm > 0, excess, 0.0) * random.standard_normal(error.shape)
    return np.asarray(error)


def _thickness_mm(hu: Float32Array, angles: FloatArray) -> AnyArray:
    """Millimetres of water along each ray that would add as much as `hu` above water does."""
    if not hu.any():
        return np.zeros((len(angles), hu.shape[1]))
    return np.asarray(project(hu / 1000.0, angles) * CELL_MM)


def _log_poly(water_mm: AnyArray, bone_mm: AnyArray, metal_mm: AnyArray) -> AnyArray:
    intensity = np.zeros_like(water_mm)
    for share, water, bone, metal in zip(SHARES, WATER_PER_MM, BONE_OVER_WATER, METAL_OVER_WATER, strict=True):
        intensity += share * np.exp(-water * (water_mm + bone * bone_mm + metal * metal_mm))
    return np.asarray(-np.log(intensity))


def _water_corrected(measured: AnyArray) -> AnyArray:
    """The scanner's water correction: the line integral that much water would have at one energy."""
    thickness = np.linspace(0.0, 3000.0, 1501)
    nothing = np.zeros_like(thickness)
    return np.asarray(np.interp(measured, _log_poly(thickness, nothing, nothing), _mono() * thickness))


def _mono() -> float:
    """Attenuation of water for the hardened beam, 1/mm."""
    return float(HARDENED.sum() / (HARDENED / WATER_PER_MM).sum())


def _ramp(sinogram: AnyArray) -> AnyArray:
    """Ramp filter along the detector, Hann apodised, for cells of CELL_MM; per mm."""
    width = sinogram.shape[1]
    size = fft.next_fast_len(2 * width, real=True)
    n = np.fft.fftfreq(size, 1.0 / size)
    kernel = np.zeros(size)
    kernel[0] = 0.25
    odd = np.abs(n) % 2 == 1
    kernel[odd] = -1.0 / (np.pi * n[odd]) ** 2
    gain = fft.rfft(kernel).real * (0.5 + 0.5 * np.cos(2.0 * np.pi * fft.rfftfreq(size))) / CELL_MM
    return np.asarray(fft.irfft(fft.rfft(sinogram, size, axis=1) * gain, size, axis=1)[:, :width])


def _to_cells(plane: AnyArray, shape: tuple[int, int]) -> Float32Array:
    """Mean over coarse cells: metal keeps its mass."""
    factors = [n / m for n, m in zip(plane.shape, shape, strict=True)]
    smooth = ndimage.uniform_filter(plane, [max(1, round(f)) for f in factors], mode="nearest")
    return np.asarray(_resized(smooth, shape), dtype=np.float32)


def _from_cells(patch: AnyArray, shape: tuple[int, ...]) -> Float32Array:
    return np.asarray(_resized(patch, (shape[0], shape[1])), dtype=np.float32)


def _resized(image: AnyArray, shape: tuple[int, int]) -> AnyArray:
    """Linear interpolation at the centres of another number of cells over the same rectangle."""
    y, x = ((np.arange(m) + 0.5) * (n / m) - 0.5 for n, m in zip(image.shape, shape, strict=True))
    return np.asarray(ndimage.map_coordinates(image, np.meshgrid(y, x, indexing="ij"), order=1, mode="nearest"))


def _centred(image: Float32Array, cells: int) -> Float32Array:
    out = np.full((cells, cells), -1000.0, dtype=np.float32)
    top, left = (cells - image.shape[0]) // 2, (cells - image.shape[1]) // 2
    out[top : top + image.shape[0], left : left + image.shape[1]] = image
    return out
