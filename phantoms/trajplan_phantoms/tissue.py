"""Soft tissue around the spine: air, skin, fat, muscle, lungs, vessels, discs, canal content."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan_phantoms.shapes import Coordinates, superellipse

AIR_HU, SKIN_HU, FAT_HU, MUSCLE_HU = -1000.0, 30.0, -95.0, 55.0
BLOOD_HU, BOWEL_HU = 45.0, 25.0
LUNG_HU, RIB_MARROW_HU = -850.0, 140.0
RIB_CORTEX_HU, BONE_EDGE_MM = 720.0, 0.45
CSF_HU, CORD_HU, EPIDURAL_HU, DISC_HU, ANNULUS_HU = 10.0, 40.0, -60.0, 80.0, 100.0
LIGAMENT_HU, DURA_HU = 75.0, 45.0
EPIDURAL_MM, BACK_FAT_MM, DURA_MM = 1.6, 2.2, 0.5
"""Fat around the sac, how much more there is in the midline behind it, and the dura. All unverified."""
FLAVUM_INSIDE_MM, FLAVUM_BEHIND_MM = 0.8, 2.2
"""The yellow ligament, 3 mm in all (2..5 mm is usual; unverified), on either side of the canal's back wall."""
PLL_MM, PLL_HALF_WIDTH_MM = 1.0, 5.0
"""The posterior longitudinal ligament (unverified)."""

TORSO_HALF_WIDTH_MM, TORSO_HALF_DEPTH_MM = 160.0, 110.0
SKIN_MM, SUBCUTANEOUS_MM = 2.0, 12.0
DIAPHRAGM_MM = 16.0
"""Chest and belly pass into each other over this height."""


@dataclass(frozen=True, eq=False)
class Bend:
    """How far the trunk follows the spine: shifts of x and y (mm) by patient z, smooth between the levels."""

    z_mm: FloatArray
    shift_mm: FloatArray

    def at(self, z: AnyArray) -> FloatArray:
        """(..., 2) shift of x and y, mm; constant beyond the ends."""
        if len(self.z_mm) == 1:
            return np.broadcast_to(self.shift_mm[0], (*np.shape(z), 2))
        return np.asarray(PchipInterpolator(self.z_mm, self.shift_mm)(np.clip(z, self.z_mm[0], self.z_mm[-1])))


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
    aorta_hu : float
    chest_from_mm : float
        Patient z above which there are lungs instead of bowel and kidneys.
    bend : Bend, optional
        The trunk follows a curved spine.
    """

    back_mm: float
    canal_y_mm: float
    body_half_width_mm: float
    aorta_hu: float = BLOOD_HU
    chest_from_mm: float = math.inf
    bend: Bend | None = None

    @property
    def front_mm(self) -> float:
        """y of the skin of the belly."""
        return self.back_mm - 2.0 * TORSO_HALF_DEPTH_MM

    def skin_value(self, p: Coordinates) -> AnyArray:
        """Implicit value of the skin, mm; negative inside the patient."""
        p = self._straight(p)
        centre = self.back_mm - TORSO_HALF_DEPTH_MM
        return superellipse(p[0], p[1] - centre, TORSO_HALF_WIDTH_MM, TORSO_HALF_DEPTH_MM, 2.4)

    def paint(self, p: Coordinates) -> AnyArray:
        """HU of everything but spine, ribs, discs and canal, float32."""
        skin = self.skin_value(p)
        x, y, z = self._straight(p)
        chest = np.clip((z - self.chest_from_mm) * (1.0 / DIAPHRAGM_MM) + 0.5, 0.0, 1.0)
        lowest, highest = float(chest.min()), float(chest.max())
        if lowest == 1.0:
            return self._chest(skin, x, y)
        belly = self._belly(skin, x, y)
        if highest == 0.0:
            return belly
        return np.asarray(belly + chest.astype(np.float32) * (self._chest(skin, x, y) - belly))

    def _straight(self, p: Coordinates) -> Coordinates:
        if self.bend is None:
            return p
        shift = self.bend.at(p[2][:, :1, :1] if self._upright(p) else p[2]).astype(p[0].dtype)
        return p[0] - shift[..., 0], p[1] - shift[..., 1], p[2]

    @staticmethod
    def _upright(p: Coordinates) -> bool:
        z = p[2]
        return z.ndim == 3 and bool((z[:, 0, 0] == z[:, -1, -1]).all() and (z[:, 0, -1] == z[:, -1, 0]).all())

    def _shell(self, skin: AnyArray) -> tuple[AnyArray, AnyArray]:
        hu = np.full(skin.shape, AIR_HU, dtype=np.float32)
        blend(hu, skin, SKIN_HU)
        blend(hu, skin + SKIN_MM, FAT_HU)
        return hu, skin + SUBCUTANEOUS_MM

    def _chest(self, skin: AnyArray, x: AnyArray, y: AnyArray) -> AnyArray:
        hu, wall = self._shell(skin)
        blend(hu, wall, MUSCLE_HU)
        lungs = superellipse(x, y - (self.canal_y_mm + 6.0 - 88.0), 122.0, 88.0, 2.4)
        spine = superellipse(x, y - 2.0, self.body_half_width_mm + 4.5, 20.0, 2.2)
        gutter = superellipse(x, y - (self.canal_y_mm + 1.0), 38.0, 15.0, 2.4)
        middle = superellipse(x - 8.0, y + 72.0, 46.0, 50.0, 2.2)
        blend(hu, np.maximum(lungs, -np.minimum(np.minimum(spine, gutter), middle)), LUNG_HU)
        aorta = np.hypot(x - self.body_half_width_mm * 0.9, y + 21.0)
        blend(hu, aorta - 13.0, FAT_HU)
        blend(hu, aorta - 11.5, self.aorta_hu)
        blend(hu, superellipse(x + 1.0, y + 31.0, 9.0, 6.0, 2.0), 30.0)
        return hu

    def _belly(self, skin: AnyArray, x: AnyArray, y: AnyArray) -> AnyArray:
        hu, wall = self._shell(skin)
        blend(hu, np.maximum(wall, -(wall + 14.0)), MUSCLE_HU)
        blend(hu, np.maximum(wall + 20.0, y + 30.0), BOWEL_HU)
        half = self.body_half_width_mm
        for sign in (-1.0, 1.0):
            psoas = superellipse(x - sign * (half + 9.0), y - 9.0, 14.0, 19.0, 2.2)
            blend(hu, psoas, MUSCLE_HU)
            erector = superellipse(x - sign * 38.0, y - (self.canal_y_mm + 11.0), 37.5, 25.0, 2.6)
            blend(hu, np.maximum(erector, wall), MUSCLE_HU)
            quadratus = superellipse(x - sign * (half + 33.0), y - (self.canal_y_mm - 20.0), 17.0, 8.0, 2.2)
            blend(hu, quadratus, MUSCLE_HU)
            kidney = superellipse(x - sign * (half + 42.0), y + 8.0, 20.0, 27.0, 2.0)
            blend(hu, kidney, 35.0)
        blend(hu, np.hypot(x - 6.0, y + 33.0) - 10.5, self.aorta_hu)
        blend(hu, superellipse(x + 17.0, y + 32.0, 12.0, 9.0, 2.0), BLOOD_HU)
        return hu


def canal_hu(
    tube: AnyArray, has_cord: bool, p: Coordinates, centre: FloatArray, front_hu: float = EPIDURAL_HU
) -> AnyArray:
    """HU inside the canal: ligaments on its walls, epidural fat, dura, CSF, cord (or roots below L1).

    Parameters
    ----------
    tube : ndarray
        Implicit value of the canal, mm.
    has_cord : bool
    p : three ndarrays
        Own coordinates, as before any retropulsion.
    centre : ndarray, shape (2,)
        u and v of the canal's middle.
    front_hu : float
        Before the sac: fat, or a full venous plexus.
    """
    u, v = p[0] - float(centre[0]), p[1] - float(centre[1])
    hu = np.where(v < 0, np.float32(front_hu), np.float32(EPIDURAL_HU))
    _line_walls(hu, tube, u, v)
    # the fat behind the sac is a triangle between the yellow ligaments of both sides
    sac = tube + EPIDURAL_MM + np.where(v > 0, BACK_FAT_MM * np.clip(1.0 - np.abs(u) / 5.0, 0.0, 1.0), 0.0)
    blend(hu, sac, DURA_HU)
    blend(hu, sac + DURA_MM, CSF_HU)
    if has_cord:
        blend(hu, superellipse(u, v, 4.8, 3.6, 2.0), CORD_HU)
    else:
        blend(hu, superellipse(u, v - 1.5, 5.5, 3.2, 2.0), 0.5 * (CSF_HU + CORD_HU))
    return hu


def paint_flavum(hu: AnyArray, tube: AnyArray, p: Coordinates, centre: FloatArray) -> None:
    """The yellow ligament behind the canal, from lamina to lamina; bone is painted over it. Changes `hu`."""
    u, v = p[0] - float(centre[0]), p[1] - float(centre[1])
    blend(hu, np.maximum(tube - FLAVUM_BEHIND_MM, _not_behind(u, v)), LIGAMENT_HU)


def _line_walls(hu: AnyArray, tube: AnyArray, u: AnyArray, v: AnyArray) -> None:
    """Yellow ligament on the back wall of the canal, posterior longitudinal ligament on its front wall."""
    blend(hu, np.maximum(-(tube + FLAVUM_INSIDE_MM), _not_behind(u, v)), LIGAMENT_HU)
    blend(hu, np.maximum(np.maximum(-(tube + PLL_MM), v), np.abs(u) - PLL_HALF_WIDTH_MM), LIGAMENT_HU)


def _not_behind(u: AnyArray, v: AnyArray) -> AnyArray:
    """Negative behind the sac, between the facets; positive towards the foramina."""
    return np.asarray((0.5 * np.abs(u) - v + 1.0) * 0.9)


def blend(hu: AnyArray, value: AnyArray, paint_hu: AnyArray | float, edge_mm: float = 0.6) -> None:
    """Paint where `value` < 0, with an edge of partial volume `edge_mm` on either side; changes `hu`."""
    share = np.clip(0.5 - value * (0.5 / edge_mm), 0.0, 1.0)
    hu += share * (np.asarray(paint_hu, dtype=np.float32) - hu)
