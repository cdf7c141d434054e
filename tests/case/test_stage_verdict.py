"""A staged rule that is broken on the X-ray views makes a path unsafe, however safe its clearance."""

from __future__ import annotations

import dataclasses

import pytest
from sample_case import sample_case

from trajplan.case import _with_stages
from trajplan.planning.plan import Verdict


def test_a_broken_rule_makes_a_safe_path_unsafe_and_is_named_first() -> None:
    case = sample_case()
    path = dataclasses.replace(case.trajectories[0], verdict=Verdict.SAFE, reasons=("a caution",))
    kept = tuple(dataclasses.replace(s, passed=True, margin_mm=1.0) for s in case.stages[path.side])
    broken = (*kept[:-1], dataclasses.replace(kept[-1], passed=False, margin_mm=-1.5))
    assert _with_stages(path, kept).verdict is Verdict.SAFE
    judged = _with_stages(path, broken)
    assert judged.verdict is Verdict.UNSAFE
    assert "by 1.5 mm" in judged.reasons[0]
    assert judged.reasons[1:] == ("a caution",)


@pytest.mark.parametrize("passed", [None, True])
def test_a_rule_that_is_kept_or_cannot_be_judged_changes_nothing(passed: bool | None) -> None:
    case = sample_case()
    path = dataclasses.replace(case.trajectories[0], verdict=Verdict.SAFE)
    stages = tuple(dataclasses.replace(s, passed=passed) for s in case.stages[path.side])
    assert _with_stages(path, stages) is path
