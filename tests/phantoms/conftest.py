"""Phantoms shared by the tests of their room: coarse, because what is tested are mostly the functions."""

from __future__ import annotations

import pytest

from trajplan_phantoms import Phantom, Scanner, make_phantom


@pytest.fixture(scope="session")
def wedge() -> Phantom:
    """The default phantom at 1 mm without noise."""
    return make_phantom(scanner=Scanner((1.0, 1.0, 1.0), noise_hu=0.0))
