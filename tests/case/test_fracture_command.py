"""`trajplan fracture`: the stated heights are on the labels it writes; what it refuses leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Trajplan
from realdata import real_data

from trajplan.anatomy.measure import measure_vertebra
from trajplan.fractured import MeasuredFracture, fracture_level
from trajplan.geometry import LabelMap
from trajplan.levels import level_id
from trajplan.reading import Scheme, read_labels, read_scan
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.write_files import write_scan

VOXEL_MM = 1.5
COLUMNS = ("ha_mm", "hm_mm", "hp_mm")


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an intact phantom's ct.nrrd and labels.nrrd."""
    folder = tmp_path_factory.mktemp("Doe-Jane")
    spec = PhantomSpec(levels=("T12", "L1", "L2"), fracture="none", height_loss_percent=0.0)
    write_scan(make_phantom(spec, Scanner((VOXEL_MM, 1.3, 1.3), noise_hu=5.0)), folder)
    return folder


def arguments(scan: Path, out: Path, *more: object) -> list[object]:
    return ["fracture", scan / "ct.nrrd", "--labels", scan / "labels.nrrd", "--scheme", "verse", "--out", out, *more]


def test_the_files_hold_what_truth_json_states(scan: Path, trajplan: Trajplan, tmp_path: Path) -> None:
    run = trajplan(*arguments(scan, tmp_path / "out", "--level", "L1", "--severity", 40))
    assert run.status == 0, run.err
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"ct.nrrd", "labels.nrrd", "truth.json", "manifest.json"}
    text = (tmp_path / "out" / "truth.json").read_text()
    truth = json.loads(text)
    assert truth["level"] == "L1"
    assert truth["fracture"]["kind"] == "wedge"
    assert truth["heights_after"]["ha_mm"] == pytest.approx(0.6 * truth["heights_before"]["ha_mm"], abs=0.05)
    assert truth["jacobian"]["min"] > 0.05
    assert all(abs(truth["heights_on_labels"][c] - truth["heights_after"][c]) < VOXEL_MM for c in COLUMNS)
    assert "Doe" not in text + run.out
    ct = read_scan(tmp_path / "out" / "ct.nrrd").volume
    labels = read_labels(tmp_path / "out" / "labels.nrrd", Scheme.VERSE)
    assert ct.grid.same_as(read_scan(scan / "ct.nrrd").volume.grid)
    assert labels.ids() == (level_id("T12"), level_id("L1"), level_id("L2"))


def test_the_frame_is_the_measured_one_and_json_says_all(scan: Path, trajplan: Trajplan, tmp_path: Path) -> None:
    run = trajplan(
        *arguments(scan, tmp_path / "out", "--level", "L1", "--kind", "crush", "--severity", "mild", "--json")
    )
    assert run.status == 0, run.err
    said = json.loads(run.out)
    assert said == json.loads((tmp_path / "out" / "truth.json").read_text())
    assert said["loss_percent"] == pytest.approx(22.0, abs=1.0)
    ct, labels = read_scan(scan / "ct.nrrd").volume, read_labels(scan / "labels.nrrd", Scheme.VERSE)
    measured = measure_vertebra(ct, labels, level_id("L1"), level="L1", level_confirmed=True, source="labels")
    np.testing.assert_allclose(said["frame"]["w"], measured.frame.w, atol=1e-5)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--level", "L1", "--severity", 95), "95 %"),
        (("--level", "L1", "--severity", 0), "0 %"),
        (("--level", "L1", "--severity", "awful"), "--severity"),
        (("--level", "L4"), "L4"),
        (("--level", "X9"), "X9"),
    ],
)
def test_what_cannot_be_broken_is_refused_in_one_line_and_leaves_nothing(
    scan: Path, trajplan: Trajplan, tmp_path: Path, more: tuple[object, ...], words: str
) -> None:
    run = trajplan(*arguments(scan, tmp_path / "out", *more))
    assert run.status == 2
    assert words in run.err
    assert len(run.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def fractured(case: str, level: str) -> tuple[MeasuredFracture, LabelMap]:
    ct = read_scan(real_data(f"ct/{case}/ct.nii.gz")).volume
    if case == "lidc0001":
        labels = read_labels(real_data("ct/lidc0001/vertebrae_verse.nii.gz"), Scheme.VERSE)
    else:
        mask = real_data(f"ct/{case}/vertebrae_{level}.nii.gz")
        labels = read_labels(mask, Scheme.MASK, level_id=level_id(level))
    return fracture_level(ct, labels, level, "wedge", 40.0), labels


@pytest.mark.real
@pytest.mark.parametrize(("case", "level"), [("lidc0001", "L1"), ("lidc0001", "T12"), ("ts_chest_stent", "T12")])
def test_a_real_vertebra_loses_what_is_stated_along_its_measured_axes(case: str, level: str) -> None:
    done, labels = fractured(case, level)
    truth, voxel_mm = done.made, float(labels.grid.spacing_zyx.max())
    assert truth.jacobian_min > 0.05
    assert truth.heights_after.ha_mm == pytest.approx(0.6 * truth.heights_before.ha_mm, abs=0.05)
    for column in COLUMNS:
        assert abs(getattr(done.heights_on_labels, column) - getattr(truth.heights_after, column)) < voxel_mm
    found = measure_vertebra(
        truth.ct, truth.labels, level_id(level), level=level, level_confirmed=True, source="labels"
    )
    assert found.heights.ha_mm == pytest.approx(truth.heights_after.ha_mm, abs=2 * voxel_mm)
