"""Six identifiers planted in headers, keys, folder and file names: none of them is in anything the program makes."""

from __future__ import annotations

import dataclasses
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import typer
from cli_runs import Trajplan
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from trajplan import cli
from trajplan.exports.labels_file import write_volume
from trajplan.reading import Answers, read_scan
from trajplan.reading.origin import find_origin
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom

NAME, IDENTIFIER, BIRTH, ACCESSION, PHYSICIAN, HOSPITAL = PLANTED = (
    "ZQXDOE", "PID7731905", "19380417", "ACC5520099", "WVKSMITH", "QUUXHOSPITAL",
)  # fmt: skip


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    spec = PhantomSpec(levels=("L1",), height_loss_percent=40.0)
    return make_phantom(spec, Scanner((2.0, 1.2, 1.2), noise_hu=10, seed=1))


def hits(data: bytes) -> list[str]:
    """The planted identifiers in some bytes, however they are packed: deflated streams are opened, UTF-16 is read."""
    streams = [data]
    for start in re.finditer(rb"stream\r?\n|zTXt|iTXt|eXIf|\x1f\x8b\x08|x\x9c|x\xda|x\x01", data):
        for offset, bits in ((start.end(), 15), (start.start(), 15), (start.start(), 31)):
            try:
                streams.append(zlib.decompressobj(bits).decompress(data[offset:], 4_000_000))
            except zlib.error:
                continue
    found = []
    for planted in PLANTED:
        forms = [planted.encode(), planted.lower().encode(), planted.title().encode(), planted.encode("utf-16-le")]
        found += [planted for form in forms if any(form in stream for stream in streams)]
    return found


def _dicom(phantom: Phantom, folder: Path) -> Path:
    folder.mkdir(parents=True)
    grid = phantom.ct.grid
    for k, pixels in enumerate(phantom.ct.array):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"1.2.9.{k + 1}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = "1.2.8", "1.2.7", "1.2.6"
        ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{NAME}^ANNA", IDENTIFIER, BIRTH
        ds.AccessionNumber, ds.ReferringPhysicianName, ds.InstitutionName = ACCESSION, PHYSICIAN, HOSPITAL
        ds.SeriesDescription, ds.StudyDescription = f"spine {NAME}", f"{HOSPITAL} spine"
        ds.PatientComments, ds.StationName = f"{IDENTIFIER} {BIRTH}", HOSPITAL
        ds.InstanceNumber = k + 1
        ds.Rows, ds.Columns = pixels.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.RescaleSlope, ds.RescaleIntercept = "1", "-1024"
        ds.PixelSpacing = [float(grid.spacing_zyx[1]), float(grid.spacing_zyx[2])]
        ds.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        ds.ImagePositionPatient = [round(float(v), 6) for v in grid.index_to_world([k, 0, 0])]
        ds.PixelData = (pixels.astype(np.int32) + 1024).astype("<u2").tobytes()
        pydicom.dcmwrite(folder / f"{NAME}_{k:03d}.dcm", ds, enforce_file_format=True)
    # a file that is dropped with a finding, which would name it
    (folder / f"{IDENTIFIER}_copy.dcm").write_bytes((folder / f"{NAME}_003.dcm").read_bytes())
    return folder


def _nrrd(phantom: Phantom, folder: Path) -> Path:
    folder.mkdir(parents=True)
    image = sitk.GetImageFromArray(phantom.ct.array)
    grid = phantom.ct.grid
    image.SetOrigin([float(v) for v in grid.origin_lps])
    image.SetSpacing([float(v) for v in grid.spacing_xyz])
    for key, value in zip(("PatientName", "0010|0020", "birth", "acc", "ref", "site"), PLANTED, strict=True):
        image.SetMetaData(key, value)
    path = folder / f"{NAME}_{BIRTH}.nrrd"
    sitk.WriteImage(image, str(path), True)
    return path


def _labels(phantom: Phantom, folder: Path) -> Path:
    image = sitk.GetImageFromArray(phantom.labels.array.astype(np.uint8))
    grid = phantom.labels.grid
    image.SetOrigin([float(v) for v in grid.origin_lps])
    image.SetSpacing([float(v) for v in grid.spacing_xyz])
    image.SetMetaData("PatientName", NAME)
    path = folder / f"{IDENTIFIER}_labels.nrrd"
    sitk.WriteImage(image, str(path), True)
    return path


@pytest.mark.parametrize("write", [_dicom, pytest.param(_nrrd, marks=pytest.mark.long)], ids=["dicom", "nrrd"])
def test_no_planted_identifier_is_in_anything_that_a_plan_writes_or_says(
    write: Callable[[Phantom, Path], Path], phantom: Phantom, trajplan: Trajplan, tmp_path: Path
) -> None:
    source = write(phantom, tmp_path / HOSPITAL / f"{NAME}_{IDENTIFIER}" / ACCESSION)
    labels = _labels(phantom, tmp_path / HOSPITAL)
    assert hits(b"".join(p.read_bytes() for p in source.rglob("*")) if source.is_dir() else source.read_bytes())
    out = tmp_path / "results" / "plan"
    run = trajplan(
        "plan", source, "--labels", labels, "--scheme", "verse", "--level", "L1", "--approach", "unipedicular-left",
        "--figures", "svg", "--out", out, "--json",
    )  # fmt: skip
    assert run.status == 0, run.err
    inspected = trajplan("inspect", source, "--json")
    drawn = trajplan("drr", source, "--out", out / "xray.png")
    exported = trajplan("export", out / "plan.json", source, "--to", "all", "--out", out / "exports")
    assert exported.status == 0, exported.err
    for said in (run, inspected, drawn, exported):
        assert hits((said.out + said.err).encode()) == []
    made = [p for p in out.rglob("*") if p.is_file()]
    assert {p.suffix for p in made} >= {".json", ".html", ".pdf", ".png", ".nrrd", ".tiff", ".gif", ".svg", ".py",
                                        ".stl", ".ply", ".glb", ".csv", ".dcm"}  # fmt: skip
    for path in made:
        assert hits(path.read_bytes()) == [], path.name
        assert hits(str(path.relative_to(tmp_path)).encode()) == []
    assert sorted(os.listdir(tmp_path / "results")) == ["plan"]


def test_a_volume_and_a_picture_of_a_file_with_names_in_its_keys_hold_none(
    phantom: Phantom, trajplan: Trajplan, tmp_path: Path
) -> None:
    source = _nrrd(phantom, tmp_path / HOSPITAL)
    assert set(hits(source.read_bytes())) == set(PLANTED)
    drawn = trajplan("drr", source, "--out", tmp_path / "xray.png")
    inspected = trajplan("inspect", source, "--json")
    assert (drawn.status, inspected.status) == (0, 0)
    write_volume(read_scan(source).volume, tmp_path / "copy.nrrd")
    made = [(tmp_path / name).read_bytes() for name in ("xray.png", "copy.nrrd")]
    for data in (*made, (drawn.out + drawn.err + inspected.out + inspected.err).encode()):
        assert hits(data) == []


def test_a_name_asked_for_is_written(phantom: Phantom, trajplan: Trajplan, tmp_path: Path) -> None:
    source = _nrrd(phantom, tmp_path / HOSPITAL)
    assert NAME in trajplan("inspect", source, "--keep-name").out
    for command in ("plan", "inspect"):
        parameters = typer.main.get_command(cli.app).commands[command].params  # type: ignore[attr-defined]
        options = {p.name: getattr(p, "help", "") for p in parameters}
        assert "may name the patient" in options["keep_name"]


@pytest.mark.parametrize("damage", ["truncated", "missing slice", "not a scan", "no header"])
def test_no_header_or_folder_identifier_is_in_a_refusal(
    damage: str, phantom: Phantom, trajplan: Trajplan, tmp_path: Path
) -> None:
    """The last part of the path that was typed may be named, so that the file can be found; folders and headers not."""
    folder = tmp_path / HOSPITAL / f"{NAME}_{IDENTIFIER}"
    if damage in ("truncated", "missing slice"):
        source = _dicom(phantom, folder / "study")
        for k, path in enumerate(sorted(source.glob("*_0*.dcm"))):
            path.rename(source / f"IM{k:03d}")
        (source / f"{IDENTIFIER}_copy.dcm").unlink()
        if damage == "truncated":
            (source / "IM004").write_bytes((source / "IM004").read_bytes()[:3000])
        else:
            (source / "IM007").unlink()
    else:
        folder.mkdir(parents=True)
        source = folder / "scan.nrrd"
        source.write_bytes(b"NRRD0004\n# " + NAME.encode() if damage == "no header" else IDENTIFIER.encode() * 99)
    run = trajplan("plan", source, "--out", tmp_path / "plan")
    assert run.status == 2
    assert hits((run.out + run.err).encode()) == []
    assert not (tmp_path / "plan").exists()


def test_the_search_for_identifiers_finds_them_packed_away() -> None:
    assert hits(b"x" + zlib.compress(NAME.encode() * 3)) == [NAME]
    assert hits(HOSPITAL.encode("utf-16-le")) == [HOSPITAL]
    assert hits(b"nothing here") == []


def test_a_dicom_scan_is_known_by_its_identifiers_and_its_patient_only_when_asked_for(
    phantom: Phantom, tmp_path: Path
) -> None:
    origin = find_origin(_dicom(phantom, tmp_path / "study"), Answers())
    assert origin is not None
    assert (origin.study_uid, origin.series_uid, origin.frame_of_reference_uid) == ("1.2.7", "1.2.8", "1.2.6")
    assert hits(repr(dataclasses.replace(origin, first_file=Path("IM"))).encode()) == []
    parameters = typer.main.get_command(cli.app).commands["export"].params  # type: ignore[attr-defined]
    keep = next(p for p in parameters if p.name == "keep_identity")
    assert keep.default is False
