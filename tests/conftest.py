"""Shared by all tests: hypothesis is derandomised, so what fails once fails for everybody; commands in-process."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from cli_runs import Run, Trajplan
from hypothesis import HealthCheck, settings

from trajplan import cli

settings.register_profile(
    "trajplan", derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("trajplan")


@pytest.fixture(autouse=True, scope="session")
def no_atlases_of_whoever_runs_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a user has added to the classical route must not change what the tests see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAJPLAN_ATLASES", str(tmp_path_factory.getbasetemp() / "no-atlases"))
        yield


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
