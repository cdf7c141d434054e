"""Phantoms of every level and kind of fracture as training cases: shapes nobody has scanned, with exact labels."""

from __future__ import annotations

import numpy as np

from training.segmenter.prepare import LabelledScan
from trajplan.errors import TrajplanError
from trajplan.levels import level_id
from trajplan_phantoms import Scanner, make_phantom
from trajplan_phantoms.population import draw

LEVELS = ("T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
KINDS = ("none", "none", "wedge", "biconcave", "crush")
PATIENT = "phantom"
WEIGHT = 0.12
"""A fifth of all crops. The shipped weights were trained at 0.3, where phantoms are more than two crops of five."""
SPACING_MM = 1.2
FIRST_TEST_SEED = 100_000
"""Phantoms of seeds from here on are for grading and never trained on."""


def phantom_case(seed: int) -> LabelledScan:
    """The phantom of a seed: level and kind in turn, the person drawn."""
    rng = np.random.default_rng([seed, 7])
    for attempt in range(20):
        level = LEVELS[seed % len(LEVELS)]
        kind = KINDS[int(rng.integers(len(KINDS)))]
        loss = 0.0 if kind == "none" else float(rng.uniform(15, 65))
        try:
            spec = draw(
                level,
                age_years=float(rng.uniform(35, 90)),
                seed=1000 * seed + attempt,
                fracture=kind,
                height_loss_percent=loss,
                surroundings="full",
                aorta_hu=float(rng.choice([45.0, 45.0, 300.0])),
            )
            phantom = make_phantom(spec, Scanner((SPACING_MM,) * 3, noise_hu=float(rng.uniform(0, 25)), seed=seed))
        except TrajplanError:
            continue
        name = f"phantom {seed} {kind} {loss:.0f} %"
        parts = {level_id(level): phantom.parts}
        return LabelledScan(name, PATIENT, phantom.ct, phantom.labels, parts=parts)
    raise RuntimeError(f"no phantom could be drawn for seed {seed}")
