"""Hounsfield units to linear attenuation per mm at one effective energy: water and cortical bone mixed, air is zero.

Mass attenuation coefficients are xraylib 4.3.0 values (the water row reproduces NIST SRD-126); densities in g/cm3 are
ICRU-44. Between tabulated energies the interpolation is linear in log(energy), log(coefficient).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import InputError
from trajplan.geometry.arrays import Float32Array, FloatArray

DEFAULT_ENERGY_KEV: Final = 57.0  # mean energy behind 20 cm of water at 80 kVp, 0.1 mm Cu (SpekPy 2.5.4: 56.8 keV)
CORTICAL_HU: Final = 1559.0  # ICRU-44 cortical bone at the 70 keV effective energy of a 120 kVp CT
HIGHEST_HU: Final = 3071  # 12-bit CT clips here: above it there is no measurement

_ENERGY_KEV: Final = np.array([30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 100.0, 150.0])
_CM2_PER_G: Final = {
    "water": np.array([0.3756, 0.2683, 0.2269, 0.2059, 0.1929, 0.1837, 0.1707, 0.1505]),
    "cortical_bone": np.array([1.331, 0.6655, 0.4242, 0.3148, 0.2570, 0.2229, 0.1855, 0.1480]),
    "steel_316l": np.array([8.551, 3.808, 2.057, 1.266, 0.856, 0.623, 0.387, 0.201]),
    "titanium": np.array([4.972, 2.213, 1.213, 0.766, 0.536, 0.405, 0.272, 0.165]),
    "pmma": np.array([0.3032, 0.2350, 0.2074, 0.1924, 0.1825, 0.1751, 0.1641, 0.1456]),
    "cement_10_baso4": np.array([0.895, 1.678, 1.012, 0.685, 0.506, 0.399, 0.284, 0.183]),
    "cement_20_baso4": np.array([1.487, 3.121, 1.816, 1.177, 0.829, 0.623, 0.404, 0.220]),
    "cement_30_baso4": np.array([2.079, 4.563, 2.621, 1.669, 1.153, 0.847, 0.523, 0.258]),
    # the K edges of barium (37.4 keV) and iodine (33.2 keV) are smoothed over: little gets through a patient there
    # 300 mg iodine a ml in water; iodine from NIST SRD-126, its 70 keV read off caesium iodide of the same table
    "iodine_contrast": np.array([2.222, 5.193, 2.955, 1.869, 1.282, 0.934, 0.570, 0.274]),
}
_G_PER_CM3: Final = {
    "water": 1.0,
    "cortical_bone": 1.92,
    "steel_316l": 8.0,
    "titanium": 4.54,
    "pmma": 1.19,
    "cement_10_baso4": 1.28,
    "cement_20_baso4": 1.40,
    "cement_30_baso4": 1.53,
    "iodine_contrast": 1.33,
}
MATERIALS: Final = tuple(_CM2_PER_G)
_KVP: Final = np.array([60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0])
_KEV_BEHIND_20_CM: Final = np.array([46.8, 51.9, 56.8, 61.0, 64.9, 68.4, 72.0])


def effective_energy_kev(tube_kvp: float) -> float:
    """Mean photon energy behind 20 cm of water for a tube voltage of 60..120 kVp (0.1 mm Cu, SpekPy 2.5.4).

    >>> effective_energy_kev(80.0)
    56.8
    """
    if not _KVP[0] <= tube_kvp <= _KVP[-1]:
        raise InputError(
            f"tube voltage {tube_kvp:g} kVp is outside 60..120 kVp; give one inside",
            code="energy_invalid",
            numbers={"tube_kvp": tube_kvp},
        )
    return float(np.interp(tube_kvp, _KVP, _KEV_BEHIND_20_CM))


def material_mu_per_mm(material: str, energy_kev: float = DEFAULT_ENERGY_KEV) -> float:
    """Linear attenuation (per mm) of one of `MATERIALS` at 30..150 keV.

    Raises
    ------
    InputError
        Unknown material, or an energy outside the table.
    """
    if material not in _CM2_PER_G:
        raise InputError(f"no material {material!r}; known: {', '.join(_CM2_PER_G)}", code="material_unknown")
    if not _ENERGY_KEV[0] <= energy_kev <= _ENERGY_KEV[-1]:
        raise InputError(
            f"effective energy {energy_kev:g} keV is outside 30..150 keV; give one inside",
            code="energy_invalid",
            numbers={"energy_kev": energy_kev},
        )
    log_mass = np.interp(np.log(energy_kev), np.log(_ENERGY_KEV), np.log(_CM2_PER_G[material]))
    return float(np.exp(log_mass)) * _G_PER_CM3[material] / 10.0


def hu_to_mu(hu: ArrayLike, energy_kev: float = DEFAULT_ENERGY_KEV) -> FloatArray:
    """Linear attenuation per mm of CT numbers, same shape, float64.

    Air and padding (-1000 HU and less) are exactly 0. Below 0 HU it is water thinned in proportion; up to
    `CORTICAL_HU` water and cortical bone are mixed; above, cortical bone made denser in proportion, held constant from
    `HIGHEST_HU` on. Metal in a CT is therefore shown far too transparent: add it as a `Tool`.
    """
    return attenuation_curve(energy_kev).at(hu)


@dataclass(frozen=True, eq=False)
class AttenuationCurve:
    """Attenuation per mm against HU, straight between four points; nothing below the first, constant above the last.

    It is applied to every voxel before anything is interpolated, so air, padding and clipped metal cannot leak into
    their neighbours.

    Parameters
    ----------
    hu : tuple of float
        Four rising CT numbers; the second is 0.
    mu_per_mm : tuple of float
        Attenuation at each; the first is 0.
    """

    hu: tuple[float, float, float, float]
    mu_per_mm: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        if not (np.diff(self.hu) > 0).all() or self.hu[1] != 0 or self.mu_per_mm[0] != 0:
            raise InputError(
                f"an attenuation curve needs rising HU with 0 second and starts at 0 per mm, got {self.hu} and "
                f"{self.mu_per_mm}",
                code="curve_invalid",
            )

    def at(self, hu: ArrayLike) -> FloatArray:
        """Attenuation per mm of CT numbers, same shape, float64."""
        return np.asarray(np.interp(np.asarray(hu, dtype=np.float64), self.hu, self.mu_per_mm))

    @property
    def kernel(self) -> Float32Array:
        """What the compiled loops read: lowest and highest HU, the knee, and offset and three slopes that add up."""
        slopes = np.diff(self.mu_per_mm) / np.diff(self.hu)
        bend = slopes[2] - slopes[1]
        offset = self.mu_per_mm[1] - bend * self.hu[2]
        return np.array(
            [self.hu[0], self.hu[3], self.hu[2], offset, slopes[0], slopes[1] - slopes[0], bend], dtype=np.float32
        )


def attenuation_curve(energy_kev: float = DEFAULT_ENERGY_KEV) -> AttenuationCurve:
    """`hu_to_mu` as a curve: water thinned, water and cortical bone mixed, cortical bone made denser."""
    knots = (-1000.0, 0.0, CORTICAL_HU, float(HIGHEST_HU))
    water, bone = material_mu_per_mm("water", energy_kev), material_mu_per_mm("cortical_bone", energy_kev)
    return AttenuationCurve(knots, (0.0, water, bone, bone * (1000.0 + HIGHEST_HU) / (1000.0 + CORTICAL_HU)))


def attenuation_table(energy_kev: float = DEFAULT_ENERGY_KEV) -> FloatArray:
    """`hu_to_mu` of every int16 value, shape (65536,): the attenuation of `hu` stands at index ``hu + 32768``."""
    table = hu_to_mu(np.arange(-32768, 32768), energy_kev)
    table.setflags(write=False)
    return table
