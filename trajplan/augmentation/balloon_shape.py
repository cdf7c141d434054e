"""The free shape of a balloon: a cylinder with half-spheroid caps, between capsule and cylinder, by its volume."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.geometry.arrays import FloatArray
from trajplan.planning.instruments import Balloon

CAP_SHARE = 0.5
"""Length of a cap as a share of the radius. Sizes and volumes of the brochures go together only between a capsule (1)
and a cylinder (0); with a half, 16.7 x 21.8 mm hold 4.0 ml and 18.0 x 26.5 mm hold 6.0 ml (derived)."""


@dataclass(frozen=True)
class FreeShape:
    """A solid of revolution: radius and length, mm."""

    radius_mm: float
    length_mm: float

    @property
    def cap_mm(self) -> float:
        """Length of either cap."""
        return min(CAP_SHARE * self.radius_mm, self.length_mm / 2)

    @property
    def volume_ml(self) -> float:
        """Closed form: the cylinder, and two half spheroids."""
        return math.pi * self.radius_mm**2 * (self.length_mm - 2 * self.cap_mm / 3) / 1000

    def radius_at(self, z_mm: ArrayLike) -> FloatArray:
        """Radius at places along the axis, from the middle; 0 beyond the ends."""
        z = np.abs(np.asarray(z_mm, dtype=np.float64))
        into = np.clip((z - (self.length_mm / 2 - self.cap_mm)) / self.cap_mm, 0.0, 1.0)
        return np.where(z < self.length_mm / 2, self.radius_mm * np.sqrt(1 - into**2), 0.0)


def free_shape(balloon: Balloon, radius_mm: float) -> FreeShape:
    """The balloon at a radius; its length grows with it, from the label's to that of the catalogue and beyond."""
    grown = (2 * radius_mm - balloon.folded_diameter_mm) / (balloon.inflated_diameter_mm - balloon.folded_diameter_mm)
    return FreeShape(radius_mm, balloon.length_mm + max(0.0, grown) * (balloon.inflated_length_mm - balloon.length_mm))
