"""Whatever stops the program: one line, a status that is not 0, and no name of a patient in it."""

from __future__ import annotations

from pathlib import Path
from typing import Never

import pytest
from cli_runs import Trajplan

import trajplan_phantoms
from trajplan.leaving import TRACEBACK_VARIABLE


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), 4, "not enough memory"),
        (ZeroDivisionError("in /data/DOE^JANE/ct.nii"), 4, "an error of the program (ZeroDivisionError)"),
        (RuntimeError("itk: /data/DOE^JANE/ct.nii"), 4, "an error of the program (RuntimeError)"),
        (OSError(28, "No space left on device", "/data/DOE^JANE/ct.nrrd"), 2, "No space left on device: ct.nrrd"),
    ],
)
def test_any_error_is_one_line_without_folders_and_leaves_nothing(
    error: Exception, status: int, words: str, trajplan: Trajplan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Never:
        raise error

    monkeypatch.delenv(TRACEBACK_VARIABLE, raising=False)
    monkeypatch.setattr(trajplan_phantoms, "make_phantom", fail)
    run = trajplan("phantom", "wedge-L1", "--out", tmp_path / "phantom")
    assert run.status == status
    assert run.out == ""
    assert len(run.err.splitlines()) == 1
    assert words in run.err
    assert "JANE" not in run.err
    assert list(tmp_path.iterdir()) == []


def test_the_full_trace_is_there_for_who_asks(
    trajplan: Trajplan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Never:
        raise ZeroDivisionError

    monkeypatch.setenv(TRACEBACK_VARIABLE, "1")
    monkeypatch.setattr(trajplan_phantoms, "make_phantom", fail)
    with pytest.raises(ZeroDivisionError):
        trajplan("phantom", "wedge-L1", "--out", tmp_path / "phantom")


def test_a_failed_run_takes_away_the_folders_it_made(trajplan: Trajplan, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    run = trajplan("phantom", "wedge-L1", "--out", tmp_path / "file" / "deep" / "phantom")
    assert run.status == 2
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
