"""A plan whose scan, mask or parameters were touched since is refused, whatever its numbers say."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Trajplan
from sample_case import sample_case

from trajplan.case import CaseResult, settings_parameters
from trajplan.errors import InputError
from trajplan.exports.labels_file import read_parts, write_parts, write_volume
from trajplan.exports.plan_json import plan_document, read_plan, write_plan
from trajplan.exports.stale import require_current
from trajplan.geometry import LabelMap, Volume
from trajplan.planning.plan import PlanSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """plan.json, parts.nrrd and the scan of the sample case."""
    case = sample_case()
    assert case.vertebra is not None
    write_plan(plan_document(case, "parts.nrrd"), tmp_path / "plan.json")
    write_parts(case.vertebra, tmp_path / "parts.nrrd")
    return tmp_path


def _require(folder: Path, case: CaseResult) -> None:
    require_current(read_plan(folder / "plan.json"), case.scan.sha256, read_parts(folder / "parts.nrrd"))


def test_an_untouched_plan_is_current(folder: Path) -> None:
    _require(folder, sample_case())


def test_one_changed_voxel_of_the_scan_makes_the_plan_stale(folder: Path) -> None:
    volume = sample_case().scan.volume
    voxels = volume.array.copy()
    voxels[3, 4, 5] += 1
    for touched in (
        Volume(voxels, volume.grid),
        Volume(
            volume.array, dataclasses.replace(volume.grid, origin_lps=volume.grid.origin_lps + np.array([0, 0, 0.01]))
        ),
    ):
        with pytest.raises(InputError, match="stale: the scan is not the one") as refused:
            require_current(read_plan(folder / "plan.json"), touched.sha256(), read_parts(folder / "parts.nrrd"))
        assert refused.value.code == "stale_scan"


def test_one_edited_voxel_of_the_mask_makes_the_plan_stale(folder: Path) -> None:
    case = sample_case()
    assert case.vertebra is not None
    parts = case.vertebra.parts
    voxels = parts.array.copy()
    voxels[tuple(np.argwhere(voxels == 1)[0])] = 0
    write_parts(dataclasses.replace(case.vertebra, parts=LabelMap(voxels, parts.grid)), folder / "parts.nrrd")
    with pytest.raises(InputError, match="mask was changed") as refused:
        _require(folder, case)
    assert refused.value.code == "stale_mask"


def test_an_edited_parameter_makes_the_plan_stale(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    plan["provenance"]["parameters"]["wall_margin_mm"] = 0.5
    (folder / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(InputError, match="parameters were changed") as refused:
        _require(folder, sample_case())
    assert refused.value.code == "stale_parameters"


def test_settings_that_need_many_digits_stay_current(tmp_path: Path) -> None:
    settings = settings_parameters(PlanSettings(wall_margin_mm=1 / 3, angle_sigma_deg=2 / 7))
    case = dataclasses.replace(sample_case(), provenance={"parameters": settings})
    write_plan(plan_document(case, "parts.nrrd"), tmp_path / "plan.json")
    assert case.vertebra is not None
    write_parts(case.vertebra, tmp_path / "parts.nrrd")
    _require(tmp_path, case)


def test_check_refuses_another_scan_in_one_line(folder: Path, trajplan: Trajplan) -> None:
    volume = sample_case().scan.volume
    rng = np.random.default_rng(0)  # the sample scan is too smooth to pass for a CT
    noisy = Volume((volume.array + rng.integers(-9, 9, volume.array.shape)).astype(np.int16), volume.grid)
    write_volume(noisy, folder / "ct.nrrd")
    run = trajplan("check", folder / "plan.json", folder / "ct.nrrd")
    assert run.status == 2
    assert run.out == ""
    assert len(run.err.splitlines()) == 1
    assert "stale" in run.err
