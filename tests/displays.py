"""Whether a window can be opened where the tests run; imports no Qt."""

from __future__ import annotations

import os
import shutil
import sys


def no_display() -> str | None:
    """Why a window cannot be opened here, or None."""
    if not sys.platform.startswith("linux"):
        return None
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return "QT_QPA_PLATFORM=offscreen has no OpenGL: run with env -u QT_QPA_PLATFORM"
    if os.environ.get("DISPLAY") or shutil.which("Xvfb"):
        return None
    return "no display and no Xvfb: run `make test` once, or .ci/viewer-libraries.sh for the command"
