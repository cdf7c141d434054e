"""Noise has the asked deviation and the texture of a CT: ramp times kernel, shared photons across thick slices."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan_phantoms.noise import add_grain, add_noise, noise_spectrum


def noise(shape, spacing, sd=20.0, blur=0.45, seed=1, thickness=None) -> np.ndarray:
    image = np.zeros(shape, dtype=np.float32)
    add_noise(image, spacing, sd, blur, seed, thickness)
    return image


@pytest.mark.parametrize(
    ("spacing", "blur"), [((1.0, 0.5, 0.5), 0.45), ((2.5, 0.7, 0.7), 0.45), ((1.0, 1.2, 0.8), 0.0)]
)
def test_noise_has_the_asked_deviation_at_any_pixel_size_and_kernel(spacing, blur) -> None:
    assert noise((12, 150, 141), spacing, blur=blur).std() == pytest.approx(20.0, rel=0.015)


def test_the_power_spectrum_is_the_ramp_times_the_kernel_squared() -> None:
    size, mm = 128, 0.7
    planes = noise((60, size, size), (1.0, mm, mm))
    power = (np.abs(np.fft.fft2(planes)) ** 2).mean(axis=0) / size**2
    f = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size, mm)] * 2, indexing="ij"))
    expected = np.sqrt(f**2 + 0.05**2) * np.exp(-((2 * np.pi * 0.45 * f) ** 2))
    bands = [(0.02 + 0.05 * k, 0.07 + 0.05 * k) for k in range(12)]
    found = np.array([power[(f >= a) & (f < b)].mean() for a, b in bands])
    wanted = np.array([expected[(f >= a) & (f < b)].mean() for a, b in bands])
    np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), rtol=0.06)
    assert 3 <= int(found.argmax()) <= 5  # band pass: neither white nor low-pass noise


def test_the_spectrum_has_unit_variance() -> None:
    for shape in ((64, 64), (63, 65), (40, 90)):
        power = noise_spectrum(shape, (0.7, 0.9), 0.4)
        full = np.fft.irfft2(power, shape)[0, 0]
        assert full == pytest.approx(1.0, rel=1e-9)


def test_overlapping_slices_share_their_noise_and_touching_ones_do_not() -> None:
    def neighbour(thickness):
        a = noise((60, 64, 64), (1.0, 0.8, 0.8), thickness=thickness)
        assert a.std() == pytest.approx(20.0, rel=0.02)
        return [float((a[k:] * a[: len(a) - k]).mean() / a.var()) for k in (1, 2, 3)]

    assert neighbour(1.0) == pytest.approx([0, 0, 0], abs=0.02)
    assert neighbour(2.0)[0] == pytest.approx(0.667, abs=0.03)  # weights 1/2, 1, 1/2
    assert neighbour(2.0)[2] == pytest.approx(0.0, abs=0.03)
    assert neighbour(3.0)[:2] == pytest.approx([2 / 3, 1 / 3], abs=0.03)  # three whole slices in each


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    first, again, other = (noise((3, 40, 50), (1, 0.8, 0.8), seed=s) for s in (4, 4, 5))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_no_noise_leaves_the_image_alone() -> None:
    image = np.full((2, 8, 8), 7.0, dtype=np.float32)
    add_noise(image, (1.0, 1.0, 1.0), 0.0, 0.45, 1)
    add_grain(image, 0.0, 1)
    assert (image == 7.0).all()


def test_the_grain_has_the_asked_deviation() -> None:
    image = np.zeros((10, 128, 128), dtype=np.float32)
    add_grain(image, 15.0, 3)
    assert image.std() == pytest.approx(15.0, rel=0.02)
