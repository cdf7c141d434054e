"""Is a one-sided path feasible? By our rules, and by two definitions nearer to that of the published series.

Published: 200 patients, simulated unilateral transpedicular puncture, success 26.3 % at L1 to 99.0 % at L5 (Medicine
2018, 10.1097/MD.0000000000012314; abstract read). Its abstract gives the distance of the entry from the midline
(20.6 mm at L1 to 29.8 mm at L5) and ranges of inclination; in which words it counts a success was not read.

* ours: `safe` by all margins, tip within 4 mm of the midline, entry as far lateral as the bone allows;
* wide: a path of the 11G needle that crosses no wall (margins 0) and whose tip reaches the midline, from any entry;
* from their entry: the same, but the entry lies no farther from the midline than the mean of the series at that level.
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
from trajplan.planning.kernels import way_back
from trajplan.planning.lattice import index_of_side
from trajplan.planning.plan import PlanSettings
from trajplan.planning.routes import UNIPEDICULAR, Route, lines_of
from trajplan.planning.search import search, worst_slack
from trajplan.planning.workbench import Workbench

PUBLISHED = {"L1": 26.3, "L5": 99.0}

ENTRY_MM = {"L1": 20.6, "L2": 22.9, "L3": 25.2, "L4": 27.5, "L5": 29.8}
"""Distance of the entry from the midline: means of the series at L1 and L5, on a line between them."""

CROSSES_NONE = -1.0
"""Score on the lattice of a line that crosses no wall by more than 0.05 sigma, its tip within 6 mm of the ideal one."""

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
    def midline_entry_mm(self) -> float | None: ...


def midline_entries(made: Made) -> dict[Side, float]:
    """For each side the entry nearest to the midline (mm from it) from which a path through the pedicle that crosses
    no wall ends on the midline or beyond it; `inf` where no entry does."""
    assert made.vertebra is not None
    workbench = Workbench(made.vertebra, made.ct)
    return {side: _least_entry_mm(made, workbench, side) for side in Side}


def _least_entry_mm(made: Made, workbench: Workbench, side: Side) -> float:
    vertebra = made.vertebra
    assert vertebra is not None
    try:
        bench = workbench.bench(side)
        lines = lines_of(Route(side, UNIPEDICULAR), vertebra, _WIDE, 0.5, 1.0)
    except AnatomyError:
        return np.inf
    lines = dataclasses.replace(lines, tip_u_mm=(-np.inf, 0.0), dock_u_mm=-np.inf)
    slack = worst_slack(bench.lattice, required_margin(_WIDE), _WIDE)
    found = search(bench.lattice, lines, slack, _WIDE, floor=CROSSES_NONE)
    to_index, at_index = index_of_side(bench.field, vertebra)
    entries = []
    for i, j in np.argwhere(found.scores >= CROSSES_NONE):
        crossing, along = lines.crossings_uvw[i], lines.directions_uvw[j]
        out = way_back(bench.field.bone_field, to_index, at_index, crossing, -along)
        entries.append(float(crossing[0] - out * along[0]))
    return min(entries, default=np.inf)


def unipedicular_table(rows: Iterable[_Row], levels: Iterable[str]) -> Iterator[str]:
    """Share of sides by level, by each definition, beside what is published."""
    mine = [r for r in rows if r.approach == "unipedicular"]
    yield "unipedicular feasible by level: ours (safe, tip within 4 mm of the midline) / wide (no wall crossed, tip on"
    yield "the midline or beyond) / the same from the entry of the series / published (200 patients, Medicine 2018);"
    yield "and the entry that is needed for the third, mm from the midline (median), beside that of the series"
    for level in levels:
        here = [r for r in mine if r.level == level]
        if not here:
            continue
        safe = sum(r.verdict == "safe" for r in here)
        entry = np.array([r.midline_entry_mm for r in here if r.midline_entry_mm is not None])
        told = f"{100 * np.isfinite(entry).mean():5.1f} % /" if len(entry) else "      - /"
        theirs, needed = "      -", ""
        if len(entry) and level in ENTRY_MM:
            theirs = f"{100 * (entry <= ENTRY_MM[level]).mean():5.1f} %"
            needed = f", {np.median(entry):4.1f} of {ENTRY_MM[level]:4.1f} mm"
        known = f"{PUBLISHED[level]:5.1f} %" if level in PUBLISHED else "      -"
        yield f"    {level:4} {100 * safe / len(here):5.1f} % / {told} {theirs} / {known}   ({len(here)} sides{needed})"
