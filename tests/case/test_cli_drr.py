"""Promises about `trajplan drr`: views and stages of a plan, rods, physics, files with their numbers, the animation."""

from __future__ import annotations

import io
import json
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
    run = trajplan("drr", scan, "--plan", plan, "--side", "left", "--size", "96", "--overlay", "all", "--out", out)
    assert run.status == 0, run.err
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


def tags(path: Path) -> dict:
    """How an X-ray was taken, out of its file."""
    if path.suffix == ".nrrd":
        return json.loads(sitk.ReadImage(str(path)).GetMetaData("trajplan"))
    with PIL.Image.open(path) as image:
        return json.loads(image.text["trajplan"] if path.suffix == ".png" else image.tag_v2[270])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".nrrd"])
def test_blades_and_table_are_in_the_file_and_behind_the_blades_is_nothing(
    planned, trajplan: Trajplan, tmp_path: Path, suffix: str
) -> None:
    scan, _ = planned
    out = tmp_path / f"x{suffix}"
    run = trajplan("drr", scan, "--collimate", "40x60", "--table", "1000", "--size", "100", "--out", out)
    assert run.status == 0, run.err
    said = tags(out)
    assert said["collimation_mm"] == [40.0, 60.0]
    (top, bottom), (left, right) = said["open_rows_px"], said["open_columns_px"]
    mm = said["pixel_mm"] / said["magnification"]
    np.testing.assert_allclose([(bottom - top) * mm, (right - left) * mm], [40.0, 60.0], atol=2 * mm)
    assert said["simulated"] is True
    assert 1000 < said["isocenter_height_mm"] < 1300
    if suffix != ".png":
        image = numbers(out)
        assert image[top:bottom, left:right].min() > 0
        assert not np.delete(image, np.s_[top:bottom], axis=0).any()


def test_a_table_too_low_is_refused_with_heights_that_do(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    scan, _ = planned
    run = trajplan("drr", scan, "--table", "300", "--out", tmp_path / "x.png")
    assert run.status == 2
    assert "set the table to" in run.err


def test_overlays_are_written_as_pixels_and_each_can_be_left_out(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    from trajplan.exports.plan_json import read_plan

    scan, plan = planned
    common = ("drr", scan, "--plan", plan, "--view", "ap", "--side", "left", "--stage", "final")
    for name, wanted in (("all", "all"), ("some", "pedicles,tip")):
        run = trajplan(*common, "--overlay", wanted, "--out", tmp_path / f"{name}.png")
        assert run.status == 0, run.err
    everything, some = (tags(tmp_path / f"{n}.png")["overlays_px"] for n in ("all", "some"))
    assert set(some) == {"pedicle_left", "pedicle_right", "tip_left"}
    assert set(some) < set(everything)
    assert {"midline", "path_left", "superior_end_plate", "inferior_end_plate"} <= set(everything)
    final = read_plan(plan).trajectories[0].stages[-1]
    np.testing.assert_allclose(some["tip_left"][0], final.ap_px, atol=2.0)
    assert trajplan(*common, "--overlay", "ribs", "--out", tmp_path / "x.png").status == 2


def test_physics_settings_reach_the_picture_and_need_a_voltage(planned, trajplan: Trajplan, tmp_path: Path) -> None:
    scan, _ = planned
    taken = {}
    for name, extra in {
        "plain": [], "scatter": ["--scatter", "0"], "heel": ["--heel", "0.5"], "blur": ["--blur", "2"],
        "saturation": ["--saturation", "0.5"], "hold": ["--frames", "8"],
    }.items():  # fmt: skip
        out = tmp_path / f"{name}.tif"
        assert trajplan("drr", scan, "--size", "64", "--kvp", "80", *extra, "--out", out).status == 0
        taken[name] = numbers(out)
        said = tags(out)
        assert said["entrance_dose_a_frame_ugy_uncalibrated"] > 0
        ratio = said["entrance_dose_ugy_uncalibrated"] / said["entrance_dose_a_frame_ugy_uncalibrated"]
        assert ratio == pytest.approx(8.0 if name == "hold" else 1.0, rel=0.01)
    plain = taken["plain"]
    assert all(np.abs(taken[n] - plain).max() > 0.01 for n in taken if n != "plain")
    assert np.ptp(taken["scatter"]) > np.ptp(plain)  # scatter takes contrast
    assert (taken["heel"] - plain)[:8].mean() > 0.1
    assert np.abs(np.diff(taken["blur"])).mean() < np.abs(np.diff(plain)).mean()
    run = trajplan("drr", scan, "--heel", "0.1", "--out", tmp_path / "x.png")
    assert run.status == 2
    assert "--kvp" in run.err


def test_a_view_of_the_plan_beyond_reach_is_refused_with_the_nearest(
    planned, trajplan: Trajplan, tmp_path: Path
) -> None:
    scan, plan = planned
    data = json.loads(plan.read_text())
    data["views"]["ap"]["secondary_deg"] = 52.0
    steep = tmp_path / "steep.json"
    steep.write_text(json.dumps(data))
    run = trajplan("drr", scan, "--plan", steep, "--out", tmp_path / "x.png")
    assert run.status == 2
    assert "the nearest it reaches is" in run.err
    assert not (tmp_path / "x.png").exists()
