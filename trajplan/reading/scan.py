"""Scan: a checked CT volume and what was found while reading it."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.geometry import Volume


@dataclass(frozen=True)
class Finding:
    """One thing a reader should know. `severity` is ``info``, ``repair`` or ``warning``."""

    code: str
    severity: str
    message: str


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan that passed the checks.

    Parameters
    ----------
    volume : Volume
        HU, axis-aligned LPS (`trajplan.geometry.resample.canonical`), padding replaced by air.
    path_name : str
        Last component of the input path (no folders: those may name a patient).
    kind : str
        ``dicom``, ``nifti``, ``nrrd``, ``metaimage`` or ``phantom``.
    sha256 : str
        Hash of `volume`.
    size_zyx, spacing_zyx_mm : tuple
        As stored, before reorientation to LPS.
    findings : tuple of Finding
    """

    volume: Volume
    path_name: str
    kind: str
    sha256: str
    size_zyx: tuple[int, int, int]
    spacing_zyx_mm: tuple[float, float, float]
    findings: tuple[Finding, ...]
