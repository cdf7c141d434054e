"""Shared by all tests: hypothesis is derandomised, so what fails once fails for everybody; commands in-process."""

from __future__ import annotations

import sys

import pytest
from cli_runs import Run, Trajplan
from hypothesis import HealthCheck, settings

from trajplan import cli

settings.register_profile(
    "trajplan", derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("trajplan")


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
