"""Time and memory of making phantoms, and how the sampled parts compare: prints a table.

    python benchmarks/phantoms.py [--fine] [--parts]

Every case runs in a process of its own, so that its peak memory is its own. Targets on 2 cores: five levels at 0.7 mm
under 15 s and 2 GB, at 0.4 mm under 60 s.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time

from trajplan.parts import Part
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.morphometry import LEVELS
from trajplan_phantoms.part_volumes import part_volumes
from trajplan_phantoms.population import draw
from trajplan_phantoms.spine import build_spine

CASES: tuple[tuple[str, str, float], ...] = (
    ("T11-L3 wedge", "wedge", 0.7),
    ("T4-T8 full", "thorax", 0.7),
    ("L1-S1 drawn, curved", "sacrum", 0.7),
    ("T11-L3 wedge", "wedge", 0.4),
    ("T4-T8 full", "thorax", 0.4),
    ("L1-S1 drawn, curved", "sacrum", 0.4),
)


def _spec(kind: str) -> PhantomSpec:
    if kind == "wedge":
        return PhantomSpec()
    if kind == "thorax":
        return PhantomSpec("T6", fracture="crush", height_loss_percent=30.0)
    return draw(("L1", "L2", "L3", "L4", "L5", "S1"), "female", 72.0, 5)


def _measure(kind: str, spacing_mm: float) -> tuple[float, float, float, tuple[int, ...]]:
    wall, cpu = time.perf_counter(), time.process_time()
    phantom = make_phantom(_spec(kind), Scanner((spacing_mm,) * 3))
    seconds, busy = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)
    return seconds, busy, peak / 1e9, phantom.ct.grid.shape_zyx


def _parts() -> None:
    """How much the volume of each part changes from 0.5 to 0.25 mm sampling, and the worst; target: below 1 %."""
    worst = 0.0
    print(f"{'level':6}" + "".join(f"{part.name.lower():>16}" for part in Part) + "   change, %")
    for level in LEVELS:
        spine = build_spine(PhantomSpec(level, fracture="none", height_loss_percent=0.0))
        coarse, close = (part_volumes(spine.vertebrae[spine.target], step) for step in (0.5, 0.25))
        change = [100.0 * (coarse[part] / close[part] - 1.0) for part in Part]
        worst = max(worst, *map(abs, change))
        print(f"{level:6}" + "".join(f"{x:16.2f}" for x in change), flush=True)
    print(f"worst: {worst:.2f} %")


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fine", action="store_true", help="0.4 mm as well")
    parser.add_argument(
        "--parts", action="store_true", help="volumes of the parts at 0.5 and 0.25 mm, every level; slow"
    )
    asked = parser.parse_args()
    if asked.parts:
        _parts()
        return
    fine = asked.fine
    print(f"{'case':22} {'mm':>4} {'wall s':>7} {'cpu s':>7} {'peak GB':>8}  voxels (z, y, x)")
    for name, kind, spacing in CASES:
        if spacing < 0.5 and not fine:
            continue
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            wall, cpu, peak, shape = pool.apply(_measure, (kind, spacing))
        print(f"{name:22} {spacing:4.1f} {wall:7.1f} {cpu:7.1f} {peak:8.2f}  {shape}")


if __name__ == "__main__":
    main()
