"""Plans on real scans by their reference labels: which sides are planned, how, and why others are refused.

Run: ``python benchmarks/plan_real.py --data FOLDER [--out FOLDER]`` with ct/lidc0001 and ct/ts_lumbar3mm in FOLDER;
``--out`` also writes the report of each vertebra, whose pictures are what to judge the table by.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.reading import Scheme, read_labels, read_scan
from trajplan.reporting.write import write_report

CASES = (
    ("lidc0001", ("T9", "T10", "T11", "T12", "L1", "L2")),
    ("ts_lumbar3mm", ("L1", "L2", "L3", "L4", "L5")),
)


def table(name: str, level: str, result: CaseResult) -> list[str]:
    """One line a side and approach."""
    where = f"{name:13} {level:4}"
    lines = []
    offered = {(t.side, t.approach): t for t in result.trajectories}
    for o in result.options:
        mark = "*" if (o.side, o.approach) in offered else " "
        if o.path is None:
            lines.append(f"{where}{mark}{o.side!s:6}{o.approach:15}refused  {o.code}")
            continue
        path = offered.get((o.side, o.approach), o.path)
        lines.append(
            f"{where}{mark}{o.side!s:6}{o.approach:15}{path.verdict!s:8} {path.gertzbein_robbins} clearance "
            f"{path.clearance.min_mm:5.2f} mm, breach {100 * path.breach.any:5.1f} %, {'; '.join(path.reasons)[:110]}"
        )
    told = [f"{where} {r.side or 'both'!s:6}{r.approach:15}{r.message[:150]}" for r in result.refusals]
    return lines + told


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--levels", default="", help="only these, comma-separated")
    given = parser.parse_args()
    only = [level for level in given.levels.split(",") if level]
    print("* offered; verdict, grade and clearance are on the reference labels")
    for name, levels in CASES:
        folder = given.data / "ct" / name
        if not folder.exists():
            print(f"{name}: not found under --data")
            continue
        scan = read_scan(folder / "ct.nii.gz")
        labels = read_labels(folder / "vertebrae_verse.nii.gz", Scheme.VERSE)
        for level in levels:
            if only and level not in only:
                continue
            result = run_case(scan, CaseRequest(level, None, labels, "reference labels"))
            print("\n".join(table(name, level, result)), flush=True)
            if given.out is not None:
                write_report(result, given.out / f"{name}_{level}")


if __name__ == "__main__":
    main()
