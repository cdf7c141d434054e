"""From thicknesses of material to a picture as a detector makes it: spectrum, scatter, heel, noise, blur, saturation.

Off for everything that is measured: the rules are judged on geometry. The picture is in the units of a line integral
(minus the logarithm of the detected share), so it is shown like any other. Figures and their sources stand in
docs/fluoroscopy.md. Nothing here is calibrated to a machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.fluoroscopy.attenuation import CORTICAL_HU, HIGHEST_HU, AttenuationCurve, material_mu_per_mm
from trajplan.fluoroscopy.blades import behind_blades, open_part, open_px
from trajplan.fluoroscopy.blank import refuse_blank
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.coverage import scan_ends
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.fluoroscopy.projector import line_integral
from trajplan.fluoroscopy.spectrum import spectrum
from trajplan.fluoroscopy.tools import Tool, add_tools_to
from trajplan.geometry import Volume
from trajplan.geometry.arrays import Float32Array, FloatArray

_DENSEST: Final = (1000.0 + HIGHEST_HU) / (1000.0 + CORTICAL_HU)
_KNOTS: Final = (-1000.0, 0.0, CORTICAL_HU, float(HIGHEST_HU))
WATER_SHARE: Final = AttenuationCurve(_KNOTS, (0.0, 1.0, 0.0, 0.0))
"""Water of a CT number, as a share of its density: the two-material model of `attenuation`."""
BONE_SHARE: Final = AttenuationCurve(_KNOTS, (0.0, 0.0, 1.0, _DENSEST))
_QUANTA_PER_MM2_NGY: Final = 30.8  # behind 20 cm of water at 80 kVp (SpekPy 2.5.4); within 15 % from 60 to 120 kVp
_DQE: Final = 0.65
_SKIN_MM: Final = 300.0  # from the source, where the entrance dose is told
_LEAST_SHARE: Final = 1e-7


@dataclass(frozen=True)
class Physics:
    """How the picture is taken.

    Parameters
    ----------
    kvp : float
        Tube voltage, 60..120.
    detector_dose_ngy : float
        Mean air kerma at the detector behind the patient in one frame; brightness control holds it. 5..35 is usual.
    held_frames : int
        Frames averaged into the picture: 1 is live fluoroscopy, 8 a last image hold.
    blur_mm : float
        Gaussian sigma at the detector, of scintillator and focal spot.
    scatter_to_primary : float
        Behind the grid, at the mean of the picture; 0.5..1 for a trunk.
    scatter_mm : float
        Gaussian sigma at the detector of the scattered light.
    heel : float
        Share of the intensity lost from the middle of the picture to its upper edge, gained below.
    saturation : float
        Detected share of open air above which the detector is full, as a multiple of the mean of the picture.
    seed : int
        Of the noise: the same seed, the same picture.
    """

    kvp: float = 80.0
    detector_dose_ngy: float = 20.0
    held_frames: int = 1
    blur_mm: float = 0.16
    scatter_to_primary: float = 0.7
    scatter_mm: float = 80.0
    heel: float = 0.08
    saturation: float = 20.0
    seed: int = 0

    def __post_init__(self) -> None:
        spectrum(self.kvp)
        least = min(self.blur_mm, self.scatter_to_primary, self.scatter_mm, self.heel)
        if self.detector_dose_ngy <= 0 or self.held_frames < 1 or least < 0 or self.saturation <= 0 or self.heel >= 1:
            raise InputError(
                "dose and saturation must be above 0, frames at least 1, blur and scatter not negative, heel below 1",
                code="physics_invalid",
            )


@dataclass(frozen=True, eq=False)
class Thicknesses:
    """What the beam meets, mm of each material at its own density, each float32 (rows, columns) of `blades.open_px`."""

    carm: CArm
    mm: dict[str, Float32Array]
    quality: str
    ends_lps: FloatArray | None = None


def thicknesses(
    volume: Volume | PreparedVolume, carm: CArm, tools: Iterable[Tool] = (), *, quality: str = "fast"
) -> Thicknesses:
    """Water and cortical bone along every ray, and the chords of the tools by material.

    A voxel between 0 HU and cortical bone is a mixture of both; tools need the name of their material.
    """
    plain = volume if isinstance(volume, Volume) else volume.volume
    part = open_part(carm)
    water, used = line_integral(prepare(plain, curve=WATER_SHARE), part, quality)
    bone, _ = line_integral(prepare(plain, curve=BONE_SHARE), part, quality)
    refuse_blank(0.02 * (water + 3.0 * bone), plain, part)
    found = {"water": water, "cortical_bone": bone}
    for tool in tools:
        if not tool.material:
            raise InputError("a tool needs the name of its material here; see tool_of", code="material_unknown")
        image = found.setdefault(tool.material, np.zeros(part.detector_px, dtype=np.float32))
        add_tools_to(image, [replace(tool, mu_per_mm=1.0)], part)
    return Thicknesses(carm, found, used, scan_ends(plain))


@dataclass(frozen=True, eq=False)
class Exposure:
    """A picture with its dose, which is an estimate and not calibrated to any machine.

    Parameters
    ----------
    drr : Drr
        Minus the logarithm of the detected share of open air.
    entrance_dose_ugy : float
        Air kerma of one frame (pulse) at the skin, 300 mm from the source, without backscatter.
    held_frames : int
        Frames averaged into the picture.
    """

    drr: Drr
    entrance_dose_ugy: float
    held_frames: int = 1

    def dose_words(self) -> str:
        """For a caption."""
        one, all_of_them = (float(f"{n * self.entrance_dose_ugy:.2g}") for n in (1, self.held_frames))
        held = f", {all_of_them:g} µGy for the {self.held_frames} held" if self.held_frames > 1 else ""
        return f"{one:g} µGy a pulse at the skin{held} (uncalibrated)"


def expose(met: Thicknesses, physics: Physics | None = None) -> Exposure:
    """Take the picture: spectrum, scatter, heel, quantum noise, blur, saturation, in this order."""
    how = Physics() if physics is None else physics
    share = primary_share(met, how.kvp)
    carm = met.carm
    signal = share + _scatter(share, carm, how)
    signal *= _heel(carm, how.heel)[open_px(carm)[0]]
    mean = float(signal.mean())
    quanta = _QUANTA_PER_MM2_NGY * how.detector_dose_ngy * carm.pixel_mm**2 * _DQE * how.held_frames
    rng = np.random.default_rng(how.seed)
    counts = signal * (quanta / mean)
    noisy = rng.poisson(counts).astype(np.float32) * np.float32(mean / quanta)
    blurred = ndimage.gaussian_filter(noisy, how.blur_mm / carm.pixel_mm, mode="nearest")
    seen = np.clip(blurred, _LEAST_SHARE, how.saturation * mean)
    image = behind_blades(np.asarray(-np.log(np.minimum(seen, 1.0)), dtype=np.float32), carm)
    image.setflags(write=False)
    through = max(float(share.mean()), _LEAST_SHARE)
    entrance = 1e-3 * how.detector_dose_ngy / through * (carm.source_detector_mm / _SKIN_MM) ** 2
    return Exposure(Drr(image, carm, met.quality, ends_lps=met.ends_lps), entrance, how.held_frames)


def primary_share(met: Thicknesses, kvp: float) -> Float32Array:
    """Detected share of open air that goes straight, energy by energy; thick bodies harden the beam."""
    tube = spectrum(kvp)
    total = np.zeros(open_part(met.carm).detector_px, dtype=np.float32)
    mu = {name: _mu(name, tube.kev) for name in met.mm}
    for n, weight in enumerate(tube.weight):
        path = np.zeros_like(total)
        for name, mm in met.mm.items():
            path += np.float32(mu[name][n]) * mm
        total += np.float32(weight) * np.exp(-path)
    return total


def _mu(name: str, kev: FloatArray) -> FloatArray:
    """Per mm; below 30 keV the value of 30 keV, where nothing comes through a body anyway."""
    return np.array([material_mu_per_mm(name, float(max(e, 30.0))) for e in kev])


def _scatter(share: Float32Array, carm: CArm, how: Physics) -> Float32Array:
    if how.scatter_to_primary == 0:
        return np.zeros_like(share)
    step = max(1, round(0.1 * how.scatter_mm / carm.pixel_mm))  # it is far smoother than the picture
    coarse = ndimage.zoom(ndimage.uniform_filter(share, step, mode="nearest"), 1 / step, order=1)
    spread = ndimage.gaussian_filter(coarse, how.scatter_mm / (step * carm.pixel_mm), mode="nearest")
    factors = np.array(share.shape) / np.array(spread.shape)
    wide = ndimage.zoom(spread, factors, order=1)[: share.shape[0], : share.shape[1]]
    return np.asarray(how.scatter_to_primary * wide * (share.mean() / max(float(wide.mean()), 1e-12)), np.float32)


def _heel(carm: CArm, loss: float) -> Float32Array:
    rows = carm.detector_px[0]
    return np.asarray(1.0 - loss * np.linspace(1.0, -1.0, rows)[:, None], dtype=np.float32)
