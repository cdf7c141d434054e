"""Plan a real scan from a label map, e.g. one made by TotalSegmentator, and write the report."""

from __future__ import annotations

import sys
from pathlib import Path

from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.levels import level_id
from trajplan.reading import Scheme, read_labels, read_scan
from trajplan.reporting.write import write_report


def plan_from_labels(ct: Path, labels: Path, scheme: str, level: str, out: Path) -> CaseResult:
    """Read both files, plan the level and write report.html, report.pdf, plan.json and pictures to `out`."""
    scan = read_scan(ct)
    label_map = read_labels(labels, Scheme(scheme), level_id=level_id(level))
    result = run_case(scan, CaseRequest(level=level, labels=label_map, labels_source=labels.name))
    write_report(result, out)
    for path in result.trajectories:
        print(f"{path.side}: {path.verdict}, clearance {path.clearance.min_mm:.1f} mm, {'; '.join(path.reasons)}")
    for refusal in result.refusals:
        print(f"refused: {refusal.message}")
    return result


if __name__ == "__main__":
    if len(sys.argv) != 6:
        raise SystemExit("usage: plan_from_labels.py CT LABELS verse|totalseg-v2|totalseg-v1|mask LEVEL OUT")
    plan_from_labels(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5]))
