"""Drr: one simulated X-ray as a line-integral image with the C-arm that made it."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.fluoroscopy.attenuation import DEFAULT_ENERGY_KEV
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import Float32Array, FloatArray


@dataclass(frozen=True, eq=False)
class Drr:
    """A digitally reconstructed radiograph.

    Parameters
    ----------
    line_integral : ndarray of float32, shape (rows, columns)
        Attenuation integral along each ray (dimensionless); the detected fraction is ``exp(-line_integral)``.
    carm : CArm
        The view; `carm.project` gives the pixel of any LPS point in this image.
    quality : str
        Of the projector that made it: ``fast``, ``joseph``, ``siddon`` or ``preview``.
    energy_kev : float
        Effective photon energy of the attenuation.
    ends_lps : ndarray, shape (2, 3), optional
        Where the scan ends while the patient goes on (`coverage.scan_ends`).
    """

    line_integral: Float32Array
    carm: CArm
    quality: str
    energy_kev: float = DEFAULT_ENERGY_KEV
    ends_lps: FloatArray | None = None
