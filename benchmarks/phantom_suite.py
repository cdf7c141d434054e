"""Make a benchmark suite of phantoms: levels, people, fractures and scanners drawn from one seed, with their truth.

Run: ``python benchmarks/phantom_suite.py --n 10 --out DIR --seed 1``. Each case is a folder with ct.nii.gz,
labels.nii.gz (VerSe ids), parts.nii.gz, surroundings.nii.gz (ribs and discs) and truth.json; ``manifest.json`` states
how each was made, its truth and the SHA-256 of its files. The same seed gives the same cases, and case k does not
depend on how many are made. Levels, sexes, fractures and scanners are dealt in turn, in an order shuffled by the seed,
so that even small suites hold them all. Without ``--out`` the suite is made in a temporary folder and only described.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trajplan.errors import TrajplanError
from trajplan.exports.phantom_files import write_phantom
from trajplan.exports.plain import plain
from trajplan.levels import level_id
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.fracture import Cleft, Fracture
from trajplan_phantoms.morphometry import LEVELS
from trajplan_phantoms.population import draw
from trajplan_phantoms.write_files import write_scan

SCHEMA = "trajplan.phantom_suite/1"
SEXES = ("female", "male")
KINDS = ("wedge", "biconcave", "crush", "none", "wedge", "crush with retropulsion", "wedge with cleft")
SCANNERS: dict[str, dict[str, Any]] = {
    "thin": {"spacing_zyx": (0.8, 0.7, 0.7), "noise_hu": 25.0, "texture": "ct"},
    "routine": {"spacing_zyx": (1.25, 0.8, 0.8), "noise_hu": 15.0, "texture": "ct"},
    "thick": {"spacing_zyx": (2.5, 0.8, 0.8), "noise_hu": 10.0, "texture": "ct", "slice_thickness_mm": 2.5},
    "low dose": {"spacing_zyx": (1.5, 0.9, 0.9), "noise_hu": 45.0, "texture": "ct", "psf_mm": 0.7},
}


@dataclass(frozen=True, eq=False)
class SuiteCase:
    """One case before it is built."""

    name: str
    sex: str
    age_years: float
    fracture: str
    scanner_name: str
    spec: PhantomSpec
    scanner: Scanner


def suite_case(seed: int, index: int) -> SuiteCase:
    """Case `index` of the suite of `seed`."""
    deck = np.random.default_rng([seed, 7])
    levels, kinds = deck.permutation(LEVELS), deck.permutation(KINDS)
    sexes, scanners = deck.permutation(SEXES), deck.permutation(list(SCANNERS))
    level, kind = str(levels[index % len(levels)]), str(kinds[index % len(kinds)])
    sex, scanner_name = str(sexes[(index + index // 2) % len(sexes)]), str(scanners[index % len(scanners)])
    own = np.random.default_rng([seed, 8, index])
    age = round(float(own.uniform(50.0, 90.0)), 1)
    loss = round(float(own.uniform(20.0, 60.0)), 1)
    scanner = Scanner(**SCANNERS[scanner_name], seed=int(own.integers(2**31)))
    person = int(own.integers(2**31))
    more: dict[str, Any] = {}
    if kind != "none":
        extra: dict[str, Any] = {}
        if "cleft" in kind:
            extra = {"cleft": Cleft("gas" if own.random() < 0.5 else "fluid"), "band_hu": 80.0}
        if "retropulsion" in kind:
            extra = {"retropulsion_mm": round(float(own.uniform(2.0, 5.0)), 1)}
        more = {"fracture": Fracture(kind.split()[0], loss, **extra)}  # type: ignore[arg-type]  # one of the kinds
    bone = "osteoporotic" if kind != "none" else "age"
    spec = draw(level, sex, age, person, target=level, bone=bone, **more)  # type: ignore[arg-type]  # "female" or "male"
    return SuiteCase(f"case_{index:03d}", sex, age, kind, scanner_name, spec, scanner)


def entry(case: SuiteCase, phantom: Phantom, folder: Path) -> dict[str, Any]:
    """What the manifest says of a case."""
    digests = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.iterdir())
        if p.is_file() and p.name != "manifest.json"
    }
    return {
        "name": case.name,
        "target": case.spec.target,
        "target_id": level_id(case.spec.target),
        "sex": case.sex,
        "age_years": case.age_years,
        "fracture": case.fracture,
        "scanner_name": case.scanner_name,
        "spec": plain(case.spec),
        "scanner": plain(case.scanner),
        "truth": plain(phantom.truth.to_dict()),
        "files": digests,
    }


def make_suite(count: int, out: Path, seed: int) -> dict[str, Any]:
    """Build `count` cases into `out` and write the manifest last."""
    cases = []
    for index in range(count):
        start = time.perf_counter()
        case = suite_case(seed, index)
        phantom = make_phantom(case.spec, case.scanner)
        folder = out / case.name
        write_phantom(phantom, folder, lambda f, made=phantom: write_scan(made, f, "nifti"))  # type: ignore[misc]
        cases.append(entry(case, phantom, folder))
        widths = " / ".join(f"{p.width_mm:.1f}" for p in phantom.truth.pedicles.values())
        print(
            f"{case.name}  {case.spec.target:>3}  {case.sex:6} {case.age_years:4.0f} y  {case.fracture:23} "
            f"{phantom.truth.heights.loss_percent:3.0f} %  pedicles {widths:11} mm  {case.scanner_name:8} "
            f"{time.perf_counter() - start:5.1f} s"
        )
    manifest = {"schema": SCHEMA, "seed": seed, "count": count, "cases": cases}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return manifest


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=4, help="number of cases")
    parser.add_argument("--out", type=Path, help="folder for the suite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.n < 1 or options.seed < 0:
        parser.error("--n must be at least 1 and --seed not negative")
    try:
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            make_suite(options.n, options.out, options.seed)
            print(f"wrote {options.out / 'manifest.json'}")
        else:
            with tempfile.TemporaryDirectory() as folder:
                make_suite(options.n, Path(folder), options.seed)
    except TrajplanError as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
