"""DICOM series: what is right is read right, what is bad is refused by name and number."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pydicom
import pytest

from trajplan.errors import InputError
from trajplan.reading import Answers, read_scan
from trajplan.reading.findings import CONTENT_CODES

ORIGIN = np.array([-10.5, 20.25, -300.0])


def stored(scan):
    """Findings on how the scan was stored; what such a small image shows is no matter here."""
    return [f for f in scan.findings if f.code not in CONTENT_CODES]


def codes(scan):
    return {f.code for f in stored(scan)}


def refused(path, **options):
    with pytest.raises(InputError) as caught:
        read_scan(path, Answers(**options))
    assert "\n" not in str(caught.value)
    return caught.value


def test_shuffled_names_come_back_in_place(tmp_path, body, write_series):
    scan = read_scan(write_series(tmp_path / "s", body))
    assert scan.kind == "dicom"
    assert scan.path_name == "s"
    assert scan.size_zyx == body.shape
    assert scan.spacing_zyx_mm == pytest.approx((2.0, 0.9, 0.7), abs=1e-6)
    assert scan.volume.array.dtype == np.int16
    np.testing.assert_array_equal(scan.volume.array, body)
    np.testing.assert_allclose(scan.volume.grid.origin_lps, ORIGIN, atol=1e-6)
    np.testing.assert_allclose(scan.volume.grid.spacing_zyx, (2.0, 0.9, 0.7), atol=1e-6)
    assert stored(scan) == []
    assert scan.sha256 == scan.volume.sha256()


def test_descending_storage_and_nested_folders_change_nothing(tmp_path, body, write_series):
    plain = read_scan(write_series(tmp_path / "a", body))
    write_series(
        tmp_path / "b" / "c" / "d", body[::-1], origin=ORIGIN + np.array([0, 0, 34.0]), step=(0, 0, -2.0), seed=5
    )
    (tmp_path / "b" / "notes.txt").write_text("not an image")
    assert read_scan(tmp_path / "b").sha256 == plain.sha256


def test_one_file_stands_for_its_series(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    write_series(folder, body, seed=1, origin=ORIGIN + 100)
    one = min(folder.glob("IM1_*"))
    scan = read_scan(one)
    np.testing.assert_allclose(scan.volume.grid.origin_lps, ORIGIN + 100, atol=1e-6)
    assert scan.path_name == one.name


@pytest.mark.parametrize(
    ("orientation", "flips"),
    [((-1, 0, 0, 0, -1, 0), (1, 2)), ((1, 0, 0, 0, -1, 0), (0, 1)), ((-1, 0, 0, 0, 1, 0), (0, 2))],
)
def test_prone_and_mirrored_storage_keep_each_voxel_in_the_world(tmp_path, body, write_series, orientation, flips):
    scan = read_scan(write_series(tmp_path / "s", body, orientation=orientation))
    assert scan.volume.grid.is_axis_aligned
    np.testing.assert_array_equal(scan.volume.array, np.flip(body, flips))
    first = scan.volume.grid.world_to_index(ORIGIN)  # stored voxel (0, 0, 0)
    np.testing.assert_allclose(first, [n - 1 if a in flips else 0 for a, n in enumerate(body.shape)], atol=1e-5)


def test_each_slice_uses_its_own_intercept(tmp_path, body, write_series):
    def edit(k, ds):
        ds.RescaleIntercept = str(-1024 - k)
        ds.PixelData = (np.frombuffer(ds.PixelData, "<u2") + k).astype("<u2").tobytes()

    np.testing.assert_array_equal(read_scan(write_series(tmp_path / "s", body, edit=edit)).volume.array, body)


def test_files_without_preamble_are_read(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    for path in folder.iterdir():
        ds = pydicom.dcmread(path)
        old = pydicom.Dataset()
        old.update({e.tag: e for e in ds})
        old.save_as(path, implicit_vr=True, little_endian=True)
        assert path.read_bytes()[128:132] != b"DICM"
    np.testing.assert_array_equal(read_scan(folder).volume.array, body)


def test_fractional_slope_is_rounded_not_cut(tmp_path, body, write_series):
    def edit(k, ds):
        ds.RescaleSlope, ds.RescaleIntercept = "0.5", "-1024.0"
        ds.PixelData = (np.frombuffer(ds.PixelData, "<u2") * 2 + 1).astype("<u2").tobytes()

    voxels = read_scan(write_series(tmp_path / "s", body, edit=edit)).volume.array
    np.testing.assert_array_equal(voxels, np.rint(body + 0.5))


def _del(name):
    def edit(k, ds):
        if k == 4:
            delattr(ds, name)

    return edit


def _set(name, value, at=4):
    def edit(k, ds):
        if at is None or k == at:
            setattr(ds, name, value)

    return edit


def _cut_columns(k, ds):
    if k == 4:
        ds.Columns = 20
        ds.PixelData = ds.PixelData[: 20 * 22 * 2]


@pytest.mark.parametrize(
    ("edit", "code", "says"),
    [
        (lambda k, ds: k != 7, "geometry_not_affine", r"slice missing between z = -288.00 and z = -284.00"),
        (lambda k, ds: k not in {7, 8, 9}, "geometry_not_affine", "8.00 mm apart where 2.00 mm"),
        (_set("ImagePositionPatient", [-10.5, 20.25, -291.5]), "geometry_not_affine", "irregular step"),
        (_set("ImagePositionPatient", [-10.5, 20.25, -290.0]), "duplicate_positions", "more than once"),
        (_del("ImagePositionPatient"), "missing_position", "ImagePositionPatient"),
        (_del("ImageOrientationPatient"), "missing_orientation", "ImageOrientationPatient"),
        (_del("PixelSpacing"), "missing_spacing", "PixelSpacing"),
        (_set("PixelSpacing", [0, 0.7]), "spacing_invalid", "0 x 0.7 mm"),
        (_set("PixelSpacing", [-0.9, 0.7], None), "spacing_invalid", "-0.9 x 0.7 mm"),
        (_set("PixelSpacing", [0.9, 0.8]), "geometry_varies", "PixelSpacing"),
        (_set("ImageOrientationPatient", [1, 0, 0, 0, 0.98, 0.199]), "geometry_varies", "ImageOrientation"),
        (_set("ImageOrientationPatient", [1, 0, 0, 0.5, 0.8, 0], None), "orientation_invalid", "orthonormal"),
        (_cut_columns, "geometry_varies", "22 x 26 and 22 x 20|22 x 20 and 22 x 26"),
        (_set("Modality", "MR", None), "not_ct", "modality is MR"),
        (_del("RescaleSlope"), "no_rescale", "RescaleSlope"),
        (_set("RescaleIntercept", "0", None), "not_hu", "no air or fat"),
        (_set("RescaleSlope", "100", None), "hu_range", "32767"),
        (_set("NumberOfFrames", 3, None), "multi_frame", "multi-frame"),
        (lambda k, ds: k < 5, "too_few_slices", "has 5"),
    ],
)
def test_bad_series_are_refused_with_the_reason(tmp_path, body, write_series, edit, code, says):
    error = refused(write_series(tmp_path / "s", body, edit=edit))
    assert error.code == code
    assert re.search(says, str(error)), str(error)


def test_the_size_of_the_gap_is_in_the_numbers(tmp_path, body, write_series):
    error = refused(write_series(tmp_path / "s", body, edit=lambda k, ds: k != 7))
    assert error.numbers["gap_mm"] == pytest.approx(4.0)
    assert error.numbers["usual_mm"] == pytest.approx(2.0)
    assert error.numbers["corner_error_mm"] > 0.10


@pytest.mark.parametrize(("shift_mm", "found"), [(0.004, set()), (0.06, {"geometry_not_affine"})])
def test_small_position_errors_pass_and_larger_ones_warn(tmp_path, body, write_series, shift_mm, found):
    def edit(k, ds):
        if k == 9:
            ds.ImagePositionPatient = [-10.5, 20.25, -282.0 + shift_mm]

    scan = read_scan(write_series(tmp_path / "s", body, edit=edit))
    assert codes(scan) == found
    assert all(f.severity == "warning" for f in stored(scan))


def test_copies_of_a_file_are_dropped_and_said(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    for path in sorted(folder.iterdir())[:3]:
        shutil.copy(path, folder / f"copy_{path.name}")
    scan = read_scan(folder)
    np.testing.assert_array_equal(scan.volume.array, body)
    assert [f.message for f in stored(scan)] == ["3 duplicate files ignored"]


@pytest.mark.parametrize("marked", [True, False])
def test_localisers_inside_the_series_are_dropped(tmp_path, body, write_series, marked):
    uid = pydicom.uid.generate_uid()
    folder = write_series(tmp_path / "s", body, series_uid=uid)

    def edit(k, ds):
        if marked:
            ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    write_series(folder, body[:1], series_uid=uid, orientation=(0, 1, 0, 0, 0, -1), seed=2, edit=edit)
    scan = read_scan(folder)
    assert codes(scan) == {"non_volume_images_dropped"}
    np.testing.assert_array_equal(scan.volume.array, body)


def test_secondary_captures_are_dropped(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    write_series(folder, body[:2], seed=3, edit=_set("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7", None))
    assert codes(read_scan(folder)) == {"non_volume_images_dropped"}


def test_two_volumes_are_listed_and_one_can_be_asked_for(tmp_path, body, write_series):
    write_series(tmp_path / "s" / "a", body, series_uid="1.2.3.4")
    write_series(tmp_path / "s" / "b", body, series_uid="1.2.3.5", spacing_zyx=(2.5, 0.9, 0.7))
    error = refused(tmp_path / "s")
    assert error.code == "several_series"
    for part in ("1.2.3.4 [synthetic, 18 slices, 2.00 mm apart", "1.2.3.5 [synthetic, 18 slices, 2.50 mm", "--series"):
        assert part in str(error)
    assert read_scan(tmp_path / "s", Answers(series="1.2.3.5")).spacing_zyx_mm[0] == pytest.approx(2.5)
    assert refused(tmp_path / "s", series="9.9").code == "unknown_series"


def test_few_slices_beside_a_volume_are_no_rival(tmp_path, body, write_series):
    write_series(tmp_path / "s", body, seed=0)
    write_series(tmp_path / "s", body[:4], seed=1)
    assert codes(read_scan(tmp_path / "s")) == {"other_series_ignored"}


def test_cut_files_are_named(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    victim = sorted(folder.iterdir())[5]
    victim.write_bytes(victim.read_bytes()[:-200])
    error = refused(folder)
    assert error.code == "unreadable_file"
    assert victim.name in str(error)
    assert "944 of 1144 pixel bytes" in str(error)


@pytest.mark.parametrize("keep", [140, 200, 300, 700])
def test_files_cut_in_the_header_are_named_even_at_the_end_of_the_stack(tmp_path, body, write_series, keep):
    folder = write_series(tmp_path / "s", body)
    last = max(folder.iterdir(), key=lambda p: pydicom.dcmread(p).ImagePositionPatient[2])
    last.write_bytes(last.read_bytes()[:keep])
    error = refused(folder)
    assert error.code in {"unreadable_file", "missing_position"}
    assert last.name in str(error)


def test_empty_files_are_warned_of(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    (folder / "IM_lost").touch()
    scan = read_scan(folder)
    assert codes(scan) == {"empty_files"}
    assert "IM_lost" in stored(scan)[0].message


def test_a_file_of_noise_after_the_preamble_is_named(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    noise = np.random.default_rng(1).integers(0, 256, 600, dtype=np.uint8).tobytes()
    (folder / "noise").write_bytes(b"\0" * 128 + b"DICM" + noise)
    error = refused(folder)
    assert error.code == "unreadable_file"
    assert "noise" in str(error)


@pytest.mark.parametrize("tilt_deg", [20.0, -12.0, 0.5])
def test_gantry_tilt_is_resampled_to_where_the_headers_say(tmp_path, write_series, tilt_deg):
    # A world that is linear in y and z is reproduced exactly by linear interpolation, so every inner voxel is a check.
    t = np.radians(tilt_deg)
    orientation = (1.0, 0.0, 0.0, 0.0, float(np.cos(t)), float(np.sin(t)))
    z, y, x = np.indices((24, 30, 26), dtype=float)
    world_y = 20.25 + y * 0.9 * np.cos(t)
    world_z = -300 + z * 2.0 + y * 0.9 * np.sin(t)
    hu = np.rint(4.0 * (world_z + 290) + 6.0 * (world_y - 40) - 40 + x).astype(np.int16)
    scan = read_scan(write_series(tmp_path / "s", hu, orientation=orientation, step=(0, 0, 2.0)))
    assert codes(scan) == {"gantry_tilt"}
    assert f"{abs(tilt_deg):.2f} deg" in stored(scan)[-1].message
    assert "no slice corner lies more than 0.001 mm" in stored(scan)[-1].message
    assert scan.size_zyx == (24, 30, 26)
    grid = scan.volume.grid
    assert grid.is_axis_aligned
    points = grid.points_lps()
    k_y = (points[..., 1] - 20.25) / (0.9 * np.cos(t))
    k_z = (points[..., 2] + 300 - k_y * 0.9 * np.sin(t)) / 2.0
    k_x = (points[..., 0] + 10.5) / 0.7
    inside = (k_y >= 0) & (k_y <= 29) & (k_z >= 0) & (k_z <= 23) & (k_x >= 0) & (k_x <= 25)
    truth = 4.0 * (points[..., 2] + 290) + 6.0 * (points[..., 1] - 40) - 40 + k_x
    assert inside.sum() > 10000
    assert np.abs(scan.volume.array - truth)[inside].max() <= 1.01  # two roundings, 0.5 HU each
    assert (scan.volume.array[(k_y < -1) | (k_z < -1) | (k_y > 30) | (k_z > 24)] == -1000).all()


def test_drift_along_the_rows_is_no_gantry_tilt_and_warned_of(tmp_path, body, write_series):
    scan = read_scan(write_series(tmp_path / "s", body, step=(0.3, 0, 2.0)))
    assert codes(scan) == {"gantry_tilt", "shear_along_rows"}


def test_absurd_shear_is_refused(tmp_path, body, write_series):
    assert refused(write_series(tmp_path / "s", body, step=(5.0, 0, 2.0))).code == "geometry_not_affine"


def test_true_oblique_stack_is_turned_to_the_patient_axes(tmp_path, body, write_series):
    t = np.radians(15)
    scan = read_scan(write_series(tmp_path / "s", body, orientation=(1, 0, 0, 0, float(np.cos(t)), float(np.sin(t)))))
    assert codes(scan) == {"oblique_resampled"}
    assert scan.volume.grid.is_axis_aligned


def test_assumed_hu_is_recorded(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body, edit=_set("Modality", "MR", None))
    scan = read_scan(folder, Answers(assume_hu=True))
    assert [f.severity for f in stored(scan)] == ["warning"]
    assert codes(scan) == {"hu_assumed"}


def test_padding_becomes_air_whether_low_or_wrapped_high(tmp_path, body, write_series):
    def low(k, ds):
        ds.PixelRepresentation = 1
        pixels = np.frombuffer(ds.PixelData, "<u2").astype("<i2")
        pixels[:7] = -2000
        ds.PixelData = pixels.tobytes()

    def high(k, ds):
        ds.PixelPaddingValue = 63536
        pixels = np.frombuffer(ds.PixelData, "<u2").copy()
        pixels[:7] = 63536
        ds.PixelData = pixels.tobytes()

    def span(k, ds):
        ds.PixelPaddingValue, ds.PixelPaddingRangeLimit = 63536, 63530
        pixels = np.frombuffer(ds.PixelData, "<u2").copy()
        pixels[:7] = np.arange(63530, 63537)
        ds.PixelData = pixels.tobytes()

    for name, edit in (("low", low), ("high", high), ("span", span)):
        scan = read_scan(write_series(tmp_path / name, body, edit=edit))
        assert (scan.volume.array[:, 0, :7] == -1024).all()
        np.testing.assert_array_equal(scan.volume.array[:, 1:], body[:, 1:])
        assert [f.message.split()[0] for f in scan.findings if f.code == "padding"] == [str(7 * 18)]


def test_lossy_compression_is_warned_of(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body, edit=_set("LossyImageCompression", "01", None))
    assert codes(read_scan(folder)) == {"lossy"}


def test_thick_slices_warn_and_thicker_ones_are_refused(tmp_path, body, write_series):
    assert codes(read_scan(write_series(tmp_path / "a", body, spacing_zyx=(5.0, 0.9, 0.7)))) == {"thick_slices"}
    error = refused(write_series(tmp_path / "b", body, spacing_zyx=(7.0, 0.9, 0.7)))
    assert error.code == "slices_too_thick"
    assert error.numbers["slice_spacing_mm"] == pytest.approx(7.0)


@pytest.mark.parametrize("content", [{}, {"readme.txt": "hello"}, {"a.nii.gz": "no"}])
def test_a_folder_without_dicom_is_refused(tmp_path, content):
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    error = refused(tmp_path)
    assert error.code == "no_dicom"
    assert f"{len(content)} files" in str(error)
