"""What was segmented as plain JSON values: for `trajplan segment --json` and its measures file."""

from __future__ import annotations

from typing import Any

from trajplan.exports.column_facts import level_facts, vertebra_facts
from trajplan.exports.measures import measures_facts
from trajplan.levels import LEVEL_NAMES
from trajplan.segmenting import Segmentation, SegmentedVertebra


def one_facts(segmentation: Segmentation) -> dict[str, Any]:
    """Of a single vertebra."""
    (one,) = segmentation.vertebrae
    facts: dict[str, Any] = {
        "target_id": one.label_id,
        "labels": [LEVEL_NAMES.get(i, "unknown") for i in segmentation.labels.ids()],
        "confidence": round(one.confidence.score, 3),
        "values": {k: round(float(v), 3) for k, v in one.confidence.values.items()},
        "check": list(one.confidence.check),
    }
    if segmentation.levels is not None and segmentation.seed_lps is not None:
        facts["levels"] = level_facts(segmentation.levels)
        facts["seed_lps"] = [round(float(v), 2) for v in segmentation.seed_lps]
    return facts | _measures(one)


def all_facts(segmentation: Segmentation) -> dict[str, Any]:
    """Of every vertebra in view, with the evidence for their names."""
    facts: dict[str, Any] = {}
    if segmentation.levels is not None:
        facts["levels"] = level_facts(segmentation.levels)
    facts["vertebrae"] = [
        {
            "level": one.level,
            "label_id": one.label_id,
            **({} if one.found is None else vertebra_facts(*one.found)),
            "confidence": round(one.confidence.score, 3),
            "check": list(one.confidence.check),
            **_measures(one),
        }
        for one in segmentation.vertebrae
    ]
    return facts


def _measures(one: SegmentedVertebra) -> dict[str, Any]:
    return {"not_measured": one.refusal} if one.measured is None else measures_facts(one.measured)
