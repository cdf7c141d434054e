"""Killed at any moment: what stands under a final name is whole, and the next run cleans up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fault_runs import PHANTOM, environment
from quick_writer import next_start, state_of, write_generation

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork are POSIX")

Command = Callable[..., list[str]]
Program = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize("foreign", [False, True], ids=["our own folder", "beside a foreign file"])
def test_a_kill_before_every_single_step_loses_and_mixes_nothing(
    foreign: bool, writer: Command, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write_generation(out, 0)
    if foreign:
        (out / "foreign").write_bytes(b"theirs")
    done = subprocess.run(writer("steps", out), env=environment(), capture_output=True, text=True, check=True)
    steps = json.loads(done.stdout)
    assert len(steps) > 40
    for found in steps:
        allowed = {found["before"], f"whole {found['step']}"}
        assert found["next"] in allowed, found
        assert found["rest"] == [], found
        assert found["killed"] in allowed, found
    if foreign:
        assert (out / "foreign").read_bytes() == b"theirs"


def _kill_at_random_moments(count: int, foreign: bool, writer: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    out = tmp_path / "out"
    write_generation(out, 0)
    if foreign:
        (out / "foreign").write_bytes(b"theirs")
    generation, killed = 0, 0
    for _ in range(count):
        process = subprocess.Popen(writer("loop", out, generation + 1, 100000), env=environment())
        deadline = time.monotonic() + 20
        while state_of_busy(out) in ("none", f"whole {generation}") and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(float(rng.uniform(0, 0.08)))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        at_once = state_of(out)
        assert at_once.startswith("whole"), at_once
        next_start(out)
        state = state_of(out)
        assert state.startswith("whole"), state
        assert int(state.split()[1]) >= generation
        generation = int(state.split()[1])
        assert [p.name for p in tmp_path.iterdir()] == ["out"], "temporary files are gone after the next start"
        assert not [p for p in out.iterdir() if p.name.startswith(".")]
    assert killed == count


def state_of_busy(out: Path) -> str:
    """`state_of` while another process writes."""
    try:
        return state_of(out)
    except (OSError, IndexError):
        return "changing"


@pytest.mark.parametrize("foreign", [False, True], ids=["our own folder", "beside a foreign file"])
def test_kills_at_random_moments_leave_whole_results(foreign: bool, writer: Command, tmp_path: Path) -> None:
    _kill_at_random_moments(4, foreign, writer, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("foreign", [False, True], ids=["our own folder", "beside a foreign file"])
def test_fifty_kills_at_random_moments_leave_whole_results(foreign: bool, writer: Command, tmp_path: Path) -> None:
    _kill_at_random_moments(50, foreign, writer, tmp_path)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_phantom_run_that_is_stopped_writes_nothing_and_the_next_one_cleans_up(
    stop: signal.Signals, program: Program, tmp_path: Path
) -> None:
    out = tmp_path / "phantom"
    process = program(*PHANTOM, "--out", out)
    while not any(p.name.startswith(".phantom.") for p in tmp_path.iterdir()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    time.sleep(0.1)
    process.send_signal(stop)
    _, told = process.communicate()
    assert not out.exists()
    if stop is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 128 + stop
        assert told == f"trajplan: stopped by {stop.name}; files under their final names are whole\n"
        assert list(tmp_path.iterdir()) == []
        return
    again = program(*PHANTOM, "--out", out)
    _, told = again.communicate()
    assert again.returncode == 0, told
    assert [p.name for p in tmp_path.iterdir()] == ["phantom"]
    assert {"ct.nrrd", "labels.nrrd", "parts.nrrd", "surroundings.nrrd", "truth.json", "manifest.json"} == set(
        os.listdir(out)
    )
