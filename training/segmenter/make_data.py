"""Write all targets of real scans, made fractures and phantoms to a work folder."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from training.segmenter import walked_labels
from training.segmenter.phantom_cases import WEIGHT, level_of, phantom_case
from training.segmenter.prepare import targets_of
from training.segmenter.real_cases import CASES, level_ids, made_fractures, read_case
from training.segmenter.target import save_targets
from trajplan.levels import level_id

FRACTURE_WEIGHT = 0.8


def make_real(data: Path, work: Path) -> None:
    """One file a scan, and one a made fracture."""
    if not (work / walked_labels.OUTPUT).exists():
        walked_labels.make(data, work)
    for case in CASES:
        start = time.perf_counter()
        scan = read_case(case, data, work)
        targets = targets_of(scan, level_ids(case.targets), case.weight)
        save_targets(work / f"real_{case.folder}.npz", targets)
        print(f"{case.folder}: {len(targets)} targets, {time.perf_counter() - start:.0f} s", flush=True)
        for n, (broken, level) in enumerate(made_fractures(case, scan, seed=1)):
            found = targets_of(broken, [level_id(level)], FRACTURE_WEIGHT * case.weight)
            save_targets(work / f"made_{case.folder}_{n}.npz", found)
            print(f"  {broken.name} {level}: {time.perf_counter() - start:.0f} s", flush=True)


def make_phantoms(work: Path, count: int) -> None:
    """One file for a few phantoms each."""
    for seed in range(count):
        path = work / f"phantom_{seed:03d}.npz"
        if path.exists():
            continue
        start = time.perf_counter()
        scan = phantom_case(seed)
        targets = targets_of(scan, [level_id(level_of(seed))], WEIGHT)
        save_targets(path, targets)
        print(f"{scan.name}: {time.perf_counter() - start:.0f} s", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds ct/lidc0001 and the others")
    parser.add_argument("work", type=Path)
    parser.add_argument("--phantoms", type=int, default=144)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    make_real(asked.data, asked.work)
    make_phantoms(asked.work, asked.phantoms)


if __name__ == "__main__":
    main()
