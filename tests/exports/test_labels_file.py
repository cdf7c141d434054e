"""parts.nrrd reads back the same, holds nothing of the patient, and damage is noticed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from trajplan.case import CaseResult
from trajplan.errors import InputError
from trajplan.exports.labels_file import read_parts, write_labels, write_parts, write_volume
from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.itk import volume_from_sitk


def test_parts_read_back_the_same(case: CaseResult, tmp_path: Path) -> None:
    assert case.vertebra is not None
    path = write_parts(case.vertebra, tmp_path / "parts.nrrd")
    back = read_parts(path)
    assert back.sha256() == case.vertebra.parts.sha256()
    assert back.names[5] == "spinal canal"
    assert [p.name for p in tmp_path.iterdir()] == ["parts.nrrd"]
    assert b"encoding: gzip" in path.read_bytes()[:800]


def test_an_oblique_grid_keeps_its_place(case: CaseResult, tmp_path: Path) -> None:
    assert case.vertebra is not None
    c, s = np.cos(0.3), np.sin(0.3)
    grid = Grid((3, 4, 5), (1.5, -2.25, 3), (0.5, 0.6, 0.7), [[c, -s, 0], [s, c, 0], [0, 0, 1]])
    labels = LabelMap(np.arange(60, dtype=np.uint8).reshape(3, 4, 5) % 6, grid)
    back = read_parts(write_parts(dataclasses.replace(case.vertebra, parts=labels), tmp_path / "p.nrrd"))
    assert back.grid.same_as(grid, 1e-9)


def test_the_header_names_only_parts_and_geometry(case: CaseResult, tmp_path: Path) -> None:
    assert case.vertebra is not None
    path = write_parts(case.vertebra, tmp_path / "parts.nrrd")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    assert [k for k in reader.GetMetaDataKeys() if not k.startswith(("NRRD_", "ITK_"))] == ["labels"]


def test_a_damaged_file_is_refused(case: CaseResult, tmp_path: Path) -> None:
    assert case.vertebra is not None
    path = write_parts(case.vertebra, tmp_path / "parts.nrrd")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"parts\.nrrd"):
        read_parts(path)


def test_a_header_that_points_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "parts.nrrd"
    path.write_bytes(b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: ../x.raw\n\n")
    with pytest.raises(InputError, match="another file"):
        read_parts(path)


def test_what_is_no_label_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes(b"hello")
    with pytest.raises(InputError, match="not an NRRD"):
        read_parts(tmp_path / "a.nrrd")
    with pytest.raises(InputError, match=r"b\.nrrd"):
        read_parts(tmp_path / "b.nrrd")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 2, 2), np.float32)), str(tmp_path / "c.nrrd"))
    with pytest.raises(InputError, match="integers"):
        read_parts(tmp_path / "c.nrrd")


def test_another_suffix_is_refused(case: CaseResult, tmp_path: Path) -> None:
    assert case.vertebra is not None
    with pytest.raises(InputError, match=r"as \.nrrd, \.nii\.gz or \.nii, got 'parts\.png'"):
        write_parts(case.vertebra, tmp_path / "parts.png")


def test_an_unwritable_place_is_one_clear_line(case: CaseResult, tmp_path: Path) -> None:
    assert case.vertebra is not None
    with pytest.raises(InputError, match=r"cannot write parts\.nrrd"):
        write_parts(case.vertebra, tmp_path / "none" / "parts.nrrd")


def test_labels_beyond_a_byte_are_refused(tmp_path: Path) -> None:
    labels = LabelMap(np.full((2, 2, 2), 300, np.int32), Grid((2, 2, 2), (0, 0, 0), (1, 1, 1)))
    with pytest.raises(InputError, match="0 to 255"):
        write_labels(labels, tmp_path / "labels.nrrd")


def test_a_volume_keeps_its_hu_and_place(case: CaseResult, tmp_path: Path) -> None:
    volume = case.scan.volume
    path = write_volume(volume, tmp_path / "ct.nrrd")
    assert volume_from_sitk(sitk.ReadImage(str(path))).sha256() == volume.sha256()
