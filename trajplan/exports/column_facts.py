"""A column found without a seed as plain JSON values: names, the evidence behind them, and where the vertebrae are."""

from __future__ import annotations

from typing import Any

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.level_proposal import LevelProposal
from trajplan.geometry import Frame


def level_facts(levels: LevelProposal) -> dict[str, Any]:
    """Names from top to bottom (None: unknown), status, evidence, and the reasons for doubt."""
    return {
        "names": list(levels.names),
        "status": str(levels.status),
        "evidence": [
            {"anchor": str(one.anchor), "index": one.index, "level": one.level, "numbers": dict(one.numbers)}
            for one in levels.evidence
        ],
        "reasons": list(levels.reasons),
    }


def vertebra_facts(one: FoundVertebra, frame: Frame) -> dict[str, Any]:
    """Centre, frame, size and what is cut."""
    return {
        "center_lps": [round(float(v), 2) for v in one.center_lps],
        "frame": {axis: [round(float(v), 4) for v in getattr(frame, axis)] for axis in "uvw"},
        "volume_ml": round(one.volume_ml, 1),
        "cut": list(one.cut),
    }
