"""Candidacy facts: what a user entered, what was measured, and the published criteria beside each other. No advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trajplan.augmentation.published import Published


@dataclass(frozen=True)
class CandidacyEntries:
    """What only a person can know; everything starts blank (None).

    `cause` is ``osteoporotic``, ``trauma`` or ``tumour``; `pain` 0..10; `fracture_age_weeks`; `progression` whether
    height was lost between two studies; `neurological` ``none``, ``radiculopathy`` or ``cord or root compression``;
    `oedema` on MRI (or uptake); `mobilisable`; `conservative_weeks` of failed conservative care; `contraindications`
    each stated present (True) or absent (False), by name (`CONTRAINDICATIONS`).
    """

    cause: str | None = None
    pain: float | None = None
    fracture_age_weeks: float | None = None
    progression: bool | None = None
    neurological: str | None = None
    oedema: bool | None = None
    mobilisable: bool | None = None
    conservative_weeks: float | None = None
    age_years: float | None = None
    levels: int | None = None
    contraindications: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Criterion:
    """One published criterion held against what is known. `speaks` is ``for``, ``against``, ``neither`` or ``blank``
    (nothing was entered or measured that it needs)."""

    name: str
    speaks: str
    because: str
    published: Published


@dataclass(frozen=True)
class CandidacySheet:
    """Entries and measured findings as (name, text) rows, criteria, and where the literature disagrees."""

    entries: CandidacyEntries
    entered: tuple[tuple[str, str], ...]
    measured: tuple[tuple[str, str], ...]
    criteria: tuple[Criterion, ...]
    disagreements: tuple[Published, ...]
