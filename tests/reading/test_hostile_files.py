"""Files made to do harm: each is refused in one printable line, at once, and nothing outside its folder is read."""

from __future__ import annotations

import gzip
import os
import struct
import zlib

import numpy as np
import pytest
from dicom_files import ORIGIN, ct_slice, write_series

from trajplan.errors import InputError
from trajplan.reading import read_scan

SIZE = 20 * 20 * 20 * 2
SECRET = b"SECRET-OF-ANOTHER-FOLDER " * (SIZE // 25 + 1)
NRRD = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "20 20 20",
    "space directions": "(1,0,0) (0,1,0) (0,0,2)",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(0,0,0)",
}
META = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "ElementSpacing": "1 1 2",
    "DimSize": "20 20 20",
    "ElementType": "MET_SHORT",
}


def nhdr(folder, data_file, **changes):
    fields = NRRD | {k.replace("_", " "): v for k, v in changes.items()} | {"data file": data_file}
    path = folder / "s.nhdr"
    path.write_text("NRRD0004\n" + "".join(f"{k}: {v}\n" for k, v in fields.items()) + "\n", encoding="latin-1")
    return path


def mhd(folder, data_file, **changes):
    fields = META | changes | {"ElementDataFile": data_file}
    path = folder / "s.mhd"
    path.write_text("".join(f"{k} = {v}\n" for k, v in fields.items()), encoding="latin-1")
    return path


@pytest.fixture
def inner(tmp_path):
    """A folder beside a file that must not be read."""
    (tmp_path / "outside.raw").write_bytes(SECRET)
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "link.raw").symlink_to(tmp_path / "outside.raw")
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "pipe.raw")
    return folder


def refused(path):
    with pytest.raises(InputError) as caught:
        read_scan(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 500
    assert "SECRET" not in message
    return caught.value.code


ESCAPES = [
    "../outside.raw",
    "../../../../../../etc/passwd",
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "/dev/stdin",
    "link.raw",
    "up/outside.raw",
    "pipe.raw",
    "..",
    ".",
    "LIST",
    "LIST 2D",
    "s%d.raw 1 20 1",
    "s%s%n%n.raw 1 20 1",
    "file:///etc/passwd",
    "http://127.0.0.1/s.raw",
    "\\\\host\\share\\s.raw",
    "C:\\s.raw",
    "out*.raw",
    "s.raw\0.txt",
    "a" * 5000,
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
@pytest.mark.parametrize("write", [nhdr, mhd])
@pytest.mark.parametrize("named", ESCAPES, ids=[e[:20].replace("\0", "NUL") for e in ESCAPES])
def test_a_header_cannot_name_a_file_outside_its_folder(inner, write, named):
    assert refused(write(inner, named)) in {"unsafe_data_file", "no_data_file", "header_invalid"}


def packed_header(fields, body, end):
    return "".join(f"{k}{end}{v}\n" for k, v in fields.items()).encode() + body


def nrrd_bomb(folder):
    path = folder / "s.nrrd"
    head = b"NRRD0004\n" + packed_header(NRRD | {"encoding": "gzip"}, b"\n", ": ")
    path.write_bytes(head + gzip.compress(bytes(40 << 20)))
    return path


def mha_bomb(folder):
    body = zlib.compress(bytes(40 << 20))
    fields = META | {"CompressedData": "True", "CompressedDataSize": str(len(body)), "ElementDataFile": "LOCAL"}
    path = folder / "s.mha"
    path.write_bytes(packed_header(fields, body, " = "))
    return path


def nifti(folder, shape=(20, 20, 20), name="s.nii", data=b"", edit=lambda _h: None):
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 4, 16)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 2, 0, 0, 0, 0)
    struct.pack_into("<f", head, 108, 352)
    struct.pack_into("<2h", head, 252, 0, 1)
    struct.pack_into("<12f", head, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0)
    head[344:348] = b"n+1\0"
    edit(head)
    path = folder / name
    path.write_bytes(gzip.compress(bytes(head) + data) if name.endswith("gz") else bytes(head) + data)
    return path


def series(folder, edit):
    return write_series(folder / "dicom", np.zeros((9, 12, 14), np.int16), spacing_zyx=(4.0, 1, 1), edit=edit)


def huge_rle(_k, ds):
    ds.Rows, ds.Columns = 60000, 60000
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.5"
    ds["PixelData"].VR = "OB"
    ds.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x40\0\0\0" + bytes(64) + b"\xfe\xff\xdd\xe0\0\0\0\0"


def many_frames(_k, ds):
    ds.NumberOfFrames = "2000000000"


def deep(folder):
    """A series inside a file name that is a script, and in its own description."""

    def edit(_k, ds):
        ds.SeriesDescription = "\x1b[2J<script>alert(1)</script>"
        ds.PatientName = "<img src=x onerror=alert(1)>"
        ds.PatientID = "=cmd|' /C calc'!A0"

    path = write_series(folder / "a\nb\x1b[31m<script>", np.zeros((9, 12, 14), np.int16), edit=edit)
    return write_series(path, np.zeros((9, 12, 14), np.int16), edit=edit, seed=1)


BOMBS = {
    "gzip bomb in nrrd": (nrrd_bomb, {"size_mismatch"}),
    "zlib bomb in mha": (mha_bomb, {"size_mismatch"}),
    "gzip bomb in nii.gz": (lambda f: nifti(f, name="s.nii.gz", data=bytes(40 << 20)), {"size_mismatch"}),
    "nifti of 32767 cubed": (lambda f: nifti(f, (32767, 32767, 32767)), {"too_many_voxels"}),
    "nifti of negative size": (lambda f: nifti(f, (-20, 20, 20)), {"empty_image"}),
    "nifti with its voxels at 2 GB": (
        lambda f: nifti(f, data=bytes(SIZE), edit=lambda h: struct.pack_into("<f", h, 108, 2e9)),
        {"header_invalid"},
    ),
    "nrrd of 1e15 voxels": (lambda f: nhdr(f, "s.raw", sizes="100000 100000 100000"), {"too_many_voxels"}),
    "nrrd of 10**400 voxels": (lambda f: nhdr(f, "s.raw", sizes="1" + "0" * 400 + " 1 1"), {"too_many_voxels"}),
    "nrrd of 5000 digits": (lambda f: nhdr(f, "s.raw", sizes="1" * 5000 + " 1 1"), {"header_invalid"}),
    "nrrd of a million axes": (lambda f: nhdr(f, "s.raw", dimension="1000000"), {"not_3d_scalar"}),
    "metaimage NDims of 2**32": (lambda f: mhd(f, "s.raw", NDims="4294967296"), {"not_3d_scalar"}),
    "metaimage of 1e300 voxels": (lambda f: mhd(f, "s.raw", DimSize="1e300 1 1"), {"too_many_voxels"}),
    "metaimage header without end": (lambda f: mhd(f, "x" * (1 << 17)), {"header_invalid", "no_data_file"}),
    "dicom of 60000 x 60000 in 64 bytes": (lambda f: series(f, huge_rle), {"too_many_voxels"}),
    "dicom of 2e9 frames": (lambda f: series(f, many_frames), {"multi_frame", "unreadable_file"}),
    "scripts and escapes in names": (deep, {"several_series"}),
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_and_absurd_sizes_are_refused_before_they_are_unpacked(tmp_path, name):
    make, codes = BOMBS[name]
    assert refused(make(tmp_path)) in codes


def test_control_characters_never_reach_the_result(tmp_path, body):
    folder = write_series(tmp_path / "a\nb\x1b[31m", body)
    (folder / "x\x1b]0;title\x07").touch()
    scan = read_scan(folder)
    assert scan.path_name == "a?b?[31m"
    assert all(f.message.isprintable() for f in scan.findings)


def test_a_nested_sequence_a_thousand_deep_is_refused(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    ds = ct_slice(body[0], ORIGIN)
    path = folder / "deep"
    ds.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    at = data.index(b"\x18\x00", 300)
    nest = (b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff") * 2000
    path.write_bytes(data[:at] + nest)
    assert refused(folder) in {"unreadable_file", "mixed_patients", "missing_position"}
