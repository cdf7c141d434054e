"""The collimator: what of the detector its blades leave open. Behind them a picture is black and its numbers are 0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trajplan.fluoroscopy.carm import CArm


def open_px(carm: CArm) -> tuple[slice, slice]:
    """Rows and columns of the detector that the beam reaches, to the nearest pixel.

    Examples
    --------
    >>> open_px(CArm(0, 0, (0, 0, 0), 1000, 500, (100, 100), 1.0, (20.0, 100.0)))
    (slice(30, 70, None), slice(0, 100, None))
    """
    if carm.collimation_mm is None:
        return slice(0, carm.detector_px[0]), slice(0, carm.detector_px[1])
    scale = carm.magnification / carm.pixel_mm
    shut = [
        max(0, min(round((count - open_mm * scale) / 2), (count - 1) // 2))
        for count, open_mm in zip(carm.detector_px, carm.collimation_mm, strict=True)
    ]
    return slice(shut[0], carm.detector_px[0] - shut[0]), slice(shut[1], carm.detector_px[1] - shut[1])


def open_part(carm: CArm) -> CArm:
    """The C-arm with a detector that ends where the blades begin: its pixels are pixels of the whole detector."""
    rows, columns = open_px(carm)
    return replace(carm, detector_px=(rows.stop - rows.start, columns.stop - columns.start), collimation_mm=None)


def behind_blades(part: NDArray[Any], carm: CArm, fill: float = 0.0) -> NDArray[Any]:
    """An image of the open part on the whole detector, `fill` behind the blades; the image itself without blades."""
    if carm.collimation_mm is None:
        return part
    whole = np.full(carm.detector_px, fill, dtype=part.dtype)
    whole[open_px(carm)] = part
    return whole


def shut(image: NDArray[Any], carm: CArm) -> None:
    """Set an image of the whole detector to 0 behind the blades, in place."""
    if carm.collimation_mm is None:
        return
    rows, columns = open_px(carm)
    image[: rows.start] = 0
    image[rows.stop :] = 0
    image[:, : columns.start] = 0
    image[:, columns.stop :] = 0
