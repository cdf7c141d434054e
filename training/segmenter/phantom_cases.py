"""Phantoms of every level and kind of fracture as training cases: shapes nobody has scanned, with exact labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from training.segmenter.prepare import LabelledScan
from trajplan.errors import TrajplanError
from trajplan.levels import level_id
from trajplan_phantoms import Scanner, make_phantom
from trajplan_phantoms.bone_look import NATURAL, PLAIN
from trajplan_phantoms.curve import rotation
from trajplan_phantoms.morphometry import Morphometry, default_levels, morphometry
from trajplan_phantoms.population import draw
from trajplan_phantoms.spec import Pose

LEVELS = ("T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
DEALT = (*LEVELS, "L3", "L4", "L5", "L4", "L5")
"""Seeds take these in turn: few real scans show the lowest levels, and a sacrum below them."""

KINDS = ("none", "none", "wedge", "biconcave", "crush")
PATIENT = "phantom"
WEIGHT = 0.12
"""A fifth of all crops. The weights before 2026-11-23 were trained at 0.3, where phantoms are more than two of five."""
SPACING_MM = 0.9
FIRST_TEST_SEED = 100_000
"""Phantoms of seeds from here on are for grading and never trained on."""

NEAR_SACRUM = ("L3", "L4", "L5")
"""Levels whose crop reaches the sacrum. A network that had learnt no real L5 and phantoms without a sacrum took the
sacrum's articular processes and crest for those of L5 (Dice 0.78)."""

CREST_DROP_DEG = (0.0, 40.0)
"""The spinous process of S1 stands out level, like that of L5, or sinks into the sacral crest."""

FORWARD_MM = {"L1": 6.0, "L2": 6.0, "L3": 8.0, "L4": 12.0, "L5": 18.0}
"""Transverse processes spring from the pars or up to this much in front of it, from the pedicle itself. A network that
had learnt phantoms with the former only left the roots of those of a real L5 out."""

TALL = (0.9, 1.5)
"""Factor of their height, drawn along with it."""

NATURAL_SHARE = 0.6
TILT_DEG = dict(zip(LEVELS, (18, 16, 13, 9, 5, 1, -3, -7, -9, -7, -1, 8, 23), strict=True))
"""How far each level leans forward in a patient who lies on the back (*assumed*, from a sacral slope of 40 degrees and
the table's wedges of bodies and discs); a phantom's target stands upright."""

TILT_SD_DEG = 6.0


def level_of(seed: int) -> str:
    """The level of a seed's phantom."""
    return DEALT[seed % len(DEALT)]


def phantom_case(seed: int) -> LabelledScan:
    """The phantom of a seed: level and kind in turn, the person drawn."""
    rng = np.random.default_rng([seed, 7])
    for attempt in range(20):
        level = level_of(seed)
        kind = KINDS[int(rng.integers(len(KINDS)))]
        loss = 0.0 if kind == "none" else float(rng.uniform(15, 65))
        sacrum = ("S1",) if level in NEAR_SACRUM else ()
        try:
            spec = draw(
                (*default_levels(level), *sacrum),
                target=level,
                age_years=float(rng.uniform(35, 90)),
                seed=1000 * seed + attempt,
                fracture=kind,
                height_loss_percent=loss,
                surroundings="full",
                aorta_hu=float(rng.choice([45.0, 45.0, 300.0])),
            )
            look = replace(NATURAL, seed=seed) if rng.random() < NATURAL_SHARE else PLAIN
            lean = Pose(rotation(0.0, TILT_DEG[level] + TILT_SD_DEG * float(rng.normal()), 0.0))
            spec = replace(spec, bone=look, pose=lean, sizes=_varied(spec.sizes, rng))
            phantom = make_phantom(spec, Scanner((SPACING_MM,) * 3, noise_hu=float(rng.uniform(0, 25)), seed=seed))
        except TrajplanError:
            continue
        name = f"phantom {seed} {kind} {loss:.0f} %"
        parts = {level_id(level): phantom.parts}
        return LabelledScan(name, PATIENT, phantom.ct, phantom.labels, parts=parts)
    raise RuntimeError(f"no phantom could be drawn for seed {seed}")


def _varied(sizes: Mapping[str, Morphometry], rng: np.random.Generator) -> dict[str, Morphometry]:
    """Roots of transverse processes, and the sacral crest, beyond what the population varies."""
    out = dict(sizes)
    out["S1"] = replace(sizes["S1"], spinous_drop_deg=float(rng.uniform(*CREST_DROP_DEG)))
    share, tall = float(rng.uniform(0, 1)), float(rng.uniform(*TALL))
    for level, most in FORWARD_MM.items():
        own = out.get(level, morphometry(level))
        height = own.transverse_height_mm * tall
        out[level] = replace(own, transverse_forward_mm=share * most, transverse_height_mm=height)
    return out
