"""Every export is read and judged by a program that is not ours; and the judges do find what is wrong."""

from __future__ import annotations

import copy
import csv
import dataclasses
import io
import json
import math
from pathlib import Path
from typing import Any

import highdicom as hd
import jsonschema
import numpy as np
import pandas as pd
import PIL.Image
import pydicom
import pytest
import slicerio
import trimesh
from realdata import real_data
from stored_case import StoredCase
from validators import dicom_errors, judge

from trajplan import DISCLAIMER
from trajplan.errors import InputError
from trajplan.exports.augmentation_model import (
    AugmentationModel,
    CandidacyModel,
    EnvelopeModel,
    InflationModel,
    InflationStepModel,
)
from trajplan.exports.csv_tables import csv_bytes
from trajplan.exports.dicom_export import write_dicom
from trajplan.exports.dicom_study import study_of
from trajplan.exports.mesh import mesh_of_mask, turned_mesh
from trajplan.exports.segments import segments_of
from trajplan.exports.solids import solids_of
from trajplan.geometry import Grid, LabelMap
from trajplan.reporting.figure_files import write_figures


def test_the_folders_and_the_manifest_are_there(exported: Path) -> None:
    assert {p.name for p in exported.iterdir()} == {"slicer", "mesh", "csv", "dicom", "manifest.json"}
    listed = json.loads((exported / "manifest.json").read_text())["files"]
    made = {p.relative_to(exported).as_posix() for p in exported.rglob("*") if p.is_file()}
    assert made == {*listed, "manifest.json"}


def _markups(exported: Path) -> list[dict[str, Any]]:
    return [json.loads(p.read_text()) for p in sorted((exported / "slicer").glob("*.mrk.json"))]


@pytest.mark.real
def test_markups_hold_the_published_schema(exported: Path) -> None:
    schema = json.loads(real_data("schemas/markups-schema-v1.0.3.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    made = _markups(exported)
    assert {m["markups"][0]["type"] for m in made} == {"Line", "Fiducial", "Plane"}
    for whole in made:
        validator.validate(whole)
    for harm in (lambda m: m.pop("type"), lambda m: m.update(coordinateSystem="XYZ"),
                 lambda m: m["controlPoints"][0].update(position=[1, 2])):  # fmt: skip
        bad = copy.deepcopy(made[0])
        harm(bad["markups"][0])  # type: ignore[no-untyped-call]  # a function of the list above
        assert not validator.is_valid(bad)


def test_markups_say_what_the_schema_does_not_ask_for(exported: Path) -> None:
    made = _markups(exported)
    assert len(made) == 8
    for whole in made:
        (markup,) = whole["markups"]
        assert whole["@schema"].endswith("/markups-schema-v1.0.3.json#")
        assert (markup["coordinateSystem"], markup["coordinateUnits"]) == ("LPS", "mm")
        for point in markup["controlPoints"]:
            assert all(math.isfinite(v) for v in point["position"] + point["orientation"])
            turn = np.reshape(point["orientation"], (3, 3))
            np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-6)
            assert np.linalg.det(turn) == pytest.approx(1.0)
            assert point["positionStatus"] == "defined"
        if markup["type"] == "Plane":
            place = np.reshape(markup["baseToNode"], (4, 4))
            np.testing.assert_allclose(place[:3, 3], markup["center"], atol=1e-4)
            np.testing.assert_allclose(place[:3, 2], markup["normal"], atol=1e-6)


def test_segments_in_slicer_keep_what_overlaps(plain: StoredCase) -> None:
    path = plain.out / "slicer" / "plan.seg.nrrd"
    read = slicerio.read_segmentation(str(path))
    names = [s["name"] for s in read["segments"]]
    assert names[:5] == ["Vertebral body", "Left pedicle", "Right pedicle", "Posterior elements", "Spinal canal"]
    assert [n.split(",")[0] for n in names[5:]] == ["Trocar left", "Balloon left", "Trocar right"]
    voxel_ml = 1e-3
    by_name = {s["name"].split(",")[0]: s for s in read["segments"]}
    volumes = {name: voxel_ml * (read["voxels"][s["layer"]] == s["labelValue"]).sum() for name, s in by_name.items()}
    left = plain.case.trajectories[0]
    r = left.instrument.radius_mm
    assert volumes["Trocar left"] == pytest.approx(
        (math.pi * r**2 * (left.length_from_skin_mm or 0) + 4 / 3 * math.pi * r**3) / 1000, rel=0.03
    )
    assert volumes["Balloon left"] == pytest.approx(math.pi / 6 * 12**2 * 20 / 1000, rel=0.02)
    parts = plain.handover.parts
    assert volumes["Vertebral body"] == pytest.approx(voxel_ml * (parts.array == 1).sum())
    for segment in read["segments"]:
        at = np.argwhere(read["voxels"][segment["layer"]] == segment["labelValue"])
        spans = np.stack([at.min(axis=0), at.max(axis=0)], axis=1).ravel()
        assert segment["extent"] == spans.tolist(), segment["name"]


def test_meshes_are_closed_and_turned_outward(plain: StoredCase) -> None:
    folder = plain.out / "mesh"
    names = {p.name.removesuffix("_LPS_mm.stl") for p in folder.glob("*.stl")}
    assert names == {
        "vertebra", "part_body", "part_pedicle_left", "part_pedicle_right", "part_posterior", "part_canal",
        "trocar_left", "trocar_right", "balloon_left",
    }  # fmt: skip
    for path in sorted(folder.glob("*_LPS_mm.*")):
        mesh = trimesh.load_mesh(path)
        assert mesh.is_watertight, path.name
        assert mesh.is_winding_consistent, path.name
        assert mesh.volume > 0, path.name
        assert b"SPACE=LPS;UNIT=mm" in path.read_bytes()[:300]
    body = trimesh.load_mesh(folder / "part_body_LPS_mm.stl")
    assert body.volume == pytest.approx((plain.handover.parts.array == 1).sum(), rel=0.02)
    balloon = trimesh.load_mesh(folder / "balloon_left_LPS_mm.stl")
    assert balloon.volume == pytest.approx(math.pi / 6 * 12**2 * 20, rel=0.005)
    scene = trimesh.load(folder / "scene.glb", force="scene")
    assert set(scene.geometry) == {"vertebra", "trocar_left", "trocar_right", "balloon_left"}
    assert scene.metadata.get("space", "LPS") == "LPS"
    for mesh in scene.geometry.values():
        assert mesh.is_watertight


def test_a_mesh_of_a_mask_on_a_left_handed_grid_is_turned_outward_too() -> None:
    mask = np.zeros((12, 14, 16), bool)
    mask[3:9, 4:10, 5:11] = True
    for axes in (np.eye(3), np.diag([-1.0, 1.0, 1.0]), np.diag([-1.0, -1.0, 1.0])[:, [1, 0, 2]]):
        mesh = mesh_of_mask(mask, Grid(mask.shape, (1.0, 2.0, 3.0), (1.0, 1.0, 1.0), axes))
        assert mesh.volume_mm3 == pytest.approx(6**3, rel=0.08)
    ball = turned_mesh(
        (0, 0, 0), (1, 1, 1), -5 * np.cos(np.linspace(0, np.pi, 60)), 5 * np.sin(np.linspace(0, np.pi, 60))
    )
    assert ball.volume_mm3 == pytest.approx(4 / 3 * math.pi * 125, rel=2e-3)


def test_tables_reload(plain: StoredCase) -> None:
    folder = plain.out / "csv"
    measures = pd.read_csv(folder / "measures.csv")
    assert set(measures.columns) == {"group", "side", "quantity", "value", "unit"}
    row = measures[(measures.group == "clearance") & (measures.side == "left") & (measures.quantity == "min_mm")]
    assert float(row.value.iloc[0]) == pytest.approx(1.9)
    assert row.unit.iloc[0] == "mm"
    assert DISCLAIMER in set(measures.value)
    curve = pd.read_csv(folder / "clearance.csv")
    assert curve[curve.side == "right"].clearance_mm.min() == pytest.approx(0.6, abs=0.01)
    assert len(pd.read_csv(folder / "stages.csv")) == 10


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_text_in_a_table_starts_a_formula(text: str) -> None:
    table = list(csv.reader(io.StringIO(csv_bytes(("a",), [(text,), (-1.5,)]).decode(), newline="")))
    assert table[1][0] == "'" + text.replace("\t", " ").replace("\r", " ").replace("\n", " ")
    assert table[2][0] == "-1.5"


def test_dicom_objects_are_right_by_dciodvfy(of_dicom: StoredCase, plain: StoredCase) -> None:
    for case, names in ((of_dicom, {"SEG", "SR", "PDF", "SC_ap", "SC_lateral_left_3"}), (plain, {"SEG", "CT_0001"})):
        found = {p.stem: p for p in (case.out / "dicom").glob("*.dcm")}
        for name in names:
            assert dicom_errors(found[name]) == [], name


def test_dciodvfy_does_find_what_is_wrong(of_dicom: StoredCase, tmp_path: Path) -> None:
    ds = pydicom.dcmread(of_dicom.out / "dicom" / "SEG.dcm")
    del ds.SegmentSequence
    ds.save_as(tmp_path / "bad.dcm")
    assert dicom_errors(tmp_path / "bad.dcm")


def test_the_objects_are_of_one_study_by_dcentvfy(of_dicom: StoredCase, tmp_path: Path) -> None:
    """Among themselves; and with the scan when the patient's name was asked for."""
    made = sorted((of_dicom.out / "dicom").glob("*.dcm"))
    write_dicom(of_dicom.handover, tmp_path, identity=True)
    images = sorted(p for p in of_dicom.source.iterdir())
    for files in (made, [*sorted(tmp_path.glob("*.dcm")), *images]):
        told = judge("dcentvfy", *files)
        assert not [line for line in (told.stdout + told.stderr).splitlines() if line.startswith(("Error", "Abort"))]
    named = pydicom.dcmread(tmp_path / "SR.dcm")
    assert (named.PatientName, named.PatientID) == ("Nobody", "0")
    assert "PatientIdentityRemoved" not in named


def test_the_report_reads_in_dsrdump_and_says_what_it_is(of_dicom: StoredCase) -> None:
    told = judge("dsrdump", of_dicom.out / "dicom" / "SR.dcm")
    assert told.returncode == 0
    for text in ("PARTIAL", "UNVERIFIED", "Research and education only; not for clinical use", "POLYLINE", "Unsafe"):
        assert text in told.stdout, text
    report = hd.sr.srread(of_dicom.out / "dicom" / "SR.dcm")
    (left, *_) = report.content.get_planar_roi_measurement_groups()
    values = {m.name.meaning: m.value for m in left.get_measurements()}
    assert values["Least clearance to a wall"] == pytest.approx(1.9)
    assert values["Clearance, canal wall"] == pytest.approx(3.3)


def test_every_object_says_simulated_and_names_nobody(of_dicom: StoredCase) -> None:
    made = [pydicom.dcmread(p) for p in sorted((of_dicom.out / "dicom").glob("*.dcm"))]
    assert {ds.Modality for ds in made} == {"SEG", "SR", "OT", "DOC"}
    assert len({ds.SeriesInstanceUID for ds in made}) == 4
    for ds in made:
        assert "SIMULATED" in ds.SeriesDescription
        assert ds.PatientID.startswith("TRAJPLAN-")
        assert ds.PatientIdentityRemoved == "YES"
        assert "InstitutionName" not in ds
        assert not ds.ReferringPhysicianName
    shots = [ds for ds in made if ds.Modality == "OT"]
    assert len(shots) == 4 + 2 * 2 * 5
    for ds in shots:
        assert ds.BurnedInAnnotation == "NO"
        assert ds.ImageType[0] == "DERIVED"
        assert DISCLAIMER in ds.ImageComments
        assert (ds.pixel_array[4:14, 6:70] == 255).sum() > 50, "SIMULATED stands in the pixels"


def test_what_was_made_up_is_told(of_dicom: StoredCase, plain: StoredCase) -> None:
    told = {name: json.loads((case.out / "dicom" / "identifiers.json").read_text())
            for name, case in (("dicom", of_dicom), ("nrrd", plain))}  # fmt: skip
    assert set(told["dicom"]["kept_from_the_scan"]) == {"StudyInstanceUID", "FrameOfReferenceUID"}
    assert told["nrrd"]["kept_from_the_scan"] == {}
    assert {"StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "CT SeriesInstanceUID"} <= set(
        told["nrrd"]["invented"]
    )
    assert told["nrrd"]["ct_written_along"]
    assert not told["dicom"]["ct_written_along"]


def test_the_same_plan_gives_the_same_objects(of_dicom: StoredCase, tmp_path: Path) -> None:
    write_dicom(of_dicom.handover, tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (of_dicom.out / "dicom" / path.name).read_bytes(), path.name


def test_balloons_as_inflated_and_cement_join_every_mesh_and_segmentation(plain: StoredCase, tmp_path: Path) -> None:
    center = plain.handover.parts.grid.center_lps + np.array([8.0, -20.0, 0.0])
    z_mm = np.arange(-9.75, 10.0, 0.5)
    ball = np.sqrt(100.0 - z_mm**2)
    envelope = EnvelopeModel(
        center_lps=tuple(center.tolist()),
        axes_lps=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        z_mm=tuple(z_mm.tolist()),
        radius_mm=tuple((float(r),) * 36 for r in ball),
    )
    last = InflationStepModel(volume_ml=4.2, diameter_mm=20, length_mm=20, cavity_ml=4.2, nearest_mm={}, contact=())
    inflation = InflationModel(
        side="right", balloon="15 mm", verified=False, stop="volume", why="", strict_ml=None, steps=(last,),
        envelope=envelope,
    )  # fmt: skip
    augmentation = AugmentationModel(
        settings={}, sequences=(), inflations=(inflation,), restoration=None, cement=None, leaks=(),
        candidacy=CandidacyModel(entered=(), measured=(), criteria=(), disagreements=()), notes=(),
    )  # fmt: skip
    parts = plain.handover.parts
    near = np.linalg.norm(parts.grid.points_lps() - center, axis=-1) < 7.0
    handover = dataclasses.replace(
        plain.handover,
        document=plain.handover.document.model_copy(update={"augmentation": augmentation}),
        cement=LabelMap(near.astype(np.uint8), parts.grid),
    )
    solids = {s.name: s for s in solids_of(handover)}
    assert set(solids) == {"trocar_left", "balloon_left", "trocar_right", "balloon_right", "cement"}
    for name, volume in (("balloon_right", 4 / 3 * math.pi * 10**3), ("cement", near.sum())):
        mesh = trimesh.Trimesh(solids[name].mesh.vertices_lps, solids[name].mesh.faces)
        assert mesh.is_watertight, name
        assert mesh.volume == pytest.approx(volume, rel=0.03), name
        assert np.linalg.norm(mesh.center_mass - center) < 0.1, name
    segments = segments_of(handover)
    by_name = {s.name: segments.mask(s) for s in segments.found}
    np.testing.assert_array_equal(by_name["cement"].sum(), near.sum())
    assert by_name["balloon_right"].sum() == pytest.approx(4 / 3 * math.pi * 10**3, rel=0.03)
    write_dicom(handover, tmp_path)
    assert dicom_errors(tmp_path / "SEG.dcm") == []
    assert dicom_errors(tmp_path / "SR.dcm") == []
    assert "Simulated balloon right, volume" in judge("dsrdump", tmp_path / "SR.dcm").stdout


def test_figures_reload(plain: StoredCase, tmp_path: Path) -> None:
    write_figures(plain.handover, tmp_path)
    views = ("ap", "lateral", "en_face_left", "en_face_right")
    assert {p.name for p in tmp_path.iterdir()} == {
        *(f"xray_{view}{suffix}" for view in views for suffix in (".png", ".tiff")),
        "advance_left.gif", "advance_right.gif",
    }  # fmt: skip
    with PIL.Image.open(tmp_path / "advance_left.gif") as advance:
        assert (advance.n_frames, advance.size) == (25, (512, 256))
    with PIL.Image.open(tmp_path / "xray_ap.tiff") as numbers:
        integrals = np.asarray(numbers)
    assert integrals.shape == (256, 256)
    assert integrals.dtype == np.float32
    assert integrals.max() > 3 * np.median(integrals[integrals > 0]), "the needle's steel is in the numbers"


def test_nobody_can_be_named_where_the_scan_names_nobody(plain: StoredCase) -> None:
    with pytest.raises(InputError, match="needs a DICOM scan"):
        study_of(plain.handover, identity=True)
