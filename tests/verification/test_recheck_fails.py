"""The re-check can fail: a verdict the figures do not hold up, a broken document, an empty mask."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import trajplan.case as case_module
from trajplan.case import CaseRequest, run_case
from trajplan.errors import AnatomyError, InputError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.planning.plan import PlanSettings
from trajplan.planning.planner import PlanSet
from trajplan.reading.scan import Scan
from trajplan.verification.check_line import CheckLine
from trajplan.verification.mesh_distance import distances, mesh_of
from trajplan.verification.recheck import recheck
from trajplan.verification.recheck_verdict import STAGES, hindrances, verdict_lines


def document(**path: Any) -> dict[str, Any]:
    """A plan with one path that nothing is held against, changed by `path`."""
    clearance = {
        "min_mm": 1.5, "medial_mm": 1.5, "lateral_mm": 1.6, "superior_mm": 3.0, "inferior_mm": 3.0, "anterior_mm": 4.0,
        "endplate_mm": 4.0, "canal_mm": 2.0,
    }  # fmt: skip
    one = {
        "side": "left", "verdict": "safe", "entry_lps": [0.0, 30.0, 0.0], "target_lps": [0.0, -10.0, 0.0],
        "skin_lps": [0.0, 80.0, 0.0], "length_from_skin_mm": 90.0, "clearance": clearance,
        "instrument": {"length_mm": 100.0}, "stages": [{"name": n, "passed": True} for n in STAGES],
    } | path  # fmt: skip
    return {
        "input": {"sha256": "a"},
        "vertebra": {"level": "L1", "touches_edge": False, "confidence": {"score": 1.0}},
        "pedicles": [],
        "views": {"ap": None, "lateral": None},
        "provenance": {"mask_sha256": "b", "parameters": {"wall_margin_mm": 1.0, "canal_margin_mm": 1.0}},
        "trajectories": [one],
    }


def failures(plan: dict[str, Any], least_mm: float = 1.6, canal_mm: float = 2.1) -> list[str]:
    return [x.name for x in verdict_lines(plan["trajectories"][0], plan, least_mm, canal_mm) if not x.agrees]


def test_a_safe_path_that_nothing_is_against_passes() -> None:
    assert failures(document()) == []


@pytest.mark.parametrize(
    ("change", "figures"),
    [
        ({}, (0.4, 2.0)),
        ({}, (1.5, 0.2)),
        ({}, (float("nan"), 2.0)),
        ({"skin_lps": None}, (1.6, 2.1)),
        ({"instrument": {"length_mm": 80.0}}, (1.6, 2.1)),
        ({"stages": [{"name": n, "passed": n != "final"} for n in STAGES]}, (1.6, 2.1)),
        ({"stages": [{"name": n, "passed": None} for n in STAGES]}, (1.6, 2.1)),
    ],
)
def test_a_safe_verdict_against_the_figures_is_found_out(change: dict[str, Any], figures: tuple[float, float]) -> None:
    plan = document(**change)
    assert "left verdict" in failures(plan, *figures)
    unsafe = document(**change, verdict="unsafe")
    assert "left verdict" not in failures(unsafe, *figures)


@pytest.mark.parametrize("change", [{"level": None}, {"touches_edge": True}, {"confidence": {"score": 0.4}}])
def test_a_safe_verdict_on_an_unknown_vertebra_is_found_out(change: dict[str, Any]) -> None:
    plan = document()
    plan["vertebra"] |= change
    assert failures(plan) == ["left verdict"]


def test_a_wall_nearer_than_the_smallest_clearance_a_dropped_stage_and_a_moved_skin_point_are_found_out() -> None:
    plan = document()
    plan["trajectories"][0]["clearance"]["lateral_mm"] = 1.2
    assert failures(plan) == ["left least of the walls"]
    assert failures(document(stages=[{"name": n, "passed": True} for n in STAGES[:-1]])) == ["left stages"]
    assert failures(document(skin_lps=[3.0, 80.0, 0.0])) == ["left skin point off the path"]
    assert failures(document(length_from_skin_mm=70.0)) == ["left length from the skin"]


def test_an_end_plate_margin_of_the_document_is_held_against_it() -> None:
    plan = document()
    plan["trajectories"][0]["clearance"]["endplate_mm"] = 2.0
    assert "endplate clearance 2.00 mm, margin 3.0 mm" in hindrances(plan["trajectories"][0], plan, 1.6, 2.1)


def test_a_document_without_views_or_pedicle_is_refused_with_what_is_missing() -> None:
    plan = document()
    plan["vertebra"] |= {"posterior_wall_lps": [], "anterior_wall_lps": []}
    plan["trajectories"][0]["stages"] = []
    grid = Grid((8, 8, 8), (0.0, 0.0, 0.0), (0.65, 0.65, 0.65))
    with pytest.raises(InputError, match="left pedicle's outline, the AP and lateral view") as refused:
        recheck(plan, LabelMap(np.zeros((8, 8, 8), dtype=np.uint8), grid), "a")
    assert refused.value.code == "plan_incomplete"


def test_an_empty_mask_has_an_empty_mesh_infinitely_far_away() -> None:
    mesh = mesh_of(np.zeros((5, 5, 5), dtype=bool), np.zeros(3), 0.65)
    assert len(mesh.triangles_lps) == 0
    assert np.isinf(distances(np.zeros((2, 3)), mesh)).all()


def test_a_figure_that_is_not_finite_fails_and_is_still_json() -> None:
    line = CheckLine("left canal clearance", 2.0, float("inf"), 0.3, "mm")
    assert not line.agrees
    assert not CheckLine("x", 2.0, float("nan"), 0.3, "mm").agrees
    assert json.loads(json.dumps(line.as_dict(), allow_nan=False))["recomputed"] is None


def test_end_plates_too_steep_for_the_views_end_as_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the views no stage can be judged: no path may be offered, and no error may escape."""
    grid = Grid((4, 4, 4), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    scan = Scan.of_volume(Volume(np.zeros((4, 4, 4), dtype=np.int16), grid), path_name="x", kind="phantom")

    def steep(*_: object) -> None:
        raise AnatomyError("the beam would run along the spine", code="endplates_steep")

    class FakeTarget:
        vertebra = None
        automatic = False
        notes = ()
        spacing_mm = 1.0

    monkeypatch.setattr(case_module, "find_target", lambda *_: FakeTarget())
    monkeypatch.setattr(case_module, "plan_approaches", lambda *_a, **_k: PlanSet(("a path",), (), ()))  # type: ignore[arg-type]  # any path
    monkeypatch.setattr(case_module, "standard_views", steep)
    monkeypatch.setattr(case_module, "_result", lambda *arguments: arguments)
    result: Any = run_case(scan, CaseRequest("L1", settings=PlanSettings()))
    assert result[3] == ()
    assert [r.code for r in result[4]] == ["endplates_steep"]
