"""Programs that judge what we write and are not ours; `make test` installs them (.ci/validators.sh)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_PACKAGES = {"dciodvfy": "dicom3tools", "dcentvfy": "dicom3tools", "dsrdump": "dcmtk", "pdftoppm": "poppler-utils"}


def judge(program: str, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a validator, or skip the test with the package to install."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (apt-get install {_PACKAGES.get(program, program)})")
    command = [found, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)


def dicom_errors(path: Path) -> list[str]:
    """What dciodvfy calls an error."""
    told = judge("dciodvfy", "-new", path)
    return [line for line in (told.stdout + told.stderr).splitlines() if line.startswith(("Error", "Abort"))]
