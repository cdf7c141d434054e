"""A wedge fracture of L1, planned and filled."""

from __future__ import annotations

import pytest
from augmentation_case import Broken, broken


@pytest.fixture(scope="session")
def wedge() -> Broken:
    return broken("wedge", 35.0)
