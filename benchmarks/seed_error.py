"""What a seed that is off costs: Dice from the body's centre against seeds 5 mm away in six directions, as a table.

    python benchmarks/seed_error.py --data ../shared/data --phantoms 8 [--backend network] [--weights FILE] [--off 5]

Asked: at most 0.01 of Dice lost (0.003 wished for). A refusal counts as such, not as a loss.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from segmentation import Case, overlap, phantom_cases, real_cases, reference

from trajplan.anatomy.backend import Backend
from trajplan.anatomy.network_backend import NetworkBackend
from trajplan.anatomy.network_model import WEIGHTS
from trajplan.anatomy.simpleitk_backend import SimpleItkBackend
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.pieces import thickest
from trajplan.geometry.resample import resample_mask

ASKED = 0.01
DIRECTIONS_LPS = np.vstack([np.eye(3), -np.eye(3)])


def dice_from(case: Case, backend: Backend, seed_lps: FloatArray) -> float | None:
    """Dice of what is found from a seed; None when it is refused."""
    try:
        result = backend.segment(case.ct, seed_lps, case.one, lambda share, what: None)
    except AnatomyError:
        return None
    truth, grid = reference(case, result.labels.grid)
    mask = resample_mask(result.labels.array == result.target_id, result.labels.grid, grid) >= 0.5
    return overlap(mask, truth)["dice"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--phantoms", type=int, default=4)
    parser.add_argument("--backend", default="network", choices=["network", "simpleitk"])
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--off", type=float, default=5.0, help="mm")
    asked = parser.parse_args()
    backend = NetworkBackend(asked.weights) if asked.backend == "network" else SimpleItkBackend()
    cases = list(phantom_cases(asked.phantoms))
    if asked.data is not None:
        cases += list(real_cases(asked.data, asked.only, made=False))
    print(f"{'case':38} centre   lowest of six   lost   refused")
    losses = []
    for case in cases:
        truth, grid = reference(case)
        centre = grid.index_to_world(thickest(truth))
        best = dice_from(case, backend, centre)
        if best is None:
            print(f"{case.name:38} refused from its own centre", flush=True)
            continue
        off = [dice_from(case, backend, centre + asked.off * way) for way in DIRECTIONS_LPS]
        kept = [one for one in off if one is not None]
        lost = best - min(kept, default=best)
        losses.append(lost)
        text = f"{best:6.3f} {min(kept, default=float('nan')):15.3f} {lost:6.3f} {len(off) - len(kept):9d}"
        print(f"{case.name:38} {text}", flush=True)
    if losses:
        within = sum(one <= ASKED for one in losses)
        print(
            f"{asked.off:.0f} mm off: lost {np.median(losses):.3f} in the median, {max(losses):.3f} at worst; "
            f"{within} of {len(losses)} cases within {ASKED} (asked)"
        )


if __name__ == "__main__":
    main()
