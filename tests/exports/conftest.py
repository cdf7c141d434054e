"""One made-up case and its document for all export tests; and the same case on scans stored along any axes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_case import sample_case
from stored_case import STORED, StoredCase, stored_case

from trajplan.case import CaseResult
from trajplan.exports.plan_json import plan_document
from trajplan.exports.plan_model import PlanDocument


@pytest.fixture(scope="session")
def case() -> CaseResult:
    return sample_case()


@pytest.fixture(scope="session")
def document(case: CaseResult) -> PlanDocument:
    return plan_document(case, "parts.nrrd")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where stored cases lie, each written once."""
    return tmp_path_factory.mktemp("stored")


@pytest.fixture(scope="session", params=STORED)
def stored(request: pytest.FixtureRequest, shelf: Path) -> StoredCase:
    """The case on a flipped or an oblique scan, as a file of one format, with everything exported."""
    return stored_case(request.param, shelf)


@pytest.fixture(scope="session")
def plain(shelf: Path) -> StoredCase:
    """The case on one NRRD file, with everything exported."""
    return stored_case("nrrd-flipped", shelf)


@pytest.fixture(scope="session")
def of_dicom(shelf: Path) -> StoredCase:
    """The case on a DICOM series, with everything exported."""
    return stored_case("dicom-oblique", shelf)


@pytest.fixture(scope="session")
def exported(plain: StoredCase) -> Path:
    return plain.out
