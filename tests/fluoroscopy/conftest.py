"""A small body-like CT, made once for all tests of the room."""

from __future__ import annotations

import pytest
from fluoroscopy_truth import body_volume

from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.geometry import Volume


@pytest.fixture(scope="session")
def body() -> Volume:
    return body_volume()


@pytest.fixture(scope="session")
def prepared_body(body: Volume) -> PreparedVolume:
    return prepare(body)
