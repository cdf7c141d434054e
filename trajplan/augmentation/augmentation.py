"""Augmentation: everything that follows access, for one vertebra. Plain frozen data that reports and exports read."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.augmentation.candidacy import CandidacySheet
from trajplan.augmentation.cement import Cement
from trajplan.augmentation.inflation import Inflation
from trajplan.augmentation.leak import CortexMap, LeakFinding
from trajplan.augmentation.restoration import Restoration
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.augmentation.settings import AugmentationSettings


@dataclass(frozen=True, eq=False)
class Augmentation:
    """Instruments, balloons, height, cement, leak findings and candidacy facts.

    `restoration` is None where no prediction is made (no neighbours to compare with, nothing lost), `cement` where no
    balloon fits; `notes` say why. Nothing of this is advice, and the verdict of a path does not depend on it.
    """

    settings: AugmentationSettings
    sequences: tuple[InstrumentSequence, ...]
    inflations: tuple[Inflation, ...]
    restoration: Restoration | None
    cement: Cement | None
    cortex: CortexMap | None
    leaks: tuple[LeakFinding, ...]
    candidacy: CandidacySheet
    notes: tuple[str, ...]
    seconds: float
