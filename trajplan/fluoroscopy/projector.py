"""One call for a simulated X-ray: a CT (plain or prepared) and a C-arm in, a Drr out."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np

from trajplan.errors import InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.joseph import joseph_line_integral
from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.fluoroscopy.siddon import siddon_line_integral
from trajplan.fluoroscopy.layout import can_project
from trajplan.fluoroscopy.slab import slab_line_integral
from trajplan.geometry import Grid, Volume

QUALITIES: Final = ("fast", "joseph", "siddon", "preview")

# numba's fallback thread pool (the only one on many Windows and macOS machines) ends the process when two Python
# threads start parallel kernels at once, as a viewer with workers would
_ONE_AT_A_TIME = threading.Lock()

_SLICED: Final = {
    "fast": slab_line_integral,
    "joseph": joseph_line_integral,
    "preview": lambda prepared, carm: slab_line_integral(prepared.coarse, carm),
}

__all__ = ["QUALITIES", "PreparedVolume", "prepare", "project", "warm_up"]


def project(volume: Volume | PreparedVolume, carm: CArm, *, quality: str = "fast") -> Drr:
    """Simulate one X-ray.

    Parameters
    ----------
    volume : Volume or PreparedVolume
        Axis-aligned LPS. Prepare a CT once (`prepare`) when it is to be seen from more than one side; a plain Volume
        is prepared anew on each ``fast`` call.
    carm : CArm
    quality : {"fast", "siddon"}
        ``fast`` interpolates between voxels (slab compositing); ``siddon`` is exact for voxels as boxes, and slower.
        Where source or detector stand inside the volume, ``fast`` is answered by ``siddon``, and the Drr says so.

    Returns
    -------
    Drr
        Line integrals, 0 where the ray misses the volume.

    Raises
    ------
    GeometryError
        The volume is not axis-aligned.
    InputError
        Unknown quality.
    """
    if quality not in QUALITIES:
        raise InputError(f"quality {quality!r} is not one of {', '.join(QUALITIES)}", code="quality_unknown")
    with _ONE_AT_A_TIME:
        if quality != "siddon":
            ready = prepare(volume) if isinstance(volume, Volume) else volume
            if can_project(ready, carm):
                image = _SLICED[quality](ready, carm)
                image.setflags(write=False)
                return Drr(image, carm, quality)
        if isinstance(volume, Volume):
            exact = siddon_line_integral(volume, carm)
        else:
            exact = siddon_line_integral(volume.volume, carm, volume.curve)
    image = exact.astype(np.float32)
    image.setflags(write=False)
    return Drr(image, carm, "siddon")


def warm_up() -> None:
    """Compile (or load from the cache) every kernel, so that the first real view does not wait."""
    tiny = Volume(np.zeros((4, 4, 4), dtype=np.int16), Grid((4, 4, 4), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    view = CArm(0.0, 0.0, np.zeros(3), detector_px=(8, 8))
    for quality in QUALITIES:
        project(tiny, view, quality=quality)
