"""The command line: exit statuses, one clear line for bad input, nothing written outside --out."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from cli_runs import Trajplan

from trajplan.geometry.itk import volume_from_sitk


def image(array: np.ndarray, spacing: tuple[float, ...] = (0.8, 0.8, 1.0)) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(spacing[: made.GetDimension()])
    return made


def bad_inputs(folder: Path) -> dict[str, Path]:
    """Inputs that must be refused, by name."""
    rng = np.random.default_rng(0)
    (folder / "empty").mkdir()
    sitk.WriteImage(image(rng.integers(-1000, 1000, (60, 50)).astype(np.int16)), str(folder / "flat.nrrd"))
    mr = rng.integers(0, 900, (40, 50, 60)).astype(np.int16)
    sitk.WriteImage(image(mr), str(folder / "mr.nii.gz"))
    nibabel.save(nibabel.Nifti1Image(np.zeros((20, 20, 20, 3), np.int16), np.eye(4)), folder / "four.nii.gz")
    holes = np.where(rng.random((40, 40, 40)) < 0.3, -1000.0, 50.0).astype(np.float32)
    holes[3, 4, 5] = np.nan
    sitk.WriteImage(image(holes), str(folder / "nan.nrrd"))
    good = rng.integers(-1000, 300, (40, 40, 40)).astype(np.int16)
    for name, value in (("zero", 0.0), ("negative", -1.0)):
        path = folder / f"{name}.mha"
        sitk.WriteImage(image(good), str(path))
        raw = path.read_bytes()
        line = next(part for part in raw.split(b"\n") if part.startswith(b"ElementSpacing"))
        path.write_bytes(raw.replace(line, f"ElementSpacing = 0.8 {value} 1".encode(), 1))
    (folder / "text.nii.gz").write_text("this is not an image")
    return {
        "missing": folder / "nothing.nii.gz",
        "empty folder": folder / "empty",
        "2-D": folder / "flat.nrrd",
        "MR": folder / "mr.nii.gz",
        "4-D": folder / "four.nii.gz",
        "NaN": folder / "nan.nrrd",
        "zero spacing": folder / "zero.mha",
        "negative spacing": folder / "negative.mha",
        "text": folder / "text.nii.gz",
    }


CASES = ["missing", "empty folder", "2-D", "MR", "4-D", "NaN", "zero spacing", "negative spacing", "text"]


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_with_one_line_and_nothing_written(case: str, trajplan: Trajplan, tmp_path: Path) -> None:
    source, out = bad_inputs(tmp_path)[case], tmp_path / "results" / "plan"
    run = trajplan("plan", source, "--out", out)
    assert run.status == 2
    assert run.out == ""
    assert len(run.err.strip().splitlines()) == 1
    assert run.err.startswith("trajplan: ")
    assert not out.exists()
    assert not out.parent.exists()


@pytest.fixture(scope="module")
def wedge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ct.nrrd and labels.nrrd of a small wedge phantom."""
    from trajplan.exports.phantom_files import write_phantom
    from trajplan_phantoms import PhantomSpec, Scanner, make_phantom

    folder = tmp_path_factory.mktemp("wedge")
    spec = PhantomSpec(levels=("T12", "L1", "L2"), height_loss_percent=45.0)
    write_phantom(make_phantom(spec, Scanner((1.2, 1.0, 1.0))), folder)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("--level", "L9"),
        ("--seed", "1,2"),
        ("--seed", "a,b,c"),
        ("--seed", "900,900,900"),
        ("--instrument", "4G"),
        ("--labels", "labels.nrrd"),
        ("--scheme", "verse"),
        ("--labels", "labels.nrrd", "--scheme", "verse", "--level", "T4"),
        ("--labels", "absent.nrrd", "--scheme", "verse"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(
    arguments: tuple[str, ...], wedge: Path, trajplan: Trajplan, tmp_path: Path
) -> None:
    given = [wedge / a if a.endswith(".nrrd") else a for a in arguments]
    run = trajplan("plan", wedge / "ct.nrrd", *given, "--out", tmp_path / "plan")
    assert run.status == 2, run
    assert len(run.err.strip().splitlines()) == 1
    assert not (tmp_path / "plan").exists()


def test_usage_errors_exit_with_2(trajplan: Trajplan) -> None:
    assert trajplan("plan").status == 2
    assert trajplan("no-such-command").status == 2
    assert trajplan("--version").status == 0


def test_narrow_pedicles_exit_with_3_and_say_width_diameter_margin_and_remedy(
    trajplan: Trajplan, tmp_path: Path
) -> None:
    assert trajplan("phantom", "narrow-L1", "--spacing", "1.0,0.8,0.8", "--out", tmp_path / "phantom").status == 0
    run = trajplan(
        "plan", tmp_path / "phantom" / "ct.nrrd", "--labels", tmp_path / "phantom" / "labels.nrrd",
        "--scheme", "verse", "--level", "L1", "--out", tmp_path / "plan",
    )  # fmt: skip
    assert run.status == 3
    plan = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert plan["trajectories"] == []
    assert {r["side"] for r in plan["refusals"]} == {"left", "right"}
    for refusal in plan["refusals"]:
        assert refusal["code"] == "pedicle_too_narrow"
        assert refusal["numbers"]["diameter_mm"] == 3.048
        assert refusal["numbers"]["margin_mm"] == 1.0
        assert refusal["numbers"]["width_mm"] == pytest.approx(4.1, abs=0.8)
        assert "extrapedicular" in refusal["message"] or "thinner" in refusal["message"]
    assert (tmp_path / "plan" / "report.html").exists()


def test_without_labels_or_seed_the_fractured_vertebra_is_found_and_the_choice_is_said(
    wedge: Path, trajplan: Trajplan, tmp_path: Path
) -> None:
    run = trajplan("plan", wedge / "ct.nrrd", "--out", tmp_path / "plan", "--json")
    assert run.status in (0, 3)
    plan = json.loads(run.out)
    assert plan == json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert "chosen by the program" in plan["notes"][0]
    truth = json.loads((wedge / "truth.json").read_text())
    found = np.array(plan["vertebra"]["frame"]["origin_lps"])
    assert np.linalg.norm(found - np.array(truth["frame"]["origin_lps"])) < 8
    assert plan["vertebra"]["level"] is None
    assert plan["vertebra"]["level_confirmed"] is False
    assert all(t["verdict"] != "safe" for t in plan["trajectories"]), "an unknown level is never safe"


def test_inspect_prints_geometry_and_writes_nothing(wedge: Path, trajplan: Trajplan, tmp_path: Path) -> None:
    before = sorted(wedge.iterdir())
    run = trajplan("inspect", wedge / "ct.nrrd", "--json")
    facts = json.loads(run.out)
    assert run.status == 0
    assert facts["kind"] == "nrrd"
    assert facts["spacing_zyx_mm"] == [1.2, 1.0, 1.0]
    assert sorted(wedge.iterdir()) == before
    assert trajplan("inspect", wedge / "ct.nrrd").out.startswith("path_name")


def test_drr_writes_a_picture_of_the_asked_view(wedge: Path, trajplan: Trajplan, tmp_path: Path) -> None:
    run = trajplan("drr", wedge / "ct.nrrd", "--primary", "90", "--out", tmp_path / "lateral.png")
    assert run.status == 0
    assert (tmp_path / "lateral.png").read_bytes().startswith(b"\x89PNG")
    assert trajplan("drr", wedge / "ct.nrrd", "--quality", "best", "--out", tmp_path / "x.png").status == 2
    assert trajplan("drr", wedge / "ct.nrrd", "--secondary", "95", "--out", tmp_path / "x.png").status == 2
    assert not (tmp_path / "x.png").exists()


def test_segment_writes_labels_about_the_seed(wedge: Path, trajplan: Trajplan, tmp_path: Path) -> None:
    truth = json.loads((wedge / "truth.json").read_text())
    seed = ",".join(f"{v:.1f}" for v in truth["frame"]["origin_lps"])
    run = trajplan(
        *("segment", wedge / "ct.nrrd", f"--seed={seed}", "--level", "L1", "--out", tmp_path / "l1.nrrd", "--json"),
        *("--parts", tmp_path / "parts.nrrd"),
    )
    assert run.status == 0, run.err
    assert json.loads(run.out)["target_id"] == 20
    parts = volume_from_sitk(sitk.ReadImage(str(tmp_path / "parts.nrrd")))
    assert set(np.unique(parts.array)) == {0, 1, 2, 3, 4, 5}
    labels = volume_from_sitk(sitk.ReadImage(str(tmp_path / "l1.nrrd")))
    volume_ml = (labels.array == 20).sum() * float(np.prod(labels.grid.spacing_zyx)) / 1000
    assert 25 < volume_ml < 90
    assert trajplan("segment", wedge / "ct.nrrd", "--seed=900,0,0", "--out", tmp_path / "no.nrrd").status == 2


def test_phantom_lists_its_names_and_refuses_others(trajplan: Trajplan, tmp_path: Path) -> None:
    assert "wedge-L1" in trajplan("phantom", "list").out
    assert trajplan("phantom", "no-such", "--out", tmp_path / "p").status == 2
    assert trajplan("phantom", "wedge-L1", "--spacing=-1,1,1", "--out", tmp_path / "p").status == 2
    assert not (tmp_path / "p").exists()


def test_nothing_is_written_outside_the_output_folder(
    wedge: Path, trajplan: Trajplan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in wedge.iterdir()}
    run = trajplan(
        "plan", wedge / "ct.nrrd", "--labels", wedge / "labels.nrrd", "--scheme", "verse", "--level", "L1",
        "--approach", "unipedicular-left", "--out", tmp_path / "only" / "here",
    )  # fmt: skip
    assert run.status in (0, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["only"]
    assert [p.name for p in (tmp_path / "only").iterdir()] == ["here"]
    assert {p: p.stat().st_mtime_ns for p in wedge.iterdir()} == before
