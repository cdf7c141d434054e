"""The CT scanner: sampling, slice sensitivity, blur, artefacts, noise, field of view, stored Hounsfield units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray
from trajplan.geometry.grid import Grid
from trajplan_phantoms.artefacts import beam_hardening
from trajplan_phantoms.noise import add_grain, add_noise
from trajplan_phantoms.orientation import check_position

LOWEST_HU, HIGHEST_HU = -1024, 3071
LOWEST_PADDING_HU = -4096
MIN_THICKNESS_MM, MAX_THICKNESS_MM = 0.4, 5.0
_SAMPLE_MM = 0.75
"""A thick slice is made of samples no further apart than this."""

Texture = Literal["grain", "ct"]


@dataclass(frozen=True)
class Scanner:
    """How the phantom is scanned.

    Parameters
    ----------
    spacing_zyx : (float, float, float)
        Voxel spacing, mm, 0.3 to 5.
    noise_hu : float
        Standard deviation of the noise in water, HU.
    psf_mm : float
        Standard deviation of the Gaussian blur, mm: in the slice the reconstruction kernel, across it the focus.
    seed : int
        Of the noise; the same seed gives the same bytes.
    slice_thickness_mm : float, optional
        Width of the slice sensitivity profile (a box rounded by `psf_mm`), mm, 0.4 to 5; may be more (overlapping)
        or less (gaps) than the slice spacing. None: no blur across slices but `psf_mm`.
    texture : {"grain", "ct"}
        Of the noise: a fixed grain of a pixel, or the ramp-times-kernel spectrum of a CT (`noise_spectrum`).
    edge_enhancement : float
        Strength 0..2 of the unsharp part of a bone kernel: overshoot at edges, and noise of finer grain.
    beam_hardening : float
        Factor 0..2 on dark bands and streaks between dense bones and around metal; 0 is none, 1 a 120 kV beam.
    cupping : float
        Share 0..1 of the water's beam hardening that is left uncorrected.
    photons : float
        Photons a ray starts with, for streak noise behind metal (needs `beam_hardening`); 0 is none.
    fov_mm : float, optional
        Side of a square image, 100 to 500 mm, of which only the inscribed circle is scanned; the rest is padding.
        None: the box around the spine and the back, without padding.
    padding_hu : int
        What stands outside the circle: -4096 to -1024; -2048 and -3024 are common.
    patient_position : {"HFS", "HFP", "FFS", "FFP"}
        Supine or prone, head or feet first: the side the table lies on, and how `write_scan` stores the images.
    table : bool
        The table in the scan.
    """

    spacing_zyx: tuple[float, float, float] = (1.0, 0.8, 0.8)
    noise_hu: float = 15.0
    psf_mm: float = 0.45
    seed: int = 1
    slice_thickness_mm: float | None = None
    texture: Texture = "grain"
    edge_enhancement: float = 0.0
    beam_hardening: float = 0.0
    cupping: float = 0.0
    photons: float = 0.0
    fov_mm: float | None = None
    padding_hu: int = -2048
    patient_position: str = "HFS"
    table: bool = False

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
        if self.slice_thickness_mm is not None:
            _within("slice thickness", self.slice_thickness_mm, MIN_THICKNESS_MM, MAX_THICKNESS_MM, "mm", "thickness")
        if self.texture not in get_args(Texture):
            raise InputError(f"unknown noise texture {self.texture!r}; use grain or ct", code="texture_unknown")
        _within("edge enhancement", self.edge_enhancement, 0.0, 2.0, "", "edge_enhancement")
        _within("beam hardening", self.beam_hardening, 0.0, 2.0, "", "beam_hardening")
        _within("cupping", self.cupping, 0.0, 1.0, "", "cupping")
        _within("photons a ray", self.photons, 0.0, 1e9, "", "photons")
        if self.fov_mm is not None:
            _within("field of view", self.fov_mm, 100.0, 500.0, "mm", "fov")
        _within("padding", self.padding_hu, LOWEST_PADDING_HU, LOWEST_HU, "HU", "padding")
        check_position(self.patient_position)
        object.__setattr__(self, "spacing_zyx", spacing)

    @property
    def thickness_mm(self) -> float:
        """What a header states as slice thickness, mm."""
        return self.spacing_zyx[0] if self.slice_thickness_mm is None else self.slice_thickness_mm

    @property
    def samples_per_slice(self) -> int:
        """How many planes are sampled per slice spacing: odd, so that one lies at the slice's centre."""
        if self.slice_thickness_mm is None:
            return 1
        finest = min(_SAMPLE_MM, self.slice_thickness_mm)
        return 2 * int(np.ceil(0.5 * (self.spacing_zyx[0] / finest - 1.0) - 1e-9)) + 1

    def sampled_grid(self, grid: Grid) -> Grid:
        """The grid to sample the object on for `scan`: `samples_per_slice` planes for each slice of `grid`."""
        n = self.samples_per_slice
        if n == 1:
            return grid
        z, y, x = grid.shape_zyx
        dz, dy, dx = grid.spacing_zyx
        first = grid.index_to_world((-0.5 * (n - 1) / n, 0.0, 0.0))
        return Grid((z * n, y, x), first, (dz / n, dy, dx), grid.direction)

    def at_slices(self, sampled: AnyArray) -> AnyArray:
        """Of an array on `sampled_grid` the planes at the centres of the slices."""
        n = self.samples_per_slice
        return sampled if n == 1 else np.ascontiguousarray(sampled[n // 2 :: n])


def scan(ideal_hu: Float32Array, scanner: Scanner) -> AnyArray:
    """Blur, artefacts, noise, round and clip: (z, y, x) HU on `Scanner.sampled_grid` -> int16 HU of the slices.

    `ideal_hu` is overwritten.
    """
    image = ideal_hu
    dz, dy, dx = scanner.spacing_zyx
    n = scanner.samples_per_slice
    if scanner.psf_mm > 0:
        sigma = [scanner.psf_mm / s for s in (dz / n, dy, dx)]
        ndimage.gaussian_filter(image, sigma, output=image, mode="nearest", truncate=3.0)
    if scanner.slice_thickness_mm is not None:
        weights = _box(scanner.slice_thickness_mm / (dz / n))
        ndimage.correlate1d(image, weights, axis=0, output=image, mode="nearest")
        image = scanner.at_slices(image)
    if scanner.beam_hardening > 0 or scanner.cupping > 0:
        beam_hardening(image, (dy, dx), scanner.beam_hardening, scanner.cupping, scanner.photons, scanner.seed)
    if scanner.edge_enhancement > 0:
        _sharpen(image, scanner)
    if scanner.texture == "grain":
        add_grain(image, scanner.noise_hu, scanner.seed)
    else:
        blur = scanner.psf_mm / (1.0 + 0.5 * scanner.edge_enhancement)
        add_noise(image, scanner.spacing_zyx, scanner.noise_hu, blur, scanner.seed, scanner.slice_thickness_mm)
    np.rint(image, out=image)
    stored: AnyArray = np.clip(image, LOWEST_HU, HIGHEST_HU).astype(np.int16)
    if scanner.fov_mm is not None:
        stored[:, outside_circle(stored.shape[1:], (dy, dx), scanner.fov_mm)] = scanner.padding_hu
    return stored


def outside_circle(shape_yx: tuple[int, ...], spacing_yx: tuple[float, float], diameter_mm: float) -> AnyArray:
    """Which pixels (y, x) lie outside the circle of that diameter about the middle of the slice."""
    y, x = ((np.arange(n) - 0.5 * (n - 1)) * s for n, s in zip(shape_yx, spacing_yx, strict=True))
    return np.asarray(np.hypot(y[:, None], x[None, :]) > 0.5 * diameter_mm)


def _box(width: float) -> FloatArray:
    """Weights of a centred box `width` samples wide, ends taken in part."""
    half = int(np.ceil(0.5 * (width - 1.0) - 1e-9))
    at = np.arange(-half, half + 1)
    weights = np.clip(0.5 * width + 0.5 - np.abs(at), 0.0, 1.0)
    return np.asarray(weights / weights.sum())


def _sharpen(image: Float32Array, scanner: Scanner) -> None:
    """Unsharp mask within the slice, twice as wide as the kernel: what a bone kernel adds."""
    wide = max(2.0 * scanner.psf_mm, scanner.spacing_zyx[1])
    sigma = [wide / s for s in scanner.spacing_zyx[1:]]
    for plane in image:
        plane += np.float32(scanner.edge_enhancement) * (plane - ndimage.gaussian_filter(plane, sigma, mode="nearest"))


def _within(name: str, value: float, low: float, high: float, unit: str, code: str) -> None:
    if not low <= value <= high:
        raise InputError(
            f"scanner {name} {value:g} {unit}".rstrip() + f" cannot be built; use {low:g} to {high:g} {unit}".rstrip(),
            code=f"{code}_invalid",
            numbers={"value": float(value), "min": low, "max": high},
        )
