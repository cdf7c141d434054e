"""NIfTI, NRRD and MetaImage: every storage order gives one volume; what is broken or hostile is refused."""

from __future__ import annotations

import gzip
import itertools
import os

import numpy as np
import pytest
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.reading import Answers, read_scan
from trajplan.reading.findings import CONTENT_CODES

ORIGIN = np.array([-10.5, 20.25, -300.0])
SPACING_XYZ = np.array([0.7, 0.9, 2.0])
ORIENTATIONS = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)
]


def stored(scan):
    """Findings on how the scan was stored, not on what it shows."""
    return [f for f in scan.findings if f.code not in CONTENT_CODES]


def refused(path, code, **options):
    with pytest.raises(InputError) as caught:
        read_scan(path, Answers(**options))
    assert caught.value.code == code, str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    return caught.value


def stored_as(body, order, signs):
    """The body (x, y, z) stored along world axes `order` with `signs`, and its index -> LPS affine."""
    array = body.transpose(2, 1, 0)
    axes = np.zeros((3, 3))
    corner = ORIGIN.copy()
    for index_axis, (world, sign) in enumerate(zip(order, signs, strict=True)):
        axes[world, index_axis] = sign * SPACING_XYZ[world]
        if sign < 0:
            corner[world] += (array.shape[world] - 1) * SPACING_XYZ[world]
    moved = array.transpose(order)
    moved = np.flip(moved, [i for i in range(3) if signs[i] < 0])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes, corner
    return np.ascontiguousarray(moved), affine


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_all_48_storage_orders_give_the_same_volume(tmp_path, body, write_nifti, write_itk, order, signs):
    array_xyz, affine_lps = stored_as(body, order, signs)
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine_lps
    spacing = np.linalg.norm(affine_lps[:3, :3], axis=0)
    paths = [
        write_nifti(tmp_path / "s.nii", array_xyz, ras),
        write_itk(
            tmp_path / "s.nrrd",
            array_xyz.transpose(2, 1, 0),
            spacing_zyx=tuple(spacing[::-1]),
            origin=affine_lps[:3, 3],
            direction=affine_lps[:3, :3] / spacing,
        ),
    ]
    for path in paths:
        scan = read_scan(path)
        grid = scan.volume.grid
        assert grid.is_axis_aligned
        np.testing.assert_array_equal(scan.volume.array, body)
        np.testing.assert_allclose(grid.origin_lps, ORIGIN, atol=1e-4)
        np.testing.assert_allclose(grid.spacing_xyz, SPACING_XYZ, atol=1e-6)
        assert scan.size_zyx == array_xyz.shape[::-1]
        assert stored(scan) == []


@pytest.mark.parametrize("name", ["s.nii", "s.nii.gz", "s.nrrd", "s.nhdr", "s.mha", "s.mhd"])
@pytest.mark.parametrize("compress", [False, True])
def test_every_container_holds_the_same_scan(tmp_path, body, write_itk, name, compress):
    scan = read_scan(write_itk(tmp_path / name, body, compress=compress))
    np.testing.assert_array_equal(scan.volume.array, body)
    np.testing.assert_allclose(scan.volume.grid.origin_lps, ORIGIN, atol=1e-4)
    assert scan.kind == {"i": "nifti", "r": "nrrd", "h": "nrrd" if "nhdr" in name else "metaimage"}.get(
        name[3], "metaimage"
    )
    assert scan.path_name == name


def test_float_voxels_are_rounded_and_padding_is_said(tmp_path, body, write_itk):
    values = body + np.float32(0.4)
    values[:, :, 0] = -2048
    scan = read_scan(write_itk(tmp_path / "s.nrrd", values))
    assert scan.volume.array.dtype == np.int16
    assert (scan.volume.array[:, :, 0] == -1024).all()
    np.testing.assert_array_equal(scan.volume.array[:, :, 1:], body[:, :, 1:])
    assert [(f.code, f.severity) for f in stored(scan)] == [("padding", "repair")]
    assert stored(scan)[0].message.startswith(f"{18 * 22} voxels")


def test_oblique_grid_is_turned_and_hu_are_not_biased(tmp_path, write_itk):
    t = np.radians(10)
    rotation = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    z, y, x = np.indices((20, 30, 40))
    # x and y are in-plane: a linear ramp survives linear interpolation, rounding aside.
    hu = (-150 + 7 * x + 3 * y + 2 * z).astype(np.int16)
    scan = read_scan(write_itk(tmp_path / "s.nrrd", hu, direction=rotation, spacing_zyx=(2.0, 0.9, 0.7)))
    assert [f.code for f in stored(scan)] == ["oblique_resampled"]
    index = (scan.volume.grid.points_lps() - ORIGIN) @ rotation / SPACING_XYZ
    inside = ((index >= 0) & (index <= np.array([39, 29, 19]))).all(axis=-1)
    error = (scan.volume.array - (-150 + index @ np.array([7, 3, 2])))[inside]
    assert np.abs(error).max() < 0.51
    assert abs(error.mean()) < 0.05


def test_single_frame_4d_nifti_is_the_3d_volume(tmp_path, body, write_nifti):
    path = write_nifti(tmp_path / "s.nii.gz", body.transpose(2, 1, 0)[..., None])
    np.testing.assert_array_equal(np.sort(read_scan(path).volume.array, axis=None), np.sort(body, axis=None))


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["s.nii", "s.nii.gz", "s.nrrd", "s.mha"])
def test_cut_files_are_refused(tmp_path, body, write_itk, name, keep):
    path = write_itk(tmp_path / name, body, compress=name == "s.mha")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(InputError) as caught:
        read_scan(path)
    assert caught.value.code in {"truncated", "checksum", "header_invalid"}


@pytest.mark.parametrize("name", ["s.nii.gz", "s.nrrd", "s.mha"])
def test_flipped_bits_in_packed_data_are_refused(tmp_path, body, write_itk, name):
    path = write_itk(tmp_path / name, body, compress=True)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))
    with pytest.raises(InputError) as caught:
        read_scan(path)
    assert caught.value.code in {"truncated", "checksum"}


def _header(**fields):
    def edit(header):
        for name, value in fields.items():
            header[name] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (_header(qform_code=0, sform_code=0), "nifti_no_orientation"),
        (_header(qoffset_x=5.0), "nifti_forms_disagree"),
        (_header(pixdim=[1, 0.7, 0.0, 2, 0, 0, 0, 0]), "spacing_invalid"),
        (_header(pixdim=[1, 0.7, -0.9, 2, 0, 0, 0, 0]), "spacing_invalid"),
        (_header(pixdim=[1, 0.7, np.nan, 2, 0, 0, 0, 0]), "spacing_invalid"),
        (_header(pixdim=[1, 0.7, 40, 2, 0, 0, 0, 0]), "spacing_range"),
        (_header(xyzt_units=3), "spacing_range"),
        (_header(vox_offset=0), "header_invalid"),
        (_header(vox_offset=np.nan), "header_invalid"),
        (_header(qform_code=0, srow_x=[np.nan, 0, 0, 0]), "orientation_invalid"),
        (_header(qform_code=0, srow_x=[0.7, 0.3, 0, 0]), "orientation_invalid"),
    ],
)
def test_bad_nifti_headers_are_refused(tmp_path, body, write_nifti, edit, code):
    refused(write_nifti(tmp_path / "s.nii", body.transpose(2, 1, 0), edit=edit), code)


def test_mirrored_forms_name_the_distance(tmp_path, body, write_nifti):
    def edit(header):
        header["srow_x"] = [-0.7, 0, 0, 0]

    error = refused(write_nifti(tmp_path / "s.nii", body.transpose(2, 1, 0), edit=edit), "nifti_forms_disagree")
    assert error.numbers["difference_mm"] == pytest.approx(2 * 0.7 * 25)


def test_forms_within_a_hundredth_of_a_millimetre_agree(tmp_path, body, write_nifti):
    path = write_nifti(tmp_path / "s.nii", body.transpose(2, 1, 0), edit=_header(qoffset_x=0.005))
    assert read_scan(path).size_zyx == body.shape


@pytest.mark.parametrize("shape", [(26, 22), (26, 22, 18, 2), (26, 22, 18, 1, 3)])
def test_nifti_that_is_not_one_volume_is_refused(tmp_path, write_nifti, shape):
    refused(write_nifti(tmp_path / "s.nii.gz", np.zeros(shape, np.int16), np.eye(4)), "not_3d_scalar")


def test_colour_and_complex_are_refused(tmp_path, body, write_nifti):
    rgb = np.zeros((26, 22, 18), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    refused(write_nifti(tmp_path / "a.nii", rgb), "not_3d_scalar")
    refused(write_nifti(tmp_path / "b.nii", np.zeros((26, 22, 18), np.complex64)), "not_3d_scalar")
    for name in ("c.nrrd", "c.mha"):
        image = sitk.Compose([sitk.GetImageFromArray(body)] * 3)
        sitk.WriteImage(image, str(tmp_path / name))
        refused(tmp_path / name, "not_3d_scalar")


@pytest.mark.parametrize("name", ["s.nrrd", "s.mha"])
def test_flat_images_are_refused(tmp_path, body, name):
    sitk.WriteImage(sitk.GetImageFromArray(body[0]), str(tmp_path / name))
    refused(tmp_path / name, "not_3d_scalar")


def test_nifti2_and_pairs_are_refused(tmp_path, body):
    nib = pytest.importorskip("nibabel")
    nib.Nifti2Image(body, np.eye(4)).to_filename(tmp_path / "two.nii")
    refused(tmp_path / "two.nii", "nifti2_unsupported")
    nib.Nifti1Pair(body, np.eye(4)).to_filename(tmp_path / "pair.img")
    (tmp_path / "pair.hdr").rename(tmp_path / "pair.nii")
    refused(tmp_path / "pair.nii", "nifti_unsupported")


def _nhdr(folder, body, **changes):
    fields = {
        "type": "short",
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": "26 22 18",
        "space directions": "(0.7,0,0) (0,0.9,0) (0,0,2)",
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "raw",
        "space origin": "(0,0,0)",
        "data file": "s.raw",
    } | {k.replace("_", " "): v for k, v in changes.items()}
    (folder / "s.raw").write_bytes(body.astype("<i2").tobytes())
    lines = ["NRRD0004", *(f"{k}: {v}" for k, v in fields.items() if v is not None)]
    path = folder / "s.nhdr"
    path.write_text("\n".join(lines) + "\n\n")
    return path


def test_detached_nrrd_beside_its_header_is_read(tmp_path, body):
    np.testing.assert_array_equal(read_scan(_nhdr(tmp_path, body)).volume.array, body)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"space": None}, "nrrd_no_space"),
        ({"space": "scanner-xyz"}, "nrrd_no_space"),
        ({"space_units": '"um" "um" "um"'}, "nrrd_units"),
        ({"space_directions": "(0.7,0,0) (0,nan,0) (0,0,2)"}, "orientation_invalid"),
        ({"space_directions": "(0.7,0,0) (0,0,0) (0,0,2)"}, "spacing_invalid"),
        ({"space_directions": "(0.7,0,0) (0,0.9,0) (0,0.5,2)"}, "orientation_invalid"),
        ({"space_directions": "(0.7,0,0) (0,0.9,0) (0,0,20)"}, "spacing_range"),
        ({"dimension": "4"}, "not_3d_scalar"),
        ({"kinds": "vector domain domain"}, "not_3d_scalar"),
        ({"type": "block"}, "not_3d_scalar"),
        ({"sizes": "26 22 0"}, "empty_image"),
        ({"sizes": "26 22 x"}, "header_invalid"),
        ({"sizes": "100000 100000 100000"}, "too_many_voxels"),
        ({"sizes": "26 22 19"}, "truncated"),
        ({"encoding": "hex"}, "encoding"),
        ({"byte_skip": "100"}, "encoding"),
        ({"data_file": None}, "no_data_file"),
        ({"data_file": "gone.raw"}, "no_data_file"),
        ({"data_file": "../s.raw"}, "unsafe_data_file"),
        ({"data_file": "/etc/hostname"}, "unsafe_data_file"),
        ({"data_file": "LIST"}, "unsafe_data_file"),
        ({"data_file": "s%d.raw 1 3 1"}, "unsafe_data_file"),
        ({"data_file": "."}, "unsafe_data_file"),
    ],
)
def test_bad_nrrd_headers_are_refused(tmp_path, body, changes, code):
    refused(_nhdr(tmp_path, body, **changes), code)


def _mhd(folder, body, **changes):
    fields = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "0 0 0",
        "ElementSpacing": "0.7 0.9 2",
        "DimSize": "26 22 18",
        "ElementType": "MET_SHORT",
        "ElementDataFile": "s.raw",
    } | changes
    fields["ElementDataFile"] = fields.pop("ElementDataFile")  # by definition the last line
    (folder / "s.raw").write_bytes(body.astype("<i2").tobytes())
    path = folder / "s.mhd"
    path.write_text("".join(f"{k} = {v}\n" for k, v in fields.items() if v is not None))
    return path


def test_detached_metaimage_beside_its_header_is_read(tmp_path, body):
    np.testing.assert_array_equal(read_scan(_mhd(tmp_path, body)).volume.array, body)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"NDims": "4294967296"}, "not_3d_scalar"),
        ({"NDims": "2", "DimSize": "26 22"}, "not_3d_scalar"),
        ({"ElementNumberOfChannels": "3"}, "not_3d_scalar"),
        ({"ElementType": "MET_STRING"}, "not_3d_scalar"),
        ({"DimSize": "26 nan 18"}, "header_invalid"),
        ({"DimSize": "26 0 18"}, "empty_image"),
        ({"DimSize": "26 22 19"}, "truncated"),
        ({"ElementSpacing": "0.7 -0.9 2"}, "spacing_invalid"),
        ({"ElementSpacing": "0.7 0 2"}, "spacing_invalid"),
        ({"ElementSpacing": "0.7 nan 2"}, "spacing_invalid"),
        ({"ElementSpacing": None}, "missing_spacing"),
        ({"TransformMatrix": "1 0 0 0.5 1 0 0 0 1"}, "orientation_invalid"),
        ({"TransformMatrix": "1 0 0 0 nan 0 0 0 1"}, "orientation_invalid"),
        ({"HeaderSize": "64"}, "encoding"),
        ({"CompressedData": "True"}, "truncated"),
        ({"CompressedData": "True", "CompressedDataSize": "10"}, "truncated"),
        ({"BinaryData": "False"}, "encoding"),
        ({"ElementDataFile": "../s.raw"}, "unsafe_data_file"),
        ({"ElementDataFile": "/etc/hostname"}, "unsafe_data_file"),
        ({"ElementDataFile": "LIST"}, "unsafe_data_file"),
        ({"ElementDataFile": "s%s%n.raw 1 9 1"}, "unsafe_data_file"),
        ({"ElementDataFile": "gone.raw"}, "no_data_file"),
        ({"ElementDataFile": None}, "header_invalid"),
    ],
)
def test_bad_metaimage_headers_are_refused(tmp_path, body, changes, code):
    refused(_mhd(tmp_path, body, **changes), code)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
@pytest.mark.parametrize("make", [_nhdr, _mhd])
def test_links_out_of_the_folder_and_pipes_are_refused(tmp_path, body, make):
    inner = tmp_path / "inner"
    inner.mkdir()
    header = make(inner, body)
    (inner / "s.raw").rename(tmp_path / "outside.raw")
    (inner / "s.raw").symlink_to(tmp_path / "outside.raw")
    refused(header, "unsafe_data_file")
    (inner / "s.raw").unlink()
    os.mkfifo(inner / "s.raw")
    refused(header, "unsafe_data_file")


def test_a_field_stated_twice_is_refused(tmp_path, body):
    path = _mhd(tmp_path, body)
    path.write_text("DimSize = 1 1 1\n" + path.read_text())
    refused(path, "header_ambiguous")


def test_a_gzip_bomb_is_not_unpacked(tmp_path, body):
    path = _nhdr(tmp_path, body, encoding="gzip")
    (tmp_path / "s.raw").write_bytes(gzip.compress(bytes(30_000_000)))
    refused(path, "size_mismatch")


def test_what_is_no_scan_is_refused(tmp_path, body, write_itk):
    refused(tmp_path / "missing.nii", "not_found")
    for name, content, code in (
        ("text.nii.gz", b"hello, I am no scan\n" * 99, "unknown_format"),
        ("text.dcm", b"hello\n", "unknown_format"),
        ("empty.nii", b"", "empty_file"),
        ("cut.nii.gz", gzip.compress(bytes(1000))[:15], "checksum"),
    ):
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, code)
    write_itk(tmp_path / "s.mha", body).rename(tmp_path / "s.nii")
    refused(tmp_path / "s.nii", "name_mismatch")
    write_itk(tmp_path / "t.mha", body)
    refused(tmp_path / "t.mha", "unknown_series", series="1.2.3")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
def test_a_pipe_is_refused_and_not_waited_on(tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    refused(tmp_path / "pipe.nii", "not_a_file")


def test_reading_prints_nothing(tmp_path, body, write_itk, capfd):
    read_scan(write_itk(tmp_path / "s.nii.gz", body))
    with pytest.raises(InputError):
        read_scan(tmp_path / "none.nii.gz")
    assert capfd.readouterr() == ("", "")
