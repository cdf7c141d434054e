"""Scanners by name: the protocols a spine is met with."""

from __future__ import annotations

from trajplan.errors import InputError
from trajplan_phantoms.scanner import Scanner

PROTOCOLS: dict[str, Scanner] = {
    "plain": Scanner(),
    "spine-bone": Scanner(
        (0.7, 0.4, 0.4), noise_hu=45.0, psf_mm=0.38, slice_thickness_mm=1.0, texture="ct", edge_enhancement=0.8,
        fov_mm=180.0,
    ),
    "spine-soft": Scanner(
        (2.0, 0.5, 0.5), noise_hu=14.0, psf_mm=0.6, slice_thickness_mm=2.0, texture="ct", fov_mm=200.0,
    ),
    "chest": Scanner(
        (2.5, 0.703, 0.703), noise_hu=16.0, slice_thickness_mm=2.5, texture="ct", fov_mm=360.0, table=True,
    ),
    "thick": Scanner(
        (5.0, 0.8, 0.8), noise_hu=10.0, psf_mm=0.6, slice_thickness_mm=5.0, texture="ct", fov_mm=400.0,
        padding_hu=-3024, table=True,
    ),
    "low-dose": Scanner(
        (1.5, 0.8, 0.8), noise_hu=60.0, psf_mm=0.55, slice_thickness_mm=2.0, texture="ct", fov_mm=400.0, table=True,
        beam_hardening=1.0, cupping=0.15,
    ),
    "prone": Scanner(
        (1.25, 0.7, 0.7), noise_hu=20.0, slice_thickness_mm=1.25, texture="ct", fov_mm=350.0, table=True,
        patient_position="HFP",
    ),
}  # fmt: skip
"""Spacing, thickness, kernel and noise as usual for each; "chest" is that of LIDC-IDRI-0001."""


def protocol(name: str) -> Scanner:
    """The scanner of that name; refuses with the list of names.

    >>> protocol("thick").thickness_mm
    5.0
    """
    found = PROTOCOLS.get(name)
    if found is None:
        raise InputError(f"unknown scan protocol {name!r}; use one of {', '.join(PROTOCOLS)}", code="protocol_unknown")
    return found
