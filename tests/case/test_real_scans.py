"""Real scans end to end: a plan that agrees with its re-check, or a refusal with numbers; never a wrong plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runs import Trajplan
from realdata import real_data

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("scan", "labels", "scheme", "level"),
    [
        ("lidc0001", "vertebrae_verse", "verse", "L1"),
        ("lidc0001", "labels_totalseg117", "totalseg-v2", "T12"),
        ("ts_lumbar3mm", "vertebrae_verse", "verse", "L4"),
        ("ts_chest_stent", "vertebrae_T12", "mask", "T12"),
    ],
)
def test_label_route_plans_or_refuses_each_side_without_breach_and_the_check_agrees(
    scan: str, labels: str, scheme: str, level: str, trajplan: Trajplan, tmp_path: Path
) -> None:
    source = real_data(f"ct/{scan}/ct.nii.gz")
    run = trajplan(
        "plan", source, "--labels", real_data(f"ct/{scan}/{labels}.nii.gz"), "--scheme", scheme, "--level", level,
        "--out", tmp_path / "plan",
    )  # fmt: skip
    assert run.status == 0, run
    plan = json.loads((tmp_path / "plan" / "plan.json").read_text())
    offered, refused = ({one["side"] for one in plan[name]} for name in ("trajectories", "refusals"))
    assert offered
    assert (offered | refused) - {None} == {"left", "right"}
    assert all(r["numbers"] for r in plan["refusals"])
    assert all(t["gertzbein_robbins"] == "A" for t in plan["trajectories"])
    assert all(s["passed"] for t in plan["trajectories"] for s in t["stages"])
    if scan == "ts_chest_stent":  # cropped before the skin
        assert all(t["verdict"] == "unknown" and t["skin_lps"] is None for t in plan["trajectories"])
    checked = trajplan("check", tmp_path / "plan" / "plan.json", source)
    assert checked.status == 0, checked.out


def test_a_vertebra_cut_by_the_scan_is_refused_with_the_area(trajplan: Trajplan, tmp_path: Path) -> None:
    run = trajplan(
        "plan", real_data("dicom/ts_slab_jpeg2000"), "--labels",
        real_data("ct/ts_T12slab_2mm/vertebrae_verse.nii.gz"), "--scheme", "verse", "--level", "T12",
        "--out", tmp_path / "plan",
    )  # fmt: skip
    assert run.status == 3
    plan = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert plan["trajectories"] == []
    assert plan["refusals"][0]["code"] == "truncated"
    assert plan["refusals"][0]["numbers"]["cut_inferior_mm2"] > 100


def test_the_depressed_t11_is_found_without_a_seed_and_never_called_safe(trajplan: Trajplan, tmp_path: Path) -> None:
    run = trajplan("plan", real_data("ct/ts_chest_stent/ct.nii.gz"), "--out", tmp_path / "plan")
    assert run.status in (0, 3)
    plan = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert plan["vertebra"]["frame"]["origin_lps"][2] == pytest.approx(592, abs=6)
    assert plan["vertebra"]["confidence"]["score"] < 0.7
    assert all(t["verdict"] != "safe" for t in plan["trajectories"])
