"""One made-up case and its document for all export tests."""

from __future__ import annotations

import pytest
from sample_case import sample_case

from trajplan.case import CaseResult
from trajplan.exports.plan_json import plan_document
from trajplan.exports.plan_model import PlanDocument


@pytest.fixture(scope="session")
def case() -> CaseResult:
    return sample_case()


@pytest.fixture(scope="session")
def document(case: CaseResult) -> PlanDocument:
    return plan_document(case, "parts.nrrd")
