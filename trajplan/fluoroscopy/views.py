"""Standard views of one vertebra: true AP, true lateral and en-face, solved from its anatomy, with their residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trajplan.fluoroscopy.carm import CArm


@dataclass(frozen=True, eq=False)
class SolvedView:
    """A named C-arm position and how good it is (`residuals`: names with units -> value)."""

    name: str
    carm: CArm
    residuals: Mapping[str, float]
