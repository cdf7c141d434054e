"""What is compiled beside a first plan is what a plan then calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trajplan import first_use
from trajplan.first_use import PATHS, TOOLS, WALLS, X_RAYS, compiling
from trajplan.fluoroscopy import chords, projector, slab_kernels
from trajplan.planning import warm_up


@pytest.mark.parametrize("kernel", [*warm_up.WALLS, *warm_up.PATHS], ids=lambda kernel: kernel.__name__)
def test_the_types_that_are_compiled_beforehand_are_those_of_a_plan(demo: Path, kernel: Any) -> None:
    """A type or a layout that differs would be compiled a second time, in the middle of a plan."""
    used = set(kernel.signatures)
    assert used, "the plan called it"
    warm_up.compile_kernels({kernel: {**warm_up.WALLS, **warm_up.PATHS}[kernel]})
    assert set(kernel.signatures) == used


@pytest.mark.parametrize("kernel", [slab_kernels.compose_slabs, chords.add_chords], ids=["views", "tools"])
def test_the_warm_projectors_are_the_ones_that_views_use(demo: Path, kernel: Any) -> None:
    used = set(kernel.signatures)
    assert used
    projector.warm_up(("fast",))
    assert set(kernel.signatures) == used


def test_nothing_is_begun_where_all_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_use, "uncompiled", lambda: ())
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    said: list[str] = []
    with compiling(said.append):
        pass
    assert said == []


def test_what_is_not_done_is_stopped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def beside(groups: list[str]) -> list[subprocess.Popen[bytes]]:
        assert groups == [PATHS, X_RAYS, TOOLS], "the walls come first in a plan: it compiles them itself"
        begun.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return begun

    monkeypatch.setattr(first_use, "uncompiled", lambda: (WALLS, PATHS, X_RAYS, TOOLS))
    monkeypatch.setattr(first_use, "compile_beside", beside)
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt), compiling(said.append):
        raise KeyboardInterrupt
    (process,) = begun
    assert process.returncode is not None
    assert "once after an installation" in said[0]


@pytest.mark.long
def test_an_empty_cache_is_seen_and_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "from trajplan.first_use import uncompiled; print(*uncompiled())"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    empty = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert empty.stdout.split() == [WALLS, PATHS, X_RAYS, TOOLS]
    processes = first_use.compile_beside((WALLS, X_RAYS))
    assert [process.wait() for process in processes] == [0, 0]
    filled = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert filled.stdout.split() == [PATHS, TOOLS]
