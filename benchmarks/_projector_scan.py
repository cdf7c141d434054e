"""The synthetic lumbar CT of `benchmarks/projector.py`, and the memory that a view of it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from _projector_peers import SPACING_ZYX

QUALITIES = ("fast", "preview", "joseph", "siddon")


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


def scan_volume(folder: Path):  # type: ignore[no-untyped-def]
    """The test CT, centred on the origin."""
    from trajplan.geometry import Grid, Volume

    hu = np.load(folder / "scan.npy", mmap_mode=None)
    spacing = np.array(SPACING_ZYX)
    return Volume(hu, Grid(hu.shape, -(np.array(hu.shape[::-1]) - 1) / 2 * spacing[::-1], spacing))


def memory(folder: Path) -> None:
    """Peak memory above the CT, in shares of the CT, each quality in its own process (Linux only)."""
    code = """
import sys, numpy as np
sys.path.insert(0, {here!r})
from _projector_scan import scan_volume
from pathlib import Path
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.prepared import prepare
from trajplan.fluoroscopy.projector import project, warm_up
warm_up()
volume = scan_volume(Path({folder!r}))
def peak_kb():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak starts anew from what is held now
before = peak_kb()
prepared = prepare(volume)
for angle in (0.0, 90.0, 30.0):
    project(prepared, CArm(angle, 0.0, np.zeros(3), 1000.0, 600.0, (512, 512), 0.586), quality={quality!r})
print((peak_kb() - before) * 1024 / volume.array.nbytes)
"""
    if not Path("/proc/self/clear_refs").exists():
        print("memory above the CT: not measured, only Linux tells it")
        return
    for quality in QUALITIES:
        script = code.format(here=str(Path(__file__).parent), folder=str(folder), quality=quality)
        share = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
        print(f"memory above the CT, {quality:8} {float(share):5.2f} x the CT (must be <= 1)")
