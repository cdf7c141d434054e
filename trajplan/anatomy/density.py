"""Density of the bone: trabecular HU of the body, gas clefts in it, HU along a path, and published limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import ArrayLike

from trajplan.anatomy.vertebra import Cleft
from trajplan.errors import GeometryError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, FloatArray, unit

TRABECULAR_DEPTH_MM = 4.0
CLEFT_HU = -200.0
"""Gas in a cleft is -900..-200 HU (typical, unverified); fluid cannot be told from marrow by its HU."""

CLEFT_DEPTH_MM = 1.0
MIN_CLEFT_ML = 0.02


@dataclass(frozen=True)
class HuLimit:
    """A published limit: below `hu`, `meaning`; `source`, and how well it was checked (``read`` or ``unverified``)."""

    hu: float
    meaning: str
    source: str
    evidence: str


BODY_LIMITS: tuple[HuLimit, ...] = (
    HuLimit(64.4, "next fracture after augmentation likelier (AUC 0.85, n = 341)", "Sci Rep 2025 86721-5", "read"),
    HuLimit(90.0, "one point of the OF score", "AO Spine-DGOU pocket card", "read"),
    HuLimit(110.0, "osteoporosis by DXA, > 90 % specific (L1)", "Pickhardt, Ann Intern Med 2013;158:588", "unverified"),
    HuLimit(132.0, "osteoporosis", "pedicle-screw-simulator user guide, with citations", "read"),
    HuLimit(135.0, "at risk of osteoporosis", "review by Anderson", "read"),
    HuLimit(141.0, "low density", "pedicle-screw-simulator user guide, with citations", "read"),
)
"""For the mean trabecular HU of a body at about 120 kV without contrast medium; rising."""

PATH_LIMITS: tuple[HuLimit, ...] = (
    HuLimit(123.0, "screw loosening likelier", "pedicle-screw-simulator user guide, with citations", "read"),
)
"""For the mean HU along a trajectory in bone."""


@dataclass(frozen=True)
class Trabecular:
    """Trabecular HU of a body: median, standard deviation, and the volume they were taken from."""

    median_hu: float
    sd_hu: float
    volume_ml: float


@dataclass(frozen=True, eq=False)
class PathHu:
    """HU along a path: depth from its start (mm) and the mean over its cross-section at each depth."""

    depth_mm: FloatArray
    hu: FloatArray

    @property
    def mean_hu(self) -> float:
        """Mean over the path."""
        return float(self.hu.mean())


def below(limits: tuple[HuLimit, ...], hu: float) -> tuple[HuLimit, ...]:
    """The limits that `hu` lies below.

    >>> [limit.hu for limit in below(BODY_LIMITS, 120.0)]
    [132.0, 135.0, 141.0]
    """
    return tuple(limit for limit in limits if hu < limit.hu)


def trabecular_hu(ct: Volume, body: BoolArray, gas: BoolArray) -> Trabecular:
    """HU of the body (on the grid of `ct`) more than 4 mm, or half its depth, under its surface, gas left out."""
    box = ndi.find_objects(body.astype(np.uint8))[0]
    spacing = float(ct.grid.spacing_zyx[0])
    depth = ndi.distance_transform_edt(np.pad(body[box], 1))[1:-1, 1:-1, 1:-1] * spacing
    inside = depth > min(TRABECULAR_DEPTH_MM, 0.5 * float(depth.max()))
    marrow = inside & ~ndi.binary_dilation(gas[box], iterations=2)
    values = ct.array[box][marrow if marrow.any() else inside]
    return Trabecular(float(np.median(values)), float(np.std(values)), len(values) * spacing**3 / 1000)


def find_cleft(ct: Volume, body: BoolArray) -> tuple[Cleft, BoolArray]:
    """Gas in the body (on the grid of `ct`), and its mask.

    Seeds are voxels below -200 HU more than 1 mm under the surface; from them the gas reaches to where the HU is
    half-way back to the bone about it, so that a cleft a few voxels thin has its true volume. Less than 0.02 ml is
    none.
    """
    spacing = float(ct.grid.spacing_zyx[0])
    gas = np.zeros_like(body)
    box = ndi.find_objects(body.astype(np.uint8))[0]
    here, hu = body[box], ct.array[box]
    depth = ndi.distance_transform_edt(np.pad(here, 1))[1:-1, 1:-1, 1:-1] * spacing
    seeds = (hu < CLEFT_HU) & (depth > CLEFT_DEPTH_MM)
    least = float(hu[here].min())
    if np.count_nonzero(seeds) * spacing**3 < 1000 * MIN_CLEFT_ML / 4:
        return Cleft(0.0, None, least), gas
    bone = float(np.median(hu[here & (depth > CLEFT_DEPTH_MM)]))
    about = ndi.binary_dilation(seeds, iterations=max(1, round(1.5 / spacing))) & here
    found = about & (hu < 0.5 * (bone + float(np.percentile(hu[seeds], 20))))
    volume_ml = float(np.count_nonzero(found)) * spacing**3 / 1000
    if volume_ml < MIN_CLEFT_ML:
        return Cleft(0.0, None, least), gas
    gas[box] = found
    center = ct.grid.index_to_world(np.argwhere(gas).mean(axis=0))
    return Cleft(volume_ml, center, least), gas


def hu_along(
    ct: Volume, start_lps: ArrayLike, end_lps: ArrayLike, radius_mm: float = 1.5, step_mm: float = 0.5
) -> PathHu:
    """Mean HU over disks of `radius_mm` along the line from start to end.

    Raises
    ------
    GeometryError
        ``path_invalid`` when start and end are the same point, or a number is not positive.
    """
    start, end = np.asarray(start_lps, dtype=np.float64), np.asarray(end_lps, dtype=np.float64)
    length = float(np.linalg.norm(end - start))
    if not (length > 0 and step_mm > 0 and radius_mm >= 0):
        raise GeometryError(
            f"no path to read HU along: length {length:g} mm, step {step_mm:g} mm, radius {radius_mm:g} mm",
            code="path_invalid",
        )
    axis = (end - start) / length
    first = unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))
    second = np.cross(axis, first)
    ticks = np.linspace(-radius_mm, radius_mm, 5)
    a, b = np.meshgrid(ticks, ticks)
    round_ = np.hypot(a, b) <= radius_mm + 1e-9
    disk = a[round_][:, None] * first + b[round_][:, None] * second
    depth = np.arange(0.0, length + 1e-9, step_mm)
    points = start + depth[:, None, None] * axis + disk[None]
    index = np.moveaxis(ct.grid.world_to_index(points), -1, 0)
    hu = ndi.map_coordinates(ct.array, index, order=1, mode="nearest", output=np.float64)
    return PathHu(depth, hu.mean(axis=1))
