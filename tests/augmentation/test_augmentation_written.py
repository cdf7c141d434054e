"""The augmentation in plan.json, its label file, its report and on the command line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from augmentation_case import Broken
from cli_runs import Trajplan

from trajplan.augmentation.envelope import Envelope
from trajplan.exports.labels_file import read_parts
from trajplan.exports.plan_json import plan_document, plan_text, read_plan
from trajplan.exports.schema_file import SCHEMA_PATH
from trajplan.reporting.augmentation_facts import augmentation_facts
from trajplan.reporting.write import CEMENT_NAME, write_report


@pytest.fixture(scope="module")
def report(wedge: Broken, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("augmented")
    write_report(wedge.result, out)
    return out


def test_the_block_goes_to_a_file_and_back_and_fits_the_schema(wedge: Broken, report: Path) -> None:
    document = plan_document(wedge.result, "parts.nrrd", CEMENT_NAME)
    assert read_plan(report / "plan.json") == document
    data = json.loads(plan_text(document))
    jsonschema.Draft202012Validator(json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))).validate(data)
    block = data["augmentation"]
    assert set(block) == {
        "settings", "sequences", "inflations", "restoration", "cement", "leaks", "candidacy", "notes",
    }  # fmt: skip
    assert block["cement"]["planned_ml"] <= block["cement"]["cap_ml"]


def test_the_written_envelope_has_the_volume_of_the_balloon(wedge: Broken, report: Path) -> None:
    document = read_plan(report / "plan.json")
    assert document.augmentation is not None
    for written, inflation in zip(document.augmentation.inflations, wedge.planned.inflations, strict=True):
        e = written.envelope
        again = Envelope(np.array(e.center_lps), np.array(e.axes_lps), np.array(e.z_mm), np.array(e.radius_mm))
        assert again.volume_ml == pytest.approx(inflation.final.cavity_ml, rel=1e-3)
        assert written.verified is False


def test_the_label_file_of_the_cement_lies_where_the_cement_does(wedge: Broken, report: Path) -> None:
    assert wedge.planned.cement is not None
    labels = read_parts(report / CEMENT_NAME)
    assert labels.grid.same_as(wedge.planned.cement.labels.grid)
    assert (labels.array == wedge.planned.cement.labels.array).all()
    assert read_plan(report / "plan.json").files.augmentation == CEMENT_NAME


def test_the_report_says_what_is_not_verified_and_never_promises(wedge: Broken, report: Path) -> None:
    page = (report / "report.html").read_text(encoding="utf-8")
    for words in ("not verified", "upper", "no recommendation", "No pressure is computed", "proposed", "not entered"):
        assert words in page
    assert "restored to normal" not in page
    said = json.dumps([dataclasses.asdict(section) for section in augmentation_facts(wedge.planned)])
    for source in ("PMC7427078", "PMC8449924", "PMC3804705", "BMC MSD 2013;14:233", "unverified", "secondary"):
        assert source in said


def test_every_picture_is_in_the_folder_and_in_the_page(report: Path) -> None:
    page = (report / "report.html").read_text(encoding="utf-8")
    found = {f.name for f in (report / "figures").iterdir()}
    views = {f"xray_{view}_{what}.png" for view in ("ap", "lateral") for what in ("balloon", "cement")}
    slices = {f"balloon_{plane}.png" for plane in ("axial", "coronal", "sagittal_left", "sagittal_right")}
    cement = {f"cement_{plane}.png" for plane in ("axial", "sagittal", "coronal")}
    own = {"augmentation_left_instruments.png", "augmentation_right_instruments.png", "augmentation_heights.png"}
    assert views | slices | cement | own <= found
    for title in ("Balloons, axial", "Cement, axial", "Simulated lateral with cement", "Heights, before and predicted"):
        assert f'alt="{title}' in page


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--balloon", "25 mm"), "unknown balloon '25 mm'"),
        (("--balloon-ml", "40"), "max_volume_ml is 40"),
        (("--candidacy", "nowhere.toml"), "cannot read the candidacy entries nowhere.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(
    trajplan: Trajplan, tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    out = tmp_path / "out"
    run = trajplan("plan", tmp_path / "none.nii.gz", "--out", out, *options)
    assert run.status == 2
    assert says in run.err
    assert not out.exists()
