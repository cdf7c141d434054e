"""The built-in atlas of the classical route: a parametric vertebra with its neighbours; no patient's data."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from trajplan.anatomy.atlas import Atlas, atlas_box
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.morphometry import LEVELS, level_below, morphometry

DEFAULT_LEVEL = "L1"
FORWARD = {"L5": {"transverse_forward_mm": 10.0, "transverse_height_mm": 13.0}}
"""The transverse processes of L5 spring from its pedicles."""


def choose_level(level: int | None, depth_mm: float, height_mm: float) -> str:
    """The phantom level for a target: its own when it can be built, else the nearest in size.

    Levels above the first that can be built take that one (the registration scales it).

    >>> choose_level(20, 30.0, 22.0)
    'L1'
    >>> choose_level(8, 18.0, 14.0)
    'T4'
    """
    name = LEVEL_NAMES.get(level) if level is not None else None
    if name in LEVELS:
        return str(name)
    if name is not None and level is not None and level < level_id(LEVELS[0]):
        return str(LEVELS[0])

    def misfit(candidate: str) -> float:
        m = morphometry(candidate)
        depth = 0.5 * (m.plate_depth_upper_mm + m.plate_depth_lower_mm)
        # Height counts half: a fracture lowers it. The default level wins ties.
        penalty = 0.02 * abs(LEVELS.index(candidate) - LEVELS.index(DEFAULT_LEVEL))
        return float(abs(np.log(depth_mm / depth)) + 0.5 * abs(np.log(height_mm / m.height_posterior_mm)) + penalty)

    return str(min(LEVELS, key=misfit))


@lru_cache(maxsize=6)
def make_atlas(level: str) -> Atlas:
    """The unfractured, noise-free vertebra `level` with one neighbour on each side (L5: the sacrum), 1 mm."""
    k = LEVELS.index(level)
    levels = (*LEVELS[max(0, k - 1) : k + 1], level_below(level))
    sizes = {name: replace(morphometry(name), **FORWARD[name]) for name in levels if name in FORWARD}
    phantom = make_phantom(
        PhantomSpec(target=level, levels=levels, fracture="none", trabecular_hu=150.0, sizes=sizes),
        Scanner((1.0, 1.0, 1.0), noise_hu=0.0, psf_mm=0.7),
    )
    frame = phantom.truth.frame
    grid = phantom.ct.grid
    lower, upper = (grid.world_to_index(corner) for corner in atlas_box(frame.origin_lps))
    m = morphometry(level)
    return Atlas(
        name=f"phantom {level}",
        level=level,
        ct=phantom.ct.cropped(np.floor(lower), np.ceil(upper)),
        labels=phantom.labels.cropped(np.floor(lower), np.ceil(upper)),
        label_id=level_id(level),
        frame=frame,
        height_mm=m.height_posterior_mm,
        depth_mm=0.5 * (m.plate_depth_upper_mm + m.plate_depth_lower_mm),
    )
