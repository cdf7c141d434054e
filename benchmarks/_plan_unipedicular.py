"""Is a one-sided path feasible? By our rules, and by a wider definition like that of the published series.

Published: 200 patients, simulated unilateral transpedicular puncture, success 26.3 % at L1 to 99.0 % at L5 (Medicine
2018). Its text gives entry-midline distances and ranges of safe inner inclination; what it counts as a success stands
in nothing that was opened. From these quantities a wide definition is taken: a path of the 11G needle that crosses no
wall (margins 0) and whose tip reaches the midline. Ours: `safe` by all margins, tip within 4 mm of the midline.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from _plan_suite import Made

from trajplan.errors import AnatomyError
from trajplan.parts import Side
from trajplan.planning.evaluate import required_margin
from trajplan.planning.plan import PlanSettings
from trajplan.planning.refine import problem_of, refine
from trajplan.planning.routes import UNIPEDICULAR, Route, lines_of
from trajplan.planning.search import search
from trajplan.planning.workbench import Workbench

PUBLISHED = {"L1": 26.3, "L5": 99.0}

_WIDE = PlanSettings(
    wall_margin_mm=0.0, canal_margin_mm=0.0, endplate_margin_mm=0.0, anterior_margin_mm=0.0, max_convergence_deg=60.0
)


class _Row(Protocol):
    @property
    def level(self) -> str: ...
    @property
    def approach(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def reaches(self) -> bool | None: ...


def reaches_midline(made: Made) -> dict[Side, bool]:
    """For each side whether some path through its pedicle that crosses no wall ends on the midline or beyond it."""
    assert made.vertebra is not None
    workbench = Workbench(made.vertebra, made.ct)
    return {side: _reaches(made, workbench, side) for side in Side}


def _reaches(made: Made, workbench: Workbench, side: Side) -> bool:
    vertebra = made.vertebra
    assert vertebra is not None
    try:
        bench = workbench.bench(side)
        lines = lines_of(Route(side, UNIPEDICULAR), vertebra, _WIDE, 1.0, 2.0)
    except AnatomyError:
        return False
    lines = dataclasses.replace(lines, tip_u_mm=(-np.inf, 0.0), dock_u_mm=-np.inf)
    margin = required_margin(_WIDE)
    found = search(bench.lattice, lines, margin, _WIDE)
    problem = problem_of(vertebra, bench.field, bench.facets_uvw, lines, margin, _WIDE)
    paths = refine(found.best, vertebra, bench.field, problem, _WIDE.instrument.radius_mm)
    return any(p.allowed and p.clearance.walls_mm.min() >= 0 for p in paths)


def unipedicular_table(rows: Iterable[_Row], levels: Iterable[str]) -> Iterator[str]:
    """Share of sides by level, by both definitions, beside what is published."""
    mine = [r for r in rows if r.approach == "unipedicular"]
    yield "unipedicular feasible by level: ours (safe, tip within 4 mm of the midline) / wide (no wall crossed, tip"
    yield "on the midline or beyond) / published (200 patients simulated, Medicine 2018)"
    for level in levels:
        here = [r for r in mine if r.level == level]
        if here:
            safe = sum(r.verdict == "safe" for r in here)
            wide = [r.reaches for r in here if r.reaches is not None]
            told = f"{100 * sum(wide) / len(wide):5.1f} %" if wide else "      -"
            known = f"{PUBLISHED[level]:5.1f} %" if level in PUBLISHED else "      -"
            yield f"    {level:4} {100 * safe / len(here):5.1f} % / {told} / {known}   ({len(here)} sides)"
