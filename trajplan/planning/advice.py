"""Advice: every approach that was planned, side by side with its numbers and what is published about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.parts import Side
from trajplan.planning.plan import Refusal, Trajectory, Verdict
from trajplan.planning.routes import EXTRAPEDICULAR, UNIPEDICULAR, Route

_PUBLISHED_UNIPEDICULAR = {
    "L1": "26 % (200 patients simulated, Medicine 2018)",
    "L3": "95.5 % (200 patients, MRI, another definition of success, Li 2015, PMC4496885)",
    "L4": "98.0 % (200 patients, MRI, another definition of success, Li 2015, PMC4496885)",
    "L5": "99 % (200 patients simulated, Medicine 2018)",
}
"""Success of one path that reaches the midline, where a figure for the level was read."""

_PUBLISHED_SERIES = "rising from 26 % at L1 to 99 % at L5 (200 patients simulated, Medicine 2018)"


@dataclass(frozen=True, eq=False)
class Option:
    """One side and approach with its numbers; those of a refused one are None.

    `path` is what was planned, None where it was refused; `verdict` is that of the path or ``refused`` (then `code`
    says why); `midline_mm` is the distance of the tip from the midline; `published` is what was read about its
    feasibility at this level, or empty.
    """

    side: Side
    approach: str
    verdict: str
    code: str
    clearance_mm: float | None
    breach: float | None
    midline_mm: float | None
    convergence_deg: float | None
    published: str
    path: Trajectory | None = None


def worth(path: Trajectory) -> tuple[float, float, float]:
    """Order of two paths of the same approach: verdict, then the chance of a breach, then clearance."""
    rank = {Verdict.SAFE: 2.0, Verdict.UNKNOWN: 1.0, Verdict.UNSAFE: 0.0}
    return rank[path.verdict], -round(path.breach.any, 3), path.clearance.min_mm


def options_of(results: Mapping[Route, Trajectory | Refusal], vertebra: Vertebra) -> tuple[Option, ...]:
    """All that was planned, in the order of `results`."""
    return tuple(_option(route, result, vertebra) for route, result in results.items())


def _option(route: Route, result: Trajectory | Refusal, vertebra: Vertebra) -> Option:
    published = _published(route.approach, vertebra.level)
    if isinstance(result, Refusal):
        return Option(route.side, route.approach, "refused", result.code, None, None, None, None, published)
    return Option(
        route.side,
        route.approach,
        result.verdict.value,
        "",
        result.clearance.min_mm,
        result.breach.any,
        float(np.abs(vertebra.frame.to_local(result.target_lps)[0])),
        result.convergence_deg,
        published,
        result,
    )


def _published(approach: str, level: str | None) -> str:
    if approach == UNIPEDICULAR and level and level.startswith("L"):
        return _PUBLISHED_UNIPEDICULAR.get(level, _PUBLISHED_SERIES)
    if approach == EXTRAPEDICULAR:
        return "55 vertebrae T2-T8 without malplacement (Boszczyk, transcostovertebral kyphoplasty)"
    return ""
