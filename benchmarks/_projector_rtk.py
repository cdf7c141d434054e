"""A child of `benchmarks/projector.py`: RTK's Joseph projector on demand. Needs itk-rtk, not trajplan.

Run: ``python _projector_rtk.py attenuation.npy THREADS``. Reads lines "angle columns pixel_mm" and answers each with
the milliseconds of processor time and of wall time; the image goes to attenuation.npy's folder as rtk.npy.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

SPACING_ZYX = (1.0, 0.7, 0.7)


def main() -> None:
    """Load once, project often."""
    import itk
    from itk import RTK as rtk

    itk.MultiThreaderBase.SetGlobalMaximumNumberOfThreads(int(sys.argv[2]))
    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(int(sys.argv[2]))
    mu = np.load(sys.argv[1], mmap_mode="r")
    # RTK turns its gantry about its own y axis: our z
    volume = itk.image_from_array(np.ascontiguousarray(mu.transpose(1, 0, 2)))
    spacing = (SPACING_ZYX[2], SPACING_ZYX[0], SPACING_ZYX[1])
    volume.SetSpacing(spacing)
    volume.SetOrigin([-(n - 1) / 2 * s for n, s in zip((mu.shape[2], mu.shape[0], mu.shape[1]), spacing, strict=True)])
    kind = itk.Image[itk.F, 3]
    print("ready", flush=True)
    for line in sys.stdin:
        angle, columns, pixel = line.split()
        count, pitch = int(columns), float(pixel)
        geometry = rtk.ThreeDCircularProjectionGeometry.New()
        geometry.AddProjection(600.0, 1000.0, float(angle))
        blank = rtk.ConstantImageSource[kind].New()
        blank.SetSize([count, count, 1])
        blank.SetSpacing([pitch, pitch, 1.0])
        blank.SetOrigin([-(count - 1) / 2 * pitch] * 2 + [0.0])
        blank.SetConstant(0.0)
        blank.Update()
        joseph = rtk.JosephForwardProjectionImageFilter[kind, kind].New()
        joseph.SetGeometry(geometry)
        joseph.SetInput(0, blank.GetOutput())
        joseph.SetInput(1, volume)
        cpu, wall = time.process_time(), time.perf_counter()
        joseph.Update()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        np.save(Path(sys.argv[1]).with_name("rtk.npy"), itk.array_from_image(joseph.GetOutput())[0])
        print(1e3 * cpu, 1e3 * wall, flush=True)


if __name__ == "__main__":
    sys.exit(main() if os.path.exists(sys.argv[1]) else "no volume")
