"""Command-line runs shared by the end-to-end tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_runs import Run, Trajplan

from trajplan import cli


@pytest.fixture
def trajplan(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Trajplan:
    """Run a command in this process, as the console script would."""

    def run(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["trajplan", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            status = 0
        except SystemExit as leave:
            status = int(leave.code or 0)
        captured = capsys.readouterr()
        return Run(status, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `trajplan demo` writes."""
    out = tmp_path_factory.mktemp("demo") / "report"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["trajplan", "demo", "--out", str(out)])
        with pytest.raises(SystemExit) as leave:
            cli.main()
    assert leave.value.code in (0, None)
    return out
