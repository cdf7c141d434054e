"""Grade the planner on a phantom suite: every case is planned from its labels and judged by the exact truth.

Run: ``python benchmarks/grade_planner.py [--suite DIR | --n 4 --seed 1] [--json FILE]``. The table says, for each side,
the verdict, the Gertzbein-Robbins grade of the planned path against the truth, the planned and the true clearance
(deeper than 4 mm behind the isthmus, where the needle has entered the bone) and how far the plan over-states it.
Planned clearance may be smaller than the truth; over-statement is what matters.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from phantom_suite import SCHEMA, make_suite, suite_case

from trajplan.case import CaseRequest, run_case
from trajplan.planning.plan import Trajectory
from trajplan.reading import Scheme, read_labels, read_scan
from trajplan_phantoms import Scanner, Truth, make_phantom

TRUTH_ONLY = Scanner((5.0, 5.0, 5.0), noise_hu=0.0)
"""The truth does not depend on the voxels: the coarsest scan is the quickest way to it."""


@dataclass(frozen=True)
class Row:
    """One side of one case."""

    case: str
    target: str
    side: str
    verdict: str
    code: str
    grade: str
    planned_mm: float
    true_mm: float
    seconds: float

    @property
    def over_mm(self) -> float:
        """By how much the plan over-states its clearance."""
        return self.planned_mm - self.true_mm


def grade_of(breach_mm: float) -> str:
    """Gertzbein-Robbins grade of a breach: A none, B below 2, C below 4, D below 6, E from 6 mm."""
    if breach_mm <= 0.0:
        return "A"
    return next((g for g, limit in (("B", 2.0), ("C", 4.0), ("D", 6.0)) if breach_mm < limit), "E")


def judged(name: str, truth: Truth, path: Trajectory, seconds: float) -> Row:
    """A planned path against the truth."""
    isthmus = truth.pedicles[path.side].isthmus_center_lps
    depth_mm = max(0.0, float((isthmus - path.entry_lps) @ path.direction_lps) - 4.0)
    profile = path.clearance.profile
    deeper = profile[profile[:, 0] >= depth_mm, 1]
    return Row(
        name, truth.level, str(path.side), str(path.verdict), "",
        grade_of(truth.breach_mm(path.capsule, depth_mm)),
        float(deeper.min()) if len(deeper) else path.clearance.min_mm,
        truth.true_clearance(path.capsule, depth_mm), seconds,
    )  # fmt: skip


def rows_of(folder: Path) -> Iterator[Row]:
    """Plan every case of a suite."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest.get("schema") != SCHEMA:
        raise SystemExit(f"{folder} holds no phantom suite ({SCHEMA})")
    for index, described in enumerate(manifest["cases"]):
        truth = make_phantom(suite_case(manifest["seed"], index).spec, TRUTH_ONLY).truth
        if abs(truth.heights.ha_mm - described["truth"]["heights"]["ha_mm"]) > 1e-3:
            raise SystemExit(f"{described['name']} was made by another version of the phantoms: make the suite again")
        start = time.perf_counter()
        scan = read_scan(folder / described["name"] / "ct.nii.gz")
        labels = read_labels(folder / described["name"] / "labels.nii.gz", Scheme.VERSE)
        result = run_case(scan, CaseRequest(described["target"], None, labels, "suite labels"))
        seconds = time.perf_counter() - start
        for path in result.trajectories:
            yield judged(described["name"], truth, path, seconds)
        nan = float("nan")
        for refusal in result.refusals:
            side = str(refusal.side) if refusal.side else "both"
            yield Row(described["name"], truth.level, side, "refused", refusal.code, "-", nan, nan, seconds)


def summary(rows: list[Row]) -> str:
    """Counts, the worst over-statement, time a case."""
    planned = [r for r in rows if r.verdict != "refused"]
    sides = Counter(r.verdict for r in rows)
    grades = Counter(r.grade for r in planned)
    refused = Counter(r.code for r in rows if r.verdict == "refused")
    times = {r.case: r.seconds for r in rows}
    lines = [
        "verdicts: " + ", ".join(f"{k} {v}" for k, v in sorted(sides.items())),
        "grades against the truth: " + (", ".join(f"{k} {v}" for k, v in sorted(grades.items())) or "none planned"),
        "refusals: " + (", ".join(f"{k} {v}" for k, v in refused.most_common()) or "none"),
    ]
    if planned:
        over = max(planned, key=lambda r: r.over_mm)
        lines.append(
            f"clearance over-stated by at most {over.over_mm:.2f} mm ({over.case} {over.side}); mean planned minus "
            f"true {sum(r.over_mm for r in planned) / len(planned):.2f} mm"
        )
    lines.append(f"time: {sum(times.values()) / max(len(times), 1):.1f} s a case")
    return "\n".join(lines)


def grade(folder: Path) -> list[Row]:
    """Print the table of a suite and return its rows."""
    print(
        f"{'case':9} {'level':5} {'side':6} {'verdict':8} {'grade':5} {'planned':>8} {'true':>8} {'over':>7}  refusal"
    )
    rows = []
    for row in rows_of(folder):
        figures = (
            " " * 25 if row.verdict == "refused" else f"{row.planned_mm:8.2f} {row.true_mm:8.2f} {row.over_mm:7.2f}"
        )
        print(
            f"{row.case:9} {row.target:5} {row.side:6} {row.verdict:8} {row.grade:5} {figures}  {row.code}", flush=True
        )
        rows.append(row)
    print(summary(rows))
    return rows


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", type=Path, help="folder made by phantom_suite.py; a new suite is made otherwise")
    parser.add_argument("--n", type=int, default=3, help="cases of a new suite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the rows here")
    options = parser.parse_args()
    if options.suite is not None:
        rows = grade(options.suite)
    else:
        with tempfile.TemporaryDirectory() as folder:
            make_suite(options.n, Path(folder), options.seed)
            rows = grade(Path(folder))
    if options.json is not None:
        told = [{k: None if v != v else v for k, v in asdict(r).items()} for r in rows]
        options.json.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
