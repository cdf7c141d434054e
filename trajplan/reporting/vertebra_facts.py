"""The facts of the vertebra: level, heights, fracture grade, pedicles and confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trajplan.anatomy.density import BODY_LIMITS, below
from trajplan.anatomy.vertebra import Vertebra
from trajplan.reporting.words import mm, point, readable


@dataclass(frozen=True)
class VertebraFacts:
    """The vertebra in words; `pedicles` rows are (side, width, height, isthmus centre)."""

    rows: tuple[tuple[str, str], ...]
    pedicles: tuple[tuple[str, str, str, str], ...]
    confidence: tuple[tuple[str, str], ...]


def level_text(vertebra: Vertebra | None) -> str:
    """The level, and whether a person stated it."""
    if vertebra is None:
        return "no vertebra found"
    if vertebra.level is None:
        return "level not known"
    return f"{vertebra.level} (as entered, not verified)" if vertebra.level_confirmed else (
        f"{vertebra.level} (not confirmed)"
    )  # fmt: skip


def vertebra_facts(v: Vertebra) -> VertebraFacts:
    """The facts of a vertebra."""
    h, f = v.heights, v.fracture
    grade = "not known" if f.genant_grade is None else str(f.genant_grade)
    loss = "not known" if h.loss_percent is None else f"{h.loss_percent:.0f} %"
    return VertebraFacts(
        rows=(
            ("Level", level_text(v)),
            ("Anterior, middle, posterior height", f"{mm(h.ha_mm)}, {mm(h.hm_mm)}, {mm(h.hp_mm)}"),
            ("Reference height", f"{mm(h.reference_mm)} ({h.reference_source})" if h.reference_source
             else mm(h.reference_mm)),
            ("Height loss", loss + _each(h.losses_percent)),
            ("Fracture (Genant)", f"{f.type}, grade {grade}"),
            ("Body volume", f"{v.body_volume_ml:.1f} ml"),
            *_more(v),
            ("Density of the body", _density(v)),
            ("Mask from", v.source),
        ),
        pedicles=tuple(
            (p.side.value, mm(p.width_mm), mm(p.height_mm), point(p.isthmus_center_lps)) for p in v.pedicles.values()
        ),
        confidence=(
            ("Confidence", f"{v.confidence.score:.2f} of 1"),
            *(readable(name, value) for name, value in v.confidence.values.items()),
        ),
    )  # fmt: skip


def _each(losses_percent: tuple[float, float, float] | None) -> str:
    if losses_percent is None:
        return ""
    return f" (anterior, middle, posterior: {', '.join(f'{round(x):d}' for x in losses_percent)} %)"


def _more(v: Vertebra) -> tuple[tuple[str, str], ...]:
    """Kyphosis, bulge, cleft, and the frame where it is not that of the own end plates."""
    m = v.measures
    if m is None:
        return ()
    k = m.kyphosis
    local = "" if k.local_deg is None else f"; {k.local_levels} {k.local_deg:.0f} degrees"
    rows = [("Kyphosis (front lower is +)", f"vertebra {k.wedge_deg:.0f} degrees{local}")]
    if m.bulge is not None:
        depth = f" of {m.bulge.canal_depth_mm:.0f} mm canal depth" if math.isfinite(m.bulge.canal_depth_mm) else ""
        rows.append(("Posterior wall into the canal", f"{mm(m.bulge.bulge_mm)}{depth}"))
    if m.cleft.volume_ml > 0:
        rows.append(("Gas cleft in the body", f"{m.cleft.volume_ml:.2f} ml"))
    if v.frame_source.caution:
        rows.append(("Upward axis from", v.frame_source.axis))
    return tuple(rows)


def _density(v: Vertebra) -> str:
    """Trabecular HU, and the published limits it is below, with how well each was checked."""
    limits = below(BODY_LIMITS, v.body_hu)
    words = f"{v.body_hu:.0f} HU"
    if limits:
        first = limits[0]
        checked = "" if first.evidence == "read" else f", {first.evidence}"
        words += f"; below {first.hu:g} HU: {first.meaning} ({first.source}{checked})"
    return words
