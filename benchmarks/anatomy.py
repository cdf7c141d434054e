"""Frame, pedicles, heights and fracture grade against exact phantom truth, one row a vertebra: prints a table.

    python benchmarks/anatomy.py [--quick] [--drawn N] [--spacing MM] [--only TEXT]

Labels are exact, so what is graded is the measuring and not the segmentation. ``--quick`` takes one fracture a level;
without it every level is measured intact and with a wedge, a biconcave and a crush fracture. ``--drawn`` adds people
of their own proportions, curves and osteophytes (half of them with neighbours that follow the failed end plate).
Exit status 1 when a vertebra could not be measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import TrajplanError
from trajplan.geometry.arrays import FloatArray
from trajplan.levels import level_id
from trajplan.parts import Side
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.fracture import Fracture
from trajplan_phantoms.population import draw

LEVELS = ("T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
BEYOND = ("T3", *LEVELS, "S1")
KINDS = ("wedge", "biconcave", "crush")
LOSSES = (30.0, 45.0, 14.0, 60.0, 34.0, 50.0, 22.0, 36.0)
LIMITS_PERCENT = (20.0, 25.0, 40.0)
NEAR_LIMIT = 3.0
COLUMNS = ("frame", "u", "centre", "across", "width", "height", "axis", "Ha", "Hm", "Hp", "loss")
TARGETS = (3.0, 3.0, 1.0, 0.3, 0.5, 0.5, 3.0, 1.0, 1.0, 1.0, 4.0)


@dataclass(frozen=True, eq=False)
class Row:
    """Errors of one vertebra in the order of `COLUMNS`: degrees, mm and points; pedicles are the worse side.

    "across" is "centre" without what lies along the pedicle, where the section of a neck hardly changes.
    """

    name: str
    errors: FloatArray
    true_loss: float
    right_grade: bool
    right_kind: bool
    note: str

    @property
    def counts(self) -> bool:
        """Further than 3 points from a limit between grades."""
        return all(abs(self.true_loss - limit) > NEAR_LIMIT for limit in LIMITS_PERCENT)


def cases(quick: bool, drawn: int) -> Iterator[tuple[str, PhantomSpec]]:
    """Name and specification of every case."""
    turn = 0
    for n, level in enumerate(LEVELS):
        kinds = (KINDS[n % 3],) if quick else ("none", *KINDS)
        for kind in kinds:
            loss = 0.0 if kind == "none" else LOSSES[turn % len(LOSSES)]
            turn += kind != "none"
            yield f"{level:3} {kind:9} {loss:3.0f}", PhantomSpec(level, _about(level), kind, loss)  # type: ignore[arg-type]  # one of the kinds
    for n in range(drawn):
        level, kind, loss = LEVELS[(5 * n) % 14], (*KINDS, "none")[n % 4], LOSSES[(3 * n) % 8]
        more: dict[str, Any] = {}
        if kind != "none":
            more["fracture"] = Fracture(kind, loss, follow=n % 2 == 1)  # type: ignore[arg-type]  # one of the kinds
        sex = ("female", "male")[n % 2]
        spec = draw(_about(level), sex, 55.0 + (7 * n) % 34, 100 + n, target=level, **more)  # type: ignore[arg-type]  # a sex
        yield f"{level:3} {kind:9} {loss if more else 0:3.0f} person {n}", spec


def _about(level: str) -> tuple[str, ...]:
    at = BEYOND.index(level)
    return tuple(x for x in BEYOND[at - 1 : at + 2] if x != "T3")


def grade(name: str, made: Phantom, found: Vertebra) -> Row:
    """Compare one measured vertebra with its truth."""
    truth, frame = made.truth, made.truth.frame
    centre, across, width, height, axis = [], [], [], [], []
    for side in Side:
        a, b = found.pedicles[side], truth.pedicles[side]
        off = a.isthmus_center_lps - b.isthmus_center_lps
        centre.append(float(np.linalg.norm(off)))
        across.append(float(np.linalg.norm(np.cross(off, b.axis_lps))))
        width.append(a.width_mm - b.width_mm)
        height.append(a.height_mm - b.height_mm)
        axis.append(_angle_deg(a.axis_lps, b.axis_lps))
    h, t = found.heights, truth.heights
    kind = truth.vertebra.body.fracture.kind if truth.genant_grade else "none"
    loss = float("nan") if h.loss_percent is None else h.loss_percent - t.loss_percent
    errors = [
        _angle_deg(found.frame.w, frame.w), _angle_deg(found.frame.u, frame.u), max(centre), max(across),
        max(width, key=abs), max(height, key=abs), max(axis),
        h.ha_mm - t.ha_mm, h.hm_mm - t.hm_mm, h.hp_mm - t.hp_mm, loss,
    ]  # fmt: skip
    source = getattr(getattr(found, "frame_source", None), "axis", "")
    return Row(
        name,
        np.array(errors),
        t.loss_percent,
        found.fracture.genant_grade == truth.genant_grade,
        found.fracture.type == kind,
        str(source),
    )


def _angle_deg(a: FloatArray, b: FloatArray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1.0, 1.0))))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one fracture a level")
    parser.add_argument("--drawn", type=int, default=0, help="people drawn from the population")
    parser.add_argument("--spacing", type=float, default=0.8, help="voxel size, mm")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    options = parser.parse_args()
    rows: list[Row] = []
    failed = 0
    print(f"{'vertebra':28}" + "".join(f"{c:>8}" for c in COLUMNS) + "  grade kind  s")
    for name, spec in cases(options.quick, options.drawn):
        if options.only not in name:
            continue
        try:
            made = make_phantom(spec, Scanner((options.spacing,) * 3))
            start = time.perf_counter()
            found = measure_vertebra(
                made.ct, made.labels, level_id(spec.target), level=spec.target, level_confirmed=True, source="labels"
            )
        except TrajplanError as error:
            failed += 1
            print(f"{name:28}  {error.code}: {error}")
            continue
        row = grade(name, made, found)
        rows.append(row)
        marks = "".join(f"{e:8.2f}" for e in row.errors)
        right = ("right" if row.right_grade else "WRONG") if row.counts else "near "
        print(
            f"{name:28}{marks}  {right} {'right' if row.right_kind else 'other'} {time.perf_counter() - start:4.1f}  "
            f"{row.note}",
            flush=True,
        )
    if rows:
        _summary(rows)
    return 1 if failed else 0


def _summary(rows: list[Row]) -> None:
    errors = np.abs(np.array([r.errors for r in rows]))
    print("-" * 120)
    for name, value in (
        ("median |error|", np.nanmedian(errors, axis=0)),
        ("95th percentile", np.nanpercentile(errors, 95, axis=0)),
        ("largest", np.nanmax(errors, axis=0)),
        ("limit", np.array(TARGETS)),
        ("within limit, %", 100 * np.nanmean(errors <= np.array(TARGETS), axis=0)),
    ):
        print(f"{name:28}" + "".join(f"{x:8.2f}" for x in value))
    far = [r for r in rows if r.counts]
    right = sum(r.right_grade for r in far)
    print(f"Genant right: {right} of {len(far)} further than {NEAR_LIMIT:.0f} points from a limit", end="; ")
    print(f"kind right: {sum(r.right_kind for r in far)} of {len(far)}")


if __name__ == "__main__":
    sys.exit(main())
