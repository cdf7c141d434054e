"""The walls of a path with what is kept to each and what was asked, under their short and their full names."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.planning.plan import Clearance, PlanSettings

_WALLS = (
    ("medial wall", "Medial (towards the canal)", "medial_mm", "wall_margin_mm"),
    ("lateral wall", "Lateral", "lateral_mm", "wall_margin_mm"),
    ("superior wall", "Superior", "superior_mm", "wall_margin_mm"),
    ("inferior wall", "Inferior (towards the foramen)", "inferior_mm", "wall_margin_mm"),
    ("spinal canal", "Spinal canal", "canal_mm", "canal_margin_mm"),
    ("anterior wall", "Anterior wall, from the tip", "anterior_mm", "anterior_margin_mm"),
    ("end plates", "End plates", "endplate_mm", "endplate_margin_mm"),
    ("foramen", "Foramina (front of the joints)", "foramen_mm", "wall_margin_mm"),
)


@dataclass(frozen=True)
class WallMargin:
    """One wall: names, clearance (mm, None where it is not known) and the margin asked (mm)."""

    short: str
    full: str
    clearance_mm: float | None
    margin_mm: float


def wall_margins(clearance: Clearance, settings: PlanSettings) -> tuple[WallMargin, ...]:
    """Every wall, in the order of the report."""
    return tuple(
        WallMargin(short, full, getattr(clearance, kept), getattr(settings, asked))
        for short, full, kept, asked in _WALLS
    )
