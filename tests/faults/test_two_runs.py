"""Two runs to one output: one writes, the others are told; never a mixture."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import Trajplan
from fault_runs import environment
from quick_writer import state_of, write_generation

from trajplan.errors import InputError
from trajplan.exports.atomic import output_folder_lock, write_atomically
from trajplan.exports.leftovers import JOURNAL, is_interrupted
from trajplan.exports.lock import output_lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a lock is told from outside by POSIX means here")


def test_four_runs_to_one_folder_never_mix(writer: Callable[..., list[str]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_generation(out, 0)
    runs = [subprocess.Popen(writer("loop", out, 1000 * n, 40), env=environment()) for n in range(1, 5)]
    seen = set()
    while any(run.poll() is None for run in runs):
        before = out.stat().st_ino
        try:
            state = state_of(out)
        except (OSError, IndexError):
            state = "changed while read"
        # read across an exchange, the files are of two results: only what was one folder throughout is judged
        if out.stat().st_ino == before and state != "changed while read":
            seen.add(state.split()[0])
        time.sleep(0.002)
    assert [run.returncode for run in runs] == [0] * 4
    assert seen <= {"whole"}
    assert state_of(out).startswith("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def _holder(folder: Path, name: str) -> subprocess.Popen[str]:
    code = (
        "import sys; from pathlib import Path; from trajplan.exports.lock import output_lock\n"
        f"with output_lock(Path({str(folder)!r}) / {name!r}): print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_refused_in_one_line_before_it_computes(trajplan: Trajplan, tmp_path: Path) -> None:
    holder = _holder(tmp_path, "phantom")
    run = trajplan("phantom", "wedge-L1", "--out", tmp_path / "phantom")
    assert run.status == 2
    assert run.err == ("trajplan: another run is writing phantom; wait until it is done, or name another output\n")
    assert not (tmp_path / "phantom").exists()
    with pytest.raises(InputError, match="another run"):
        write_atomically(tmp_path / "phantom", b"x")
    holder.kill()
    holder.communicate()
    write_atomically(tmp_path / "phantom", b"the lock of a killed run is no lock")
    assert [p.name for p in tmp_path.iterdir()] == ["phantom"]


def test_a_run_may_ask_again_for_what_it_holds_and_another_name_is_free(tmp_path: Path) -> None:
    with output_folder_lock(tmp_path / "a") as _, output_lock(tmp_path / "a") as inner:
        assert inner is True
        write_generation(tmp_path / "a", 1)
        write_generation(tmp_path / "b", 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_only_the_leftovers_of_this_very_output_are_taken_away(tmp_path: Path) -> None:
    ours, others, look_alike = ".a.0123456789ab.tmp", ".a.b.0123456789ab.tmp", ".a.notes.tmp"
    for name in (ours, others, look_alike):
        (tmp_path / name).write_bytes(b"x")
    write_atomically(tmp_path / "a", b"new")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["a", others, look_alike])


def test_check_refuses_a_folder_whose_replacement_was_killed(trajplan: Trajplan, tmp_path: Path) -> None:
    stage = tmp_path / ".plan.0123456789ab.tmp"
    stage.mkdir()
    (stage / JOURNAL).write_text("{}")
    (tmp_path / "plan").mkdir()
    assert is_interrupted(tmp_path / "plan")
    run = trajplan("check", tmp_path / "plan" / "plan.json")
    assert run.status == 2
    assert "killed" in run.err
