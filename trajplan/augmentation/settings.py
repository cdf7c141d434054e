"""AugmentationSettings: what is asked of balloon and cement."""

from __future__ import annotations

from dataclasses import dataclass, field

from trajplan.augmentation.candidacy import CandidacyEntries


@dataclass(frozen=True)
class AugmentationSettings:
    """Lengths mm, volumes ml; where each default comes from stands in docs/augmentation.md.

    `balloon` names one of the catalogue; None takes the largest that fits. `max_volume_ml` is at most the balloon's
    own. `contact_mm` is how near a wall counts as contact; with `past_contact` a cortex that is touched does not stop
    the balloon, and with `past_bound` it may make a larger cavity than the proposed bound of cement for the body: both
    to show what happens, not as a plan.
    """

    balloon: str | None = None
    max_volume_ml: float | None = None
    step_ml: float = 0.5
    cannula_past_wall_mm: float = 2.5
    drill_standoff_mm: float = 5.0
    contact_mm: float = 0.5
    past_contact: bool = False
    past_bound: bool = False
    interdigitation_mm: float = 1.0
    entries: CandidacyEntries = field(default_factory=CandidacyEntries)
