"""The examples run as written."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from realdata import real_data

from trajplan.planning.plan import Verdict

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_plan_phantom(capsys: pytest.CaptureFixture[str]) -> None:
    result = example("plan_phantom").plan_phantom("asymmetric-L1")
    assert [t.verdict for t in result.trajectories] == [Verdict.SAFE, Verdict.SAFE]
    assert "true clearance" in capsys.readouterr().out


@pytest.mark.real
def test_plan_from_labels(tmp_path: Path) -> None:
    result = example("plan_from_labels").plan_from_labels(
        real_data("ct/ts_lumbar3mm/ct.nii.gz"),
        real_data("ct/ts_lumbar3mm/vertebrae_verse.nii.gz"),
        "verse",
        "L2",
        tmp_path / "out",
    )
    assert len(result.trajectories) == 2
    assert all(t.gertzbein_robbins == "A" for t in result.trajectories)
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.real
def test_project_ct(tmp_path: Path) -> None:
    drr = example("project_ct").project_ct(real_data("ct/ts_lumbar3mm/ct.nii.gz"), tmp_path / "x.png", 20.0, -10.0)
    assert drr.carm.primary_deg == 20.0
    assert np.ptp(drr.line_integral) > 1.0
    assert (tmp_path / "x.png").stat().st_size > 5000
