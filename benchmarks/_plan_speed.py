"""How long planning takes on one case, warm: all approaches on both sides, one graded path, one chance of a breach."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

import numba as nb
from _plan_suite import case

from trajplan.planning.breach import breach_probability
from trajplan.planning.edit import Editor
from trajplan.planning.grade import mask_doubt
from trajplan.planning.plan import PlanSettings
from trajplan.planning.planner import plan_approaches
from trajplan.planning.routes import Route
from trajplan.planning.workbench import Workbench


def best_of(work: Callable[[], object], times: int) -> tuple[float, float]:
    """Least wall-clock and least processor seconds of some runs: what the machine can do when nothing else asks for it.

    On a machine that has other work only the processor seconds say much.
    """
    wall, used = [], []
    for _ in range(times):
        start, busy = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        used.append(time.process_time() - busy)
    return min(wall), min(used)


def speed_table(seed: int, first: int) -> Iterator[str]:
    """Times on the first case at or after `first` that has a planned path."""
    settings = PlanSettings()
    while True:
        made = case(seed, first)
        if made.vertebra is not None:
            found = plan_approaches(made.ct, made.vertebra, settings, automatic_mask=False, mask_spacing_mm=1.0)
            if found.trajectories:
                break
        first += 1
    vertebra, path = made.vertebra, found.trajectories[0]
    whole = best_of(lambda: plan_approaches(made.ct, vertebra, settings, automatic_mask=False, mask_spacing_mm=1.0), 5)
    route = Route(path.side, path.approach)
    editor = Editor(made.ct, vertebra, settings, route, mask_doubt(False, 1.0))
    edit = best_of(lambda: editor.grade(path.entry_lps, path.target_lps), 30)
    bench = Workbench(vertebra, made.ct).bench(path.side, route.beside)
    many = dataclasses.replace(settings, breach_samples=10_000)
    chance = best_of(
        lambda: breach_probability(bench.lattice, vertebra, path.side, path.entry_lps, path.target_lps, many), 20
    )
    yield f"speed on case {first} ({made.level}), {nb.get_num_threads()} threads, least of several runs"
    yield "wall clock, processor time of all threads together"
    yield f"all approaches, both sides (must: <= 1.0 s)      {whole[0]:6.2f} s   {whole[1]:6.2f} s"
    yield f"one drawn path graded      (must: <= 20 ms)      {1000 * edit[0]:6.1f} ms  {1000 * edit[1]:6.1f} ms"
    yield f"chance of a breach, 10 000 (must: <= 50 ms)      {1000 * chance[0]:6.1f} ms  {1000 * chance[1]:6.1f} ms"
