"""X-rays at full quality, with or without the noise of photons, made beside the window. No Qt, no drawing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import Window, display_window
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.physics import Physics, expose, thicknesses
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.projector import project

PREVIEW, FULL, EXPOSED = "preview", "fast", "exposed"
"""What is shown while the C-arm moves, when it stands, and with the noise of photons."""

_HELD = Physics(held_frames=8)
_QUIET = Physics(detector_dose_ngy=1e6)


@dataclass(frozen=True, eq=False)
class Developed:
    """An anatomy image with its grey window; `kind` is one of the three above."""

    drr: Drr
    window: Window
    kind: str
    dose: str = ""


def develop(prepared: PreparedVolume, carm: CArm, kind: str) -> Developed:
    """One view of the anatomy.

    Raises
    ------
    InputError, GeometryError
        The view would show nothing.
    """
    if kind == EXPOSED:
        met = thicknesses(prepared, carm)
        taken = expose(met, _HELD)
        # the greys are those of a picture without noise: local contrast must not be evened out over grain
        return Developed(taken.drr, display_window(expose(met, _QUIET).drr), kind, taken.dose_words())
    drr = project(prepared, carm, quality=kind)
    return Developed(drr, rough_window(drr) if kind == PREVIEW else display_window(drr), kind)


def rough_window(drr: Drr) -> Window:
    """`display_window` found on 2 x 2 pixels as one: a quarter of the time, for pictures that are soon replaced."""
    rows, columns = drr.line_integral.shape
    if rows % 2 or columns % 2:
        return display_window(drr)
    half = drr.line_integral.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    carm = replace(drr.carm, detector_px=(rows // 2, columns // 2), pixel_mm=2 * drr.carm.pixel_mm)
    found = display_window(replace(drr, line_integral=half, carm=carm))
    gain, offset = (part.repeat(2, axis=0).repeat(2, axis=1) for part in (found.gain, found.offset))
    return Window(found.low, found.high, gain, offset)
