"""A seed gives the same bytes on any number of threads: scan with noise and streaks, labels, parts and truth."""

from __future__ import annotations

import os
import subprocess
import sys

COUNTS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
          "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")  # fmt: skip
PROGRAM = """
import hashlib, json
from trajplan_phantoms import Scanner, draw, make_phantom
spec = draw(("L4", "L5"), "any", None, 5, fracture="crush", height_loss_percent=30.0)
rough = Scanner((5.0, 2.2, 2.2), noise_hu=20.0, seed=3, slice_thickness_mm=5.0, texture="ct", beam_hardening=1.0,
                cupping=0.2, photons=2e4, edge_enhancement=0.5)
for scanner in (rough, Scanner((4.0, 2.2, 2.2), noise_hu=20.0, seed=3)):
    phantom = make_phantom(spec, scanner)
    print(phantom.ct.sha256(), phantom.labels.sha256(), phantom.parts.sha256())
print(hashlib.sha256(json.dumps(phantom.truth.to_dict(), sort_keys=True).encode()).hexdigest())
"""


def made(threads: int) -> str:
    environment = os.environ | dict.fromkeys(COUNTS, str(threads)) | {
        "PYTHONHASHSEED": str(threads), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_and_two_threads_make_the_same_bytes() -> None:
    one = made(1)
    assert len(one.split()) == 7
    assert one == made(2)
