"""AugmentationSettings from what a user asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trajplan.augmentation.candidacy import CandidacyEntries
from trajplan.augmentation.check_augmentation import check_augmentation
from trajplan.augmentation.entries_file import read_entries
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.errors import InputError
from trajplan.planning.plan import PlanSettings


def augmentation_settings(
    balloon: str | None, balloon_ml: float | None, candidacy: Path | None, plan: PlanSettings
) -> AugmentationSettings:
    """Checked before anything is computed.

    Raises
    ------
    InputError
        ``unknown_balloon``, ``settings_invalid``, ``candidacy_invalid``.
    """
    names = [b.name for b in plan.balloons]
    if balloon is not None and balloon not in names:
        raise InputError(f"unknown balloon {balloon!r}; use one of {', '.join(names)}", code="unknown_balloon")
    entries = CandidacyEntries() if candidacy is None else read_entries(candidacy)
    settings = AugmentationSettings(balloon=balloon, max_volume_ml=balloon_ml, entries=entries)
    check_augmentation(settings)
    return settings


def augmentation_of(facts: Mapping[str, Any]) -> AugmentationSettings:
    """The settings again from their plain values, as plan.json notes them.

    >>> import dataclasses
    >>> augmentation_of(dataclasses.asdict(AugmentationSettings())) == AugmentationSettings()
    True
    """
    return AugmentationSettings(**dict(facts) | {"entries": CandidacyEntries(**facts["entries"])})
