"""The examples run as written."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from realdata import real_data

from trajplan.planning.plan import Verdict
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.write_files import write_scan

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


def test_fracture_a_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = PhantomSpec(levels=("T12", "L1", "L2"), fracture="none", height_loss_percent=0.0)
    ct, labels, *_ = write_scan(make_phantom(spec, Scanner((2.0, 1.5, 1.5))), tmp_path / "scan")
    done = example("fracture_a_scan").fracture_a_scan(ct, labels, "verse", "L1", tmp_path / "out")
    assert done.made.heights_after.ha_mm == pytest.approx(0.6 * done.made.heights_before.ha_mm, abs=0.05)
    assert "smallest Jacobian" in capsys.readouterr().out
    assert (tmp_path / "out" / "truth.json").exists()


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
