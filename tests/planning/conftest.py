"""Phantoms planned from their exact truth."""

from __future__ import annotations

import pytest
from planning_cases import Case, case_of

from trajplan_phantoms import PhantomSpec


@pytest.fixture(scope="session")
def wedge() -> Case:
    """A wedge-fractured L1 between its neighbours."""
    return case_of(PhantomSpec(target="L1", levels=("T12", "L1", "L2"), fracture="wedge", height_loss_percent=35.0))
