"""Programs run, killed and starved by the fault tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_runs import WRITER, environment


@pytest.fixture
def writer() -> Callable[..., list[str]]:
    """The command line of `quick_writer`."""
    return lambda *arguments: [sys.executable, str(WRITER), *map(str, arguments)]


@pytest.fixture
def program() -> Callable[..., subprocess.Popen[str]]:
    """Start ``trajplan ARGUMENTS`` as a process of its own."""

    def start(*arguments: object, **more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "trajplan.cli", *map(str, arguments)]
        return subprocess.Popen(
            command,
            env=environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a suite run in the background of a script ignores Ctrl-C, and what it starts would too
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    return start


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """``small_disk(options)``: a mounted RAM disk of its own; skips where mounting is not allowed."""
    mounted: list[Path] = []
    umount = shutil.which("umount")

    def mount(options: str) -> Path:
        tool = shutil.which("mount")
        if tool is None or umount is None or sys.platform != "linux" or os.geteuid() != 0:
            pytest.skip("mounting a small disk needs root on Linux")
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = subprocess.run([tool, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
        if done.returncode != 0:
            pytest.skip("mounting is not allowed here")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run([str(umount), str(folder)], check=True)
