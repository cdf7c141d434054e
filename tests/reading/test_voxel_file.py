"""Our own reader of voxels gives what SimpleITK and nibabel give on sound files, and says more on the others."""

from __future__ import annotations

import gzip
import itertools
import tracemalloc

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import write_series

from trajplan.errors import InputError
from trajplan.reading import read_scan
from trajplan.reading.nifti import preflight_nifti
from trajplan.reading.read import open_voxels
from trajplan.reading.voxel_file import fill

TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64", "int64", "uint64")
KIND = {"nii": "nifti", "nii.gz": "nifti", "nrrd": "nrrd", "nhdr": "nrrd", "mha": "metaimage", "mhd": "metaimage"}


def voxels(path):
    """As stored, whatever they mean."""
    stored = open_voxels(path, KIND[path.name.partition(".")[2]])
    return np.stack([np.array(values) for values in stored.slices()])


def refused(path):
    with pytest.raises(InputError) as caught:
        read_scan(path)
    return caught.value.code


@pytest.mark.parametrize("suffix", sorted(KIND))
def test_every_voxel_type_is_what_simpleitk_wrote(tmp_path, suffix):
    values = np.random.default_rng(0).integers(0, 120, (9, 10, 11))
    for kind, packed in itertools.product(TYPES, (False, True)):
        if (suffix, kind) in {("nii", "int64"), ("nii.gz", "int64"), ("nii", "uint64"), ("nii.gz", "uint64")}:
            continue  # SimpleITK does not write these
        path = tmp_path / f"{kind}{packed}.{suffix}"
        sitk.WriteImage(sitk.GetImageFromArray(values.astype(kind)), str(path), packed)
        found = voxels(path)
        assert found.dtype == np.dtype(kind), path
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("order", ["<", ">"])
def test_either_byte_order_is_read(tmp_path, body, order):
    path = tmp_path / "s.nhdr"
    endian = {"<": "little", ">": "big"}[order]
    (tmp_path / "s.raw").write_bytes(body.astype(f"{order}i2").tobytes())
    path.write_text(
        "NRRD0004\ntype: short\ndimension: 3\nspace: lps\nsizes: 26 22 18\n"
        "space directions: (0.7,0,0) (0,0.9,0) (0,0,2)\nspace origin: (0,0,0)\n"
        f"endian: {endian}\nencoding: raw\ndata file: s.raw\n\n"
    )
    np.testing.assert_array_equal(voxels(path), body)
    path.write_text(path.read_text().replace(f"endian: {endian}\n", ""))
    assert refused(path) == "header_invalid"
    meta = tmp_path / "s.mhd"
    meta.write_text(
        "NDims = 3\nDimSize = 26 22 18\nElementType = MET_SHORT\nElementSpacing = 0.7 0.9 2\n"
        f"BinaryDataByteOrderMSB = {order == '>'}\nElementDataFile = s.raw\n"
    )
    np.testing.assert_array_equal(voxels(meta), body)
    image = nib.Nifti1Image(body.transpose(2, 1, 0), np.eye(4), nib.Nifti1Header(endianness=order))
    image.to_filename(tmp_path / "s.nii")
    np.testing.assert_array_equal(voxels(tmp_path / "s.nii"), body)


@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_scaled_nifti_values_are_those_of_nibabel(tmp_path, body, write_nifti, kind):
    raw = ((body.astype(float) + 1024) / 2).round().astype(kind).transpose(2, 1, 0)

    def edit(header):
        header["scl_slope"], header["scl_inter"] = 2.0, -1024.0

    path = write_nifti(tmp_path / "s.nii", raw, edit=edit)
    np.testing.assert_allclose(voxels(path), np.asarray(nib.load(path).dataobj).transpose(2, 1, 0))
    assert np.abs(read_scan(path).volume.array - body[:, ::-1, ::-1]).max() <= 1


@pytest.mark.parametrize(
    ("slope", "intercept", "code"),
    [
        *((0.0, 5.0, None), (1.0, 0.0, None), (np.nan, np.nan, None)),
        *((-1.0, 0.0, "rescale_invalid"), (np.inf, 0.0, "rescale_invalid"), (1.0, np.nan, "rescale_invalid")),
        *((1e6, 0.0, "rescale_invalid"), (1.0, 1e9, "rescale_invalid")),
    ],
)
def test_a_scaling_that_no_ct_has_is_refused_and_none_is_none(tmp_path, body, write_nifti, slope, intercept, code):
    def edit(header):
        header["scl_slope"], header["scl_inter"] = slope, intercept

    path = write_nifti(tmp_path / "s.nii", body.transpose(2, 1, 0), edit=edit)
    if code:
        assert refused(path) == code
    else:
        np.testing.assert_array_equal(voxels(path), body)


@pytest.mark.parametrize("name", ["s.nii", "s.nii.gz", "s.nrrd", "s.mha"])
@pytest.mark.parametrize(("more", "code"), [(26 * 22 * 2, "size_mismatch"), (26 * 22 * 2 - 1, None)])
def test_a_slice_beyond_the_declared_ones_is_not_lost_in_silence(tmp_path, body, write_itk, name, more, code):
    path = write_itk(tmp_path / name, body)
    if name.endswith("gz"):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(more)))
    else:
        path.write_bytes(path.read_bytes() + bytes(more))
    if code:
        assert refused(path) == code
    else:
        np.testing.assert_array_equal(voxels(path), body)


def test_a_damaged_file_is_called_damaged_and_not_something_its_values_seem_to_be(tmp_path, body, write_itk):
    path = write_itk(tmp_path / "s.nii.gz", np.where(body > 300, np.nan, body).astype(np.float32))
    assert refused(path) == "not_finite"
    data = bytearray(path.read_bytes())
    data[-6] ^= 0x10  # of the checksum
    path.write_bytes(bytes(data))
    assert refused(path) == "checksum"


@pytest.mark.parametrize(
    ("space", "sign"),
    [("left-posterior-superior", (1, 1)), ("right-anterior-superior", (-1, -1)), ("left-anterior-superior", (1, -1))],
)
def test_the_space_of_an_nrrd_decides_where_its_voxels_lie(tmp_path, body, write_itk, space, sign):
    path = write_itk(tmp_path / "s.nrrd", body)
    data = path.read_bytes().replace(b"left-posterior-superior", space.encode())
    path.write_bytes(data)
    grid = open_voxels(path, "nrrd").grid
    np.testing.assert_allclose(grid.origin_lps, np.array([*sign, 1]) * (-10.5, 20.25, -300.0))
    np.testing.assert_allclose(grid.direction, np.diag([*sign, 1]))


def meta_header(folder, body, *lines):
    (folder / "s.raw").write_bytes(body.astype("<i2").tobytes())
    path = folder / "s.mhd"
    given = "".join(f"{line}\n" for line in lines)
    path.write_text(f"NDims = 3\nDimSize = 26 22 18\nElementType = MET_SHORT\n{given}ElementDataFile = s.raw\n")
    return path


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("ElementSpacing = 0.7 0.9 2", "DistanceUnits = um"), "metaimage_units"),
        (("ElementSpacing = 0.7 0.9 2", "ElementToIntensityFunctionSlope = 2"), "rescale_invalid"),
        (("ElementSpacing = 0.7 0.9 2", "ElementToIntensityFunctionOffset = -1024"), "rescale_invalid"),
        (("ElementSpacing = 0.7 0.9 2", "Offset = 0 0 0", "Position = 0 0 5"), "header_ambiguous"),
        (("ElementSpacing = 0.7 0.9 2", "TransformMatrix = 2 0 0 0 1 0 0 0 1"), "orientation_invalid"),
        (("ElementSpacing = 0.7 0.9 2", "Offset = 0 0 inf"), "orientation_invalid"),
        (("ElementSpacing = 0.7 0.9 2", "Offset = 0 0"), "orientation_invalid"),
        (("DistanceUnits = mm",), "missing_spacing"),
    ],
)
def test_what_other_readers_of_metaimage_pass_over_is_refused(tmp_path, body, lines, code):
    assert refused(meta_header(tmp_path, body, *lines)) == code


def test_the_size_of_an_element_is_its_spacing_where_none_is_given(tmp_path, body):
    both = read_scan(meta_header(tmp_path, body, "ElementSpacing = 0.7 0.9 2", "ElementSize = 1 1 1"))
    assert both.spacing_zyx_mm == pytest.approx((2.0, 0.9, 0.7))
    assert read_scan(meta_header(tmp_path, body, "ElementSize = 0.7 0.9 2")).spacing_zyx_mm == both.spacing_zyx_mm


@pytest.mark.parametrize("skip", ["HeaderSize = -1", "HeaderSize = 0"])
def test_voxels_that_end_a_file_are_found_from_its_end(tmp_path, body, skip):
    path = meta_header(tmp_path, body, "ElementSpacing = 0.7 0.9 2", skip)
    raw = tmp_path / "s.raw"
    if skip.endswith("-1"):
        raw.write_bytes(bytes(1000) + raw.read_bytes())
    np.testing.assert_array_equal(voxels(path), body)


def test_a_quarter_of_a_nifti_is_not_made_room_for(tmp_path, body, write_nifti):
    path = write_nifti(tmp_path / "s.nii", body.transpose(2, 1, 0))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="shorter than its header says: 4648 of 20592"):
        fill(preflight_nifti(path), np.int16, lambda values, _name: values)


@pytest.mark.parametrize("kind", ["nii", "nii.gz", "nrrd", "mha", "dicom"])
def test_a_scan_is_never_in_memory_twice(tmp_path, kind):
    """Stored front to back and right to left, so that it must be turned; 1.5 times its voxels are the limit."""
    z, y, x = np.ogrid[:240, :256, :250]
    hu = np.where((abs(x - 125) < 100) & (abs(y - 128) < 90), -90 + 3 * (z % 40) + (x * y) % 7, -1000).astype(np.int16)
    if kind == "dicom":
        path = write_series(tmp_path / "s", hu, spacing_zyx=(0.6, 0.6, 0.6), orientation=(-1, 0, 0, 0, -1, 0))
    else:
        path = tmp_path / f"s.{kind}"
        image = sitk.GetImageFromArray(hu)
        image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
        image.SetSpacing((0.6, 0.6, 0.6))
        sitk.WriteImage(image, str(path), kind == "nii.gz", 1)
    tracemalloc.start()
    try:
        scan = read_scan(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(scan.volume.array, hu[:, ::-1, ::-1])
    assert peak <= 1.5 * hu.nbytes
