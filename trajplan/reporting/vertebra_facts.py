"""The facts of the vertebra: level, heights, fracture grade, pedicles and confidence."""

from __future__ import annotations

from dataclasses import dataclass

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
            ("Height loss", loss),
            ("Fracture (Genant)", f"{f.type}, grade {grade}"),
            ("Body volume", f"{v.body_volume_ml:.1f} ml"),
            ("Mean density of the body", f"{v.body_hu:.0f} HU"),
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
