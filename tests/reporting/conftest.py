"""Made-up cases and their report folders, written once for all report tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_case import blind_case, refused_case, sample_case

from trajplan.case import CaseResult
from trajplan.reporting.write import write_report


@pytest.fixture(scope="session")
def case() -> CaseResult:
    return sample_case()


@pytest.fixture(scope="session")
def report(case: CaseResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("full") / "DOE_JANE"
    write_report(case, out)
    return out


@pytest.fixture(scope="session")
def refused_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("refused") / "report"
    write_report(refused_case(), out)
    return out


@pytest.fixture(scope="session")
def blind_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("blind") / "report"
    write_report(blind_case(), out)
    return out
