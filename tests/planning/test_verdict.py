"""Verdicts: missing knowledge is unknown, never safe; a broken limit is unsafe."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case

from trajplan.anatomy.vertebra import Confidence
from trajplan.planning.plan import Breach, PlanSettings, Verdict
from trajplan.planning.skin import SkinWay
from trajplan.planning.verdict import judge

RARE = Breach(0.01, 0.01, 0.0, 0.0, 0.0, 100, 0.75, 2.0)


@pytest.fixture
def free_way(wedge: Case) -> SkinWay:
    return SkinWay(wedge.vertebra.frame.to_world([30.0, 90.0, 0.0]), 0.0, 60.0)


def test_everything_known_and_kept_is_safe(wedge: Case, free_way: SkinWay) -> None:
    assert judge(wedge.vertebra, PlanSettings(), free_way, 0.5, 0.0, RARE) == (Verdict.SAFE, ())


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("level", {"level": None, "level_id": None}),
        ("border", {"touches_edge": True}),
        ("confidence", {"confidence": Confidence(0.2, {}, ("made up",))}),
    ],
)
def test_missing_knowledge_is_unknown(wedge: Case, free_way: SkinWay, word: str, change: dict[str, object]) -> None:
    doubtful = dataclasses.replace(wedge.vertebra, **change)  # type: ignore[arg-type]
    verdict, reasons = judge(doubtful, PlanSettings(), free_way, 5.0, 0.0, RARE)
    assert verdict is Verdict.UNKNOWN
    assert any(word in reason for reason in reasons)


def test_no_skin_in_the_scan_is_unknown(wedge: Case) -> None:
    verdict, reasons = judge(wedge.vertebra, PlanSettings(), SkinWay(None, 0.0, 22.0), 5.0, 0.0, RARE)
    assert verdict is Verdict.UNKNOWN
    assert "22 mm" in reasons[0]


def test_an_automatic_mask_with_little_margin_is_unknown(wedge: Case, free_way: SkinWay) -> None:
    assert judge(wedge.vertebra, PlanSettings(), free_way, 0.4, 1.0, RARE)[0] is Verdict.UNKNOWN
    assert judge(wedge.vertebra, PlanSettings(), free_way, 1.4, 1.0, RARE)[0] is Verdict.SAFE


def test_bone_on_the_way_or_a_far_skin_point_is_unsafe_whatever_else_is_unknown(wedge: Case) -> None:
    far = wedge.vertebra.frame.to_world([95.0, 60.0, 0.0])
    verdict, reasons = judge(wedge.vertebra, PlanSettings(), SkinWay(far, 6.0, 60.0), 5.0, 0.0, RARE)
    assert verdict is Verdict.UNSAFE
    assert any("6 mm of other bone" in r for r in reasons)
    assert any("95 mm from the midline" in r for r in reasons)
    unlevelled = dataclasses.replace(wedge.vertebra, level=None, level_id=None)
    assert judge(unlevelled, PlanSettings(), SkinWay(None, 6.0, 20.0), 5.0, 0.0, RARE)[0] is Verdict.UNSAFE
    assert np.isfinite(far).all()


def test_a_likely_breach_is_said_beside_a_safe_verdict(wedge: Case, free_way: SkinWay) -> None:
    likely = dataclasses.replace(RARE, any=0.22, medial=0.1)
    verdict, reasons = judge(wedge.vertebra, PlanSettings(), free_way, 0.5, 0.0, likely)
    assert verdict is Verdict.SAFE
    assert "22 %" in reasons[0]
