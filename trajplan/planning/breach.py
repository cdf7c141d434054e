"""The chance that the executed path crosses a wall: Monte Carlo over entry and angle error."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.lattice import SPACING_MM, Lattice
from trajplan.planning.plan import Breach, PlanSettings
from trajplan.planning.walls import Wall

_STEP_MM = 1.0


def breach_probability(
    lattice: Lattice,
    vertebra: Vertebra,
    side: Side,
    entry_lps: FloatArray,
    target_lps: FloatArray,
    settings: PlanSettings,
) -> Breach:
    """Share of executed paths that cross a wall, by direction.

    The entry is displaced sideways by an isotropic Gaussian (`entry_sigma_mm` an axis), the direction turned by a
    Gaussian about two axes (`angle_sigma_deg` each); depth is taken as controlled on the lateral view. Defaults are
    the fluoroscopy-corrected figures derived from published breach rates (0.75 mm, 2 deg). Seeded: the same plan
    always gives the same figure.
    """
    rng = np.random.default_rng(settings.seed)
    count = settings.breach_samples
    flip = np.array([side.sign, 1.0, 1.0])
    entry = vertebra.frame.to_local(entry_lps) * flip
    target = vertebra.frame.to_local(target_lps) * flip
    length = float(np.linalg.norm(target - entry))
    axis = (target - entry) / length
    helper = np.array([0.0, 0.0, 1.0])
    e1 = np.cross(helper, axis)
    e1 /= np.linalg.norm(e1)
    e2 = np.cross(axis, e1)
    noise = rng.normal(size=(count, 4))
    starts = entry + settings.entry_sigma_mm * (noise[:, :1] * e1 + noise[:, 1:2] * e2)
    tilt = np.radians(settings.angle_sigma_deg)
    directions = axis + np.tan(tilt * noise[:, 2:3]) * e1 + np.tan(tilt * noise[:, 3:]) * e2
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)

    # to the very tip: a step that stops short of it would not see the front of the body
    depth = np.linspace(0.0, length, max(2, int(np.ceil(length / _STEP_MM)) + 1))
    worst = np.full((count, len(Wall)), np.inf)
    in_play = np.zeros(count, dtype=bool)
    for d in depth:
        index = ((starts + d * directions - lattice.origin_uvw) / SPACING_MM).T
        in_play |= map_coordinates(lattice.pedicle, index, order=1, mode="nearest") >= 0.5
        for wall in Wall:
            value = map_coordinates(lattice.walls[..., wall], index, order=1, mode="nearest")
            value = value - settings.instrument.radius_mm
            if wall != Wall.CANAL:
                value = np.where(in_play, value, np.inf)
            worst[:, wall] = np.minimum(worst[:, wall], value)
    crossed = worst < 0
    crossed[~in_play] = True  # never reached the pedicle

    def share(*walls: Wall) -> float:
        return float(crossed[:, list(walls)].any(axis=1).mean())

    return Breach(
        any=float(crossed.any(axis=1).mean()),
        medial=share(Wall.MEDIAL, Wall.CANAL),
        lateral=share(Wall.LATERAL),
        superior=share(Wall.SUPERIOR),
        inferior=share(Wall.INFERIOR),
        samples=count,
        entry_sigma_mm=settings.entry_sigma_mm,
        angle_sigma_deg=settings.angle_sigma_deg,
    )
