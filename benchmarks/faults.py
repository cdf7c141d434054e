"""What faults do to a result folder: kills at random moments and at every step, cut writes, four runs at once.

    python benchmarks/faults.py [KILLS]

Prints a table; exits with 1 when anything partial or mixed was found. POSIX only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fault_runs import WRITER, environment  # noqa: E402 the tests folder is no package
from quick_writer import next_start, state_of, write_generation  # noqa: E402


def writer(*arguments: object) -> list[str]:
    return [sys.executable, str(WRITER), *map(str, arguments)]


def fresh(folder: Path, name: str, foreign: bool) -> Path:
    """A folder with one whole result, beside a file of somebody else if asked for."""
    out = folder / name / "out"
    out.parent.mkdir()
    write_generation(out, 0)
    if foreign:
        (out / "foreign").write_bytes(b"theirs")
    return out


def kinds(states: list[str]) -> str:
    count = Counter(state.split()[0] for state in states)
    return ", ".join(f"{n} {kind}" for kind, n in sorted(count.items()))


def random_kills(out: Path, count: int) -> tuple[list[str], list[str], int]:
    """States right after each kill, states after the next start, and temporary files left after it."""
    rng = np.random.default_rng(11)
    at_once, later, rest, generation = [], [], 0, 0
    for _ in range(count):
        process = subprocess.Popen(writer("loop", out, generation + 1, 10**6), env=environment())
        time.sleep(float(rng.uniform(0.15, 0.6)))
        process.kill()
        process.wait()
        at_once.append(state_of(out))
        next_start(out)
        later.append(state_of(out))
        generation = int(later[-1].split()[1]) if later[-1].startswith("whole") else 0
        rest += sum(p.name.startswith(".") for p in (*out.parent.iterdir(), *out.iterdir()))
    return at_once, later, rest


def steps(out: Path) -> list[dict[str, object]]:
    done = subprocess.run(writer("steps", out), env=environment(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    if os.name != "posix":
        print("kills and file size limits are POSIX")
        return 0
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'fault':44} {'right after':34} {'after the next start':24} temporary files")
        for foreign in (False, True):
            where = "beside a foreign file" if foreign else "our own folder"
            at_once, later, rest = random_kills(fresh(folder, f"kill{foreign}", foreign), count)
            print(f"{f'{count} kills at random, {where}':44} {kinds(at_once):34} {kinds(later):24} {rest}")
            found = steps(fresh(folder, f"steps{foreign}", foreign))
            stepped, healed = [str(f["killed"]) for f in found], [str(f["next"]) for f in found]
            left = sum(len(f["rest"]) for f in found if isinstance(f["rest"], list))
            print(f"{f'{len(found)} steps, a kill at each, {where}':44} {kinds(stepped):34} {kinds(healed):24} {left}")
            bad += rest + left + sum(not s.startswith("whole") for s in (*later, *healed))
            bad += sum(s.startswith(("mixed", "cut")) for s in (*at_once, *stepped))
        out = fresh(folder, "cut", False)
        limits = [0, 1, 100, 200, 350, 500, 1000, 3000, 5000, 7000, 8000]
        done = subprocess.run(
            writer("cut", out, *limits), env=environment(), capture_output=True, text=True, check=True
        )
        cut = json.loads(done.stdout)
        print(f"{f'a write cut at {len(cut)} sizes':44} {kinds([c['state'] for c in cut]):34}")
        bad += sum(c["state"] != "whole 0" or c["status"] == 0 for c in cut)
        out = fresh(folder, "four", False)
        runs = [subprocess.Popen(writer("loop", out, 10000 * n, 100), env=environment()) for n in range(1, 5)]
        statuses = [run.wait() for run in runs]
        print(f"{'four runs to one folder':44} {kinds([state_of(out)]):34}")
        bad += any(statuses) or not state_of(out).startswith("whole")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
