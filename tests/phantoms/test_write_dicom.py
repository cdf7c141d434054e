"""DICOM from phantoms: valid, anonymous, the same bytes again, and the same geometry in every reader."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.geometry import Volume
from trajplan.geometry.grid import Grid
from trajplan.geometry.itk import grid_of
from trajplan.reading import read_scan
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.orientation import POSITIONS
from trajplan_phantoms.write_files import write_scan

FORMATS = ("dicom", "dicom-enhanced")


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    """A vertebra with uneven pedicles, at a spacing that no axis shares with another."""
    spec = PhantomSpec(levels=("L1",), pedicle_width_mm_left=7.0, pedicle_width_mm_right=10.0)
    return make_phantom(spec, Scanner((2.5, 1.7, 1.6), noise_hu=8.0, texture="ct", slice_thickness_mm=3.0))


@pytest.fixture(scope="module")
def padded() -> Phantom:
    return make_phantom(PhantomSpec(levels=("L1",)), Scanner((3.0, 1.8, 1.8), fov_mm=180.0, padding_hu=-3024))


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install dicom3tools dcm2niix)")
    return found


def first_file(folder: Path, form: str) -> Path:
    return folder / ("dicom/IM0001.dcm" if form == "dicom" else "ct-enhanced.dcm")


def by_simpleitk(folder: Path, form: str) -> sitk.Image:
    if form == "dicom-enhanced":
        return sitk.ReadImage(str(folder / "ct-enhanced.dcm"))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / "dicom")))
    return reader.Execute()


def assert_same_scan(image: sitk.Image, volume: Volume) -> None:
    """Same voxels at the same world positions, whatever the storage order."""
    straight = sitk.DICOMOrient(image, "LPS")
    assert grid_of(straight).same_as(volume.grid, 1e-3)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(straight), volume.array)


@pytest.mark.parametrize("position", POSITIONS)
def test_our_reader_finds_the_phantom_in_every_patient_position(phantom, tmp_path, position) -> None:
    write_scan(phantom, tmp_path, "dicom", patient_position=position)
    scan = read_scan(tmp_path / "dicom")
    assert {f.code for f in scan.findings} <= {"patient_position", "little_bone"}
    assert scan.volume.grid.same_as(phantom.ct.grid, 1e-3)
    np.testing.assert_array_equal(scan.volume.array, phantom.ct.array)
    header = pydicom.dcmread(first_file(tmp_path, "dicom"))
    assert header.PatientPosition == position
    assert float(header.SliceThickness) == 3.0
    assert header.ImageOrientationPatient[4] == (1 if position.endswith("S") else -1)


@pytest.mark.parametrize("order", ["PIL", "LSA", "RAI", "LPI"])
def test_any_storage_order_is_the_same_scan(phantom, tmp_path, order) -> None:
    write_scan(phantom.ct, tmp_path, "dicom", orientation=order)
    scan = read_scan(tmp_path / "dicom")
    assert scan.volume.grid.same_as(phantom.ct.grid, 1e-3)
    np.testing.assert_array_equal(scan.volume.array, phantom.ct.array)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_simpleitk_reads_the_same_scan(phantom, tmp_path, form, position) -> None:
    write_scan(phantom.ct, tmp_path, form, patient_position=position)
    assert_same_scan(by_simpleitk(tmp_path, form), phantom.ct)


@pytest.mark.parametrize("form", FORMATS)
def test_pydicom_finds_every_slice_where_it_is(phantom, tmp_path, form) -> None:
    write_scan(phantom.ct, tmp_path, form, patient_position="HFP")
    if form == "dicom":
        slices = [pydicom.dcmread(f) for f in sorted((tmp_path / "dicom").iterdir())]
        planes = [(s, s, s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept)) for s in slices]
    else:
        ds = pydicom.dcmread(tmp_path / "ct-enhanced.dcm")
        shared = ds.SharedFunctionalGroupsSequence[0]
        orientation = shared.PlaneOrientationSequence[0]
        frames = [f.PlanePositionSequence[0] for f in ds.PerFrameFunctionalGroupsSequence]
        rescale = shared.PixelValueTransformationSequence[0]
        hu = ds.pixel_array * float(rescale.RescaleSlope) + float(rescale.RescaleIntercept)
        planes = [(f, orientation, h) for f, h in zip(frames, hu, strict=True)]
    assert len(planes) == phantom.ct.grid.shape_zyx[0]
    for position, orientation, hu in planes:
        iop = np.array(orientation.ImageOrientationPatient, dtype=float)
        at = np.array(position.ImagePositionPatient, dtype=float) + 10 * 1.6 * iop[:3] + 20 * 1.7 * iop[3:]
        k, j, i = phantom.ct.grid.world_to_index(at)
        assert np.abs(np.array([k, j, i]) - np.rint([k, j, i])).max() < 1e-3
        assert hu[20, 10] == phantom.ct.array[round(k), round(j), round(i)]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("tilt_deg", [0.0, 12.0])
def test_dciodvfy_finds_no_fault(padded, tmp_path, form, tilt_deg) -> None:
    dciodvfy = tool("dciodvfy")
    write_scan(padded, tmp_path, form, tilt_deg=tilt_deg)
    for path in (first_file(tmp_path, form), (tmp_path / "dicom" / "IM0012.dcm")):
        if path.exists():
            told = subprocess.run([dciodvfy, "-new", str(path)], capture_output=True, text=True, check=False)
            text = told.stdout + told.stderr
            assert "Error" not in text, text[:2000]
            assert "Warning" not in text, text[:2000]
            assert told.returncode == 0


def test_dcentvfy_finds_the_series_consistent(phantom, tmp_path) -> None:
    dcentvfy = tool("dcentvfy")
    files = write_scan(phantom.ct, tmp_path, "dicom")
    told = subprocess.run([dcentvfy, *map(str, files)], capture_output=True, text=True, check=False)
    assert "Error" not in told.stdout + told.stderr


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("position", ["HFS", "HFP", "FFS", "FFP"])
def test_dcm2niix_makes_the_same_scan_of_it(phantom, tmp_path, form, position) -> None:
    dcm2niix = tool("dcm2niix")
    write_scan(phantom.ct, tmp_path, form, patient_position=position)
    out = tmp_path / "nifti"
    out.mkdir()
    made = tmp_path / "dicom" if form == "dicom" else tmp_path
    command = [dcm2niix, "-z", "n", "-b", "y", "-f", "scan", "-o", str(out), str(made)]
    subprocess.run(command, capture_output=True, check=True)
    (nifti,) = out.glob("*.nii")
    assert_same_scan(sitk.ReadImage(str(nifti)), phantom.ct)
    side = json.loads((out / "scan.json").read_text())
    assert side["Modality"] == "CT"


@pytest.mark.parametrize("form", FORMATS)
def test_highdicom_reads_the_same_scan(phantom, tmp_path, form) -> None:
    hd = pytest.importorskip("highdicom", reason="highdicom is not installed")
    files = write_scan(phantom.ct, tmp_path, form)
    if form == "dicom":
        volume = hd.get_volume_from_series([pydicom.dcmread(f) for f in files])
    else:
        volume = hd.imread(files[0]).get_volume()
    index = np.argwhere(np.ones(volume.spatial_shape, dtype=bool))[::997]
    world = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    home = phantom.ct.grid.world_to_index(world)
    assert np.abs(home - np.rint(home)).max() < 1e-3
    at = tuple(np.rint(home).astype(int).T)
    np.testing.assert_array_equal(volume.array[tuple(index.T)], phantom.ct.array[at])


@pytest.mark.parametrize(("tilt_deg", "position"), [(14.0, "HFS"), (-20.0, "HFP"), (14.0, "FFP")])
def test_a_tilted_gantry_is_found_and_straightened_to_the_same_places(tmp_path, tilt_deg, position) -> None:
    """Three smooth balls in fat come back where they were."""
    grid = Grid((60, 70, 80), (-50.0, -30.0, 200.0), (1.5, 1.2, 1.3))
    points = grid.points_lps()
    balls = np.array([[-20.0, 0.0, 225.0], [15.0, 20.0, 240.0], [25.0, 5.0, 265.0]])
    swell = [np.exp(-((points - ball) ** 2).sum(axis=-1) / (2 * 5.0**2)) for ball in balls]
    volume = Volume(np.rint(-100.0 + 900.0 * np.sum(swell, axis=0)).astype(np.int16), grid)
    write_scan(volume, tmp_path, "dicom", tilt_deg=tilt_deg, patient_position=position)
    header = pydicom.dcmread(first_file(tmp_path, "dicom"))
    assert float(header.GantryDetectorTilt) == tilt_deg
    assert abs(header.ImageOrientationPatient[5]) == pytest.approx(np.sin(np.deg2rad(abs(tilt_deg))), abs=1e-9)
    assert header.ImageOrientationPatient[2] == 0
    scan = read_scan(tmp_path / "dicom")
    assert {f.code for f in scan.findings} - {"patient_position", "little_bone"} == {"gantry_tilt", "padding"}
    seen = scan.volume.grid.points_lps()
    for ball in balls:
        weight = np.where(np.linalg.norm(seen - ball, axis=-1) < 12.0, scan.volume.array + 100.0, 0.0)
        middle = (seen * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()
        assert np.abs(middle - ball).max() < 0.05


@pytest.mark.parametrize("form", FORMATS)
def test_a_tilted_stack_keeps_pixels_that_the_tilt_does_not_move(tmp_path, form) -> None:
    """A volume that only changes along x and y is the same under a tilt, but for the foreshortening along y."""
    x = np.linspace(0, 1, 60) ** 2
    array = np.broadcast_to(np.rint(1000 * x), (30, 50, 60)).astype(np.int16)
    volume = Volume(array, Grid((30, 50, 60), (0, 0, 0), (2.0, 1.0, 1.0)))
    write_scan(volume, tmp_path, form, tilt_deg=10.0)
    middle = pydicom.dcmread(tmp_path / "dicom" / "IM0020.dcm").pixel_array if form == "dicom" else None
    if middle is None:
        middle = pydicom.dcmread(tmp_path / "ct-enhanced.dcm").pixel_array[19]
    rows = middle[15:35] - 1024
    np.testing.assert_array_equal(rows, np.broadcast_to(array[0, :1], rows.shape))


@pytest.mark.parametrize("form", FORMATS)
def test_padding_is_declared_and_stands_outside_the_circle(padded, tmp_path, form) -> None:
    write_scan(padded, tmp_path, form)
    ds = pydicom.dcmread(first_file(tmp_path, form))
    assert ds.PixelPaddingValue == -2000
    pixels = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)[0]
    np.testing.assert_array_equal(pixels == -2000, padded.ct.array[0] == -3024)
    if form == "dicom":
        scan = read_scan(tmp_path / "dicom")
        assert [f.code for f in scan.findings] == ["padding"]
        np.testing.assert_array_equal(scan.volume.array, np.maximum(padded.ct.array, -1024))


@pytest.mark.parametrize("form", FORMATS)
def test_nobody_stands_behind_it(phantom, tmp_path, form) -> None:
    for path in write_scan(phantom, tmp_path, form):
        if path.suffix != ".dcm":
            continue
        ds = pydicom.dcmread(path)
        assert (ds.PatientName, ds.PatientID, ds.PatientBirthDate) == ("Phantom^Synthetic", "PHANTOM", "")
        assert ds.PatientIdentityRemoved == "YES"
        for element in ds.iterall():
            if element.VR == "PN":
                assert str(element.value) in ("", "Phantom^Synthetic")
            if element.VR in ("DA", "DT"):
                assert str(element.value) in ("", "20000101", "20000101120000")
            if element.VR == "UI" and not str(element.value).startswith("1.2.840.10008."):
                assert str(element.value).startswith("2.25.")
                assert element.value.is_valid
        assert not any(element.tag.is_private for element in ds.iterall())


def test_the_same_seed_gives_the_same_bytes_and_another_other_identifiers(phantom, tmp_path) -> None:
    def written(name, seed, **more):
        files = write_scan(phantom.ct, tmp_path / name, "dicom", seed=seed, **more)
        return [f.read_bytes() for f in files], [pydicom.dcmread(f, stop_before_pixels=True) for f in files]

    first, headers = written("a", 1)
    assert written("b", 1)[0] == first
    other = written("c", 2)[1]
    prone = written("d", 1, patient_position="HFP")[1]
    assert len({h.SOPInstanceUID for h in [*headers, *other, *prone]}) == 3 * len(headers)
    assert len({h.SeriesInstanceUID for h in headers}) == 1
    assert headers[0].StudyInstanceUID == prone[0].StudyInstanceUID != other[0].StudyInstanceUID
    assert headers[0].SeriesInstanceUID != prone[0].SeriesInstanceUID
    assert [h.InstanceNumber for h in headers] == list(range(1, len(headers) + 1))


def test_hu_beyond_16_bits_are_refused(tmp_path) -> None:
    loud = Volume(np.full((10, 10, 10), 32000, dtype=np.int16), Grid((10, 10, 10), (0, 0, 0), (1, 1, 1)))
    with pytest.raises(InputError) as caught:
        write_scan(loud, tmp_path, "dicom")
    assert caught.value.code == "hu_range"
    assert list(tmp_path.iterdir()) == []
