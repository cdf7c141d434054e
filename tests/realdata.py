"""Finding the real scans: TRAJPLAN_DATA, or the shared data folder beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


def real_data(name: str) -> Path:
    """The path of `name` (e.g. ``ct/lidc0001/ct.nii.gz``) in the real data, or skip the test with the reason."""
    for base in (os.environ.get("TRAJPLAN_DATA"), _ROOT.parent / "shared" / "data"):
        if base and (Path(base) / name).exists():
            return Path(base) / name
    pytest.skip(f"real scan {name} not found: set TRAJPLAN_DATA to the folder that holds it")
