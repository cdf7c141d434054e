"""Time and size of the report and of every export of the demo phantom, targets beside measured."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from trajplan.case import CaseRequest, run_case
from trajplan.exports.handover import hand_over
from trajplan.hand_on import KINDS, write_exports
from trajplan.planning.plan import PlanSettings
from trajplan.reading.scan import Scan
from trajplan.reporting.write import write_report
from trajplan_phantoms import demo_phantom

TARGET_S = 10.0


def main() -> None:
    """Plan once, then write everything and tell how long it took."""
    phantom = demo_phantom()
    scan = Scan.of_volume(phantom.ct, path_name="demo phantom", kind="phantom")
    result = run_case(scan, CaseRequest("L1", None, phantom.labels, "phantom truth labels", PlanSettings()))
    print("| what | target | wall s | CPU s | files | MB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan"
        for number in ("first", "again"):
            wall, cpu = time.perf_counter(), time.process_time()
            files = write_report(result, plan)
            _row(f"report, {number}", f"{TARGET_S:g} s", wall, cpu, files)
        for name in ("report.html", "report.pdf"):
            print(f"| {name} | - | | | 1 | {(plan / name).stat().st_size / 1e6:.2f} |")
        handover = hand_over(plan / "plan.json", scan.volume, scan.sha256)
        for kind in KINDS:
            wall, cpu = time.perf_counter(), time.process_time()
            files = write_exports(handover, (kind,), Path(folder) / kind)
            _row(f"export {kind}", "-", wall, cpu, files)


def _row(what: str, target: str, wall: float, cpu: float, files: list[Path]) -> None:
    size = sum(path.stat().st_size for path in files) / 1e6
    took, worked = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {what} | {target} | {took:.1f} | {worked:.1f} | {len(files)} | {size:.2f} |", flush=True)


if __name__ == "__main__":
    main()
