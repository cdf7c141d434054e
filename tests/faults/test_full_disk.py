"""A full, small or read-only disk: one clear line, the old result intact, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Trajplan
from fault_runs import environment
from quick_writer import state_of, write_generation

from trajplan.errors import InputError
from trajplan.exports.atomic import staged_folder, write_atomically
from trajplan.exports.labels_file import write_labels
from trajplan.geometry import Grid, LabelMap

Disk = Callable[[str], Path]


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_write_that_is_cut_anywhere_keeps_the_old_result(writer: Callable[..., list[str]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_generation(out, 1)
    limits = [0, 1, 100, 200, 350, 500, 1000, 3000, 5000, 7000, 8000, 10**7]
    done = subprocess.run(writer("cut", out, *limits), env=environment(), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert [f["status"] for f in found] == [2] * 11 + [0]
    assert [f["state"] for f in found] == ["whole 1"] * 11 + ["whole 100"]
    assert all(f["rest"] == [] for f in found)


def _labels(folder: Path, seed: int) -> Path:
    voxels = np.random.default_rng(seed).integers(0, 255, (24, 40, 40)).astype(np.uint8)
    return write_labels(LabelMap(voxels, Grid((24, 40, 40), (0, 0, 0), (1, 1, 1))), folder / "labels.nrrd")


@pytest.mark.parametrize("size_k", [8, 20, 28, 40, 48, 56, 64, 72, 80, 88])
def test_a_disk_that_fills_up_keeps_the_old_result(size_k: int, small_disk: Disk) -> None:
    """A result with 38 kB of labels already stands there; what is left is too little for the next."""
    disk = small_disk("size=400k")
    out = disk / "out"
    with staged_folder(out) as folder:
        _labels(folder, 1)
        (folder / "plan.json").write_bytes(b"old" * 100)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    (disk / "filler").write_bytes(b"x" * _left_over(disk, size_k * 500))
    message = "none"
    try:
        with staged_folder(out) as folder:
            (folder / "plan.json").write_bytes(b"new" * 3000)
            _labels(folder, 2)
    except (InputError, OSError) as refused:
        message = str(refused)
    assert "No space left" in message or "MB free" in message, message
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert sorted(p.name for p in disk.iterdir()) == ["filler", "out"]


def _left_over(disk: Path, keep: int) -> int:
    import shutil

    return max(0, shutil.disk_usage(disk).free - keep)


def test_one_file_on_a_full_disk_is_one_clear_line(small_disk: Disk) -> None:
    disk = small_disk("size=64k")
    write_atomically(disk / "plan.json", b"old")
    with pytest.raises(InputError, match=r"cannot write plan\.json: No space left"):
        write_atomically(disk / "plan.json", b"n" * 200_000)
    assert {p.name: p.read_bytes() for p in disk.iterdir()} == {"plan.json": b"old"}


def test_a_read_only_disk_is_refused_before_anything_is_computed(small_disk: Disk, trajplan: Trajplan) -> None:
    disk = small_disk("size=64k,ro")
    run = trajplan("phantom", "wedge-L1", "--out", disk / "phantom")
    assert run.status == 2
    assert run.err == "trajplan: cannot write phantom or beside it: Read-only file system\n"
    assert run.out == ""


def test_an_output_on_a_disk_of_its_own_is_written_there(small_disk: Disk, tmp_path: Path) -> None:
    """A container's mounted result folder: a rename from beside it would cross disks."""
    out = small_disk("size=400k")
    write_generation(out, 1)
    write_generation(out, 2)
    assert state_of(out) == "whole 2"
    assert not [p for p in (*out.iterdir(), *tmp_path.iterdir()) if p.name.startswith(".")]
