"""Command-line runs shared by the end-to-end tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trajplan import cli


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
