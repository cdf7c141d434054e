"""The real scans: right place, right values, or one clear refusal."""

from __future__ import annotations

import functools
import shutil
from itertools import product

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from realdata import real_data
from scipy.ndimage import find_objects, map_coordinates

from trajplan.errors import InputError
from trajplan.reading import Scheme, check_same_space, read_labels, read_scan
from trajplan.reading.checks import check_hu
from trajplan.reading.dicom_geometry import solve_geometry
from trajplan.reading.dicom_series import choose_series, files_below
from trajplan.reading.findings import CONTENT_CODES
from trajplan.reading.shear import straighten

pytestmark = pytest.mark.real


def stored(scan):
    """Findings on how the scan was stored, not on what it shows."""
    return [f for f in scan.findings if f.code not in CONTENT_CODES]


@pytest.fixture(scope="module")
def scan_of():
    """Each real scan, read once."""
    return functools.cache(lambda name: read_scan(real_data(f"ct/{name}/ct.nii.gz")))


@pytest.mark.parametrize(
    ("name", "size", "spacing"),
    [
        ("lidc0001", (133, 512, 512), (2.5, 0.703125, 0.703125)),
        ("ts_lumbar3mm", (112, 101, 122), (3.0, 3.0, 3.0)),
        ("ts_chest_stent", (164, 126, 120), (1.5, 1.5, 1.5)),
        ("ts_T12slab_2mm", (20, 512, 512), (2.0, 0.9765625, 0.9765625)),
    ],
)
def test_each_voxel_lies_where_nibabel_puts_it(name, size, spacing, scan_of):
    path = real_data(f"ct/{name}/ct.nii.gz")
    scan = scan_of(name)
    assert scan.size_zyx == size
    assert scan.spacing_zyx_mm == pytest.approx(spacing, abs=1e-5)
    image = nib.load(path)
    data = np.asarray(image.dataobj)
    index = np.random.default_rng(0).integers(0, data.shape, (200, 3))
    world_lps = (index @ image.affine[:3, :3].T + image.affine[:3, 3]) * [-1, -1, 1]
    ours = scan.volume.grid.world_to_index(world_lps)
    nearest = np.rint(ours).astype(int)
    assert np.abs((ours - nearest) * scan.volume.grid.spacing_zyx).max() < 1e-3
    stored = np.maximum(data[tuple(index.T)], -1024)
    np.testing.assert_array_equal(scan.volume.array[tuple(nearest.T)], np.rint(stored))
    assert scan.volume.array.min() >= -1024


def test_padding_of_the_lidc_scan_is_recorded(scan_of):
    scan = scan_of("lidc0001")
    assert [f.code for f in stored(scan)] == ["padding"]


def test_jpeg2000_series_is_the_scan_its_nifti_holds(scan_of):
    series = read_scan(real_data("dicom/ts_slab_jpeg2000"))
    assert series.size_zyx == (20, 512, 512)
    assert series.spacing_zyx_mm == pytest.approx((2.0, 0.9765625, 0.9765625))
    assert stored(series) == []
    assert series.sha256 == scan_of("ts_T12slab_2mm").sha256


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_cut_jpeg2000_slice_is_named(tmp_path, keep):
    shutil.copytree(real_data("dicom/ts_slab_jpeg2000"), tmp_path / "s")
    victim = sorted((tmp_path / "s").glob("CT*"))[7]
    data = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(InputError, match=victim.name) as caught:
        read_scan(tmp_path / "s")
    assert caught.value.code == "unreadable_file"


@pytest.mark.parametrize(("name", "angle"), [("minus18", 18.50), ("plus16", 16.50)])
def test_gantry_tilt_is_repaired_and_said(name, angle):
    folder = real_data(f"dicom/philips_phantom_tilt_{name}")
    scan = read_scan(folder)
    assert [f.code for f in stored(scan)] == ["gantry_tilt"]
    assert f"{angle:.2f} deg" in stored(scan)[0].message
    # A stored voxel far from the tilt axis, by its own header, holds its value (smooth places only).
    files = sorted(p for p in folder.iterdir() if p.name.startswith("I"))
    header = pydicom.dcmread(files[12], stop_before_pixels=True)
    pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(files[12]), imageIO="GDCMImageIO"))[0].astype(float)
    row, column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
    v, u = np.mgrid[40:472:16, 40:472:16].reshape(2, -1)
    spacing = [float(s) for s in header.PixelSpacing]
    world = (
        np.array(header.ImagePositionPatient, float) + u[:, None] * spacing[1] * row + v[:, None] * spacing[0] * column
    )
    index = np.rint(scan.volume.grid.world_to_index(world)).astype(int)
    read = scan.volume.array[tuple(index.T)]
    assert np.median(np.abs(read - pixels[v, u].clip(-1024))) < 15
    assert np.corrcoef(read, pixels[v, u])[0, 1] > 0.9


@pytest.mark.parametrize("name", ["minus18", "plus16"])
def test_after_repair_of_the_tilt_slice_corners_lie_where_the_headers_say(name, record_property):
    """Index ramps go through the repair; at each corner by its own header they must read that corner's index."""
    folder = real_data(f"dicom/philips_phantom_tilt_{name}")
    group, _ = choose_series(files_below(folder), name, series=None, assume_hu=False)
    geometry, _ = solve_geometry(group)
    assert geometry.corner_error_mm <= 0.05
    slices, (rows, columns) = len(geometry.headers), geometry.headers[0].shape
    ramps = []
    for index, scale in zip(np.ogrid[:slices, :rows, :columns], (1000, 40, 40), strict=True):
        ramp = np.broadcast_to(scale * index, (slices, rows, columns)).astype(np.int16)
        ramps.append((straighten(ramp, geometry.matrix, geometry.origin_lps), scale))
    worst = 0.0
    for k in range(2, slices - 2):  # the outermost slices have air beside them
        header = pydicom.dcmread(geometry.headers[k].path, stop_before_pixels=True)
        row, column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        spacing = np.array(header.PixelSpacing, float)
        for y, x in product((2, rows - 3), (2, columns - 3)):
            world = np.array(header.ImagePositionPatient, float) + x * spacing[1] * row + y * spacing[0] * column
            found = [
                map_coordinates(v.array.astype(float), v.grid.world_to_index(world)[:, None], order=1)[0] / scale
                for v, scale in ramps
            ]
            off = np.array([k, y, x]) - found
            worst = max(worst, float(np.linalg.norm(geometry.matrix @ off[::-1])))
    record_property("corner_error_mm", round(worst, 4))
    assert worst <= 0.05


def test_mixed_folder_gives_its_one_volume():
    scan = read_scan(real_data("dicom/philips_mixed_series_localizer_doseinfo"))
    assert scan.size_zyx == (28, 512, 512)
    assert {f.code for f in stored(scan)} == {"non_volume_images_dropped", "thick_slices"}


def test_odd_files_are_each_refused_in_one_line():
    folder = real_data("dicom/pydicom_ct_oddities")
    codes = {}
    for path in sorted(folder.iterdir()):
        with pytest.raises(InputError) as caught:
            read_scan(path)
        assert "\n" not in str(caught.value)
        codes[path.name] = caught.value.code
    assert codes["eCT_Supplemental.dcm"] == "too_few_slices"  # two frames
    assert codes["CT_small.dcm"] == "too_few_slices"


@pytest.mark.parametrize(
    ("name", "other", "scheme"),
    [
        ("lidc0001", "labels_totalseg117.nii.gz", Scheme.TOTALSEG_V2),
        ("ts_T12slab_2mm", "labels_totalseg117.nii.gz", Scheme.TOTALSEG_V2),
    ],
)
def test_two_numberings_of_one_segmentation_agree(name, other, scheme, scan_of):
    verse = read_labels(real_data(f"ct/{name}/vertebrae_verse.nii.gz"), Scheme.VERSE)
    mapped = read_labels(real_data(f"ct/{name}/{other}"), scheme)
    np.testing.assert_array_equal(verse.array, mapped.array)
    assert check_same_space(verse, scan_of(name).volume) == ()


def test_a_totalsegmentator_file_read_as_verse_is_refused():
    with pytest.raises(InputError) as caught:
        read_labels(real_data("ct/lidc0001/labels_totalseg117.nii.gz"), Scheme.VERSE)
    assert caught.value.code == "label_order"


@pytest.mark.parametrize("name", ["lidc0001", "ts_lumbar3mm"])
def test_crops_around_a_vertebra_still_count_as_ct(name, scan_of):
    volume = scan_of(name).volume
    labels = read_labels(real_data(f"ct/{name}/vertebrae_verse.nii.gz"), Scheme.VERSE)
    for label, box in enumerate(find_objects(labels.array), start=1):
        if box is not None and np.prod([s.stop - s.start for s in box]) > 1000:
            crop = volume.array[box]
            assert check_hu(f"{name} {label}", crop) == []
            for offset in (1000, 1024):
                with pytest.raises(InputError):
                    check_hu("offset", (crop + offset).astype(np.int16))
