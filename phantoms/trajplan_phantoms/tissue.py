"""Soft tissue around the spine: air, skin, fat, muscle, vessels, discs, canal content."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan_phantoms.shapes import Coordinates, superellipse

AIR_HU, SKIN_HU, FAT_HU, MUSCLE_HU = -1000.0, 30.0, -95.0, 55.0
BLOOD_HU, BOWEL_HU = 45.0, 25.0
CSF_HU, CORD_HU, EPIDURAL_HU, DISC_HU, ANNULUS_HU = 10.0, 40.0, -60.0, 80.0, 100.0

TORSO_HALF_WIDTH_MM, TORSO_HALF_DEPTH_MM = 160.0, 110.0
SKIN_MM, SUBCUTANEOUS_MM = 2.0, 12.0


@dataclass(frozen=True)
class Torso:
    """The trunk around the spine in patient coordinates: an elliptic cylinder whose back lies at `back_mm`.

    Attributes
    ----------
    back_mm : float
        v (patient y) of the skin in the midline.
    canal_y_mm : float
        y of the back wall of the target's canal.
    body_half_width_mm : float
        Half the width of the target's body.
    """

    back_mm: float
    canal_y_mm: float
    body_half_width_mm: float

    @property
    def front_mm(self) -> float:
        """y of the skin of the belly."""
        return self.back_mm - 2.0 * TORSO_HALF_DEPTH_MM

    def skin_value(self, p: Coordinates) -> AnyArray:
        """Implicit value of the skin, mm; negative inside the patient."""
        centre = self.back_mm - TORSO_HALF_DEPTH_MM
        return superellipse(p[0], p[1] - centre, TORSO_HALF_WIDTH_MM, TORSO_HALF_DEPTH_MM, 2.4)

    def paint(self, p: Coordinates) -> AnyArray:
        """HU of everything but spine, discs and canal, float32."""
        x, y, _ = p
        skin = self.skin_value(p)
        hu = np.full(x.shape, AIR_HU, dtype=np.float32)
        _over(hu, skin, SKIN_HU)
        _over(hu, skin + SKIN_MM, FAT_HU)
        wall = skin + SUBCUTANEOUS_MM
        _over(hu, np.maximum(wall, -(wall + 14.0)), MUSCLE_HU)
        _over(hu, np.maximum(wall + 20.0, y + 30.0), BOWEL_HU)
        half = self.body_half_width_mm
        for sign in (-1.0, 1.0):
            psoas = superellipse(x - sign * (half + 9.0), y - 9.0, 14.0, 19.0, 2.2)
            _over(hu, psoas, MUSCLE_HU)
            erector = superellipse(x - sign * 38.0, y - (self.canal_y_mm + 11.0), 37.5, 25.0, 2.6)
            _over(hu, np.maximum(erector, wall), MUSCLE_HU)
            quadratus = superellipse(x - sign * (half + 33.0), y - (self.canal_y_mm - 20.0), 17.0, 8.0, 2.2)
            _over(hu, quadratus, MUSCLE_HU)
            kidney = superellipse(x - sign * (half + 42.0), y + 8.0, 20.0, 27.0, 2.0)
            _over(hu, kidney, 35.0)
        _over(hu, np.hypot(x - 6.0, y + 33.0) - 10.5, BLOOD_HU)
        _over(hu, superellipse(x + 17.0, y + 32.0, 12.0, 9.0, 2.0), BLOOD_HU)
        return hu


def canal_hu(tube: AnyArray, has_cord: bool, p: Coordinates, centre: FloatArray) -> AnyArray:
    """HU inside the canal: epidural fat, dural sac with CSF, cord (or roots below L1)."""
    hu = np.full(tube.shape, EPIDURAL_HU, dtype=np.float32)
    _over(hu, tube + 1.6, CSF_HU)
    u, v = p[0] - float(centre[0]), p[1] - float(centre[1])
    if has_cord:
        _over(hu, superellipse(u, v, 4.8, 3.6, 2.0), CORD_HU)
    else:
        _over(hu, superellipse(u, v - 1.5, 5.5, 3.2, 2.0), 0.5 * (CSF_HU + CORD_HU))
    return hu


def _over(hu: AnyArray, value: AnyArray, paint_hu: float, edge_mm: float = 0.6) -> None:
    """Paint where `value` < 0, with an edge of partial volume `edge_mm` on either side; changes `hu`."""
    share = np.clip(0.5 - value * (0.5 / edge_mm), 0.0, 1.0)
    hu += share * (np.float32(paint_hu) - hu)
