"""Beam hardening: none without a cause, cups in water, dark bands and streaks where dense things are."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan_phantoms.artefacts import _ramp, beam_hardening
from trajplan_phantoms.parallel_beam import back_project, project

MM = 1.6
CELL_MM = 2.0


def disc(cells: int, radius: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    at = np.arange(cells) - 0.5 * (cells - 1)
    return np.clip(radius + 0.5 - np.hypot(at[None, :] - x, at[:, None] - y), 0.0, 1.0)


def water(shape=(160, 200), radii=(60, 85)) -> np.ndarray:
    """A trunk of water in air, one slice at 1.6 mm."""
    y, x = (np.arange(n) - 0.5 * (n - 1) for n in shape)
    inside = np.hypot(y[:, None] / radii[0], x[None, :] / radii[1]) < 1
    return np.where(inside, 0.0, -1000.0).astype(np.float32)[None]


def rods(hu: float) -> np.ndarray:
    image = water()
    for x in (70, 130):
        image[0, 76:84, x - 4 : x + 4] = hu
    return image


def added(image: np.ndarray, **options) -> np.ndarray:
    out = image.copy()
    beam_hardening(out, (MM, MM), **options)
    return out - image


def test_the_projection_of_a_disc_is_its_chord() -> None:
    angles = np.linspace(0, np.pi, 12, endpoint=False)
    sinogram = project(disc(101, 30.0), angles)
    s = np.arange(101) - 50
    chord = 2 * np.sqrt(np.clip(30.0**2 - s**2, 0, None))
    inner = np.abs(s) < 25
    for view in sinogram:
        np.testing.assert_allclose(view[inner], chord[inner], atol=1.5)
    np.testing.assert_allclose(sinogram.sum(axis=1), disc(101, 30.0).sum(), rtol=1e-3)


def test_filtered_back_projection_gives_the_image_back() -> None:
    angles = np.arange(180) * (np.pi / 180)
    image = disc(121, 30.0) + 0.5 * disc(121, 8.0, x=12.0, y=-6.0)
    found = back_project(_ramp(project(image, angles) * CELL_MM), angles, 121)
    flat = disc(121, 26.0) * (disc(121, 12.0, 12.0, -6.0) == 0) > 0.99
    assert found[flat].mean() == pytest.approx(1.0, abs=0.02)
    assert found[54 - 2 : 54 + 3, 72 - 2 : 72 + 3].mean() == pytest.approx(1.5, abs=0.04)


def test_soft_tissue_of_a_corrected_scanner_is_untouched() -> None:
    assert not added(water(), strength=1.0).any()


def test_uncorrected_water_is_cupped() -> None:
    change = added(water(), strength=0.0, uncorrected=1.0)[0]
    middle, rim = change[75:85, 95:105].mean(), change[75:85, 24:30].mean()
    assert middle < rim - 20.0
    half = added(water(), strength=0.0, uncorrected=0.5)[0]
    assert half[75:85, 95:105].mean() == pytest.approx(0.5 * middle, rel=0.05)


@pytest.mark.parametrize(("hu", "low", "high"), [(1200.0, 1.0, 10.0), (3000.0, 10.0, 100.0), (9000.0, 60.0, 900.0)])
def test_between_two_dense_rods_runs_a_dark_band(hu, low, high) -> None:
    change = added(rods(hu))[0]
    between, off = change[76:84, 90:110].mean(), change[40:48, 90:110].mean()
    assert low < off - between < high


def test_strength_scales_the_bands_and_nought_takes_them_away() -> None:
    full, half, none = (added(rods(1500.0), strength=s)[0, 76:84, 90:110].mean() for s in (1.0, 0.5, 0.0))
    assert full < -1.0
    assert half == pytest.approx(0.5 * full, rel=1e-3)
    assert none == 0.0


def test_few_photons_behind_metal_make_streaks_of_noise_the_same_for_the_same_seed() -> None:
    calm = added(rods(3000.0))[0]
    first, again, other = (added(rods(3000.0), photons=2e4, seed=s)[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1.0
    assert (first - calm)[60:100, 90:110].std() > 3.0
    bone = added(rods(1500.0), photons=2e4)[0] - added(rods(1500.0))[0]
    assert not bone.any()
