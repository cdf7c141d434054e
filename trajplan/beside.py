"""A module of this program run by a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any


def run_beside(module: str, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    """Start ``python -m module arguments``, with the paths of this program; `streams` as for `Popen`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(  # noqa: S603 - modules and words of our own
        [sys.executable, "-m", module, *arguments], env=environment, **streams
    )
