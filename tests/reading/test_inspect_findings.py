"""`trajplan inspect` shows what was found, read or not, to people and to scripts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dicom_files import write_series
from typer.testing import CliRunner

from trajplan.cli import app
from trajplan.errors import InputError


def run(*arguments):
    return CliRunner().invoke(app, ["inspect", *(str(a) for a in arguments)])


def test_figures_and_findings_of_a_scan_that_is_read(tmp_path, body):
    folder = write_series(tmp_path / "s", np.delete(body, 7, axis=0), edit=with_gap)
    shown = json.loads(run(folder, "--json", "--resample-irregular").stdout)
    found = {f["code"]: f for f in shown["findings"]}
    assert found["irregular_resampled"]["severity"] == "warning"
    assert found["irregular_resampled"]["to_do"]
    assert shown["content"]["slice_mm"] == 2.0
    text = run(folder, "--resample-irregular").stdout
    assert "irregular_resampled" in text
    assert "coverage_mm" in text


@pytest.mark.parametrize("as_json", [True, False])
def test_a_refusal_has_the_form_of_a_finding(tmp_path, body, as_json):
    folder = write_series(tmp_path / "s", np.delete(body, 7, axis=0), edit=with_gap)
    result = run(folder, *(["--json"] if as_json else []))
    assert isinstance(result.exception, InputError)
    if as_json:
        (finding,) = json.loads(result.stdout)["findings"]
        assert (finding["code"], finding["severity"]) == ("geometry_not_affine", "refuse")
        assert finding["numbers"]["gap_mm"] == pytest.approx(4.0)
    else:
        assert result.stdout == ""


def with_gap(k, ds):
    """Slices 0 to 6, then 8 to 17: number 7 is missing."""
    x, y, z = (float(v) for v in ds.ImagePositionPatient)
    ds.ImagePositionPatient = [x, y, z + (2.0 if k >= 7 else 0.0)]
