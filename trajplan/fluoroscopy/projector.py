"""One call for a simulated X-ray: a CT (plain or prepared) and a C-arm in, a Drr out."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final, Literal

import numpy as np

from trajplan.errors import InputError
from trajplan.fluoroscopy.blades import behind_blades, open_part
from trajplan.fluoroscopy.blank import refuse_blank
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.joseph import joseph_line_integral
from trajplan.fluoroscopy.layout import can_project
from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.fluoroscopy.siddon import siddon_line_integral
from trajplan.fluoroscopy.slab import slab_line_integral
from trajplan.fluoroscopy.solids import Union
from trajplan.fluoroscopy.tools import Tool, add_tools
from trajplan.geometry import Capsule, Grid, Volume
from trajplan.geometry.arrays import Float32Array

Quality = Literal["fast", "joseph", "siddon", "preview"]
QUALITIES: Final[tuple[Quality, ...]] = ("fast", "joseph", "siddon", "preview")

# numba's fallback thread pool (the only one on many Windows and macOS machines) ends the process when two Python
# threads start parallel kernels at once, as a viewer with workers would
_ONE_AT_A_TIME = threading.Lock()

_TINY_VIEW = CArm(0.0, 0.0, np.ones(3), detector_px=(8, 8))

__all__ = ["QUALITIES", "PreparedVolume", "Quality", "prepare", "project", "warm_up", "warm_up_tools"]


def project(volume: Volume | PreparedVolume, carm: CArm, tools: Iterable[Tool] = (), *, quality: str = "fast") -> Drr:
    """Simulate one X-ray.

    Parameters
    ----------
    volume : Volume or PreparedVolume
        Axis-aligned LPS, HU. An int16 CT is read in place; nothing of it is copied.
    carm : CArm
    tools : iterable of Tool
        Instruments, balloons, cement: analytic solids added to the anatomy. To move a tool over the same anatomy keep
        the Drr without it and call `add_tools`.
    quality : {"fast", "joseph", "siddon", "preview"}
        ``fast`` interpolates between voxels by slab compositing (within 1 % of the largest line integral of exact
        trilinear). ``joseph`` is trilinear in every slice (within 0.3 %). ``siddon`` is exact for voxels as boxes
        (1e-5). ``preview`` is ``fast`` on a CT of half the voxels along its fine axes, for dragging the C-arm.
        Where source or detector stand inside the volume, all are answered by ``siddon``, and the Drr says so.

    Returns
    -------
    Drr
        Line integrals, float32 (rows, columns), 0 where the ray misses the volume and behind the blades.

    Raises
    ------
    GeometryError
        The volume is not axis-aligned; no ray meets it; the source lies inside the patient.
    InputError
        Unknown quality; or the picture would show nothing (the reason is said).
    """
    if quality not in QUALITIES:
        raise InputError(f"quality {quality!r} is not one of {', '.join(QUALITIES)}", code="quality_unknown")
    ready = prepare(volume) if isinstance(volume, Volume) else volume
    part = open_part(carm)
    seen, used = line_integral(ready, part, quality)
    refuse_blank(seen, ready.volume, part)
    image = behind_blades(seen, carm)
    image.setflags(write=False)
    return add_tools(Drr(image, carm, used, ready.energy_kev, ready.ends_lps), tools)


def line_integral(prepared: PreparedVolume, carm: CArm, quality: str) -> tuple[Float32Array, str]:
    """Line integrals of whatever the curve of `prepared` means, blank or not, and the quality that was used."""
    with _ONE_AT_A_TIME:
        if quality == "siddon" or not can_project(prepared, carm):
            return siddon_line_integral(prepared.volume, carm, prepared.curve).astype(np.float32), "siddon"
        if quality == "joseph":
            return joseph_line_integral(prepared, carm), quality
        return slab_line_integral(prepared.coarse if quality == "preview" else prepared, carm), quality


def warm_up(qualities: Iterable[str] = QUALITIES, *, tools: bool = True) -> None:
    """Compile (or load from the cache) every kernel, so that the first real view does not wait."""
    tiny = Volume(np.zeros((4, 4, 4), dtype=np.int16), Grid((4, 4, 4), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    for quality in qualities:
        project(prepare(tiny), _TINY_VIEW, quality=quality)
    if tools:
        warm_up_tools()


def warm_up_tools() -> None:
    """Compile (or load from the cache) what draws tools into a picture."""
    needle = Tool(Union((Capsule((0, 0, 0), (1, 0, 0), 0.5),)), 0.1)
    add_tools(Drr(np.zeros(_TINY_VIEW.detector_px, dtype=np.float32), _TINY_VIEW, "fast"), [needle])
