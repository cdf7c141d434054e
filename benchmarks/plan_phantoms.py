"""Plans on phantoms graded against their exact truth: is what the planner says ever better than what is so?

Run: ``python benchmarks/plan_phantoms.py [--n 16] [--seed 1] [--only 3,7] [--slices MM]``. Every phantom (level,
fracture, pedicle widths, pose, voxel size, noise) comes from the seed; ``--slices 3`` makes all slices that thick. Its
scan and labels go through the whole case on the label route; paths are graded on the phantom's functions from 4 mm
behind the true isthmus on. One line a side, then a summary: worst over-statement of clearance, safe verdicts with a
true breach, refusals of pedicles wide enough, re-check failures.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.errors import AnatomyError, InputError
from trajplan.exports.plan_json import plan_document
from trajplan.geometry.resample import canonical
from trajplan.parts import Side
from trajplan.planning.plan import PlanSettings, Refusal, Trajectory, Verdict
from trajplan.reading.scan import Scan
from trajplan.verification.check_line import CheckLine
from trajplan.verification.recheck import recheck
from trajplan_phantoms import Phantom, PhantomSpec, Pose, Scanner, make_phantom

LEVELS = ("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
FRACTURES = ("none", "wedge", "biconcave", "crush")
BEFORE_ISTHMUS_MM = 4.0
"""Graded from here on: before it the instrument is still on its way into the pedicle."""

SPARE_MM = 1.0
"""A pedicle this much wider than needed should not be refused for its width."""

OVERSTATED_MM = 0.3


@dataclass(frozen=True)
class Grade:
    """One side of one phantom: what was planned and what is so. None where there is no path."""

    side: Side
    verdict: str
    planned_mm: float | None
    true_mm: float | None
    breach_mm: float
    grade: str
    true_grade: str
    width_mm: float
    true_width_mm: float
    code: str
    refused_wide: bool
    failed_checks: tuple[CheckLine, ...]
    canal_overstated_mm: float | None = None

    @property
    def overstated_mm(self) -> float | None:
        """Planned minus true clearance; positive is the dangerous way."""
        return None if self.planned_mm is None or self.true_mm is None else self.planned_mm - self.true_mm


def specs(count: int, seed: int) -> list[tuple[PhantomSpec, Scanner]]:
    """Phantoms of every kind, from one seed."""
    rng = np.random.default_rng(seed)
    out: list[tuple[PhantomSpec, Scanner]] = []
    while len(out) < count:
        k = len(out)
        level = LEVELS[int(rng.integers(len(LEVELS)))]
        at = LEVELS.index(level)
        neighbours = LEVELS[max(at - 1, 0) : at + 2]
        fracture = FRACTURES[k % 4]
        left = float(rng.uniform(4.5, 12.0))
        right = float(np.clip(left * rng.uniform(0.75, 1.33), 4.5, 12.0))
        axis = rng.normal(size=3)
        turn = Rotation.from_rotvec(np.radians(rng.uniform(0, 20)) * axis / np.linalg.norm(axis))
        in_plane = float(rng.uniform(0.7, 1.1))
        spacing = (float(rng.uniform(0.7, 2.5)), in_plane, in_plane)
        loss = 0.0 if fracture == "none" else float(rng.uniform(15, 60))
        mirror = bool(rng.random() < 0.5)
        noise = float(rng.uniform(5, 40))
        pose = Pose(turn.as_matrix(), rng.uniform(-0.5, 0.5, 3), mirror)
        try:
            spec = PhantomSpec(
                target=level,
                levels=neighbours,
                fracture=fracture,
                height_loss_percent=loss,
                pedicle_width_mm_left=left,
                pedicle_width_mm_right=right,
                pose=pose,
            )
        except InputError:
            continue  # a pedicle too wide for this level: draw again
        out.append((spec, Scanner(spacing, noise, seed=seed + k)))
    return out


def describe(number: int, spec: PhantomSpec, scanner: Scanner) -> str:
    """What the phantom is, in one line."""
    angle = np.degrees(Rotation.from_matrix(spec.pose.rotation).magnitude())
    z, y, _ = scanner.spacing_zyx
    return (
        f"#{number} {spec.target} {spec.fracture} {spec.height_loss_percent:.0f} %, pedicles "
        f"{spec.pedicle_width_mm_left:.1f}/{spec.pedicle_width_mm_right:.1f} mm, turned {angle:.0f} deg"
        f"{', mirrored' if spec.pose.mirror else ''}, voxels {z:.1f} x {y:.1f} mm, noise {scanner.noise_hu:.0f} HU"
    )


def gertzbein_robbins(breach_mm: float) -> str:
    """A none, B < 2, C < 4, D < 6, E."""
    return "A" if breach_mm <= 0 else "ABCDE"[1 + int(np.searchsorted([2, 4, 6], breach_mm, side="right"))]


def grade_path(t: Trajectory, phantom: Phantom, result: CaseResult, failed: tuple[CheckLine, ...]) -> Grade:
    """One path against the phantom's functions."""
    truth = phantom.truth
    isthmus = truth.pedicles[t.side].isthmus_center_lps
    start = float((isthmus - t.entry_lps) @ t.direction_lps) - BEFORE_ISTHMUS_MM
    breach = truth.breach_mm(t.capsule, from_depth_mm=start)
    # the canal counts from the entry on; its implicit value is a distance near its wall
    _, along = t.capsule.points_along(0.25)
    true_canal = float(truth.canal_value(along).min()) - t.capsule.radius_mm
    canal = None if t.clearance.canal_mm is None else t.clearance.canal_mm - true_canal
    measured = result.vertebra.pedicles[t.side].width_mm if result.vertebra else float("nan")
    return Grade(
        t.side, str(t.verdict), t.clearance.min_mm, truth.true_clearance(t.capsule, from_depth_mm=start), breach,
        t.gertzbein_robbins, gertzbein_robbins(breach), measured, truth.pedicles[t.side].width_mm,
        "; ".join(t.reasons)[:90], False, failed, canal,
    )  # fmt: skip


def grade_refusal(r: Refusal, side: Side, phantom: Phantom, result: CaseResult, settings: PlanSettings) -> Grade:
    """A refusal: was the pedicle truly wide enough?"""
    true_width = phantom.truth.pedicles[side].width_mm
    needed = settings.instrument.outer_diameter_mm + 2 * settings.wall_margin_mm + SPARE_MM
    known = result.vertebra.pedicles.get(side) if result.vertebra else None
    return Grade(
        side, "refused", None, None, 0.0, "-", "-", known.width_mm if known else float("nan"), true_width,
        f"{r.code} ({r.approach}): {r.message}"[:110], true_width >= needed, (),
    )  # fmt: skip


def check_document(result: CaseResult) -> dict[str, tuple[CheckLine, ...]]:
    """What the independent re-check finds wrong, by side."""
    if result.vertebra is None or not result.trajectories:
        return {}
    document = plan_document(result).model_dump(mode="json")
    lines = [line for line in recheck(document, result.vertebra.parts, result.scan.sha256) if not line.agrees]
    return {side: tuple(line for line in lines if line.name.startswith(side)) for side in ("left", "right")}


def grade_case(spec: PhantomSpec, scanner: Scanner) -> tuple[list[Grade], CaseResult, Phantom, float]:
    """Make, plan and grade one phantom; seconds are those of the case alone."""
    phantom = make_phantom(spec, scanner)
    scan = Scan.of_volume(phantom.ct, path_name="phantom", kind="phantom")
    labels = canonical(phantom.labels)
    request = CaseRequest(spec.target, None, labels, "phantom truth labels", PlanSettings())
    start = time.perf_counter()
    result = run_case(scan, request)
    seconds = time.perf_counter() - start
    failed = check_document(result)
    grades = [grade_path(t, phantom, result, failed.get(str(t.side), ())) for t in result.trajectories]
    for r in result.refusals:
        grades += [grade_refusal(r, side, phantom, result, request.settings) for side in ([r.side] if r.side else Side)]
    return grades, result, phantom, seconds


def anatomy_line(result: CaseResult, phantom: Phantom) -> str:
    """Measured against true frame and height loss."""
    v, truth = result.vertebra, phantom.truth
    if v is None:
        return "    not measured"
    turn = np.degrees(Rotation.from_matrix(v.frame.rotation @ truth.frame.rotation.T).magnitude())
    off = {
        str(s): float(np.linalg.norm(v.pedicles[s].isthmus_center_lps - truth.pedicles[s].isthmus_center_lps))
        for s in v.pedicles
    }
    loss = "-" if v.heights.loss_percent is None else f"{v.heights.loss_percent:.0f}"
    isthmus = ", ".join(f"{s} {mm:.1f}" for s, mm in off.items())
    return (
        f"    frame off {turn:.1f} deg, isthmus off {isthmus} mm, height loss {loss} % (true "
        f"{truth.heights.loss_percent:.0f} %), confidence {v.confidence.score:.2f}, canal/body touched edge "
        f"{v.touches_edge}; times {dict(result.timings_s)}"
    )


def show(g: Grade) -> str:
    """One line of the table."""
    text = f"  {g.side!s:5} {g.verdict:8} width {g.width_mm:5.1f} (true {g.true_width_mm:5.1f})"
    if g.planned_mm is not None and g.overstated_mm is not None:
        text += (
            f"  clearance {g.planned_mm:5.2f}, true {g.true_mm:5.2f}, over-stated {g.overstated_mm:+5.2f} mm, "
            f"canal {g.canal_overstated_mm or 0:+5.2f}, GR {g.grade}, true {g.true_grade}"
        )
    text += f"  {g.code}"
    if g.refused_wide:
        text += "  <- wide enough"
    return text + "".join(f"\n        re-check {line.sentence()}" for line in g.failed_checks)


def summary(grades: list[Grade], seconds: list[float], broken: int) -> str:
    """What matters, over all cases."""
    over = [g.overstated_mm for g in grades if g.overstated_mm is not None]
    canal = [g.canal_overstated_mm for g in grades if g.canal_overstated_mm is not None]
    safe = [g for g in grades if g.verdict == Verdict.SAFE]
    clear = min((g.true_mm for g in safe if g.true_mm is not None), default=float("nan"))
    lines = (
        f"paths {len(over)}, of these safe {len(safe)}; refusals {sum(g.verdict == 'refused' for g in grades)}",
        f"clearance over-stated: worst {max(over, default=0):+.2f} mm, median {np.median(over or [0]):+.2f} mm",
        f"canal clearance over-stated: worst {max(canal, default=0):+.2f} mm",
        f"over-stated by more than {OVERSTATED_MM} mm: {sum(o > OVERSTATED_MM for o in over)}",
        f"safe verdicts with a true breach: {sum(g.breach_mm > 0 for g in safe)}",
        f"smallest true clearance of a safe path: {clear:.2f} mm",
        f"refused although {SPARE_MM:.0f} mm wider than needed: {sum(g.refused_wide for g in grades)}",
        f"paths that fail the re-check: {sum(bool(g.failed_checks) for g in grades)}",
        f"cases that ended in an error: {broken}",
        f"seconds a case: median {np.median(seconds or [0]):.1f}, worst {max(seconds, default=0):.1f}",
    )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="numbers of the cases to run, comma-separated")
    parser.add_argument("--slices", type=float, help="slice spacing of every phantom, mm")
    given = parser.parse_args()
    only = {int(k) for k in given.only.split(",") if k}
    grades: list[Grade] = []
    seconds: list[float] = []
    broken = 0
    for number, (spec, scanner) in enumerate(specs(given.n, given.seed)):
        if only and number not in only:
            continue
        if given.slices:
            scanner = dataclasses.replace(scanner, spacing_zyx=(given.slices, *scanner.spacing_zyx[1:]))
        print(describe(number, spec, scanner), flush=True)
        try:
            found, result, phantom, took = grade_case(spec, scanner)
        except (AnatomyError, InputError) as error:
            broken += 1
            print(f"  ended in an error: {error}", flush=True)
            continue
        print(f"{anatomy_line(result, phantom)}; {took:.1f} s", flush=True)
        for note in result.notes:
            print(f"    note: {note}")
        for g in found:
            print(show(g), flush=True)
        grades += found
        seconds.append(took)
    print(summary(grades, seconds, broken))


if __name__ == "__main__":
    main()
