"""What is compiled beside a first plan is what a plan then calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trajplan import first_use
from trajplan.first_use import PATHS, X_RAYS, compiling
from trajplan.fluoroscopy import projector, slab_kernels
from trajplan.planning import climb


def test_the_warm_climb_is_the_one_that_plans_use(demo: Path) -> None:
    """A type or a layout that differs would be compiled a second time, in the middle of a plan."""
    used = set(climb.climb_each.signatures)
    assert used, "the plan climbed"
    climb.warm_up()
    assert set(climb.climb_each.signatures) == used


def test_the_warm_projectors_are_the_ones_that_views_use(demo: Path) -> None:
    used = set(slab_kernels.compose_slabs.signatures)
    assert used
    projector.warm_up(("fast",))
    assert set(slab_kernels.compose_slabs.signatures) == used


def test_nothing_is_begun_where_all_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_use, "uncompiled", lambda: ())
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    said: list[str] = []
    with compiling(said.append):
        pass
    assert said == []


def test_what_is_not_done_is_stopped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def beside(groups: tuple[str, ...]) -> subprocess.Popen[bytes]:
        assert groups == (PATHS, X_RAYS)
        begun.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return begun[0]

    monkeypatch.setattr(first_use, "uncompiled", lambda: (PATHS, X_RAYS))
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
    assert empty.stdout.split() == [PATHS, X_RAYS]
    process = first_use.compile_beside((X_RAYS,))
    assert process is not None
    assert process.wait() == 0
    filled = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert filled.stdout.split() == [PATHS]
