"""X-rays at full quality, with or without the noise of photons, made beside the window. No Qt, no drawing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import Window, display_window, enlarged
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.physics import Physics, expose, thicknesses
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.projector import project

PREVIEW, FULL, EXPOSED = "preview", "fast", "exposed"
"""What is shown while the C-arm moves, when it stands, and with the noise of photons."""

_ROUGH = 4
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
        return Developed(
            taken.drr,
            display_window(expose(met, _QUIET).drr),
            kind,
            f"{taken.entrance_dose_ugy:.2g} µGy a pulse (uncalibrated)",
        )
    drr = project(prepared, carm, quality=kind)
    return Developed(drr, rough_window(drr) if kind == PREVIEW else display_window(drr), kind)


def rough_window(drr: Drr) -> Window:
    """`display_window` found on `_ROUGH` x `_ROUGH` pixels as one, for pictures that are soon replaced."""
    shape = drr.line_integral.shape
    if shape[0] % _ROUGH or shape[1] % _ROUGH:
        return display_window(drr)
    rows, columns = (n // _ROUGH for n in shape)
    small = drr.line_integral.reshape(rows, _ROUGH, columns, _ROUGH).mean(axis=(1, 3), dtype=np.float32)
    carm = replace(drr.carm, detector_px=(rows, columns), pixel_mm=_ROUGH * drr.carm.pixel_mm)
    found = display_window(replace(drr, line_integral=small, carm=carm))
    return Window(found.low, found.high, *(enlarged(part, shape, _ROUGH) for part in (found.gain, found.offset)))
