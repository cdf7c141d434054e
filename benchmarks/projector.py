"""Time and accuracy of the projectors on a synthetic lumbar CT, 512 x 512 x 300 onto 512 x 512.

Run: ``python benchmarks/projector.py [--repeats 3] [--size 1.0] [--reference]``. Prints CPU time (process time, robust
on a busy machine) and wall time on one and two threads, agreement of the two projectors, and, with ``--reference``, of
the fast one with a plain trilinear projector on every eighth pixel. Each thread count runs in its own process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

VIEWS = {"AP": (0.0, 0.0), "lateral": (90.0, 0.0), "oblique": (30.0, 15.0)}
SPACING_ZYX = (1.0, 0.7, 0.7)


def lumbar_hu(shape: tuple[int, int, int], seed: int = 1) -> np.ndarray:
    """Fat, muscle, gas and eight vertebrae with sharp cortex, 20 HU noise, int16; sharp edges are the hard case."""
    rng = np.random.default_rng(seed)
    extent = [300.0, 358.4, 358.4]
    z, y, x = np.meshgrid(
        *((np.arange(n, dtype=np.float32) + 0.5) / n * e - e / 2 for n, e in zip(shape, extent, strict=True)),
        indexing="ij",
        sparse=True,
    )
    hu = np.full(shape, -1000, np.float32)
    np.putmask(hu, (x / 165) ** 2 + (y / 115) ** 2 + 0 * z < 1, -100)
    np.putmask(hu, (x / 150) ** 2 + (y / 100) ** 2 + 0 * z < 1, 45)
    np.putmask(hu, (x + 60) ** 2 + (y + 50) ** 2 + (z - 30) ** 2 < 28**2, -950)
    for middle in np.arange(-133, 150, 38.0):
        for scale, level in ((1.0, 700), (0.93, 170)):
            np.putmask(
                hu,
                ((x / 24) ** 2 + ((y - 45) / 17) ** 2 < scale**2) & (np.abs(z - middle) < 14 * scale),
                level,
            )
        for side in (-15, 15):
            tube = (y > 55) & (y < 80)
            np.putmask(hu, ((x - side) ** 2 + (z - middle - 4) ** 2 < 36) & tube, 600)
        np.putmask(hu, (np.abs(x) < 3) & (y > 78) & (y < 107) & (np.abs(z - middle + 5) < 9), 450)
    hu += rng.standard_normal(shape, dtype=np.float32) * 20
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)


def agreement(image: np.ndarray, truth: np.ndarray) -> str:
    """Correlation and largest error as a share of the largest value."""
    worst = float(np.abs(image - truth).max() / truth.max())
    return f"NCC {np.corrcoef(image.ravel(), truth.ravel())[0, 1]:.6f}, max error {100 * worst:.2f} %"


def measure(scan: Path, repeats: int, reference: bool) -> None:
    """One table, on as many threads as this process has."""
    import numba

    from trajplan.fluoroscopy.carm import CArm
    from trajplan.fluoroscopy.prepared import prepare
    from trajplan.fluoroscopy.projector import project, warm_up
    from trajplan.geometry import Grid, Volume

    begin = time.process_time()
    warm_up()
    print(
        f"\nthreads {numba.get_num_threads()}: first calls (compile or cache) {time.process_time() - begin:.2f} CPU s"
    )
    hu = np.load(scan)
    spacing = np.array(SPACING_ZYX) * np.array([300, 512, 512]) / hu.shape
    volume = Volume(hu, Grid(hu.shape, -(np.array(hu.shape[::-1]) - 1) / 2 * spacing[::-1], spacing))
    begin = time.process_time()
    prepared = prepare(volume)
    print(f"prepare {1e3 * (time.process_time() - begin):.0f} CPU ms")
    fields = {"155 mm": (530.0, 1020.0, 0.582), "180 mm": (600.0, 1000.0, 0.586)}
    print(f"{'field':8}{'view':10}{'projector':10}{'CPU ms':>8}{'wall ms':>9}")
    for field, (isocenter, detector, pixel) in fields.items():
        for name, (primary, secondary) in VIEWS.items():
            carm = CArm(primary, secondary, np.zeros(3), detector, isocenter, (512, 512), pixel)
            images = {}
            for quality in ("fast", "siddon"):
                cpu, wall = [], []
                for _ in range(repeats):
                    c, w = time.process_time(), time.perf_counter()
                    images[quality] = project(prepared, carm, quality=quality).line_integral
                    cpu.append(1e3 * (time.process_time() - c))
                    wall.append(1e3 * (time.perf_counter() - w))
                print(f"{field:8}{name:10}{quality:10}{np.median(cpu):8.0f}{min(wall):9.0f}")
            print(f"{'':18}fast against siddon: {agreement(images['fast'], images['siddon'])}")
            if reference:
                sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
                from fluoroscopy_truth import trilinear_reference

                step = 8
                coarse = CArm(primary, secondary, np.zeros(3), detector, isocenter, (64, 64), pixel * step)
                every = CArm(primary, secondary, np.zeros(3), detector, isocenter, (505, 505), pixel)
                fast = project(prepared, every).line_integral[::step, ::step]
                truth = trilinear_reference(volume, coarse, 0.2)
                print(f"{'':18}fast against trilinear: {agreement(fast, truth)}")


def main() -> None:
    """Build the scan once, then one process per thread count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--size", type=float, default=1.0, help="1.0 is 512 x 512 x 300")
    parser.add_argument("--reference", action="store_true", help="also compare with a plain trilinear projector (slow)")
    parser.add_argument("--scan", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.scan:
        measure(options.scan, options.repeats, options.reference)
        return
    shape = tuple(round(n * options.size) for n in (300, 512, 512))
    print(f"volume {shape[2]} x {shape[1]} x {shape[0]} voxels, detector 512 x 512")
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "scan.npy"
        np.save(scan, lumbar_hu((shape[0], shape[1], shape[2])))
        empty_cache = {"NUMBA_CACHE_DIR": str(Path(folder) / "cache")}
        for threads, extra in ((1, empty_cache), (1, {}), (2, {})):
            command = [sys.executable, __file__, "--scan", str(scan), "--repeats", str(options.repeats)]
            if extra:
                command[-1] = "1"  # this one is for the compile time
            if options.reference and not extra and threads == 2:
                command.append("--reference")
            subprocess.run(command, check=True, env=os.environ | extra | {"NUMBA_NUM_THREADS": str(threads)})


if __name__ == "__main__":
    main()
