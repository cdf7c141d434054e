"""`trajplan demo`: a safe plan on both sides, true to the phantom, complete, and agreed by the independent re-check."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from cli_runs import Trajplan

from trajplan.exports.plan_json import json_schema
from trajplan.geometry import Capsule
from trajplan_phantoms import demo_phantom

CONTRACT: dict[str, Any] = {
    "schema": None,
    "software": {"name", "version"},
    "disclaimer": None,
    "created": None,
    "input": {"path_name", "sha256", "kind", "size_zyx", "spacing_zyx_mm", "findings"},
    "vertebra": {
        "level", "level_id", "level_confirmed", "frame", "heights", "fracture", "body_volume_ml", "body_hu",
        "confidence",
    },
    "views": {"ap", "lateral"},
    "provenance": {"parameters", "parameter_sha256", "mask_sha256", "timings_s"},
}  # fmt: skip
TRAJECTORY = {
    "side", "approach", "verdict", "reasons", "instrument", "skin_lps", "entry_lps", "target_lps", "length_in_bone_mm",
    "length_from_skin_mm", "angles", "clearance", "gertzbein_robbins", "breach_probability", "en_face", "stages",
}  # fmt: skip
CLEARANCE = {
    "min_mm", "medial_mm", "lateral_mm", "superior_mm", "inferior_mm", "anterior_mm", "endplate_mm", "canal_mm",
    "profile",
}  # fmt: skip


@pytest.fixture(scope="module")
def plan(demo: Path) -> dict[str, Any]:
    return json.loads((demo / "plan.json").read_text())


def test_both_sides_are_safe_with_grade_a(plan: dict[str, Any]) -> None:
    assert [(t["side"], t["verdict"], t["gertzbein_robbins"]) for t in plan["trajectories"]] == [
        ("left", "safe", "A"),
        ("right", "safe", "A"),
    ]
    assert plan["refusals"] == []


def test_no_breach_against_the_exact_truth_of_the_phantom(plan: dict[str, Any]) -> None:
    truth = demo_phantom().truth
    for t in plan["trajectories"]:
        path = Capsule(t["entry_lps"], t["target_lps"], t["instrument"]["outer_diameter_mm"] / 2)
        # from two instrument radii behind the isthmus on: before that the instrument is still entering the bone
        pedicle = next(p for side, p in truth.pedicles.items() if str(side) == t["side"])
        isthmus_mm = float((pedicle.isthmus_center_lps - path.start_lps) @ path.direction_lps)
        assert truth.breach_mm(path, from_depth_mm=isthmus_mm - 4.0) == 0.0
        assert t["clearance"]["min_mm"] <= truth.true_clearance(path, from_depth_mm=isthmus_mm - 4.0) + 0.05


def test_every_field_of_the_contract_is_filled(plan: dict[str, Any]) -> None:
    for name, fields in CONTRACT.items():
        assert plan[name] not in (None, "", {}), name
        for field in fields or ():
            assert plan[name][field] is not None, f"{name}.{field}"
    assert len(plan["pedicles"]) == 2
    for t in plan["trajectories"]:
        assert t.keys() >= TRAJECTORY
        assert all(t[name] is not None for name in TRAJECTORY)
        assert all(t["clearance"][name] is not None for name in CLEARANCE)
        assert len(t["stages"]) == 5
        assert all(s["passed"] for s in t["stages"])
    assert plan["schema"] == "trajplan.plan/1"
    assert plan["vertebra"]["level"] == "L1"
    assert plan["vertebra"]["fracture"] == {"type": "wedge", "genant_grade": 2}


def test_every_stage_says_where_its_tip_stands_and_is_judged_both_ways(plan: dict[str, Any]) -> None:
    for t in plan["trajectories"]:
        both = t["both_ways"]
        assert (both["passed_as_seen"], both["passed_in_space"], both["disagreement"]) == (True, True, None)
        assert both["line_mm"] < both["medial_mm"]
        assert [s["passed_in_space"] for s in t["stages"]] == [True] * 5
        docking, final = t["stages"][0]["place"], t["stages"][-1]["place"]
        assert docking["third"] == "behind the body"
        assert final["third"] == "anterior third"
        assert 7 < docking["clock_hours"] < 11 if t["side"] == "left" else 1 < docking["clock_hours"] < 5
        for s in t["stages"]:
            p = s["place"]
            assert p["medial_border_mm"] / p["medial_border_px"] == pytest.approx(0.3, abs=0.05)
            assert p["wall_line_px"] * p["wall_line_mm"] >= 0
            assert s["margin_mm"] / s["margin_px"] == pytest.approx(0.3, abs=0.05)
        for s in t["stages"][
            2:4
        ]:  # beside the wall, where perspective says little: it is hollow, so the rims come first
            assert s["place"]["true_wall_mm"] < s["place"]["rims_mm"] + 0.6
        way = np.subtract(t["target_lps"], t["entry_lps"])
        tip = np.array(t["entry_lps"]) + t["stages"][-1]["depth_mm"] * way / np.linalg.norm(way)
        from_middle = abs(
            float(np.subtract(tip, plan["vertebra"]["frame"]["origin_lps"]) @ plan["vertebra"]["frame"]["u"])
        )
        assert final["midline_mm"] == pytest.approx(from_middle, abs=1.0)  # perspective


def test_the_document_is_valid_against_the_shipped_schema(plan: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(plan)


def test_report_and_pictures_are_there(demo: Path) -> None:
    html = (demo / "report.html").read_text()
    assert "Not a medical device" in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert (demo / "report.pdf").read_bytes().startswith(b"%PDF")
    names = {p.stem for p in (demo / "figures").glob("*.png")}
    assert {"xray_ap", "xray_lateral", "left_axial", "left_sagittal", "left_coronal", "left_along"} <= names
    assert {"left_clearance", "right_clearance"} <= names


def test_the_independent_check_agrees(demo: Path, trajplan: Trajplan) -> None:
    run = trajplan("check", demo / "plan.json")
    assert run.status == 0, run.out
    assert "FAIL" not in run.out


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("smallest clearance", ("clearance", "min_mm")),
        ("convergence", ("angles", "convergence_deg")),
        ("canal clearance", ("clearance", "canal_mm")),
    ],
)
def test_a_doctored_number_is_found_out(
    demo: Path, trajplan: Trajplan, tmp_path: Path, what: str, where: tuple[str, str]
) -> None:
    plan = json.loads((demo / "plan.json").read_text())
    plan["trajectories"][0][where[0]][where[1]] += 0.6
    shutil.copy(demo / "parts.nrrd", tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    run = trajplan("check", tmp_path / "plan.json")
    assert run.status == 1
    assert f"FAIL left {what}" in run.out


def test_a_moved_path_is_found_out(demo: Path, trajplan: Trajplan, tmp_path: Path) -> None:
    plan = json.loads((demo / "plan.json").read_text())
    for end in ("entry_lps", "target_lps"):
        plan["trajectories"][0][end] = (np.array(plan["trajectories"][0][end]) - np.array([1.5, 0, 0])).tolist()
    shutil.copy(demo / "parts.nrrd", tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    run = trajplan("check", tmp_path / "plan.json")
    assert run.status == 1
    assert "FAIL left smallest clearance" in run.out
    assert "pixel" in run.out
