"""Tube spectra of 60 to 120 kVp and what the detector makes of them, as numbers per energy.

Kramers' law behind 3 mm of aluminium, 0.1 mm of copper and a few micrometres of tungsten, with no characteristic lines.
The tungsten stands for the anode's own absorption and is fitted so that the mean energies are those of SpekPy 2.5.4 (60
kVp 40.5, 80 kVp 48.4, 100 kVp 55.0, 120 kVp 60.4 keV) to 0.5 keV. Not calibrated to any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray

PRESETS_KVP: Final = (60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0)
_STEP_KEV: Final = 2.0
_LEAST_KEV: Final = 20.0

# mass attenuation in cm2/g (NIST SRD-126) and density in g/cm3
_KEV: Final = np.array([20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0])
_ALUMINIUM: Final = (np.array([3.441, 1.128, 0.5685, 0.3681, 0.2778, 0.2018, 0.1704, 0.1378]), 2.699)
_COPPER: Final = (np.array([33.79, 10.92, 4.862, 2.613, 1.593, 0.7630, 0.4584, 0.2217]), 8.96)
_TUNGSTEN: Final = (np.array([65.73, 22.73, 10.67, 5.949, 3.713, 1.9, 1.05, 0.40]), 19.3)  # its K edge left out
_IODIDE: Final = (np.array([23.5, 9.047, 22.97, 12.87, 7.921, 3.677, 2.035, 0.7291]), 4.51)
_ALUMINIUM_CM, _COPPER_CM, _TUNGSTEN_CM = 0.3, 0.01, 0.001
_IODIDE_CM = 0.05 * 0.75  # half a millimetre of needles that fill three quarters


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Energies and the share of the detector's signal in open air that each makes (sums to 1).

    Parameters
    ----------
    kvp : float
    kev : ndarray, shape (N,)
    weight : ndarray, shape (N,)
        Photons x absorbed share x energy, normalised.
    photons : ndarray, shape (N,)
        Photons that leave the tube's filter, normalised.
    """

    kvp: float
    kev: FloatArray
    weight: FloatArray
    photons: FloatArray

    @property
    def mean_kev(self) -> float:
        """Mean energy of the photons in open air."""
        return float(self.kev @ self.photons)


def spectrum(kvp: float) -> Spectrum:
    """The spectrum of one tube voltage.

    Raises
    ------
    InputError
        Outside 60..120 kVp.

    Examples
    --------
    >>> 47.4 < spectrum(80.0).mean_kev < 49.4
    True
    """
    if not PRESETS_KVP[0] <= kvp <= PRESETS_KVP[-1]:
        raise InputError(
            f"tube voltage {kvp:g} kVp is outside 60..120 kVp; give one inside",
            code="energy_invalid",
            numbers={"tube_kvp": kvp},
        )
    kev = np.arange(_LEAST_KEV + _STEP_KEV / 2, kvp, _STEP_KEV)
    filtered = (
        _mu_per_cm(_ALUMINIUM, kev) * _ALUMINIUM_CM
        + _mu_per_cm(_COPPER, kev) * _COPPER_CM
        + _mu_per_cm(_TUNGSTEN, kev) * _TUNGSTEN_CM
    )
    photons = (kvp / kev - 1.0) * np.exp(-filtered)
    weight = photons * kev * (1.0 - np.exp(-_mu_per_cm(_IODIDE, kev) * _IODIDE_CM))
    return Spectrum(kvp, kev, weight / weight.sum(), photons / photons.sum())


def _mu_per_cm(material: tuple[FloatArray, float], kev: FloatArray) -> FloatArray:
    mass, density = material
    return np.asarray(np.exp(np.interp(np.log(kev), np.log(_KEV), np.log(mass))) * density)
