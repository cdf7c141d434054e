"""Is every vertebra found without a seed, is none invented, and are they named right? Prints a table.

    python benchmarks/column.py --data ../shared/data            # real scans and phantoms
    python benchmarks/column.py --only phantom --people 4        # phantoms only, four people a kind

A vertebra is wholly visible when its reference label stays clear of the border of the scan. It is found when a body's
centre lies within 5 mm of the reference's (phantoms: exact; real scans: centroid of the labels' body part). What is
found and belongs to no reference vertebra is false; scans that are labelled in part cannot tell. Every case is searched
in its own process, whose peak memory includes the scan. Seconds depend on what else the machine does, CPU seconds (all
threads together) hardly. Names are compared for cut vertebrae too.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_column import find_column_by_network
from trajplan.anatomy.scan_edge import cut_sides
from trajplan.errors import AnatomyError, TrajplanError
from trajplan.exports.column_facts import level_facts
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.pieces import thickest
from trajplan.geometry.resample import resample_mask
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan.parts import Part
from trajplan.reading.labels import read_labels
from trajplan.reading.read import read_scan
from trajplan.reading.schemes import Scheme
from trajplan_phantoms import Scanner, make_phantom
from trajplan_phantoms.population import draw
from trajplan_phantoms.spine import build_spine

Points = npt.NDArray[np.float64]
NEAR_MM, SAME_MM = 5.0, 12.0
SACRUM_MM = 20.0
"""Of the sacrum in view: its wings are."""

FIRST_SEED = 300_000
"""Never trained on, and not among those the thresholds were looked at on (100 001 to 100 009)."""

SPINE = (*(f"T{n}" for n in range(4, 13)), "L1", "L2", "L3", "L4", "L5", "S1")
LOOKED_FOR = {*SPINE[:-1], "T13", "L6"}
REAL = {
    "lidc0001": ("vertebrae_verse.nii.gz", None),
    "ts_lumbar3mm": ("vertebrae_verse.nii.gz", None),
    "ts_chest_stent": ("vertebrae_T12.nii.gz", "T12"),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A scan with the centres of its reference vertebrae, and which of them are wholly visible.

    `agrees` is whether both anchors are in view and say the same: only then may the names be offered as agreed.
    """

    name: str
    ct: Volume
    centers: dict[str, Points]
    whole: set[str]
    complete: bool = True
    agrees: bool = False


def part(first: str, last: str, extra: str = "") -> tuple[str, ...]:
    """Levels from top to bottom; T13 or L6 put in where asked for."""
    levels = list(SPINE[SPINE.index(first) : SPINE.index(last) + 1])
    if extra:
        levels.insert(levels.index("T12" if extra == "T13" else "L5") + 1, extra)
    return tuple(levels)


KINDS: dict[str, dict[str, Any]] = {
    "T10-S1 fractured": {"levels": part("T10", "S1"), "target": "L1", "fracture": "wedge", "height_loss_percent": 45.0},
    "T10-S1 crushed, porotic": {
        "levels": part("T10", "S1"), "target": "L2", "fracture": "crush", "height_loss_percent": 60.0,
        "bone": "osteoporotic",
    },
    "T8-L3, no sacrum": {"levels": part("T8", "L3"), "target": "T12", "fracture": "biconcave",
                         "height_loss_percent": 40.0},
    "T4-T11, neither": {"levels": part("T4", "T11"), "target": "T8", "fracture": "wedge", "height_loss_percent": 40.0},
    "L1-S1, no rib": {"levels": part("L1", "S1"), "target": "L3"},
    "T13": {"levels": part("T10", "S1", "T13"), "target": "L1", "transition": "T13"},
    "L6": {"levels": part("T10", "S1", "L6"), "target": "L1", "transition": "L6"},
    "sacralised L5": {"levels": part("T11", "S1"), "target": "L2", "transition": "sacralised L5"},
    "T4-S1": {"levels": part("T4", "S1"), "target": "T9", "fracture": "crush", "height_loss_percent": 40.0},
}  # fmt: skip
AGREEING = {"T10-S1 fractured", "T10-S1 crushed, porotic", "T4-S1"}


def phantom_cases(people: int) -> Iterator[Case]:
    """Drawn people with ribs and, where asked, a sacrum; the second of each kind is cut at both ends."""
    for kind, (name, asked) in enumerate(KINDS.items()):
        for n in range(people):
            rng = np.random.default_rng([FIRST_SEED, kind, n])
            spacing = float(rng.choice([1.0, 1.5, 2.5]))
            for attempt in range(30):
                options = {**asked, "seed": FIRST_SEED + 1000 * kind + 30 * n + attempt, "surroundings": "full"}
                try:
                    spec = draw(
                        age_years=float(rng.uniform(50, 88)), aorta_hu=float(rng.choice([45.0, 280.0])), **options
                    )
                    phantom = make_phantom(spec, Scanner((spacing, 0.8, 0.8), noise_hu=20.0, seed=n))
                except TrajplanError:
                    continue
                spine = build_spine(spec)
                own = np.array([place.to_patient(np.zeros(3)) for place in spine.placements])
                centers = dict(zip(spec.levels, spec.pose.to_world(own), strict=True))
                broken = np.argwhere(phantom.parts.array == Part.BODY)  # a crushed body is not centred where it was
                centers[spec.target] = phantom.parts.grid.index_to_world(broken.mean(axis=0))
                ct, labels = phantom.ct, phantom.labels
                if n % 2:
                    cut = round(26.0 / spacing)
                    low, high = [cut, 0, 0], [len(ct.array) - cut, *ct.array.shape[1:]]
                    ct, labels = ct.cropped(low, high), labels.cropped(low, high)
                title = f"phantom {name}, {spacing:g} mm" + (", cut" if n % 2 else "")
                agrees = name in AGREEING and height_in_view_mm(labels, "S1") >= SACRUM_MM
                yield Case(title, ct, centers, wholly_visible(labels, ct.grid), agrees=agrees)
                break


def real_cases(data: Path) -> Iterator[Case]:
    """The labelled scans."""
    for folder, (file, level) in REAL.items():
        base = data / "ct" / folder
        ct = read_scan(base / "ct.nii.gz").volume
        identifier = level_id(level) if level else None
        labels = read_labels(base / file, Scheme.MASK if level else Scheme.VERSE, level_id=identifier)
        centers = {LEVEL_NAMES[i]: real_center(ct, labels, i) for i in labels.ids()}
        agrees = folder == "ts_lumbar3mm"
        yield Case(folder, ct, centers, wholly_visible(labels, ct.grid), level is None, agrees)


def real_center(ct: Volume, labels: LabelMap, identifier: int) -> Points:
    """Centroid of the body part that the measuring step splits off; of a cut vertebra the label's thickest place."""
    try:
        one = measure_vertebra(ct, labels, identifier, level=None, level_confirmed=False, source="benchmark")
    except AnatomyError:
        points = labels.grid.index_to_world(np.argwhere(labels.array == identifier))
        grid = Grid.isotropic(points.min(axis=0) - 3.0, points.max(axis=0) + 3.0, 1.5)
        return grid.index_to_world(thickest(resample_mask(labels.array == identifier, labels.grid, grid) > 0.5))
    return one.parts.grid.index_to_world(np.argwhere(one.parts.array == Part.BODY).mean(axis=0))


def height_in_view_mm(labels: LabelMap, level: str) -> float:
    """How much of a level the scan holds, from head to feet."""
    seen = (labels.array == level_id(level)).any(axis=(1, 2))
    return int(np.count_nonzero(seen)) * float(labels.grid.spacing_zyx[0])


def wholly_visible(labels: LabelMap, scan: Grid) -> set[str]:
    """Levels whose label keeps clear of the border of the scan."""
    return {LEVEL_NAMES[i] for i in labels.ids() if not cut_sides(labels, i, scan)} & LOOKED_FOR


def search(file: Path) -> None:
    """In a process of its own: search the scan in `file` and print what was found."""
    with np.load(file) as stored:
        ct = Volume(stored["array"], Grid(stored["array"].shape, stored["origin"], stored["spacing"]))
    start, busy = time.perf_counter(), time.process_time()
    facts: dict[str, Any] = {"centers": [], "names": [], "status": "", "reasons": []}
    try:
        column = find_column_by_network(ct, lambda share, what: None)
        facts = level_facts(column.levels()) | {"centers": [one.center_lps.tolist() for one in column.vertebrae]}
    except AnatomyError as refused:
        facts["reasons"] = [f"{refused}"]
    facts |= {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy}
    facts["memory_gb"] = peak_gb()
    sys.stdout.write(json.dumps(facts))


def peak_gb() -> float:
    """Peak memory of this process; where Linux does not tell, that of the heaviest ancestor may be counted in."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    told = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return (told[0] if told else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1e6


def grade(case: Case, folder: Path) -> dict[str, Any]:
    """Search a case and compare with its reference."""
    file = folder / "scan.npz"
    np.savez(file, array=case.ct.array, origin=case.ct.grid.origin_lps, spacing=case.ct.grid.spacing_zyx)
    ran = subprocess.run([sys.executable, __file__, "--search", str(file)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    centers = np.array(found["centers"]).reshape(-1, 3)
    errors: dict[str, float] = {}
    right = wrong = unnamed = 0
    for level in sorted(LOOKED_FOR & set(case.centers), key=lambda name: -case.centers[name][2]):
        distance = np.linalg.norm(centers - case.centers[level], axis=1)
        k = int(np.argmin(distance)) if len(distance) else -1
        error = float(distance[k]) if k >= 0 else np.inf
        if level in case.whole:
            errors[level] = error
        if error <= (NEAR_MM if level in case.whole else SAME_MM):
            name = found["names"][k]
            right, wrong, unnamed = right + (name == level), wrong + (name not in (level, None)), unnamed + (not name)
    known = np.array(list(case.centers.values()))
    false = [c for c in centers if np.linalg.norm(known - c, axis=1).min() > SAME_MM] if case.complete else []
    missed = [level for level, error in errors.items() if error > NEAR_MM]
    return found | {
        "errors": [e for e in errors.values() if e <= NEAR_MM], "missed": missed, "whole": len(case.whole),
        "false": len(false), "right": right, "wrong": wrong, "unnamed": unnamed,
        "offered": found["status"] == "agreed", "should": case.agrees,
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--only", choices=("real", "phantom"))
    parser.add_argument("--people", type=int, default=2, help="phantoms of each kind")
    parser.add_argument("--large", action="store_true", help="one scan of 512 x 512 x 300 only, for time and memory")
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.search:
        search(given.search)
        return
    cases = [large_case()] if given.large else chosen_cases(given.data, given.only, given.people)
    total: list[dict[str, Any]] = []
    print(f"{'scan':44} whole found missed false  mm median/worst  right wrong none  levels       s  cpu s   GB")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            one = grade(case, Path(folder))
            total.append(one)
            print(_line(case.name, one), flush=True)
            for reason in one["reasons"]:
                print(f"{'':10}{reason}")
    print(_line("all", _sum(total)))
    whole, found = sum(t["whole"] for t in total), sum(len(t["errors"]) for t in total)
    wrongly = sum(t["offered"] and (t["wrong"] > 0 or not t["should"]) for t in total)
    print(f"\ncentres within 5 mm: {100 * found / max(1, whole):.1f} % of {whole} (97 % asked); "
          f"false: {sum(t['false'] for t in total)} (0 asked); names offered as agreed and wrong, or without both "
          f"anchors: {wrongly} (0 asked); agreed where both anchors are in view: "
          f"{sum(t['offered'] and t['should'] for t in total)} of {sum(t['should'] for t in total)}")  # fmt: skip


def chosen_cases(data: Path | None, only: str | None, people: int) -> Iterator[Case]:
    """Real scans where there is data, then phantoms."""
    if data is not None and only != "phantom":
        yield from real_cases(data)
    if only != "real":
        yield from phantom_cases(people)


def large_case() -> Case:
    """T4 to S1 in a scan of 512 x 512 x about 300."""
    spec = draw(part("T4", "S1"), age_years=70.0, seed=FIRST_SEED, target="L1", surroundings="full")
    phantom = make_phantom(spec, Scanner((1.45, 0.684, 0.684), noise_hu=20.0, fov_mm=350.0, padding_hu=-1024))
    own = np.array([place.to_patient(np.zeros(3)) for place in build_spine(spec).placements])
    centers = dict(zip(spec.levels, spec.pose.to_world(own), strict=True))
    size = " x ".join(map(str, phantom.ct.grid.shape_zyx[::-1]))
    return Case(size, phantom.ct, centers, wholly_visible(phantom.labels, phantom.ct.grid), agrees=True)


def _line(name: str, one: dict[str, Any]) -> str:
    errors = one["errors"] or [np.nan]
    missed = ",".join(one["missed"]) if len(one["missed"]) <= 2 else str(len(one["missed"]))
    return (
        f"{name[:44]:44} {one['whole']:5} {len(one['errors']):5} {missed or '0':>6} {one['false']:5}  "
        f"{np.median(errors):6.1f} / {np.max(errors):4.1f}   {one['right']:5} {one['wrong']:5} {one['unnamed']:4}  "
        f"{one['status']:11} {one['seconds']:5.1f} {one['cpu_seconds']:5.1f} {one['memory_gb']:5.2f}"
    )


def _sum(total: list[dict[str, Any]]) -> dict[str, Any]:
    joined = {
        k: sum(t[k] for t in total) for k in ("whole", "false", "right", "wrong", "unnamed", "seconds", "cpu_seconds")
    }
    joined |= {k: [e for t in total for e in t[k]] for k in ("errors", "missed")}
    return joined | {"status": "", "memory_gb": max((t["memory_gb"] for t in total), default=0.0)}


if __name__ == "__main__":
    main()
