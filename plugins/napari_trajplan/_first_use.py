"""Compiling what plans and X-rays need, once after an installation: begun early, beside the window. No Qt."""

from __future__ import annotations

import atexit
import subprocess
import time

from trajplan.anatomy.backend import Progress
from trajplan.first_use import PATHS, WALLS, compile_beside, uncompiled

_POLL_S = 0.2
_PATIENCE_S = 120.0
"""Longer than that nobody is compiling: the worker does it then."""

_processes: list[subprocess.Popen[bytes]] = []


def begin() -> None:
    """Start what compiles beside the window; does nothing where all is compiled, or when called again."""
    if not _processes:
        _processes.extend(compile_beside(uncompiled()))


def ended() -> bool:
    """Whether nothing is being compiled beside the window (any more)."""
    return all(process.poll() is not None for process in _processes)


@atexit.register
def _stop() -> None:
    for process in _processes:
        process.kill()


def wait(progress: Progress) -> None:
    """In the worker: until what a plan begins with is compiled beside the window; says why it takes so long."""
    start = time.monotonic()
    while set(uncompiled()) & {WALLS, PATHS} and (waited := time.monotonic() - start) < _PATIENCE_S:
        progress(0.0, f"compiling the planner, once after an installation (up to a minute; {waited:.0f} s so far)")
        time.sleep(_POLL_S)
