"""Mutated scans in a child process: every one is read as something sane or refused in one line, within 10 s.

As a script (``mutants.py FOLDER SEED START COUNT``) it makes and reads mutants, a line each before and after; the
parent, `run`, starts it again after a crash or a hang and reports those.
"""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

LIMIT_S = 10.0
_TEXT = list(b"0123456789-. en")
_MEMORY = 3 << 30
SHAPE = (9, 12, 14)


def write_originals(folder: Path) -> list[tuple[str, Path, Path]]:
    """Small valid scans of every kind, as (kind, file to mutate, path to read)."""
    from dicom_files import LOSSLESS, enhanced_ct, save, to_syntax, write_series

    rng = np.random.default_rng(0)
    z, y, x = np.indices(SHAPE)
    hu = np.where((x > 2) & (y > 1), np.where((x > 5) & (y > 4), 40 + 30 * (z % 3), -90), -1000)
    hu = np.rint(hu + rng.normal(0, 8, SHAPE)).astype(np.int16)
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((0.7, 0.9, 4.0))
    found = []
    for name, packed in (
        *(("raw.nii", False), ("packed.nii.gz", True), ("raw.nrrd", False), ("packed.nrrd", True)),
        *(("raw.mha", False), ("packed.mha", True), ("pair.mhd", False), ("pair.nhdr", False)),
    ):
        path = folder / f"{name.replace('.', '_')}_d" / name
        path.parent.mkdir()
        sitk.WriteImage(image, str(path), packed)
        found.append((name, path, path))
    for syntax in LOSSLESS:
        series = write_series(folder / f"dicom_{syntax}", hu, spacing_zyx=(4.0, 0.9, 0.7), syntax=syntax)
        found.append((f"dicom {syntax}", sorted(series.iterdir())[4], series))
    positions = np.arange(SHAPE[0])[:, None] * np.array([0, 0, 4.0])
    for syntax in ("explicit", "jpeg2000"):
        path = folder / f"enhanced_{syntax}"
        save(to_syntax(enhanced_ct(hu, positions, spacing_zyx=(4.0, 0.9, 0.7)), syntax), path)
        found.append((f"enhanced {syntax}", path, path))
    return found


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four small changes, in the header mostly; now and then a cut, a doubled piece or a run of one byte."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        reach = len(out) if rng.random() < 0.3 else min(len(out), 1200)
        i = int(rng.integers(0, max(reach, 1)))
        action = int(rng.integers(0, 9))
        if not out:
            break
        if action < 3:
            out[i] = int(rng.choice(_TEXT)) if action else int(rng.integers(0, 256))
        elif action == 3:
            out[i] ^= 1 << int(rng.integers(0, 8))
        elif action == 4:
            del out[i]
        elif action == 5:
            out.insert(i, int(rng.choice(_TEXT)))
        elif action == 6:
            out[i : i + 4] = bytes([int(rng.choice([0, 255, 127, 128]))] * 4)
        elif action == 7:
            out[i:i] = out[i : i + int(rng.integers(1, 40))]
        elif rng.random() < 0.3:
            del out[i:]
    return bytes(out)


def verdict(path: Path) -> str:
    """``read`` or ``refused`` where that is sound, else what is wrong."""
    from trajplan.errors import InputError
    from trajplan.reading import read_scan

    try:
        scan = read_scan(path)
    except InputError as error:
        message = str(error)
        return "refused" if len(message) < 600 and message.isprintable() else f"message {message[:200]!r}"
    grid = scan.volume.grid
    sane = (
        scan.volume.array.dtype == np.int16
        and 0.04 < grid.spacing_zyx.min() <= grid.spacing_zyx.max() < 10.1
        and np.abs(grid.corners_lps()).max() < 2e4
        and scan.volume.array.size < 5e7
        and scan.volume.array.min() >= -1024
    )
    return "read" if sane else f"absurd geometry {grid.shape_zyx} {grid.spacing_zyx} {grid.origin_lps}"


def _child(folder: Path, seed: int, start: int, count: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    originals = [(kind, path, top, path.read_bytes()) for kind, path, top in _listed(folder)]
    for n in range(start, count):
        kind, path, top, data = originals[n % len(originals)]
        path.write_bytes(mutant(data, np.random.default_rng((seed, n))))
        _say(f"start {n} {kind}")
        try:
            said = verdict(top)
        except Exception as error:  # noqa: BLE001 whatever gets out of the reader is the thing looked for
            said = f"{type(error).__name__} {error}"[:300]
        path.write_bytes(data)
        _say(f"done {n} {said!r}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _listed(folder: Path) -> list[tuple[str, Path, Path]]:
    rows = (folder / "originals.txt").read_text(encoding="utf-8").splitlines()
    return [(kind, Path(path), Path(top)) for kind, path, top in (row.split("\t") for row in rows)]


def run(folder: Path, seed: int, count: int) -> tuple[dict[str, int], list[str]]:
    """Counts of ``read`` and ``refused``, and a line for each crash, hang, traceback or absurd geometry."""
    originals = write_originals(folder)
    rows = "\n".join(f"{kind}\t{path}\t{top}" for kind, path, top in originals)
    (folder / "originals.txt").write_text(rows, encoding="utf-8")
    whole = {path: path.read_bytes() for _, path, _ in originals}
    counts, faults, start = {"read": 0, "refused": 0}, [], 0
    while start < count:
        for path, data in whole.items():
            path.write_bytes(data)
        start = _follow(folder, seed, start, count, counts, faults)
    return counts, faults


def _follow(folder: Path, seed: int, start: int, count: int, counts: dict[str, int], faults: list[str]) -> int:
    """Run one child until it ends, crashes or hangs; the number of the next mutant."""
    command = [sys.executable, __file__, str(folder), str(seed), str(start), str(count)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True, bufsize=1
    ) as child:
        assert child.stdout is not None
        current, kind = start - 1, "start-up"
        with selectors.DefaultSelector() as waiting:
            waiting.register(child.stdout, selectors.EVENT_READ)
            while True:
                began = time.monotonic()
                # A child that is starting imports for a while; a mutant has its limit.
                if not waiting.select(LIMIT_S if current >= start else 120.0):
                    child.kill()
                    faults.append(f"mutant {current} ({kind}): no answer within {time.monotonic() - began:.0f} s")
                    break
                line = child.stdout.readline()
                if not line:
                    if child.wait() != 0:
                        said = (child.stderr.read() if child.stderr else "")[-300:]
                        faults.append(f"mutant {current} ({kind}): ended with {child.returncode}: {said}")
                        break
                    return count
                word, number, rest = line.rstrip("\n").split(" ", 2)
                if word == "start":
                    current, kind = int(number), rest
                elif rest.strip("'\"") in counts:
                    counts[rest.strip("'\"")] += 1
                else:
                    faults.append(f"mutant {number} ({kind}): {rest}")
    return current + 1


if __name__ == "__main__":
    _child(Path(sys.argv[1]), *(int(v) for v in sys.argv[2:5]))
