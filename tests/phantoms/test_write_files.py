"""Scans as NRRD and NIfTI in any order, whole files or none, and requests that are refused."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.geometry.itk import labels_from_sitk
from trajplan.geometry.resample import canonical
from trajplan.reading import read_scan
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.write_files import SUFFIXES, write_scan


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(PhantomSpec(levels=("L1",)), Scanner((3.0, 1.9, 1.7), noise_hu=5.0, seed=3))


@pytest.mark.parametrize("form", SUFFIXES)
@pytest.mark.parametrize("order", [None, "RAS", "PIL", "SLP"])
def test_scan_and_labels_are_read_back_at_their_places(phantom, tmp_path, form, order) -> None:
    suffix = SUFFIXES[form]
    files = write_scan(phantom, tmp_path, form, orientation=order)
    assert [f.name for f in files] == [f"{name}{suffix}" for name in ("ct", "labels", "parts", "surroundings")]
    scan = read_scan(files[0])
    assert scan.volume.grid.same_as(phantom.ct.grid, 1e-3)
    np.testing.assert_array_equal(scan.volume.array, phantom.ct.array)
    for path, wanted in zip(files[1:], (phantom.labels, phantom.parts, phantom.surroundings), strict=True):
        labels = canonical(labels_from_sitk(sitk.ReadImage(str(path))))
        assert labels.grid.same_as(wanted.grid, 1e-3)
        np.testing.assert_array_equal(labels.array, wanted.array)


def test_nifti_is_right_anterior_superior_for_other_readers(phantom, tmp_path) -> None:
    image = nib.load(write_scan(phantom.ct, tmp_path, "nifti")[0])
    assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
    world = image.affine @ np.array([5, 7, 2, 1])
    np.testing.assert_allclose(world[:3] * [-1, -1, 1], phantom.ct.grid.index_to_world((2, 7, 5)), atol=1e-3)
    assert image.dataobj[5, 7, 2] == phantom.ct.array[2, 7, 5]


def test_a_prone_phantom_says_so_by_itself(tmp_path) -> None:
    prone = make_phantom(PhantomSpec(levels=("L1",)), Scanner((5.0, 3.0, 3.0), patient_position="HFP"))
    image = sitk.ReadImage(str(write_scan(prone, tmp_path)[0]))
    assert image.GetDirection()[0] == -1
    assert image.GetDirection()[4] == -1


def test_labels_beside_dicom_are_nrrd_on_the_phantoms_grid(phantom, tmp_path) -> None:
    files = write_scan(phantom, tmp_path, "dicom", tilt_deg=10.0)
    assert [f.name for f in files[-3:]] == ["labels.nrrd", "parts.nrrd", "surroundings.nrrd"]
    labels = labels_from_sitk(sitk.ReadImage(str(files[-3])))
    assert labels.grid.same_as(phantom.labels.grid)
    assert all(f.parent.name == "dicom" for f in files[:-3])


def test_writing_again_replaces_the_whole_series(phantom, tmp_path) -> None:
    longer = write_scan(phantom.ct, tmp_path, "dicom", tilt_deg=15.0)
    shorter = write_scan(phantom.ct, tmp_path, "dicom")
    assert len(shorter) < len(longer)
    assert sorted((tmp_path / "dicom").iterdir()) == shorter
    assert [p.name for p in tmp_path.iterdir()] == ["dicom"]


def test_a_folder_with_other_files_is_not_replaced(phantom, tmp_path) -> None:
    (tmp_path / "dicom").mkdir()
    (tmp_path / "dicom" / "notes.txt").write_text("mine")
    with pytest.raises(InputError) as caught:
        write_scan(phantom.ct, tmp_path, "dicom")
    assert caught.value.code == "output_exists"
    assert [p.name for p in (tmp_path / "dicom").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"format": "png"}, "format_unknown"),
        ({"patient_position": "sitting"}, "patient_position_unknown"),
        ({"orientation": "LLL"}, "orientation_unknown"),
        ({"tilt_deg": 10.0}, "tilt_unsupported"),
        ({"format": "nifti", "tilt_deg": 10.0}, "tilt_unsupported"),
        ({"format": "dicom", "tilt_deg": 10.0, "orientation": "PIL"}, "tilt_unsupported"),
        ({"format": "dicom", "tilt_deg": 80.0}, "tilt_invalid"),
        ({"format": "dicom", "tilt_deg": float("nan")}, "tilt_invalid"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(phantom, tmp_path, wanted, code) -> None:
    with pytest.raises(InputError) as caught:
        write_scan(phantom.ct, tmp_path, **wanted)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_refused(phantom, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        write_scan(phantom.ct, tmp_path / "file")
    assert caught.value.code == "output_unwritable"
