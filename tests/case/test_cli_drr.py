"""Promises about `trajplan drr`: views and stages of a plan, rods, physics, files with their numbers, the animation."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk
from cli_runs import Trajplan
from sample_case import sample_case

from trajplan.errors import InputError
from trajplan.exports.plan_json import plan_document, write_plan
from trajplan.exports.plan_views import carm_of_plan, depth_of_stage, needle_at, path_of_plan
from trajplan.geometry.itk import to_sitk
from trajplan.reading import read_scan


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small scan on disk and a plan that was made on it."""
    folder = tmp_path_factory.mktemp("drr")
    case = sample_case()
    scan, plan = folder / "ct.nrrd", folder / "plan.json"
    sitk.WriteImage(to_sitk(case.scan.volume.array, case.scan.volume.grid), str(scan))
    document = plan_document(case)
    current = document.input.model_copy(update={"sha256": read_scan(scan).sha256})
    write_plan(document.model_copy(update={"input": current}), plan)
    return scan, plan


def numbers(path: Path) -> np.ndarray:
    return np.squeeze(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))


def test_a_rod_and_another_size_change_the_numbers_as_they_should(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    scan, _ = planned
    middle = read_scan(scan).volume.grid.center_lps
    ends = ":".join(",".join(f"{v:.2f}" for v in middle + d) for d in ([-20, 0, 0], [20, 0, 0]))
    out = tmp_path / "plain.tif"
    assert trajplan("drr", scan, "--size", "128", "--out", out).status == 0
    assert trajplan("drr", scan, "--size", "128", f"--tool={ends}:3", "--out", tmp_path / "rod.tiff").status == 0
    plain, rod = numbers(out), numbers(tmp_path / "rod.tiff")
    assert plain.shape == (128, 128)
    assert plain.dtype == np.float32
    assert (rod - plain).max() > 1.5
    assert (rod - plain).min() > -1e-6


def test_an_nrrd_lies_at_the_detector_in_space(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    scan, plan = planned
    assert trajplan("drr", scan, "--plan", plan, "--view", "lateral", "--out", tmp_path / "x.nrrd").status == 0
    image = sitk.ReadImage(str(tmp_path / "x.nrrd"))
    from trajplan.exports.plan_json import read_plan

    carm = carm_of_plan(read_plan(plan), "lateral")
    rows, columns = carm.detector_px
    center = np.array(image.TransformContinuousIndexToPhysicalPoint(((columns - 1) / 2, (rows - 1) / 2, 0.0)))
    np.testing.assert_allclose(center, carm.detector_center_lps, atol=1e-3)


def test_the_needle_of_a_stage_is_drawn_where_the_plan_has_it(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    from trajplan.exports.plan_json import read_plan

    scan, plan = planned
    document = read_plan(plan)
    path = path_of_plan(document, "left")
    tip = np.array(path.stages[-1].tip_lps)
    np.testing.assert_allclose(needle_at(path, depth_of_stage(path, "final")).end_lps, tip, atol=0.6)
    for name, extra in (("without", []), ("with", ["--side", "left", "--stage", "final"])):
        run = trajplan("drr", scan, "--plan", plan, "--view", "ap", *extra, "--out", tmp_path / f"{name}.tif")
        assert run.status == 0, run.err
    added = numbers(tmp_path / "with.tif") - numbers(tmp_path / "without.tif")
    row, column = carm_of_plan(document, "ap").project(needle_at(path, path.stages[-1].depth_mm).end_lps)
    assert added[round(float(row)), round(float(column))] > 0.3


def test_the_advance_is_an_animation_of_both_views(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    scan, plan = planned
    out = tmp_path / "advance.gif"
    assert trajplan("drr", scan, "--plan", plan, "--side", "left", "--size", "96", "--out", out).status == 0
    with PIL.Image.open(io.BytesIO(out.read_bytes())) as animation:
        assert animation.size == (192, 96)
        assert getattr(animation, "n_frames", 1) >= 20


def test_physics_is_noise_that_a_seed_repeats(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    scan, _ = planned
    files = [tmp_path / f"{n}.tif" for n in "abc"]
    for file, seed in zip(files, ("1", "1", "2"), strict=True):
        assert trajplan("drr", scan, "--size", "64", "--kvp", "80", "--seed", seed, "--out", file).status == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert np.abs(numbers(files[0]) - numbers(files[2])).max() > 0.01


@pytest.mark.parametrize(
    "wrong",
    [["--out", "x.jpg"], ["--out", "x.gif"], ["--stage", "final", "--out", "x.png"], ["--kvp", "30", "--out", "x.png"],
     ["--tool", "1,2,3", "--out", "x.png"], ["--size", "3", "--out", "x.png"],
     ["--isocenter", "900,0,0", "--out", "x.png"]],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_and_writes_nothing(planned, trajplan: Trajplan, tmp_path: Path, wrong) -> None:
    scan, _ = planned
    out = tmp_path / wrong[-1]
    assert trajplan("drr", scan, *wrong[:-1], out).status == 2
    assert not out.exists()


def test_what_a_plan_does_not_hold_is_refused(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    from trajplan.exports.plan_json import read_plan

    scan, plan = planned
    document = read_plan(plan)
    for call in (
        lambda: carm_of_plan(document, "oblique"),
        lambda: path_of_plan(document, None),
        lambda: depth_of_stage(path_of_plan(document, "left"), "no such"),
    ):
        with pytest.raises(InputError):
            call()
    stale = tmp_path / "stale.json"
    stale.write_text(plan.read_text().replace(read_scan(scan).sha256, "0" * 64))
    assert trajplan("drr", scan, "--plan", stale, "--out", tmp_path / "x.png").status == 2
