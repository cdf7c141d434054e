"""Accuracy and confidence of the SimpleITK back-end on real scans and a phantom: one line a case.

Usage: ``python benchmarks/segment_simpleitk.py DATA [OUT]`` with DATA the folder that holds ``ct/``; with OUT,
the masks are saved there as NIfTI. Seeds are the reference's body centre plus 4 mm in a fixed random direction.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.ndimage as ndi
import SimpleITK as sitk

from trajplan.anatomy.simpleitk_backend import SimpleItkBackend
from trajplan.errors import AnatomyError
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.itk import labels_from_sitk, to_sitk, volume_from_sitk
from trajplan.geometry.resample import canonical, resample_mask
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom

JITTER_MM = 4.0
REAL = (
    ("ts_chest_stent", "vertebrae_T12.nii.gz", {1: 19}),
    ("ts_lumbar3mm", "vertebrae_verse.nii.gz", {i: i for i in (20, 21, 22, 23, 24)}),
    ("lidc0001", "vertebrae_verse.nii.gz", {16: 16, 19: 19, 20: 20}),
)


def cases(data: Path) -> Iterator[tuple[str, Volume, LabelMap, int, int]]:
    """Name, CT, labels, label in the file, level id."""
    spec = PhantomSpec(
        target="L2",
        levels=("T12", "L1", "L2", "L3"),
        fracture="wedge",
        height_loss_percent=30,
        trabecular_hu=90,
        scale=0.93,
    )
    phantom = make_phantom(spec, Scanner((2.0, 0.9, 0.9), noise_hu=25.0, seed=5))
    yield "phantom L2 wedge", phantom.ct, phantom.labels, 21, 21
    for folder, file, ids in REAL:
        base = data / "ct" / folder
        ct = canonical(volume_from_sitk(sitk.ReadImage(str(base / "ct.nii.gz"), sitk.sitkFloat32)))
        labels = canonical(labels_from_sitk(sitk.ReadImage(str(base / file), sitk.sitkUInt8)))
        for label, level in ids.items():
            yield folder, ct, labels, label, level


def main() -> None:
    """Print the table."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    print("case, level, Dice, ASD mm, HD95 mm, score, seconds (wall), CPU seconds, reasons, values")
    for number, (name, ct, labels, label, level) in enumerate(cases(data)):
        reference = labels.array == label
        depth = ndi.distance_transform_edt(reference, sampling=labels.grid.spacing_zyx)
        centre = labels.grid.index_to_world(np.argwhere(depth > 0.7 * depth.max()).mean(axis=0))
        direction = np.random.default_rng(number).normal(size=3)
        seed = centre + JITTER_MM * direction / np.linalg.norm(direction)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            result = SimpleItkBackend().segment(ct, seed, level, lambda share, text: None)
        except AnatomyError as error:
            print(f"{name}, {level}, refused: {error}", flush=True)
            continue
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        truth = resample_mask(reference, labels.grid, result.labels.grid) >= 0.5
        dice, asd, hd95 = compare(result.labels.array > 0, truth)
        c = result.confidence
        values = " ".join(f"{k}={v:.2f}" for k, v in c.values.items())
        print(
            f"{name}, {level}, {dice:.3f}, {asd:.2f}, {hd95:.1f}, {c.score:.2f}, {wall:.0f}, {cpu:.0f}, "
            f"{'; '.join(c.check) or '-'}, {values}",
            flush=True,
        )
        if out is not None:
            sitk.WriteImage(
                to_sitk(result.labels.array, result.labels.grid), str(out / f"{name.split()[0]}_{level}.nii.gz")
            )


def compare(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Dice, mean symmetric surface distance and its 95th percentile, in voxels (= mm at 1 mm)."""
    dice = 2 * (a & b).sum() / max(1, a.sum() + b.sum())
    sa, sb = a & ~ndi.binary_erosion(a), b & ~ndi.binary_erosion(b)
    d = np.r_[ndi.distance_transform_edt(~sb)[sa], ndi.distance_transform_edt(~sa)[sb]]
    return float(dice), float(d.mean()), float(np.percentile(d, 95))


if __name__ == "__main__":
    main()
