"""The seam every segmentation back-end meets: a seed in a scan -> labels, with what is known about their worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from trajplan.anatomy.vertebra import Confidence
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.arrays import FloatArray

Progress = Callable[[float, str], None]
"""``progress(fraction 0..1, what is being done)``."""


@dataclass(frozen=True, eq=False)
class LabelResult:
    """Labels of one segmentation.

    Parameters
    ----------
    labels : LabelMap
        VerSe ids; the target is `target_id`, neighbours (if known) have theirs.
    target_id : int
    confidence : Confidence
    provenance : mapping
        Back-end name, version and parameters, JSON-able.
    """

    labels: LabelMap
    target_id: int
    confidence: Confidence
    provenance: Mapping[str, object]


class Backend(Protocol):
    """A segmentation back-end."""

    @property
    def name(self) -> str:
        """What `--backend`, plan.json and the report call it."""
        ...

    def segment(self, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress) -> LabelResult:
        """Segment the vertebra whose body holds `seed_lps` (LPS mm) in a canonical CT; raises AnatomyError."""
        ...
