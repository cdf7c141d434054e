"""The same input gives the same plan.json to the byte: on any number of threads, in any process."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from trajplan.exports.phantom_files import write_phantom
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom

Program = Callable[..., "subprocess.Popen[str]"]
THREADS = ("NUMBA_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def _run(program: Program, threads: int, seed: int, *arguments: object) -> None:
    counts = {name: str(threads) for name in THREADS}
    process = program(*arguments, PYTHONHASHSEED=str(seed), **counts)
    _, told = process.communicate()
    assert process.returncode in (0, 3), told


def _timeless(folder: Path) -> bytes:
    """plan.json without its date and timings; everything else to the byte."""
    text = (folder / "plan.json").read_bytes()
    plan = json.loads(text)
    created, timings = plan.pop("created"), plan["provenance"].pop("timings_s")
    assert text.count(created.encode()) == 1
    assert timings
    return json.dumps(plan, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    spec = PhantomSpec(levels=("T12", "L1", "L2"), height_loss_percent=40.0)
    write_phantom(make_phantom(spec, Scanner((1.5, 1.0, 1.0), noise_hu=15, seed=2)), folder)
    return folder


def _labelled(scan: Path, out: Path) -> tuple[object, ...]:
    return (
        "plan", scan / "ct.nrrd", "--labels", scan / "labels.nrrd", "--scheme", "verse", "--level", "L1", "--approach",
        "unipedicular-left", "--out", out,
    )  # fmt: skip


def test_one_and_two_threads_in_two_processes_give_the_same_plan(scan: Path, program: Program, tmp_path: Path) -> None:
    for threads in (1, 2):
        _run(program, threads, threads, *_labelled(scan, tmp_path / str(threads)))
    assert _timeless(tmp_path / "1") == _timeless(tmp_path / "2")
    masks = {hashlib.sha256((tmp_path / str(n) / "parts.nrrd").read_bytes()).hexdigest() for n in (1, 2)}
    assert len(masks) == 1


@pytest.mark.long
def test_the_demo_is_the_same_on_one_two_and_eight_threads(program: Program, tmp_path: Path) -> None:
    for threads in (1, 2, 8):
        _run(program, threads, threads, "demo", "--out", tmp_path / str(threads))
    assert len({_timeless(tmp_path / str(n)) for n in (1, 2, 8)}) == 1


@pytest.mark.long
def test_an_automatic_mask_is_the_same_on_one_two_and_eight_threads(
    scan: Path, program: Program, tmp_path: Path
) -> None:
    truth = json.loads((scan / "truth.json").read_text())
    seed = ",".join(f"{v:.1f}" for v in truth["frame"]["origin_lps"])
    for threads in (1, 2, 8):
        out = tmp_path / str(threads)
        _run(program, threads, threads, "plan", scan / "ct.nrrd", f"--seed={seed}", "--level", "L1", "--out", out)
    assert len({_timeless(tmp_path / str(n)) for n in (1, 2, 8)}) == 1
