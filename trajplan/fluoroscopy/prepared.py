"""PreparedVolume: a CT as the projectors read it: int16 numbers in place, and the attenuation they stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba as nb
import numpy as np

from trajplan.fluoroscopy.attenuation import (
    DEFAULT_ENERGY_KEV,
    HIGHEST_HU,
    AttenuationCurve,
    attenuation_curve,
)
from trajplan.fluoroscopy.coverage import scan_ends
from trajplan.fluoroscopy.rays import require_axis_aligned
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.threads import each, slices

_FINE_MM = 0.95  # a preview's voxels may be up to twice this: coarser ones show in the end plates
_COUNTS = 30000.0  # attenuation steps of a coarse volume between nothing and the densest


@dataclass(frozen=True, eq=False)
class PreparedVolume:
    """What `prepare` makes of one CT; hand it to `project` for every view of that CT.

    Parameters
    ----------
    volume : Volume
        Axis-aligned LPS, int16. Nothing of it is copied.
    curve : AttenuationCurve
    energy_kev : float
    """

    volume: Volume
    curve: AttenuationCurve
    energy_kev: float

    @property
    def hu(self) -> AnyArray:
        """The CT numbers as one flat int16 array."""
        return self.volume.array.reshape(-1)

    @cached_property
    def ends_lps(self) -> FloatArray:
        """Where the scan ends while the patient goes on; see `coverage.scan_ends`."""
        return scan_ends(self.volume)

    @cached_property
    def coarse(self) -> PreparedVolume:
        """The CT for previews: mean attenuation of pairs of voxels along every axis finer than `_FINE_MM`."""
        grid = self.volume.grid
        steps = np.where((grid.spacing_zyx < _FINE_MM) & (np.array(grid.shape_zyx) > 3), 2, 1)
        depth, rows, columns = (int(n) for n in np.array(grid.shape_zyx) // steps)
        shape = (depth, rows, columns)
        small = np.empty(shape, dtype=np.int16)
        densest = max(self.curve.mu_per_mm)
        table = np.asarray(self.curve.at(np.arange(-32768, 32768)) * (_COUNTS / densest), dtype=np.float32)
        hu, deep = self.volume.array, int(steps[0])
        each(lambda z: _halve(hu[z.start * deep : z.stop * deep], table, steps, small[z]), slices(depth))
        middle = grid.origin_lps + (steps[::-1] - 1) / 2 * grid.spacing_xyz
        # counts from -1000 on, so that the same kind of curve reads them
        knots = (-1000.0, 0.0, 1000.0, _COUNTS - 1000.0)
        at = [densest * (k + 1000.0) / _COUNTS for k in knots]
        return PreparedVolume(
            Volume(small, Grid(shape, middle, grid.spacing_zyx * steps)),
            AttenuationCurve(knots, (0.0, at[1], at[2], at[3])),
            self.energy_kev,
        )


def prepare(
    volume: Volume, energy_kev: float = DEFAULT_ENERGY_KEV, curve: AttenuationCurve | None = None
) -> PreparedVolume:
    """A CT as the projectors read it. An int16 CT stays where it is; other types are rounded to int16 once.

    Parameters
    ----------
    volume : Volume
        Axis-aligned LPS, HU.
    energy_kev : float
        Effective photon energy, 40..100.
    curve : AttenuationCurve, optional
        Attenuation of CT numbers; `attenuation_curve` of the energy if not given.

    Raises
    ------
    GeometryError
        The volume is not axis-aligned LPS.
    InputError
        The energy is outside the table.
    """
    require_axis_aligned(volume.grid)
    return PreparedVolume(
        Volume(hounsfield_int16(volume), volume.grid), attenuation_curve(energy_kev) if curve is None else curve,
        energy_kev,
    )  # fmt: skip


def hounsfield_int16(volume: Volume) -> AnyArray:
    """The CT numbers as read-only contiguous int16; others are rounded to whole HU and clipped to -1024..3071."""
    if volume.array.dtype == np.int16:
        return np.ascontiguousarray(volume.array)
    rounded: AnyArray = np.rint(np.clip(volume.array, -1024, HIGHEST_HU)).astype(np.int16)
    rounded.setflags(write=False)
    return rounded


@nb.njit(cache=True, nogil=True)
def _halve(hu: Any, table: Any, steps: Any, out: Any) -> None:
    depth, rows, columns = out.shape
    share = np.float32(1.0) / np.float32(steps[0] * steps[1] * steps[2])
    for z in range(depth):
        for y in range(rows):
            for x in range(columns):
                total = np.float32(0)
                for k in range(z * steps[0], (z + 1) * steps[0]):
                    for j in range(y * steps[1], (y + 1) * steps[1]):
                        for i in range(x * steps[2], (x + 1) * steps[2]):
                            total += table[np.int64(hu[k, j, i]) + 32768]
                out[z, y, x] = np.int16(math.floor(total * share + np.float32(0.5)) - 1000)
