"""Are the tests strong enough? Puts each fault of tests/code_mutants.py into a copy of the source and runs its tests.

    python benchmarks/mutants.py [WORD] [--part 1/4] [--no-first-run]

Prints a line a fault, killed or SURVIVED; exits with 1 when one survives. WORD keeps the faults whose name holds it,
``--part`` every fourth one (for several processes), ``--no-first-run`` leaves out the run without any fault.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() not in (ROOT, ROOT / "phantoms", ROOT / "plugins")]
sys.path.insert(0, str(ROOT / "tests"))

from code_mutants import MUTANTS, Mutant  # noqa: E402 the tests folder is no package

PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xvfb", "-p", "no:pytest-qt", "-m", "not long and not real")
HEAVY = (
    "numpy",
    "scipy.ndimage",
    "scipy.spatial",
    "scipy.optimize",
    "SimpleITK",
    "numba",
    "skimage.measure",
    "pydicom",
)


def run_tests(copy: Path, tests: tuple[str, ...]) -> int:
    """Exit status of pytest in the copy: 0 passed, 1 failed, more: could not even be imported.

    In a fork of this process, which has loaded the heavy libraries but none of our own packages.
    """
    child = os.fork()
    if child == 0:
        os.chdir(copy)
        sys.path[:0] = [str(copy), str(copy / "phantoms"), str(copy / "plugins")]
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        os._exit(int(pytest.main([*PYTEST, *tests])))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_killed(copy: Path, mutant: Mutant) -> bool:
    """Whether a test fails with the fault in place; the copy is as before afterwards, times included."""
    path = copy / mutant.file
    text, was = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return run_tests(copy, mutant.tests) == 1
    finally:
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))  # so that numba keeps what it has compiled


def main() -> int:
    parser = argparse.ArgumentParser(description="Put faults into a copy of the source and see whether tests fail.")
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--no-first-run", action="store_true")
    asked = parser.parse_args()
    part, parts = (int(n) for n in asked.part.split("/"))
    chosen = [m for m in MUTANTS if asked.word.lower() in m.name.lower()][part - 1 :: parts]
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        os.environ["NUMBA_CACHE_DIR"] = str(Path(folder) / "numba")  # read when numba is imported
        for name in HEAVY:
            importlib.import_module(name)
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in ("trajplan", "phantoms", "plugins", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=ignore)
        shutil.copy(ROOT / "pyproject.toml", copy)
        tests = tuple(sorted({t for m in chosen for t in m.tests}))
        if not asked.no_first_run and run_tests(copy, tests) != 0:
            print("the tests fail without any fault; mend them first")
            return 2
        for number, mutant in enumerate(chosen, start=1):
            start = time.perf_counter()
            killed = is_killed(copy, mutant)
            survivors += [] if killed else [mutant.name]
            seconds = time.perf_counter() - start
            print(f"{number:3} {'killed' if killed else 'SURVIVED':8} {seconds:5.0f} s  {mutant.name}", flush=True)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} faults killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
