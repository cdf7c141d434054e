"""Scan: a checked CT volume and what was found while reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trajplan.geometry import Volume
from trajplan.geometry.resample import canonical

if TYPE_CHECKING:
    from trajplan.reading.content import Content


@dataclass(frozen=True)
class Finding:
    """One thing a reader should know. `severity` is ``info``, ``repair`` or ``warning``.

    An ``ask`` or a ``refuse`` is raised as an `InputError` with a code of the same list, `trajplan.reading.findings`.
    """

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
    content : Content or None
        What the voxels show; None where nothing was read from file (a phantom).
    """

    volume: Volume
    path_name: str
    kind: str
    sha256: str
    size_zyx: tuple[int, int, int]
    spacing_zyx_mm: tuple[float, float, float]
    findings: tuple[Finding, ...]
    content: Content | None = None

    @staticmethod
    def of_volume(volume: Volume, *, path_name: str, kind: str) -> Scan:
        """A scan from a volume already at hand (a phantom): canonical LPS, no findings."""
        z, y, x = (float(s) for s in volume.grid.spacing_zyx)
        straight = canonical(volume)
        return Scan(straight, path_name, kind, straight.sha256(), volume.grid.shape_zyx, (z, y, x), ())
