"""What only a person can decide is asked, with choices and the option that answers; the answer stands in the plan."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from cli_runs import Trajplan
from dicom_files import write_series

from trajplan.reading import Answers, NiftiForm, Question, Scheme, read_labels, read_labels_with_findings, read_scan
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom


def moved_form(header):
    header["srow_x"] = [-0.7, 0, 0, 0]


@pytest.fixture
def two_forms(tmp_path, body, write_nifti):
    """A NIfTI file whose sform is the mirror image of its qform."""
    return write_nifti(tmp_path / "s.nii", body.transpose(2, 1, 0), edit=moved_form)


def test_two_places_are_a_question_with_the_distance_between_them(two_forms):
    with pytest.raises(Question) as asked:
        read_scan(two_forms)
    assert asked.value.code == "nifti_forms_disagree"
    assert asked.value.flag == "--nifti-form"
    assert set(asked.value.choices) == {"qform", "sform"}
    assert asked.value.numbers["difference_mm"] == pytest.approx(35.0)
    assert "up to 35.00 mm" in str(asked.value)
    assert "qform [(0.0, 0.0, 0.0) to (-17.5, -18.9, 34.0) LPS mm]" in str(asked.value)
    assert "sform [(0.0, 0.0, 0.0) to (17.5, -18.9, 34.0) LPS mm]" in str(asked.value)


@pytest.mark.parametrize(("form", "reach"), [(NiftiForm.QFORM, -17.5), (NiftiForm.SFORM, 17.5)])
def test_the_form_that_is_named_is_believed_and_that_is_said(two_forms, body, form, reach):
    scan = read_scan(two_forms, Answers(nifti_form=form))
    x = scan.volume.grid.corners_lps()[:, 0]
    assert (x.min(), x.max()) == pytest.approx((min(reach, 0), max(reach, 0)))
    turned = body[:, ::-1] if form is NiftiForm.SFORM else body[:, ::-1, ::-1]
    np.testing.assert_array_equal(scan.volume.array, turned)
    (said,) = [f for f in scan.findings if f.code == "nifti_form_chosen"]
    assert said.severity == "warning"
    assert "35.00 mm" in said.message
    assert form in said.message


def test_an_answer_to_no_question_is_no_finding_and_a_form_that_is_not_there_is_refused(tmp_path, body, write_nifti):
    path = write_nifti(tmp_path / "s.nii", body.transpose(2, 1, 0))
    assert read_scan(path, Answers(nifti_form=NiftiForm.QFORM)).findings == read_scan(path).findings

    def without_qform(header):
        header["qform_code"] = 0

    path = write_nifti(tmp_path / "t.nii", body.transpose(2, 1, 0), edit=without_qform)
    assert read_scan(path, Answers(nifti_form=NiftiForm.SFORM)).size_zyx == body.shape
    with pytest.raises(ValueError, match="has no qform, only a sform"):
        read_scan(path, Answers(nifti_form=NiftiForm.QFORM))


def test_labels_are_asked_about_in_the_same_way(tmp_path, write_nifti):
    ids = np.zeros((26, 22, 18), np.uint8)
    ids[5:20, 5:15, 3:15] = 20
    path = write_nifti(tmp_path / "s.nii", ids, edit=moved_form)
    with pytest.raises(Question):
        read_labels(path, Scheme.VERSE)
    labels, said = read_labels_with_findings(path, Scheme.VERSE, nifti_form=NiftiForm.SFORM)
    assert [(f.code, f.severity) for f in said] == [("nifti_form_chosen", "warning")]
    assert said[0].message.startswith("labels: ")
    assert labels.grid.corners_lps()[:, 0].max() == pytest.approx(17.5)


def test_inspect_lists_the_choices_for_people_and_for_scripts(trajplan: Trajplan, tmp_path, body, two_forms):
    folder = tmp_path / "disc"
    write_series(folder / "a", body, series_uid="1.2.3.4")
    write_series(folder / "b", body[:, :, ::2], series_uid="1.2.3.5")
    for source, flag, choices in ((folder, "--series", {"1.2.3.4", "1.2.3.5"}), (two_forms, "--nifti-form", NiftiForm)):
        said = trajplan("inspect", source)
        assert (said.status, said.out) == (2, "")
        assert f"choose one with {flag}" in said.err
        told = trajplan("inspect", source, "--json")
        assert told.status == 2
        (finding,) = json.loads(told.out)["findings"]
        assert (finding["severity"], finding["flag"]) == ("ask", flag)
        assert set(finding["choices"]) == set(choices)
        for answer in finding["choices"]:
            assert trajplan("inspect", source, flag, answer).status == 0
    chosen = json.loads(trajplan("inspect", folder, "--series", "1.2.3.5", "--json").out)
    assert "series_chosen" in {f["code"] for f in chosen["findings"]}


@pytest.mark.parametrize("command", ["plan", "check", "inspect", "segment", "drr"])
def test_every_command_that_reads_a_scan_takes_the_answers(trajplan: Trajplan, command):
    shown = " ".join(trajplan(command, "--help").out.split())
    assert all(flag in shown for flag in ("--series", "--nifti-form", "--assume-hu", "--resample-irregular"))


def test_answers_and_repairs_stand_in_the_plan_and_in_the_report(trajplan: Trajplan, tmp_path):
    """A tilted series with a missing slice, and labels with two places, planned with both answers."""
    phantom = make_phantom(
        PhantomSpec(levels=("L1",), height_loss_percent=40.0), Scanner((2.0, 1.2, 1.2), noise_hu=10, seed=1)
    )
    grid = phantom.ct.grid
    t = np.radians(4.0)
    shift = np.rint(np.arange(grid.shape_zyx[1]) * 1.2 * np.tan(t) / 2.0).astype(int)
    tilted = np.stack([np.roll(phantom.ct.array[:, y], -s, axis=0) for y, s in enumerate(shift)], axis=1)
    keep = [k for k in range(len(tilted)) if k != 2]

    def place(k, ds):
        x, y, _ = ds.ImagePositionPatient
        ds.ImagePositionPatient = [x, y, float(grid.origin_lps[2]) + 2.0 * keep[k]]

    source = write_series(
        tmp_path / "s", tilted[keep], spacing_zyx=(2.0, 1.2 / float(np.cos(t)), 1.2), origin=grid.origin_lps,
        orientation=(1, 0, 0, 0, float(np.cos(t)), float(np.sin(t))), step=(0, 0, 2.0), edit=place,
    )  # fmt: skip
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = np.diag(grid.spacing_xyz), grid.origin_lps
    image = nib.Nifti1Image(phantom.labels.array.astype(np.uint8).transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ affine)
    image.set_sform(image.affine, 1)
    image.set_qform(np.diag([1.0, 1.0, -1.0, 1.0]) @ image.affine, 1)
    image.to_filename(tmp_path / "labels.nii.gz")
    common = ("plan", source, "--labels", tmp_path / "labels.nii.gz", "--scheme", "verse", "--level", "L1",
              "--approach", "unipedicular-left", "--out", tmp_path / "out")  # fmt: skip
    assert "--resample-irregular" in trajplan(*common).err
    assert "--nifti-form" in trajplan(*common, "--resample-irregular").err
    run = trajplan(*common, "--resample-irregular", "--nifti-form", "sform")
    assert run.status in (0, 3), run.err
    plan = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))
    found = {f["code"]: f["message"] for f in plan["input"]["findings"]}
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for code in ("gantry_tilt", "irregular_resampled", "nifti_form_chosen", "labels_other_grid"):
        assert found[code].partition(":")[0].partition(";")[0] in report, code
