"""In the beam: balloons and cement as what a simulated X-ray adds to the anatomy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.ndimage as ndi

from trajplan.augmentation.cement import Cement
from trajplan.augmentation.envelope import Envelope
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.fluoroscopy.attenuation import AttenuationCurve, material_mu_per_mm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.prepared import prepare
from trajplan.fluoroscopy.projector import line_integral
from trajplan.fluoroscopy.solids import Tube, Union
from trajplan.fluoroscopy.tools import Tool, cannula, steel_tool, tool_of
from trajplan.geometry import Capsule, Volume
from trajplan.geometry.arrays import FloatArray

CEMENT = "cement_30_baso4"
CONTRAST = "iodine_contrast"
MARKER_MM = 0.5
"""Half the diameter of a radiopaque marker (proposed); it is drawn 1 mm long."""

_SLICE = 2
_OVERLAP_MM = 1e-6
"""Of neighbouring rods, so that a ray in the plane where they meet is in one of them."""

_INSIDE = 1000.0
_EDGE_VOXELS = 0.6


def balloon_in_beam(envelope: Envelope, energy_kev: float) -> Tool:
    """The balloon filled with contrast, as rods of 1 mm along its axis of the same cross-section and middle."""
    turn = envelope.angles_rad
    rods = []
    count = len(envelope.z_mm) // _SLICE * _SLICE
    for k in range(0, count, _SLICE):
        r = envelope.radius_mm[k : k + _SLICE]
        square = float((r**2).mean())
        if square < 0.01:
            continue
        # of a sector the centroid lies at two thirds of its radius
        shift = [float((2 / 3 * r**3 * f).mean()) / square for f in (np.cos(turn), np.sin(turn))]
        at = envelope.center_lps + shift[0] * envelope.axes_lps[0] + shift[1] * envelope.axes_lps[1]
        z = float(envelope.z_mm[k]) - envelope.step_mm / 2
        ends = [at + (z + d) * envelope.axes_lps[2] for d in (-_OVERLAP_MM, _SLICE * envelope.step_mm + _OVERLAP_MM)]
        rods.append(Tube(ends[0], ends[1], float(np.sqrt(square))))
    return tool_of(Union(tuple(rods)), CONTRAST, energy_kev)


def instruments_in_beam(sequence: InstrumentSequence, outer_lps: FloatArray, energy_kev: float) -> list[Tool]:
    """The working cannula in place, and both markers of the balloon."""
    found = []
    tip = sequence.step("working cannula")
    if tip is not None:
        wall = (sequence.cannula.outer_diameter_mm - sequence.cannula.inner_diameter_mm) / 2
        found.append(steel_tool(cannula(outer_lps, tip.tip_lps, sequence.cannula.radius_mm, wall), energy_kev))
    marks = [sequence.step(f"balloon, {which} marker") for which in ("near", "far")]
    if marks[0] is not None and marks[1] is not None:
        axis = (marks[1].tip_lps - marks[0].tip_lps) / np.linalg.norm(marks[1].tip_lps - marks[0].tip_lps)
        for mark in (marks[0], marks[1]):
            solid = Capsule(mark.tip_lps - 0.5 * axis, mark.tip_lps + 0.5 * axis, MARKER_MM)
            found.append(steel_tool(solid, energy_kev))
    return found


def with_cement(drr: Drr, cement: Cement) -> Drr:
    """The X-ray with the cement where its labels lie, PMMA with 30 % barium sulphate; the bone it displaces stays."""
    share = ndi.gaussian_filter((cement.labels.array > 0).astype(np.float32), _EDGE_VOXELS)
    volume = Volume(np.rint(_INSIDE * share).astype(np.int16), cement.labels.grid)
    mu = material_mu_per_mm(CEMENT, drr.energy_kev)
    curve = AttenuationCurve((-1000.0, 0.0, _INSIDE, 2 * _INSIDE), (0.0, 0.0, mu, 2 * mu))
    shadow, _ = line_integral(prepare(volume, drr.energy_kev, curve), drr.carm, "fast")
    image = np.asarray(drr.line_integral + shadow, dtype=np.float32)
    image.setflags(write=False)
    return replace(drr, line_integral=image)
