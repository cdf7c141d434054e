"""Case: from a scan to a verified plan. The flow of one case, its progress, provenance and timings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trajplan.anatomy.vertebra import Vertebra
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.views import SolvedView
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.plan import PlanSettings, Refusal, Trajectory
from trajplan.reading.scan import Scan
from trajplan.verification.stages import Stage


@dataclass(frozen=True, eq=False)
class CaseRequest:
    """What was asked: which vertebra, how to find it, and the plan settings."""

    level: str | None = None
    seed_lps: FloatArray | None = None
    labels: Path | None = None
    scheme: str | None = None
    settings: PlanSettings = field(default_factory=PlanSettings)


@dataclass(frozen=True, eq=False)
class CaseResult:
    """Everything that was computed for one case; reports and exports only read it.

    `views` has ``ap``, ``lateral`` and ``en_face_left`` / ``en_face_right`` where a path exists; `drrs` has the same
    keys and shows anatomy only (instruments are added when drawn). `notes` are sentences a reader must see first
    (how the target was chosen, level not confirmed, low confidence).
    """

    request: CaseRequest
    scan: Scan
    vertebra: Vertebra | None
    trajectories: tuple[Trajectory, ...]
    refusals: tuple[Refusal, ...]
    stages: Mapping[Side, tuple[Stage, ...]]
    views: Mapping[str, SolvedView]
    drrs: Mapping[str, Drr]
    notes: tuple[str, ...]
    provenance: Mapping[str, object]
    timings_s: Mapping[str, float]
    created: str
