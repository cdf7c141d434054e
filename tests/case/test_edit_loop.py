"""Segment, look, correct or confirm, plan again: a mask counts for no more than what a person has said about it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cli_runs import Trajplan

from trajplan.anatomy.vertebra import Confidence
from trajplan.case import CaseRequest, run_case
from trajplan.exports.labels_file import write_labels, write_volume
from trajplan.exports.plan_json import plan_document
from trajplan.exports.plan_model import PlanDocument
from trajplan.exports.segmentation_note import segmented_in
from trajplan.geometry import LabelMap
from trajplan.levels import level_id
from trajplan.parts import Part
from trajplan.reading import read_scan
from trajplan.reading.labels import read_labels
from trajplan.reading.schemes import Scheme
from trajplan.target import Segmented
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom

L1, L2 = level_id("L1"), level_id("L2")


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    spec = PhantomSpec(
        target="L1", levels=("L1", "L2"), fracture="wedge", height_loss_percent=30.0,
        pedicle_width_mm_left=6.6, pedicle_width_mm_right=6.6,
    )  # fmt: skip
    return make_phantom(spec, Scanner((1.2, 1.0, 1.0), noise_hu=5.0, seed=3))


@pytest.fixture(scope="module")
def case(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scan and what a back-end might have written beside it."""
    folder = tmp_path_factory.mktemp("loop")
    write_volume(phantom.ct, folder / "ct.nrrd")
    rated = Confidence(0.9, {}, ("check the facets",))
    write_labels(phantom.labels, folder / "auto.nrrd", Segmented("network", {L1: rated}))
    write_labels(phantom.labels, folder / "plain.nrrd")
    return folder


def plan(case: Path, labels: str, confirmed: str | None = None) -> PlanDocument:
    """As the command does, without the report."""
    scan, found = read_scan(case / "ct.nrrd"), read_labels(case / labels, Scheme.VERSE)
    request = CaseRequest(
        "L1", None, found, "label file", segmented=segmented_in(case / labels, found), confirmed_mask=confirmed
    )
    return plan_document(run_case(scan, request))


def verdicts(document: PlanDocument) -> set[str]:
    return {str(t.verdict) for t in document.trajectories}


def test_what_a_back_end_wrote_is_known_again_until_somebody_changes_it(case: Path, tmp_path: Path) -> None:
    labels = read_labels(case / "auto.nrrd", Scheme.VERSE)
    found = segmented_in(case / "auto.nrrd", labels)
    assert found == Segmented("network", {L1: Confidence(0.9, {}, ("check the facets",))})
    assert found.confidence_in(L2).check == ("check the mask: it came along and was not rated (rated: L1)",)
    image = sitk.ReadImage(str(case / "auto.nrrd"))
    image[tuple(s // 2 for s in image.GetSize())] = L2
    sitk.WriteImage(image, str(tmp_path / "edited.nrrd"))
    edited = segmented_in(tmp_path / "edited.nrrd", read_labels(tmp_path / "edited.nrrd", Scheme.VERSE))
    assert edited is not None
    assert edited.edited
    assert segmented_in(case / "plain.nrrd", labels) is None


@pytest.mark.parametrize("note", ["", "{", "[]", '{"backend": "x"}', '{"score": "nan"}', "null"])
def test_a_note_that_cannot_be_understood_is_no_note(case: Path, tmp_path: Path, note: str) -> None:
    image = sitk.ReadImage(str(case / "auto.nrrd"))
    image.SetMetaData("trajplan_segmentation", note)
    sitk.WriteImage(image, str(tmp_path / "odd.nrrd"))
    assert segmented_in(tmp_path / "odd.nrrd", read_labels(tmp_path / "odd.nrrd", Scheme.VERSE)) is None


def test_the_loop_from_doubt_to_a_confirmed_plan(case: Path) -> None:
    assert verdicts(plan(case, "plain.nrrd")) == {"safe"}
    automatic = plan(case, "auto.nrrd")
    assert verdicts(automatic) == {"unknown"}
    digest = automatic.provenance.mask_sha256
    notes = " ".join(automatic.notes)
    assert "a segmentation by network, unchanged" in notes
    assert f"--confirm-mask {digest[:12]}" in notes
    assert automatic.vertebra.confidence.check[0] == "check the facets"

    confirmed = plan(case, "auto.nrrd", digest[:12])
    assert verdicts(confirmed) == {"safe"}
    assert confirmed.provenance.details["segmentation"]["confirmed_mask"] == digest
    assert confirmed.provenance.details["segmentation"]["rated_before"] == automatic.vertebra.confidence.score
    assert any(n.startswith("A person confirmed the contours") and "check the facets" in n for n in confirmed.notes)


@pytest.mark.parametrize("given", ["deadbeef", "deadbee", "yes"])
def test_a_word_on_another_mask_counts_for_nothing(trajplan: Trajplan, case: Path, tmp_path: Path, given: str) -> None:
    done = trajplan(
        *("plan", case / "ct.nrrd", "--labels", case / "auto.nrrd", "--scheme", "verse", "--level", "L1"),
        *("--out", tmp_path / "a", "--confirm-mask", given),
    )
    assert done.status == 2
    assert not (tmp_path / "a").exists()
    assert ("is not the one made now" if given == "deadbeef" else "--confirm-mask needs") in done.err


def test_an_edited_segmentation_is_a_person_s_and_everything_downstream_follows(phantom: Phantom, case: Path) -> None:
    before = plan(case, "auto.nrrd")
    # three layers of 1.2 mm are taken off the upper end plate by hand
    image = sitk.ReadImage(str(case / "auto.nrrd"))
    array = sitk.GetArrayFromImage(image)
    body = phantom.parts.array == Part.BODY
    array[body & ~np.roll(body, -3, axis=0)] = 0
    edited = sitk.GetImageFromArray(array)
    edited.CopyInformation(image)
    for key in image.GetMetaDataKeys():
        edited.SetMetaData(key, image.GetMetaData(key))
    sitk.WriteImage(edited, str(case / "edited.nrrd"))
    after = plan(case, "edited.nrrd")
    assert "The label file is a segmentation by network that somebody has edited since." in after.notes
    assert after.vertebra.heights.ha_mm < before.vertebra.heights.ha_mm - 2.0
    assert after.provenance.mask_sha256 != before.provenance.mask_sha256
    assert "nobody has confirmed" not in " ".join(after.notes)


def test_the_note_holds_nothing_but_what_it_is_for(case: Path) -> None:
    image = sitk.ReadImage(str(case / "auto.nrrd"))
    assert set(json.loads(image.GetMetaData("trajplan_segmentation"))) == {
        "backend", "ratings", "sha256",
    }  # fmt: skip
    assert np.array_equal(read_labels(case / "auto.nrrd", Scheme.VERSE).array > 0, _canonical(case) > 0)


def _canonical(case: Path) -> np.ndarray:
    labels: LabelMap = read_labels(case / "plain.nrrd", Scheme.VERSE)
    return labels.array


@pytest.mark.parametrize("name", ["auto.nii.gz", "auto.nii"])
def test_nifti_labels_are_known_again_with_their_lowest_confidence(phantom: Phantom, tmp_path: Path, name: str) -> None:
    rated = Segmented("network", {L1: Confidence(0.9, {}, ()), L2: Confidence(0.41, {}, ("check the facets",))})
    write_labels(phantom.labels, tmp_path / name, rated)
    labels = read_labels(tmp_path / name, Scheme.VERSE)
    assert np.array_equal(labels.array, phantom.labels.array)
    assert labels.grid.same_as(phantom.labels.grid)
    found = segmented_in(tmp_path / name, labels)
    assert found is not None
    assert (found.backend, found.edited) == ("network", False)
    for level in (L1, L2):  # one figure for the file: the worst, never a better one
        assert found.confidence_in(level).score == 0.41
        assert "doubts" in found.confidence_in(level).check[0]

    image = sitk.ReadImage(str(tmp_path / name))
    image[tuple(s // 2 for s in image.GetSize())] = L2
    sitk.WriteImage(image, str(tmp_path / f"edited_{name}"))
    edited = segmented_in(tmp_path / f"edited_{name}", read_labels(tmp_path / f"edited_{name}", Scheme.VERSE))
    assert edited is not None
    assert edited.edited


@pytest.mark.parametrize("note", ["", "trajplan", "trajplan network 9.999 - " + "a" * 36, "trajplan network 0.9 x 12"])
def test_a_nifti_note_that_cannot_be_understood_is_no_note(phantom: Phantom, tmp_path: Path, note: str) -> None:
    write_labels(phantom.labels, tmp_path / "plain.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "plain.nii.gz"))
    image.SetMetaData("ITK_FileNotes", note)
    sitk.WriteImage(image, str(tmp_path / "odd.nii.gz"))
    assert segmented_in(tmp_path / "odd.nii.gz", read_labels(tmp_path / "odd.nii.gz", Scheme.VERSE)) is None
