"""What the segmenter network sees and answers: the one definition shared by training and run time."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import Float32Array, FloatArray
from trajplan.geometry.resample import resample_volume

SPACING_MM = 1.5
SHAPE_ZYX = (56, 64, 64)
"""84 x 96 x 96 mm."""

SEED_TO_CENTER_MM = np.array([0.0, 16.5, -4.5])
"""From the seed (a body centre) to the crop's centre, LPS: the spinous process lies posterior and inferior of it."""

SEED_SIGMA_MM = 6.0
PADDING_HU = -1024.0
_LOWEST_HU, _HIGHEST_HU = -250.0, 1050.0
_MIDDLE_HU, _UNIT_HU = 150.0, 250.0


class NetworkClass(IntEnum):
    """Channels of the network's answer."""

    BACKGROUND = 0
    BODY = 1
    POSTERIOR = 2
    OTHER = 3
    CANAL = 4


def normalise(hu: Float32Array) -> Float32Array:
    """HU to network units: bone and soft tissue keep their contrast, air and metal are clipped.

    >>> normalise(np.array([-1000.0, 150.0, 3000.0], dtype=np.float32)).tolist()
    [-1.600000023841858, 0.0, 3.5999999046325684]
    """
    return np.asarray((np.clip(hu, _LOWEST_HU, _HIGHEST_HU) - _MIDDLE_HU) / _UNIT_HU, dtype=np.float32)


def crop_grid(seed_lps: FloatArray) -> Grid:
    """The network's grid about a seed (LPS mm)."""
    half = (np.array(SHAPE_ZYX[::-1]) - 1) / 2 * SPACING_MM
    origin = np.asarray(seed_lps, dtype=float) + SEED_TO_CENTER_MM - half
    return Grid(SHAPE_ZYX, origin, (SPACING_MM,) * 3)


def seed_channel() -> Float32Array:
    """A Gaussian where the seed is, shape `SHAPE_ZYX`; the same for every crop, and symmetric in x."""
    at = crop_grid(np.zeros(3)).points_lps()
    return np.asarray(np.exp(-(at**2).sum(axis=-1) / (2 * SEED_SIGMA_MM**2)), dtype=np.float32)


def network_input(ct: Volume, seed_lps: FloatArray) -> Float32Array:
    """The network's input about a seed in a canonical CT, shape (2, z, y, x)."""
    hu = resample_volume(ct, crop_grid(seed_lps), outside_hu=PADDING_HU).array
    return np.stack([normalise(np.asarray(hu, dtype=np.float32)), seed_channel()])
