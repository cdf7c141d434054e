"""Plan both pedicles of a fractured phantom and compare the plan with the phantom's exact truth."""

from __future__ import annotations

from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.reading.scan import Scan
from trajplan_phantoms import Scanner, make_phantom, named


def plan_phantom(name: str = "wedge-L1") -> CaseResult:
    """Build the named phantom, plan it from its own labels and print planned against true clearance."""
    phantom = make_phantom(named(name), Scanner(spacing_zyx=(1.0, 0.9, 0.9), seed=1))
    scan = Scan.of_volume(phantom.ct, path_name=name, kind="phantom")
    request = CaseRequest(level=phantom.truth.level, labels=phantom.labels, labels_source="phantom truth")
    result = run_case(scan, request)
    for path in result.trajectories:
        true_mm = phantom.truth.true_clearance(path.capsule, from_depth_mm=path.length_in_bone_mm / 3)
        print(
            f"{path.side}: {path.verdict}, grade {path.gertzbein_robbins}, planned clearance "
            f"{path.clearance.min_mm:.2f} mm, true clearance of the deeper two thirds {true_mm:.2f} mm"
        )
    for refusal in result.refusals:
        print(f"refused: {refusal.message}")
    return result


if __name__ == "__main__":
    plan_phantom()
