"""Instruments, balloons and cement in the beam: solids added to a finished line-integral image.

The anatomy is not redrawn: only the pixels that a solid can touch are visited, so a needle moves in a fraction of a
millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from trajplan.fluoroscopy.attenuation import DEFAULT_ENERGY_KEV, material_mu_per_mm
from trajplan.fluoroscopy.blades import shut
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.chords import add_chords, chord
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.rays import detector_rays
from trajplan.fluoroscopy.solids import Ellipsoid, Solid, Tube, ends_of, rows_of
from trajplan.geometry.arrays import AnyArray, Float32Array, FloatArray

_NEAREST_MM = 1.0  # between a solid and the source, below which every pixel may be touched


@dataclass(frozen=True, eq=False)
class Tool:
    """A solid in the beam: its shape, what it adds to the attenuation per mm, and the material that does."""

    solid: Solid
    mu_per_mm: float
    material: str = ""


def tool_of(solid: Solid, material: str, energy_kev: float = DEFAULT_ENERGY_KEV) -> Tool:
    """A solid of a material of `attenuation.MATERIALS`.

    The tissue it displaces is not taken off the image: for steel about 2 % of its own shadow.
    """
    return Tool(solid, material_mu_per_mm(material, energy_kev), material)


def steel_tool(solid: Solid, energy_kev: float = DEFAULT_ENERGY_KEV) -> Tool:
    """An instrument of 316L stainless steel: a solid trocar or wire as a `Capsule`, a cannula as a `Tube`."""
    return tool_of(solid, "steel_316l", energy_kev)


def cannula(start_lps: FloatArray, end_lps: FloatArray, radius_mm: float, wall_mm: float = 0.4) -> Tube:
    """A cannula of the given outer radius and wall; its bore is empty."""
    return Tube(start_lps, end_lps, radius_mm, radius_mm - wall_mm)


def balloon_tool(solid: Ellipsoid, energy_kev: float = DEFAULT_ENERGY_KEV) -> Tool:
    """A balloon filled with iodine contrast (300 mg I/ml)."""
    return tool_of(solid, "iodine_contrast", energy_kev)


def cement_tool(solid: Solid, energy_kev: float = DEFAULT_ENERGY_KEV) -> Tool:
    """Bone cement, PMMA with 30 % barium sulphate."""
    return tool_of(solid, "cement_30_baso4", energy_kev)


def add_tools(drr: Drr, tools: Iterable[Tool]) -> Drr:
    """A new image with the chord length of every tool, times its attenuation, added ray by ray.

    Tools that overlap add up; pass a `Union` for what is one piece, or one capsule for a needle inside its cannula.
    """
    image = np.array(drr.line_integral, dtype=np.float32)
    if not add_tools_to(image, tools, drr.carm):
        return drr
    shut(image, drr.carm)
    image.setflags(write=False)
    return replace(drr, line_integral=image)


class Canvas:
    """An anatomy image over which tools move: only what the last tools touched is put back, nothing else is copied.

    Examples
    --------
    >>> from trajplan.fluoroscopy.carm import CArm
    >>> from trajplan.geometry import Capsule
    >>> anatomy = Drr(np.zeros((64, 64), np.float32), CArm(0, 0, (0, 0, 0), detector_px=(64, 64)), "fast")
    >>> canvas = Canvas(anatomy)
    >>> bool(canvas.draw([steel_tool(Capsule((0, 0, 0), (5, 0, 0), 1.0))]).any()), bool(canvas.draw([]).any())
    (True, False)
    """

    def __init__(self, anatomy: Drr) -> None:
        self.anatomy = anatomy
        self._image = np.array(anatomy.line_integral, dtype=np.float32)
        self._touched: list[tuple[slice, slice]] = []

    def draw(self, tools: Iterable[Tool]) -> Float32Array:
        """The anatomy with these tools; the same array every time, valid until the next call."""
        for box in self._touched:
            self._image[box] = self.anatomy.line_integral[box]
        self._touched = add_tools_to(self._image, tools, self.anatomy.carm)
        shut(self._image, self.anatomy.carm)
        return self._image


def add_tools_to(image: AnyArray, tools: Iterable[Tool], carm: CArm) -> list[tuple[slice, slice]]:
    """Add tools to a float32 image in place; rows and columns that may have changed, one box a tool."""
    rays = detector_rays(carm)
    boxes = []
    for tool in tools:
        rows = rows_of(tool.solid)
        ends, radius = _silhouettes(rows, carm, rays.source)
        add_chords(
            image, rows, ends, radius, rays.source, rays.corner, rays.row_step, rays.column_step, float(tool.mu_per_mm)
        )
        low = np.maximum(np.floor((ends - radius[:, None, None]).min(axis=(0, 1))) - 1, 0).astype(int)
        high = np.maximum(np.ceil((ends + radius[:, None, None]).max(axis=(0, 1))) + 2, 0).astype(int)
        boxes.append((slice(low[0], high[0]), slice(low[1], high[1])))
    return boxes


def chord_mm(solid: Solid, source_lps: FloatArray, direction_lps: FloatArray, length_mm: float = 1e6) -> float:
    """Length inside `solid` of the ray from `source_lps` along the unit vector `direction_lps`, mm."""
    ux, uy, uz = (float(v) for v in direction_lps)
    source = np.array(source_lps, dtype=np.float64)
    return float(chord(rows_of(solid), source, ux, uy, uz, float(length_mm), np.empty((64, 2))))


def _silhouettes(rows: FloatArray, carm: CArm, source_lps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Projected axis (N, 2 ends, row and column) and radius (N,), px, that hold each primitive's shadow."""
    ends, radius = np.zeros((len(rows), 2, 2)), np.empty(len(rows))
    beam = carm.beam_lps
    field = math.hypot(*carm.detector_px) * carm.pixel_mm
    for n, row in enumerate(rows):
        points, reach = ends_of(row)
        nearest = float(((points - source_lps) @ beam).min()) - reach
        if nearest < _NEAREST_MM:
            radius[n] = float(sum(carm.detector_px))
            continue
        ends[n] = carm.project(points)
        slant = 1.0 + field / carm.source_detector_mm  # an oblique ray stretches a round shadow
        radius[n] = reach * carm.source_detector_mm / nearest / carm.pixel_mm * slant + 1.0
    return ends, radius
