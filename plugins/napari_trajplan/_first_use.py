"""Compiling what plans and X-rays need, once after an installation: begun early, beside the window. No Qt."""

from __future__ import annotations

import atexit
import subprocess
import threading
import time

from trajplan.anatomy.backend import Progress
from trajplan.first_use import PATHS, compile_beside, uncompiled

_SPACING_MM = 2.0
_POLL_S = 0.2

_processes: list[subprocess.Popen[bytes]] = []


def begin() -> None:
    """Start what compiles beside the window; does nothing where all is compiled, or when called again."""
    process = None if _processes else compile_beside(uncompiled())
    if process is not None:
        _processes.append(process)


def ended() -> bool:
    """Whether nothing is being compiled beside the window (any more)."""
    return all(process.poll() is not None for process in _processes)


@atexit.register
def _stop() -> None:
    for process in _processes:
        process.kill()


class FirstPlan:
    """In the worker: a plan of a small phantom that nobody sees, in a thread, when the planner is not compiled yet."""

    def __init__(self) -> None:
        self._thread = threading.Thread(target=_plan_a_phantom, daemon=True) if PATHS in uncompiled() else None
        if self._thread is not None:
            self._thread.start()

    def wait(self, progress: Progress) -> None:
        """Until it is made; says why it takes so long."""
        start = time.monotonic()
        while self._thread is not None and self._thread.is_alive():
            waited = time.monotonic() - start
            progress(0.0, f"compiling the planner, once after an installation (up to a minute; {waited:.0f} s so far)")
            self._thread.join(_POLL_S)


def _plan_a_phantom() -> None:
    from trajplan.planning.plan import PlanSettings
    from trajplan.planning.planner import plan_approaches
    from trajplan.reading.scan import Scan
    from trajplan.target import find_target
    from trajplan_phantoms import Scanner, make_phantom, named

    phantom = make_phantom(named("wedge-L1"), Scanner((_SPACING_MM,) * 3))
    scan = Scan.of_volume(phantom.ct, path_name="first plan", kind="phantom")
    target = find_target(scan, "L1", None, phantom.labels, "phantom", lambda _share, _what: None)
    plan_approaches(scan.volume, target.vertebra, PlanSettings(), automatic_mask=False)
