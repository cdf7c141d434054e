"""plan.json keeps its names, survives the round trip and refuses what it does not understand."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from sample_case import blind_case, refused_case

from trajplan import DISCLAIMER
from trajplan.case import CaseResult
from trajplan.errors import InputError
from trajplan.exports.csv_tables import csv_tables
from trajplan.exports.markups import markups_of
from trajplan.exports.plan_json import json_schema, plan_document, plan_text, read_plan, schema_text, write_plan
from trajplan.exports.plan_model import PlanDocument
from trajplan.exports.schema_file import SCHEMA_PATH

CONTRACT = {
    "": "schema software disclaimer created input vertebra pedicles trajectories refusals views provenance",
    "software": "name version",
    "input": "path_name sha256 kind size_zyx spacing_zyx_mm findings",
    "input.findings.0": "code severity message",
    "vertebra": "level level_id level_confirmed frame heights fracture body_volume_ml body_hu confidence",
    "vertebra.frame": "origin_lps u v w",
    "vertebra.heights": "ha_mm hm_mm hp_mm reference_mm loss_percent",
    "vertebra.fracture": "type genant_grade",
    "pedicles.0": "side isthmus_center_lps axis_lps width_mm height_mm",
    "trajectories.0": "side approach verdict reasons instrument skin_lps entry_lps target_lps length_in_bone_mm "
    "length_from_skin_mm angles clearance gertzbein_robbins breach_probability en_face stages",
    "trajectories.0.instrument": "name outer_diameter_mm length_mm",
    "trajectories.0.angles": "convergence_deg craniocaudal_deg",
    "trajectories.0.clearance": "min_mm medial_mm lateral_mm superior_mm inferior_mm anterior_mm endplate_mm canal_mm "
    "profile",
    "trajectories.0.breach_probability": "any medial lateral superior inferior samples entry_sigma_mm angle_sigma_deg",
    "trajectories.0.en_face": "primary_deg secondary_deg",
    "trajectories.0.stages.0": "name depth_mm passed margin_mm rule tip_lps ap_px lateral_px",
    "refusals.0": "side approach code message numbers",
    "views.ap": "primary_deg secondary_deg isocenter_lps source_detector_mm source_isocenter_mm detector_px pixel_mm "
    "magnification residuals",
    "views.lateral": "primary_deg secondary_deg",
    "provenance": "parameters parameter_sha256 mask_sha256 timings_s",
}


def _at(data: object, path: str) -> object:
    for key in path.split(".") if path else ():
        data = data[int(key)] if isinstance(data, list) else data[key]  # type: ignore[index]  # nested JSON
    return data


@pytest.mark.parametrize(("path", "names"), CONTRACT.items())
def test_the_fixed_names_of_the_contract_are_written(document: PlanDocument, path: str, names: str) -> None:
    found = _at(json.loads(plan_text(document)), path)
    assert isinstance(found, dict)
    assert set(names.split()) <= set(found)


def test_what_was_written_is_read_back_equal(document: PlanDocument, tmp_path: Path) -> None:
    path = write_plan(document, tmp_path / "plan.json")
    assert read_plan(path) == document
    assert plan_text(read_plan(path)) == path.read_text(encoding="utf-8")


GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("plan-*.json")), ids=lambda path: path.stem)
def test_a_plan_of_every_released_version_still_loads_and_can_be_handed_on(path: Path) -> None:
    document = read_plan(path)
    assert f"plan-{document.software.version}" == path.stem
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(plan_text(document)))
    left, right = document.trajectories
    assert (left.verdict, right.verdict) == ("safe", "unsafe")
    assert left.clearance.min_mm == 1.9
    assert left.clearance.foramen_mm is None, "what that version did not know stays unknown"
    assert document.augmentation is None
    assert {"left_path.mrk.json", "right_path.mrk.json"} <= set(markups_of(document))
    assert b"clearance,left,min_mm,1.9,mm" in csv_tables(document)["measures.csv"]


def test_numbers_are_those_of_the_case(case: CaseResult, document: PlanDocument) -> None:
    path, planned = document.trajectories[1], case.trajectories[1]
    np.testing.assert_allclose(path.entry_lps, planned.entry_lps, atol=5e-5)
    assert path.verdict == "unsafe"
    assert path.clearance.min_mm == 0.6
    assert path.capsule_radius_mm == pytest.approx(1.524)
    assert document.views.ap is not None
    assert document.views.ap.magnification == pytest.approx(1020 / 530, abs=1e-6)
    assert document.disclaimer == DISCLAIMER
    assert document.vertebra is not None
    assert document.vertebra.level_confirmed is False
    assert case.vertebra is not None
    assert document.provenance.mask_sha256 == case.vertebra.parts.sha256()
    assert document.files.parts == "parts.nrrd"


def test_the_view_can_be_rebuilt_from_the_document(case: CaseResult, document: PlanDocument) -> None:
    view = document.views.en_face_left
    assert view is not None
    carm = case.views["en_face_left"].carm
    assert (view.primary_deg, view.secondary_deg) == pytest.approx((carm.primary_deg, carm.secondary_deg), abs=1e-4)
    assert document.trajectories[0].en_face.primary_deg == view.primary_deg


def test_what_is_not_known_is_null_and_never_nan(document: PlanDocument) -> None:
    text = plan_text(document)
    assert "NaN" not in text
    assert "Infinity" not in text
    assert document.vertebra is not None
    assert document.vertebra.confidence.values["canal_area_mm2"] is None


def test_a_required_number_that_is_not_finite_is_refused_by_name(case: CaseResult) -> None:
    path = dataclasses.replace(case.trajectories[0], length_in_bone_mm=math.nan)
    with pytest.raises(InputError, match="length_in_bone_mm"):
        plan_document(dataclasses.replace(case, trajectories=(path,)))


@pytest.mark.parametrize("make", [refused_case, blind_case])
def test_a_refused_case_has_a_document(make: object, tmp_path: Path) -> None:
    document = plan_document(make())  # type: ignore[operator]  # a function of the parametrisation
    assert document.trajectories == ()
    assert document.refusals[0].numbers
    assert read_plan(write_plan(document, tmp_path / "p.json")) == document
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(plan_text(document)))


def test_the_shipped_schema_is_the_one_of_the_models() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_valid_and_accepts_the_document(document: PlanDocument) -> None:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    data = json.loads(plan_text(document))
    validator.validate(data)
    del data["trajectories"][0]["clearance"]["min_mm"]
    assert not validator.is_valid(data)


def test_unknown_fields_are_ignored(document: PlanDocument, tmp_path: Path) -> None:
    data = json.loads(plan_text(document)) | {"later": 1}
    data["trajectories"][0]["clearance"]["later_mm"] = 2.0
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert read_plan(path) == document


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(schema="trajplan.plan/2"), "trajplan.plan/2"),
        (lambda d: d.update(schema="trajplan.plan/0"), "trajplan.plan/0"),
        (lambda d: d.pop("schema"), "schema None"),
        (lambda d: d["trajectories"][1]["clearance"].pop("min_mm"), "trajectories.1.clearance.min_mm is missing"),
        (lambda d: d["files"].update(parts="../../secret.nrrd"), "files.parts"),
        (lambda d: d["trajectories"][0].update(verdict="perfect"), "trajectories.0.verdict"),
        (lambda d: d["trajectories"][0].update(length_in_bone_mm="43"), "trajectories.0.length_in_bone_mm"),
        (lambda d: d["trajectories"][0].update(length_in_bone_mm=math.nan), "not valid JSON"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line_that_names_it(
    document: PlanDocument, tmp_path: Path, change: object, says: str
) -> None:
    data = json.loads(plan_text(document))
    change(data)  # type: ignore[operator]  # a function of the parametrisation
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match=says) as error:
        read_plan(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "not json", "[" * 100_000])
def test_what_is_not_a_plan_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.json"):
        read_plan(path)


def test_a_missing_plan_is_refused_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read plan none\.json") as error:
        read_plan(tmp_path / "none.json")
    assert str(tmp_path) not in str(error.value)


def test_paths_in_the_provenance_lose_their_folders(case: CaseResult) -> None:
    planted = dataclasses.replace(case, provenance={"labels": Path("/data/DOE_JANE/labels.nrrd")})
    text = plan_text(plan_document(planted))
    assert "labels.nrrd" in text
    assert "DOE_JANE" not in text
