"""How good the planner is, against the exact truth of phantoms: the figures of docs/planning.md, printed as tables.

Run: ``python benchmarks/planning.py [--cases 24] [--seed 1] [--work FOLDER] [--masks labels] [--only suite,...]``.
Cases T6 to L5 on 1 mm voxels (all fracture kinds, both sexes), planned from their own labels or, with ``--masks
network`` or ``simpleitk``, from what that back-end finds in the scan. What was found of each case is kept in the work
folder, a few kilobytes a case: a run that was stopped goes on where it was, several may share the folder (``--part
0/2`` and ``--part 1/2``), and ``--kept`` prints the tables of what is there without running a case.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from _plan_breach import brute_force
from _plan_optimum import optimum_table
from _plan_speed import speed_table
from _plan_suite import LABELS, LEVELS, Made, case
from _plan_unipedicular import midline_entries, unipedicular_table

from trajplan.errors import TrajplanError
from trajplan.exports.atomic import write_atomically
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.advice import Option
from trajplan.planning.plan import PlanSettings, Trajectory, Verdict
from trajplan.planning.planner import plan_approaches
from trajplan.planning.refusals import needed_width_mm
from trajplan.planning.walls import BESIDE_PEDICLE
from trajplan_phantoms import Truth

ROWS = "rows-7"
"""Version of the rows kept in the work folder; raised when the planner changes what they say."""

BEFORE_ISTHMUS_MM = 4.0
"""Graded from here on: before it the instrument is still on its way into the pedicle."""

_BACKWARDS = 0.7
"""v of the normal from which a wall faces backwards (45 deg): behind the isthmus that is the cortex the needle came in
through. The pedicle of a large L5 is so short that 4 mm behind its isthmus is still under that cortex."""

OVER_MM, UNDER_MM = 0.1, 0.6


@dataclass(frozen=True)
class Row:
    """One side and approach of one case; figures are None where nothing was planned."""

    case: int
    level: str
    kind: str
    sex: str
    side: str
    approach: str
    verdict: str
    code: str
    true_width_mm: float
    planned_mm: float | None = None
    true_mm: float | None = None
    true_breach_mm: float | None = None
    canal_over_mm: float | None = None
    facet_mm: float | None = None
    breach: float | None = None
    reasons: str = ""
    midline_entry_mm: float | None = None
    tip_mm: tuple[float, float, float] | None = None
    breach_interval: tuple[float, float] | None = None
    true_breach_chance: float | None = None


def grade_of(breach_mm: float) -> str:
    """Gertzbein-Robbins grade of a breach: A none, B below 2, C below 4, D below 6, E from 6 mm."""
    return "A" if breach_mm <= 0 else "ABCDE"[1 + int(np.searchsorted([2, 4, 6], breach_mm, side="right"))]


def start_mm(path: Trajectory, truth: Truth) -> float:
    """Depth from which a path is graded: just behind the isthmus, once the nearest wall is no longer the cortex it came
    in through; or 8 mm into the body."""
    if path.approach == "extrapedicular":
        depth, points = path.capsule.points_along(0.25)
        inside = truth.body_value(points) < 0
        return float(depth[int(np.argmax(inside))]) + BESIDE_PEDICLE.late_mm if inside.any() else 0.0
    isthmus = float((truth.pedicles[path.side].isthmus_center_lps - path.entry_lps) @ path.direction_lps)
    depth = np.arange(max(0.0, isthmus - BEFORE_ISTHMUS_MM), max(0.25, isthmus), 0.25)
    way_in = _normals(path.entry_lps + depth[:, None] * path.direction_lps, truth) @ truth.frame.v > _BACKWARDS
    return float(depth[-1] if way_in.all() else depth[int(np.argmin(way_in))])


def _normals(points_lps: FloatArray, truth: Truth) -> FloatArray:
    """Outward unit normals (N, 3) of the walls that points in the bone are nearest to."""
    steps = 0.1 * np.eye(3)
    off = [truth.surface_distance(points_lps + s) - truth.surface_distance(points_lps - s) for s in steps]
    normals = np.stack(off, axis=-1)
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)


def told_from(path: Trajectory, depth_mm: float) -> float:
    """The least clearance told from a depth on: at that depth between two points of the profile, and at every deeper
    one. Points of the profile are half a millimetre apart, on which a flaring wall moves by 0.3 mm."""
    profile = path.clearance.profile
    here = float(np.interp(depth_mm, profile[:, 0], profile[:, 1]))
    return min(here, float(profile[profile[:, 0] >= depth_mm, 1].min()))


def row_of(made: Made, option: Option, midline_entry_mm: float | None, draws: int) -> Row:
    """An option of the planner against the truth; `draws` executed paths are tried on it for the chance of a breach."""
    side, path = option.side, option.path
    known = (made.index, made.level, made.kind, made.sex, str(side), option.approach, option.verdict, option.code)
    width = made.truth.pedicles[side].width_mm
    if path is None:
        return Row(*known, width, midline_entry_mm=midline_entry_mm)
    depth = start_mm(path, made.truth)
    told_mm = told_from(path, depth)
    _, along = path.capsule.points_along(0.25)
    true_canal = float(made.canal_mm(along).min()) - path.capsule.radius_mm
    canal = None if path.clearance.canal_mm is None else path.clearance.canal_mm - true_canal
    chance = None
    if draws and option.approach == "bipedicular":
        chance = brute_force(path, made.truth, PlanSettings(), draws)
    tip = made.truth.frame.to_local(path.target_lps)
    return Row(
        *known, width, told_mm, made.truth.true_clearance(path.capsule, depth),
        made.truth.breach_mm(path.capsule, depth), canal, path.clearance.facet_mm, path.breach.any,
        "; ".join(path.reasons), midline_entry_mm, (float(tip[0]), float(tip[1]), float(tip[2])),
        (path.breach.any_low or 0.0, path.breach.any_high or 0.0), chance,
    )  # fmt: skip


def kept_at(seed: int, index: int, work: Path, masks: str) -> Path:
    """Where the rows of a case are kept."""
    return work / f"{ROWS}_{masks}_{seed}_{index:03d}.json"


def kept_rows(seed: int, index: int, work: Path, masks: str) -> list[Row]:
    """The rows that are kept of a case; none when it has not been run."""
    path = kept_at(seed, index, work, masks)
    if not path.exists():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Row(**{k: tuple(v) if isinstance(v, list) else v for k, v in r.items()}) for r in rows]


def rows_of(seed: int, index: int, work: Path, masks: str = LABELS, draws: int = 0) -> list[Row]:
    """All options of one case, from the work folder when it holds them."""
    known = kept_rows(seed, index, work, masks)
    if known:
        return known
    try:
        made = case(seed, index, masks)
    except TrajplanError as error:
        rows = [Row(index, LEVELS[index % len(LEVELS)], "", "", "both", "", "not built", error.code, float("nan"))]
    else:
        if made.vertebra is None:
            rows = [
                Row(index, made.level, made.kind, made.sex, str(s), "bipedicular", "refused",
                    made.error.split(":")[0], made.truth.pedicles[s].width_mm) for s in Side
            ]  # fmt: skip
        else:
            found = plan_approaches(
                made.ct, made.vertebra, PlanSettings(), automatic_mask=masks != LABELS, mask_spacing_mm=1.0
            )
            lumbar = masks == LABELS and made.level.startswith("L")
            entries = midline_entries(made) if lumbar else {}
            rows = [
                row_of(made, o, entries.get(o.side) if o.approach == "unipedicular" else None, draws)
                for o in found.options
            ]
    work.mkdir(parents=True, exist_ok=True)
    write_atomically(kept_at(seed, index, work, masks), json.dumps([asdict(r) for r in rows]).encode())
    return rows


def show(row: Row) -> str:
    """One line."""
    text = (
        f"{row.case:4d} {row.level:4}{row.kind:24}{row.side:6}{row.approach:15}{row.verdict:9}{row.true_width_mm:6.1f}"
    )
    if row.planned_mm is None or row.true_mm is None or row.true_breach_mm is None:
        return f"{text}  {row.code}"
    over = row.planned_mm - row.true_mm
    figures = f"{row.planned_mm:7.2f} {row.true_mm:7.2f} {over:+6.2f}  {grade_of(row.true_breach_mm)}"
    return f"{text} {figures}  {row.reasons[:60]}"


def suite_table(rows: list[Row]) -> Iterator[str]:
    """The figures over all cases."""
    need = needed_width_mm(PlanSettings(), 0.0)
    through = [r for r in rows if r.approach in ("bipedicular", "unipedicular")]
    planned = [r for r in rows if r.planned_mm is not None and r.true_mm is not None]
    offered = [r for r in planned if r.verdict != Verdict.UNSAFE]
    grades = Counter(grade_of(r.true_breach_mm or 0.0) for r in offered)
    over = np.array([(r.planned_mm or 0) - (r.true_mm or 0) for r in planned] or [0.0])
    canal = np.array([r.canal_over_mm for r in planned if r.canal_over_mm is not None] or [0.0])
    narrow = [r for r in through if r.true_width_mm < need]
    wide = [r for r in rows if r.approach == "bipedicular" and r.true_width_mm >= need + UNDER_MM]
    yield f"cases {len({r.case for r in rows})}, paths planned {len(planned)}, of these not unsafe {len(offered)}"
    touched = [r for r in offered if r.facet_mm is not None and r.facet_mm < 0]
    must = {
        "grade against the truth, offered paths": ("all A", f"{dict(sorted(grades.items()))}"),
        "clearance over-stated, worst": (
            f"<= +{OVER_MM} mm", f"{over.max():+.2f} mm; beyond: {(over > OVER_MM).sum()} of {len(over)}"
        ),
        "clearance under-stated, worst": (
            f">= -{UNDER_MM} mm", f"{over.min():+.2f} mm; beyond: {(over < -UNDER_MM).sum()} of {len(over)}"
        ),
        "clearance, median of planned minus true": (">= -0.25 mm", f"{np.median(over):+.2f} mm"),
        "canal clearance over-stated, worst": (f"<= +{OVER_MM} mm", f"{canal.max():+.2f} mm"),
        f"pedicles below {need:.2f} mm: refused": (
            "all", f"{sum(r.verdict == 'refused' for r in narrow)} of {len(narrow)}"
        ),
        "    their codes": ("", f"{dict(Counter(r.code for r in narrow))}"),
        f"pedicles above {need + UNDER_MM:.2f} mm: planned": (
            "", f"{sum(r.verdict != 'refused' for r in wide)} of {len(wide)}"
        ),
        "    refused with": ("", f"{dict(Counter(r.code for r in wide if r.code))}"),
        "offered paths that touch other bone": ("", f"{len(touched)}"),
    }  # fmt: skip
    for name, (target, found) in must.items():
        yield f"{name:42} {'must: ' + target if target else '':20} {found}"
    flagged = [r for r in planned if (r.true_breach_mm or 0.0) > 0]
    yield f"paths with a true breach: {len(flagged)}, of these called safe (must: 0): " + str(
        sum(r.verdict == Verdict.SAFE for r in flagged)
    )
    pairs = [(a, b) for a in planned for b in planned if (a.case, a.side, b.side) == (b.case, "left", "right")
             and a.approach == b.approach == "bipedicular" and a.tip_mm and b.tip_mm]  # fmt: skip
    if pairs:
        off = [
            float(np.linalg.norm(np.array(a.tip_mm or ()) * [-1, 1, 1] - np.array(b.tip_mm or ()))) for a, b in pairs
        ]
        yield (
            f"bipedicular pairs {len(pairs)}: one tip off the mirror image of the other by {np.median(off):.1f} mm "
            f"(median), {max(off):.1f} mm (worst)"
        )
    drawn = [r for r in rows if r.true_breach_chance is not None and r.breach_interval is not None]
    if drawn:
        held = sum(r.breach_interval[0] <= r.true_breach_chance <= r.breach_interval[1]  # type: ignore[index,operator]
                   for r in drawn)  # fmt: skip  # both are not None, see above
        yield f"chance of a breach within its interval (must: >= 95 %): {held} of {len(drawn)} paths"
    yield from unipedicular_table(rows, LEVELS)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="folder kept between runs")
    parser.add_argument("--only", default="suite,optimum,speed", help="tables to print, comma-separated")
    parser.add_argument("--masks", default=LABELS, help="labels, or the name of a segmentation back-end")
    parser.add_argument("--draws", type=int, default=0, help="e.g. 1000000: executed paths on the truth, bipedicular")
    parser.add_argument("--part", default="0/1", help="K/N: only every N-th case, from the K-th on")
    parser.add_argument("--kept", action="store_true", help="only what the work folder holds")
    parser.add_argument("--quiet", action="store_true", help="no line for each path")
    given = parser.parse_args()
    only = given.only.split(",")
    first, every = (int(k) for k in given.part.split("/"))
    numbers = range(given.first + first, given.first + given.cases, every)
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        if "suite" in only:
            rows = []
            for index in numbers:
                if given.kept:
                    found = kept_rows(given.seed, index, work, given.masks)
                else:
                    found = rows_of(given.seed, index, work, given.masks, given.draws)
                rows += found
                if not given.quiet:
                    for row in found:
                        print(show(row), flush=True)
            print("\n".join(suite_table(rows)))
        tables = {
            "optimum": lambda: optimum_table(given.seed, numbers),
            "speed": lambda: speed_table(given.seed, numbers[0]),
        }
        for name, table in tables.items():
            for line in table() if name in only else ():
                print(line, flush=True)


if __name__ == "__main__":
    main()
