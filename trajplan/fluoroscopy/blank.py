"""A picture that shows nothing is an error with its reason, never a silent black or white square."""

from __future__ import annotations

from typing import Final

import numpy as np

from trajplan.errors import GeometryError, InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.rays import box_interval, detector_rays
from trajplan.geometry import Volume
from trajplan.geometry.arrays import AnyArray

_LEAST: Final = 0.05  # largest line integral below which nothing is seen: 2 mm of water
_MOST: Final = 25.0  # least line integral above which nothing comes through: one photon in 10^11
_TISSUE_HU: Final = -500.0


def refuse_blank(image: AnyArray, volume: Volume, carm: CArm) -> None:
    """Raise with the reason when a line-integral image shows nothing.

    Raises
    ------
    GeometryError
        ``source_in_patient``; or ``beam_misses``: no ray meets the scan.
    InputError
        ``nothing_dense``: what the beam meets is all air by its CT numbers; or ``nothing_through``: nothing comes
        through, which no patient does.
    """
    hu = _hu_at_source(volume, carm)
    if hu is not None and hu > _TISSUE_HU:
        raise GeometryError(
            f"the X-ray source lies inside the patient ({hu:.0f} HU there); move the isocentre or enlarge the distance "
            f"between source and isocentre ({carm.source_isocenter_mm:g} mm)",
            code="source_in_patient",
            numbers={"hu": hu, "source_isocenter_mm": carm.source_isocenter_mm},
        )
    if float(image.max()) >= _LEAST and float(image.min()) <= _MOST:
        return
    corners = volume.grid.corners_lps()
    low, high = corners.min(axis=0), corners.max(axis=0)
    off = float(np.linalg.norm(carm.isocenter_lps - np.clip(carm.isocenter_lps, low, high)))
    where = f"the isocentre {np.round(carm.isocenter_lps, 1).tolist()} lies {off:.0f} mm outside it"
    if not _any_ray_meets(volume, carm):
        aim = where if off > 0 else "collimation or detector are too small"
        raise GeometryError(
            f"no ray of this view meets the scan: {aim}; aim at a point between {np.round(low, 1).tolist()} and "
            f"{np.round(high, 1).tolist()} mm LPS",
            code="beam_misses",
            numbers={"outside_mm": off},
        )
    least, most = int(volume.array.min()), int(volume.array.max())
    if float(image.max()) < _LEAST:
        raise InputError(
            f"the picture would be blank: what the beam meets is all air (the scan holds {least} to {most} HU"
            + (f", and {where}" if off > 0 else "")
            + "); check that its values are Hounsfield units",
            code="nothing_dense",
            numbers={"least_hu": least, "most_hu": most},
        )
    raise InputError(
        f"the picture would be black all over: nothing comes through (the scan holds {least} to {most} HU); check that "
        "its values are Hounsfield units",
        code="nothing_through",
        numbers={"least_hu": least, "most_hu": most, "least_line_integral": float(image.min())},
    )


def _hu_at_source(volume: Volume, carm: CArm) -> float | None:
    index = np.rint(volume.grid.world_to_index(carm.source_lps)).astype(int)
    if (index < 0).any() or (index >= volume.grid.shape_zyx).any():
        return None
    return float(volume.array[tuple(index)])


def _any_ray_meets(volume: Volume, carm: CArm) -> bool:
    rows, columns = carm.detector_px
    row, column = np.linspace(0, rows - 1, 65), np.linspace(0, columns - 1, 65)
    rays = detector_rays(carm)
    enter, leave = box_interval(volume.grid, rays.source, rays.of(row[:, None] + 0 * column, column + 0 * row[:, None]))
    return bool(((leave > np.maximum(enter, 0)) & (enter < 1)).any())
