"""A CT opened in napari lies where it is in the patient, and what was found in it is told."""

from __future__ import annotations

import numpy as np
import pytest

from napari_trajplan._coords import grid_of
from trajplan.errors import InputError
from trajplan_phantoms import Scanner, make_phantom, named
from trajplan_phantoms.write_files import write_scan

pytest.importorskip("napari.utils.notifications", reason="napari is not installed")

from napari.utils.notifications import notification_manager

from napari_trajplan._reader import get_reader, read_layers


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(named("wedge-L1"), Scanner((4.0, 1.5, 1.5)))


@pytest.mark.parametrize(("form", "name"), [("nifti", "ct.nii.gz"), ("nrrd", "ct.nrrd"), ("dicom", "dicom")])
def test_a_scan_lies_where_it_lies_and_its_findings_are_told(phantom, tmp_path, form, name):
    write_scan(phantom.ct, tmp_path, form)
    path = str(tmp_path / name)
    before = len(notification_manager.records)
    ((data, about, kind),) = get_reader(path)(path)
    assert kind == "image"
    assert np.array_equal(data, phantom.ct.array)
    assert grid_of(data.shape, about["scale"], about["translate"]).same_as(phantom.ct.grid)
    findings = about["metadata"]["trajplan"]["findings"]
    told = [str(record.message) for record in list(notification_manager.records)[before:]]
    assert "thick_slices" in {finding["code"] for finding in findings}
    for finding in findings:
        assert any(finding["code"] in text and finding["message"] in text for text in told)


def test_what_is_no_ct_is_refused_with_the_reason(tmp_path):
    (tmp_path / "scan.nii").write_bytes(b"not a scan")
    with pytest.raises(InputError, match="scan"):
        read_layers(str(tmp_path / "scan.nii"))


def test_no_name_of_file_or_folder_reaches_the_layer(phantom, tmp_path):
    folder = tmp_path / "DOE^JANE"
    write_scan(phantom.ct, folder, "nifti")
    ((_, about, _),) = read_layers(str(folder / "ct.nii.gz"))
    assert "DOE" not in str(about)


def test_other_files_are_left_to_other_readers(tmp_path):
    assert get_reader(str(tmp_path / "picture.png")) is None
    assert get_reader([str(tmp_path / "a.nii"), str(tmp_path / "b.nii")]) is None
