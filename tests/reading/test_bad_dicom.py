"""Bad DICOM series, each built from a good one: the verdict and its code; none silent, none ending in a traceback."""

from __future__ import annotations

import zlib

import numpy as np
import pydicom
import pytest
from dicom_files import ORIGIN, ct_slice, set_pixels, to_syntax
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from trajplan.errors import InputError
from trajplan.reading import Answers, read_scan
from trajplan.reading.findings import CONTENT_CODES, severity_of

AT = 4


def put(at=AT, **values):
    """Set tags in slice `at` (all when None)."""

    def edit(k, ds):
        for name, value in values.items():
            if at is None or k == at or (isinstance(at, range) and k in at):
                setattr(ds, name, value)

    return edit


def drop(name, at=AT):
    def edit(k, ds):
        if at is None or k == at:
            delattr(ds, name)

    return edit


def at_z(z_of_k):
    """Slice k at z_of_k(k) mm above the first."""

    def edit(k, ds):
        ds.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + z_of_k(k)]

    return edit


def shifted(at, axis, by_mm):
    def edit(k, ds):
        if k == at:
            position = list(ds.ImagePositionPatient)
            position[axis] = float(position[axis]) + by_mm
            ds.ImagePositionPatient = position

    return edit


def element(tag, vr, raw, at=AT):
    """An element with a value no writer would make."""

    def edit(k, ds):
        if at is None or k == at:
            ds.add_new(tag, vr, raw)

    return edit


def pixels(make, at=AT):
    def edit(k, ds):
        if at is None or k == at:
            ds.PixelData = make(ds.PixelData)

    return edit


def twice(k, ds):
    """Two acquisitions over the same places, in one series."""
    if k >= 9:
        ds.AcquisitionNumber = 2
        ds.ImagePositionPatient = [*ORIGIN[:2], ORIGIN[2] + 2.0 * (k - 9)]
    else:
        ds.AcquisitionNumber = 1


def two_kernels(k, ds):
    twice(k, ds)
    ds.AcquisitionNumber, ds.ConvolutionKernel = 1, "B30f" if k < 9 else "B70f"


def two_types(k, ds):
    twice(k, ds)
    ds.AcquisitionNumber, ds.ImageType = 1, ["ORIGINAL", "PRIMARY", "AXIAL" if k < 9 else "MPR"]


def two_unmarked(k, ds):
    twice(k, ds)
    ds.AcquisitionNumber = 1


def two_orientations(k, ds):
    if k >= 9:
        ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        ds.ImagePositionPatient = [ORIGIN[0] + 2.0 * k, ORIGIN[1], ORIGIN[2]]


def two_pixel_sizes_over_one_place(k, ds):
    twice(k, ds)
    if k >= 9:
        ds.PixelSpacing = [0.5, 0.4]


REFUSED = {
    # slices that are missing, moved or repeated
    "slice missing": (lambda k, ds: k != 7, "geometry_not_affine"),
    "three slices missing": (lambda k, ds: k not in (7, 8, 9), "geometry_not_affine"),
    "every third slice missing": (lambda k, ds: k % 3 != 1, "geometry_not_affine"),
    "spacing 1 then 2 mm": (at_z(lambda k: min(k, 9) * 1.0 + max(k - 9, 0) * 2.0), "geometry_not_affine"),
    "spacing grows": (at_z(lambda k: 2.0 * k + 0.05 * k * k), "geometry_not_affine"),
    "second slice missing": (lambda k, ds: k != 1, "geometry_not_affine"),
    "two blocks far apart": (at_z(lambda k: 2.0 * k + (60 if k > 8 else 0)), "geometry_not_affine"),
    "one slice half a step off": (shifted(9, 2, 1.0), "geometry_not_affine"),
    "one slice 0.5 mm off": (shifted(9, 2, 0.5), "geometry_not_affine"),
    "one slice sideways": (shifted(9, 0, 0.4), "geometry_not_affine"),
    "one slice 0.2 mm back": (shifted(9, 1, 0.2), "geometry_not_affine"),
    "a position with lost decimals": (at_z(lambda k: round(2.3 * k)), "geometry_not_affine"),
    "sheared beyond any gantry": (lambda k, ds: shifted(k, 0, 4.0 * k)(k, ds), "geometry_not_affine"),
    "two slices at one place": (at_z(lambda k: 2.0 * (k if k != 9 else 8)), "duplicate_positions"),
    "all slices at one place": (at_z(lambda k: 0.0), "duplicate_positions"),
    "two volumes in one series, unmarked": (two_unmarked, "duplicate_positions"),
    # positions, orientations, spacing
    "no position": (drop("ImagePositionPatient"), "missing_position"),
    "no position anywhere": (drop("ImagePositionPatient", None), "missing_position"),
    "position of two numbers": (put(ImagePositionPatient=[1, 2]), "missing_position"),
    "position of text": (element(0x00200032, "LO", "a\\b\\c"), "unreadable_file"),
    "position not finite": (element(0x00200032, "LO", "nan\\0\\0"), "missing_position"),
    "position 1e9 mm away": (put(None, ImagePositionPatient=[1e9, 0, 0]), "duplicate_positions"),
    "no orientation": (drop("ImageOrientationPatient"), "missing_orientation"),
    "no orientation anywhere": (drop("ImageOrientationPatient", None), "missing_orientation"),
    "orientation of zeros": (put(None, ImageOrientationPatient=[0] * 6), "orientation_invalid"),
    "orientation not normalised": (put(None, ImageOrientationPatient=[2, 0, 0, 0, 2, 0]), "orientation_invalid"),
    "rows parallel to columns": (put(None, ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "orientation_invalid"),
    "orientation at 60 deg": (put(None, ImageOrientationPatient=[1, 0, 0, 0.5, 0.866, 0]), "orientation_invalid"),
    "one slice turned by 3 deg": (put(ImageOrientationPatient=[1, 0, 0, 0, 0.99863, 0.05234]), "geometry_varies"),
    "one slice mirrored": (put(ImageOrientationPatient=[-1, 0, 0, 0, 1, 0]), "geometry_varies"),
    "no pixel spacing": (drop("PixelSpacing"), "missing_spacing"),
    "no pixel spacing anywhere": (drop("PixelSpacing", None), "missing_spacing"),
    "pixel spacing 0": (put(None, PixelSpacing=[0, 0]), "spacing_invalid"),
    "pixel spacing below 0": (put(None, PixelSpacing=[0.9, -0.7]), "spacing_invalid"),
    "pixel spacing of metres": (put(None, PixelSpacing=[0.0009, 0.0007]), "spacing_range"),
    "pixel spacing 20 mm": (put(None, PixelSpacing=[20, 20]), "spacing_range"),
    "pixel spacing of one number": (put(None, PixelSpacing=0.9), "missing_spacing"),
    "pixel spacing changes half way": (put(range(9, 18), PixelSpacing=[0.5, 0.5]), "geometry_varies"),
    "one slice of other pixel spacing": (put(PixelSpacing=[0.9, 0.71]), "geometry_varies"),
    "another frame of reference": (put(range(9, 18), FrameOfReferenceUID="1.2.99"), "geometry_varies"),
    # people
    "two patients": (put(range(9, 18), PatientID="another"), "mixed_patients"),
    "two studies": (put(range(9, 18), StudyInstanceUID="1.2.98"), "mixed_patients"),
    # what the values are
    "MR": (put(None, Modality="MR"), "not_ct"),
    "no modality": (drop("Modality", None), "not_ct"),
    "PET": (put(None, Modality="PT"), "not_ct"),
    "no slope": (drop("RescaleSlope"), "no_rescale"),
    "no intercept anywhere": (drop("RescaleIntercept", None), "no_rescale"),
    "slope 0": (put(None, RescaleSlope="0"), "rescale_invalid"),
    "slope below 0": (put(None, RescaleSlope="-1"), "rescale_invalid"),
    "intercept of a million": (put(None, RescaleIntercept="-2000000"), "rescale_invalid"),
    "an iodine map": (put(None, RescaleType="MGML"), "rescale_type"),
    "electron density": (put(None, RescaleType="ED"), "rescale_type"),
    "values of 100000 HU": (put(None, RescaleSlope="60"), "hu_range"),
    "intercept lost": (put(None, RescaleIntercept="0"), "not_hu"),
    "every voxel the same": (pixels(lambda d: bytes(len(d)), None), "not_hu"),
    "inverted grey": (put(None, PhotometricInterpretation="MONOCHROME1"), "photometric"),
    "palette colour": (put(None, PhotometricInterpretation="PALETTE COLOR"), "no_ct_slices"),
    "only localisers": (put(None, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "no_ct_slices"),
    "only secondary captures": (put(None, SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), "no_ct_slices"),
    "12 of 8 bits": (put(None, BitsAllocated=8, BitsStored=12, HighBit=11), "bits"),
    "high bit 15 of 12": (put(None, BitsStored=12, HighBit=15), "bits"),
    "bits stored 0": (put(None, BitsStored=0, HighBit=0), "bits"),
    # size and pixels
    "one slice of other size": (lambda k, ds: set_pixels(ds, np.zeros((20 if k == AT else 22, 26))), "geometry_varies"),
    "65535 x 65535": (put(None, Rows=65535, Columns=65535), "too_many_voxels"),
    "no rows": (drop("Rows"), "unreadable_file"),
    "rows 0": (put(None, Rows=0), "empty_image"),
    "half of the pixels": (pixels(lambda d: d[: len(d) // 2]), "unreadable_file"),
    "no pixels": (drop("PixelData"), "unreadable_file"),
    "frames without places": (put(None, NumberOfFrames=3), "multi_frame"),
    "one slice of -2 frames": (put(17, NumberOfFrames="-2"), "multi_frame"),
    "one slice of MR": (put(17, Modality="MR"), "not_ct"),
    "five slices": (lambda k, ds: k < 5, "too_few_slices"),
    "one slice": (lambda k, ds: k == 0, "too_few_slices"),
}
ASKED = {
    "two acquisitions": (twice, "duplicate_positions", "acquisition 2"),
    "two kernels": (two_kernels, "duplicate_positions", "kernel B70f"),
    "two image types": (two_types, "duplicate_positions", "type ORIGINAL/PRIMARY/MPR"),
    "two orientations": (two_orientations, "several_series", "#2"),
    "two pixel sizes": (two_pixel_sizes_over_one_place, "several_series", "pixels 0.50 mm"),
}


def refusal(path, **options):
    with pytest.raises(InputError) as caught:
        read_scan(path, Answers(**options))
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 500
    assert "Nobody" not in message
    return caught.value


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_series_are_refused_by_their_code(tmp_path, body, write_series, name):
    edit, code = REFUSED[name]
    error = refusal(write_series(tmp_path / "s", body, edit=edit))
    assert (error.code, severity_of(error)) == (code, "refuse"), str(error)


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_series_of_two_volumes_asks_with_a_table_and_takes_the_answer(tmp_path, body, write_series, name):
    edit, code, says = ASKED[name]
    folder = write_series(tmp_path / "s", body, edit=edit, series_uid="1.2.3.4", spacing_zyx=(5.0, 1.6, 0.7))
    if name in ("two acquisitions", "two kernels", "two image types", "two pixel sizes"):
        folder = write_series(tmp_path / "t", body, edit=stretched(edit), series_uid="1.2.3.4")
    error = refusal(folder)
    assert (error.code, severity_of(error)) == (code, "ask")
    assert says in str(error)
    assert error.numbers["groups"] == 2
    first, second = (read_scan(folder, Answers(series=f"1.2.3.4#{n}")) for n in (1, 2))
    assert first.size_zyx[0] + second.size_zyx[0] == 18
    assert first.sha256 != second.sha256
    assert "group_chosen" in {f.code for f in first.findings}
    assert refusal(folder, series="1.2.3.4#3").code == "unknown_series"
    assert refusal(folder, series="1.2.3.4#x").code == "unknown_series"


def stretched(edit):
    """The same with slices 5 mm apart, so that nine of them are high enough to be read."""

    def wider(k, ds):
        edit(k, ds)
        z = float(ds.ImagePositionPatient[2]) - ORIGIN[2]
        ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], ORIGIN[2] + 2.5 * z]

    return wider


def test_a_group_of_a_series_without_groups_is_unknown(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body, series_uid="1.2.3.4")
    assert refusal(folder, series="1.2.3.4#1").code == "unknown_series"


def fragment_of_other_size(k, ds):
    to_syntax(ds, "jpeg2000")
    if k == AT:
        ds.Rows, ds.Columns = 2000, 2000


def cut_fragment(k, ds):
    to_syntax(ds, "jpeg2000")
    if k == AT:
        ds.PixelData = ds.PixelData[: len(ds.PixelData) // 2]


@pytest.mark.parametrize("edit", [fragment_of_other_size, cut_fragment])
def test_compressed_pixels_that_are_not_what_the_header_says_are_refused(tmp_path, body, edit):
    folder = tmp_path / "s"
    folder.mkdir()
    for k, hu in enumerate(body):
        ds = ct_slice(hu, ORIGIN + np.array([0, 0, 2.0 * k]), number=k)
        edit(k, ds)
        ds.save_as(folder / f"{k:03d}", enforce_file_format=True)
    error = refusal(folder)
    assert error.code in {"unreadable_file", "geometry_varies"}
    assert "004" in str(error)


def test_a_deflated_file_that_grows_without_end_is_refused(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body, syntax="deflated")
    path = min(folder.iterdir())
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(80)) + packer.flush()
    path.write_bytes(data[:start] + packed)
    assert path.stat().st_size < 200_000
    error = refusal(folder)
    assert error.code == "expands_too_much"


@pytest.mark.parametrize(("last_gap", "code"), [(4.0, "irregular_resampled"), (9.0, "geometry_not_affine")])
def test_irregular_slices_are_interpolated_only_on_request_and_never_across_a_wide_gap(
    tmp_path, write_series, last_gap, code
):
    z, y, x = np.indices((18, 22, 26), dtype=float)
    place = np.where(z < 17, 2.0 * z, 32.0 + last_gap)  # slice 17 lies `last_gap` above slice 16
    hu = np.rint(np.where(x < 3, -1000, 10 * place - 120 + y)).astype(np.int16)
    folder = write_series(tmp_path / "s", hu, edit=at_z(lambda k: 2.0 * k if k < 17 else 32.0 + last_gap))
    assert refusal(folder).code == "geometry_not_affine"
    if code == "geometry_not_affine":
        assert refusal(folder, resample_irregular=True).code == code
        return
    scan = read_scan(folder, Answers(resample_irregular=True))
    found = {f.code: f for f in scan.findings}
    assert found[code].severity == "warning"
    assert "z = -268.00 and z = -264.00" in found[code].message
    assert scan.spacing_zyx_mm[0] == pytest.approx(2.0)
    z, y, x = np.indices(scan.volume.array.shape, dtype=float)
    truth = np.where(x < 3, -1000, 20 * z - 120 + y)  # linear along z: interpolation is exact
    np.testing.assert_allclose(scan.volume.array, truth, atol=0.51)


def test_slices_that_jump_sideways_are_not_interpolated(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body, edit=shifted(9, 0, 0.5))
    assert refusal(folder, resample_irregular=True).code == "geometry_not_affine"


@pytest.mark.parametrize(
    ("tags", "orientation", "says"),
    [
        ({"PatientPosition": "HFP"}, (-1, 0, 0, 0, -1, 0), "head first, prone"),
        ({"PatientPosition": "HFP"}, (1, 0, 0, 0, 1, 0), "disagrees"),
        ({"PatientPosition": "FFS"}, (-1, 0, 0, 0, 1, 0), "feet first, supine"),
        ({"PatientPosition": "FFS"}, (1, 0, 0, 0, 1, 0), "disagrees"),
        ({"PatientPosition": "HFDR"}, (0, 1, 0, -1, 0, 0), "right side"),
        ({"PatientPosition": "HFS"}, (-1, 0, 0, 0, -1, 0), "disagrees"),
        ({"Laterality": "R"}, (1, 0, 0, 0, 1, 0), "laterality tag R not used"),
        ({"ImageLaterality": "L"}, (1, 0, 0, 0, 1, 0), "laterality tag L not used"),
        ({"PatientPosition": "HFS"}, (1, 0, 0, 0, 1, 0), None),
        ({"PatientPosition": "XYZ"}, (1, 0, 0, 0, 1, 0), None),
    ],
)
def test_position_and_laterality_are_told_and_the_orientation_rules(
    tmp_path, body, write_series, tags, orientation, says
):
    plain = read_scan(write_series(tmp_path / "a", body, orientation=orientation))
    scan = read_scan(write_series(tmp_path / "b", body, orientation=orientation, edit=put(None, **tags)))
    found = [f for f in scan.findings if f.code in {"patient_position", "laterality"}]
    assert [f.severity for f in found] == ([] if says is None else ["info"])
    assert says is None or says in found[0].message
    assert scan.sha256 == plain.sha256


def test_the_ratio_of_lossy_compression_is_told(tmp_path, body, write_series):
    edit = put(None, LossyImageCompression="01", LossyImageCompressionRatio="12.5")
    scan = read_scan(write_series(tmp_path / "s", body, edit=edit))
    assert ["ratio 12.5" in f.message for f in scan.findings if f.code == "lossy"] == [True]


def dicomdir(folder, names):
    ds = ct_slice(np.zeros((2, 2)), ORIGIN)
    directory = Dataset()
    directory.file_meta = ds.file_meta
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    records = []
    for name in names:
        record = Dataset()
        with pydicom.config.disable_value_validation():
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", name
        records.append(record)
    directory.DirectoryRecordSequence = Sequence(records)
    with pydicom.config.disable_value_validation():
        directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


@pytest.mark.parametrize(("listed", "found"), [([], set()), (["GONE", ["..", "X"]], {"dicomdir_incomplete"})])
def test_a_dicomdir_stands_for_its_folder_and_what_it_misses_is_told(tmp_path, body, write_series, listed, found):
    plain = read_scan(write_series(tmp_path / "a", body))
    write_series(tmp_path / "b" / "DICOM", body)
    (tmp_path / "X").write_bytes(b"outside")
    names = [["DICOM", p.name] for p in (tmp_path / "b" / "DICOM").iterdir()]
    path = dicomdir(tmp_path / "b", names + listed)
    for way_in in (path, path.parent):
        scan = read_scan(way_in)
        assert scan.sha256 == plain.sha256
        codes = {f.code for f in scan.findings} - CONTENT_CODES
        assert codes == (found if way_in == path else set())
