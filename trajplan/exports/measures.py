"""The measures of a body for plan.json and for `trajplan segment --json`."""

from __future__ import annotations

from typing import Any

from trajplan.anatomy.density import BODY_LIMITS, below
from trajplan.anatomy.vertebra import Vertebra
from trajplan.exports.plain import optional, points, required, vector
from trajplan.exports.vertebra_model import LimitModel, MeasuresModel


def measures(v: Vertebra) -> MeasuresModel | None:
    """Frame source, height points, losses, kyphosis, bulge, cleft and density; None when they were not measured."""
    m = v.measures
    if m is None:
        return None
    bulge, cleft = m.bulge, m.cleft
    return MeasuresModel(
        frame_source=v.frame_source.axis,
        frame_caution=v.frame_source.caution,
        six_points_lps=points(m.six_points_lps, "vertebra.measures.six_points_lps"),
        expected_mm=_three(v.heights.expected_mm, "expected_mm"),
        losses_percent=_three(v.heights.losses_percent, "losses_percent"),
        wedge_deg=required(m.kyphosis.wedge_deg, "vertebra.measures.wedge_deg"),
        local_kyphosis_deg=optional(m.kyphosis.local_deg),
        local_kyphosis_levels=m.kyphosis.local_levels,
        bulge_mm=None if bulge is None else required(bulge.bulge_mm, "vertebra.measures.bulge_mm"),
        canal_depth_mm=None if bulge is None else optional(bulge.canal_depth_mm),
        cleft_ml=required(cleft.volume_ml, "vertebra.measures.cleft_ml"),
        cleft_center_lps=(
            None if cleft.center_lps is None else vector(cleft.center_lps, "vertebra.measures.cleft_center_lps")
        ),
        body_hu_sd=required(m.body_hu_sd, "vertebra.measures.body_hu_sd", 2),
        trabecular_ml=required(m.trabecular_ml, "vertebra.measures.trabecular_ml"),
        body_hu_below=tuple(
            LimitModel(hu=limit.hu, meaning=limit.meaning, source=limit.source, evidence=limit.evidence)
            for limit in below(BODY_LIMITS, v.body_hu)
        ),
    )


def measures_facts(v: Vertebra) -> dict[str, Any]:
    """Heights, fracture and measures of a vertebra as plain JSON values."""
    found = measures(v)
    return {
        "heights_mm": [round(x, 2) for x in (v.heights.ha_mm, v.heights.hm_mm, v.heights.hp_mm)],
        "reference": v.heights.reference_source,
        "loss_percent": None if v.heights.loss_percent is None else round(v.heights.loss_percent, 1),
        "fracture": v.fracture.type,
        "genant_grade": v.fracture.genant_grade,
        "body_hu": round(v.body_hu, 1),
        "measures": None if found is None else found.model_dump(mode="json"),
    }


def _three(values: tuple[float, float, float] | None, name: str) -> tuple[float, ...] | None:
    if values is None:
        return None
    return tuple(required(x, f"vertebra.measures.{name}") for x in values)
