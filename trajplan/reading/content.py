"""Is it a spine CT? What the voxels show, in figures and findings: never a refusal, never a crash.

Thresholds were set on the real scans at hand (chest, abdomen, a 3 mm lumbar scan, a slab, phantoms): each figure below
lies between those that show the thing and those that do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray
from trajplan.geometry.volume import Volume
from trajplan.reading.scan import Finding

SHORT_MM = 60.0
METAL_HU, METAL_ML = 2500, 0.1
DENSE_HU, DENSE_CORE_ML = 900.0, 0.3
CONTRAST_HU, CONTRAST_ML = (130.0, 600.0), 20.0
BONE_HU, MIN_BONE_SHARE = 200.0, 0.005
HU_OFFSET, AIR_OFFSET = 40.0, 60.0
"""Fat and muscle together, or air, this far from their usual HU: the scale is off. Real scans at hand: up to 27."""
FRONT_MM = 8.0
"""Bone this far in front of the body's centre. Real scans at hand: 12 to 64 mm behind it."""
_USUAL_HU = {"air": -1000.0, "fat": -100.0, "muscle": 55.0}
_SEARCH_HU = {"air": (-1022, -880), "fat": (-220, -15), "muscle": (-40, 160)}
_PEAK_SHARE = 0.01
_COARSE_MM = 2.5
_SAMPLE = 2_000_000
_CROSS = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True)
class Content:
    """What a scan shows. A tissue without a peak in the histogram is None; volumes in ml, lengths in mm."""

    air_hu: float | None
    fat_hu: float | None
    muscle_hu: float | None
    bone_hu: float | None
    bone_ml: float
    bone_share_of_body: float
    coverage_mm: float
    slice_mm: float
    metal_ml: float
    cement_like_ml: float
    contrast_ml: float
    bone_behind_centre_mm: float | None


def describe(volume: Volume) -> tuple[Content, list[Finding]]:
    """Figures of an axis-aligned LPS CT in HU, and a finding for each that a planner should know of."""
    peaks = _peaks(volume.array)
    coarse, spacing = _coarse(volume.array, volume.grid.spacing_zyx)
    voxel_ml = float(np.prod(spacing)) / 1000.0
    body = coarse > -300
    contrast = _contrast(coarse)
    bone = (coarse > BONE_HU) & (coarse < METAL_HU) & ~ndimage.binary_dilation(contrast, _CROSS, iterations=2)
    body_ml, bone_ml = float(body.sum()) * voxel_ml, float(bone.sum()) * voxel_ml
    fine_ml = float(np.prod(volume.grid.spacing_zyx)) / 1000.0
    metal_ml = sum(int(np.count_nonzero(s >= METAL_HU)) for s in volume.array) * fine_ml
    content = Content(
        air_hu=peaks["air"],
        fat_hu=peaks["fat"],
        muscle_hu=peaks["muscle"],
        bone_hu=_round(np.median(coarse[bone])) if bone.any() else None,
        bone_ml=_round(bone_ml),
        bone_share_of_body=round(bone_ml / body_ml, 4) if body_ml else 0.0,
        coverage_mm=_round(volume.grid.shape_zyx[0] * volume.grid.spacing_zyx[0]),
        slice_mm=round(float(volume.grid.spacing_zyx[0]), 3),
        metal_ml=round(metal_ml, 2),
        cement_like_ml=round(_largest(_dense_cores(coarse)) * voxel_ml, 2),
        contrast_ml=_round(_largest(contrast) * voxel_ml),
        bone_behind_centre_mm=_behind(body, bone, spacing),
    )
    return content, _findings(content, body_ml)


def _findings(c: Content, body_ml: float) -> list[Finding]:
    findings = []
    if c.coverage_mm < SHORT_MM:
        text = f"the scan covers {c.coverage_mm:.0f} mm from head to feet: too little to count levels on"
        findings.append(Finding("short_scan", "warning", text))
    known = {name: hu for name, hu in (("air", c.air_hu), ("fat", c.fat_hu), ("muscle", c.muscle_hu)) if hu is not None}
    off = {name: hu - _USUAL_HU[name] for name, hu in known.items()}
    soft = [v for name, v in off.items() if name != "air"]  # air may be clipped or filled in by the scanner
    offset = float(np.mean(soft)) if soft else 0.0
    if abs(offset) > HU_OFFSET or abs(off.get("air", 0.0)) > AIR_OFFSET:
        shown = ", ".join(f"{name} at {hu:.0f}" for name, hu in known.items())
        findings.append(Finding("hu_scale", "warning", f"tissues lie far off their usual HU ({shown})"))
    if c.air_hu is None:
        findings.append(Finding("small_field_of_view", "info", "no air around the body: a small field of view"))
    if c.bone_share_of_body < MIN_BONE_SHARE and body_ml > 50:
        text = f"only {c.bone_ml:.0f} ml of bone ({100 * c.bone_share_of_body:.1f} % of the body): is this a spine?"
        findings.append(Finding("little_bone", "warning", text))
    if c.metal_ml >= METAL_ML:
        text = f"{c.metal_ml:.1f} ml above {METAL_HU} HU (metal, or very dense contrast): HU near it are falsified"
        findings.append(Finding("metal", "warning", text))
    if c.cement_like_ml >= DENSE_CORE_ML:
        text = f"a compact blob above {DENSE_HU:.0f} HU (core {c.cement_like_ml:.1f} ml), as cement or an implant"
        findings.append(Finding("cement_like", "warning", text))
    if c.contrast_ml >= CONTRAST_ML:
        text = f"{c.contrast_ml:.0f} ml of even {CONTRAST_HU[0]:.0f} to {CONTRAST_HU[1]:.0f} HU, as contrast in vessels"
        findings.append(Finding("contrast", "warning", text))
    if c.bone_behind_centre_mm is not None and c.bone_behind_centre_mm < -FRONT_MM:
        text = f"bone lies {-c.bone_behind_centre_mm:.0f} mm in front of the body's centre; a spine lies behind it"
        findings.append(Finding("posterior_not_behind", "warning", text))
    return findings


def _peaks(array: AnyArray) -> dict[str, float | None]:
    """The mode of air, fat and muscle, where it stands out of what lies around it."""
    edges = np.arange(-1023, 3100, 5)
    counts, _ = np.histogram(array.reshape(-1)[:: max(1, array.size // _SAMPLE)], bins=edges)
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), 2.0)
    middle = (edges[:-1] + edges[1:]) / 2
    found: dict[str, float | None] = {}
    for name, (low, high) in _SEARCH_HU.items():
        inside = np.flatnonzero((middle >= low) & (middle < high))
        at = int(inside[smooth[inside].argmax()])
        share = float(smooth[max(0, at - 6) : at + 7].sum() / max(smooth.sum(), 1.0))
        # A maximum at the end of the range is the slope of a neighbour, but for air, which ends there.
        edge = at == inside[-1] or (at == inside[0] and name != "air")
        found[name] = None if share < _PEAK_SHARE or edge else float(middle[at])
    return found


def _coarse(array: AnyArray, spacing_zyx: FloatArray) -> tuple[AnyArray, FloatArray]:
    """Means of blocks of about 2.5 mm, float32, and their spacing; a slab at a time, since a scan may be a gigabyte."""
    factor = [max(1, min(n, round(_COARSE_MM / float(s)))) for n, s in zip(array.shape, spacing_zyx, strict=True)]
    fz, fy, fx = factor
    nz, ny, nx = (n // f for n, f in zip(array.shape, factor, strict=True))
    out = np.empty((nz, ny, nx), dtype=np.float32)
    for k in range(nz):
        slab = array[k * fz : (k + 1) * fz, : ny * fy, : nx * fx].reshape(fz, ny, fy, nx, fx)
        out[k] = slab.mean(axis=(0, 2, 4), dtype=np.float32)
    return out, np.asarray(spacing_zyx * factor)


def _contrast(coarse: AnyArray) -> BoolArray:
    """Even, bright and thick: filled vessels and heart. Spongy bone is as bright but uneven, and within cortex."""
    mean = ndimage.uniform_filter(coarse, 3)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(coarse * coarse, 3) - mean * mean, 0.0))
    muscle = (coarse > 10) & (coarse < 90)
    even = max(2.0 * float(np.median(spread[muscle])), 12.0) if muscle.any() else 12.0
    bright = (mean > CONTRAST_HU[0]) & (mean < CONTRAST_HU[1]) & (spread < even)
    return np.asarray(ndimage.binary_opening(bright, _CROSS), dtype=bool)


def _dense_cores(coarse: AnyArray) -> BoolArray:
    """What is left of dense regions after a voxel is taken off all round (no cortex is that thick), metal aside."""
    regions, count = ndimage.label(coarse > DENSE_HU)
    with_metal = np.zeros(count + 1, dtype=bool)
    with_metal[regions[coarse >= METAL_HU]] = True
    with_metal[0] = True
    return np.asarray(ndimage.binary_erosion(~with_metal[regions], _CROSS), dtype=bool)


def _largest(mask: BoolArray) -> int:
    """Voxels of the largest connected region."""
    regions, count = ndimage.label(mask)
    return int(np.bincount(regions.reshape(-1))[1:].max()) if count else 0


def _behind(body: BoolArray, bone: BoolArray, spacing_zyx: FloatArray) -> float | None:
    """How far the centre of bone lies behind (+y) that of the body; None for a field of view under 200 mm."""
    rows_mm = np.arange(body.shape[1]) * float(spacing_zyx[1])
    of_body, of_bone = body.sum(axis=(0, 2)), bone.sum(axis=(0, 2))
    if not of_bone.any() or np.ptp(rows_mm[of_body > 0]) < 150 or body.shape[2] * float(spacing_zyx[2]) < 200:
        return None
    return _round(rows_mm @ of_bone / of_bone.sum() - rows_mm @ of_body / of_body.sum())


def _round(value: float) -> float:
    return round(float(value), 1)
