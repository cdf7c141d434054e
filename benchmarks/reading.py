"""Reading: time of 2,000 DICOM headers, peak memory and time of a 512 x 512 x 1500 int16 scan in each format.

    python benchmarks/reading.py [SLICES]          needs about 4 GB of disk
    python benchmarks/reading.py --plan [SLICES]   `trajplan plan` on a phantom scan of that size, by labels and by seed

Each row is measured in a process of its own; exits with 1 when a figure is above its limit.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

HEADERS = 2000
SIDE = 512
SLICES = 1500
LOAD_GB, PLAN_GB, HEADERS_S = 1.7, 4.0, 3.0


def body(slices: int) -> np.ndarray:
    """int16 HU (z, y, x): air, fat, muscle and a column of bone, with noise."""
    noise = np.random.default_rng(0).normal(0, 15, (SIDE, SIDE)).astype(np.int16)
    array = np.full((slices, SIDE, SIDE), -1000, np.int16)
    array[:, 60:450, 60:450] = -90
    array[:, 100:400, 100:400] = 50
    array[:, 280:340, 230:290] = 250
    for k in range(slices):
        array[k] += np.roll(noise, 37 * k, axis=1)
    return np.maximum(array, -1024)


def write_series(folder: Path, count: int, pixels: np.ndarray) -> None:
    """`count` files; slice k shows ``pixels[k % len(pixels)]``."""
    folder.mkdir()
    uid = generate_uid()
    for k in range(count):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID, uid
        ds.Modality, ds.ImageType, ds.PatientPosition = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], "HFS"
        image = pixels[k % len(pixels)]
        ds.Rows, ds.Columns = image.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.RescaleSlope, ds.RescaleIntercept, ds.PixelSpacing = "1", "-1024", [0.7, 0.7]
        ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, round(0.6 * k, 6)]
        ds.PixelData = (image.astype(np.int32) + 1024).astype("<u2").tobytes()
        ds.save_as(folder / f"{(7919 * k) % count:05d}", enforce_file_format=True)


def write_phantom(folder: Path, slices: int) -> str:
    """ct.nii.gz and labels.nii.gz: the demo phantom (target L1) in air, repeated upwards; a seed in its target."""
    from trajplan.levels import LEVEL_IDS
    from trajplan_phantoms import demo_phantom

    phantom = demo_phantom()
    ct, labels = phantom.ct.array, phantom.labels.array
    body = np.argwhere(labels == LEVEL_IDS["L1"])
    start = [(n - have) // 2 for n, have in zip((slices, SIDE, SIDE), ct.shape, strict=True)]
    box = tuple(slice(s, s + n) for s, n in zip(start, ct.shape, strict=True))
    large = np.full((slices, SIDE, SIDE), -1000, np.int16)
    rows = (np.arange(slices) - start[0]) % ct.shape[0]
    large[:, box[1], box[2]] = ct[rows]
    marked = np.zeros(large.shape, np.uint8)
    marked[box] = labels
    for name, array in (("ct", large), ("labels", marked)):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing([float(v) for v in phantom.ct.grid.spacing_xyz])
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"), True, 1)
    front = body[body[:, 1] < np.quantile(body[:, 1], 0.4)].mean(axis=0)  # the body lies in front of the arch
    seed = (front + start)[::-1] * phantom.ct.grid.spacing_xyz
    return ",".join(f"{v:.1f}" for v in seed)


def measure_plan(*arguments: str) -> None:
    """Run in a child: `trajplan` with these arguments, then its seconds, peak memory and status."""
    from trajplan.cli import main as trajplan

    sys.argv = ["trajplan", *arguments]
    start, status = time.perf_counter(), None
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            trajplan()
        except SystemExit as left:
            status = left.code
    seconds, peak_gb = time.perf_counter() - start, _peak_bytes() / 1e9
    first = said.getvalue().partition("\n")[0]
    print(json.dumps({"seconds": seconds, "peak_gb": peak_gb, "said": f"status {status or 0}: {first[:80]}"}))


def measure(what: str, path: str) -> None:
    """Run in a child: print seconds and peak memory."""
    from trajplan.reading import read_scan
    from trajplan.reading.dicom_geometry import solve_geometry
    from trajplan.reading.dicom_series import choose_series, files_below

    start, worked = time.perf_counter(), time.process_time()
    if what == "headers":
        files = files_below(Path(path))
        group, _ = choose_series(files, "folder", series=None, assume_hu=False)
        solve_geometry(group)
    else:
        read_scan(Path(path))
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    print(json.dumps({"seconds": seconds, "peak_gb": _peak_bytes() / 1e9, "said": f"{worked:.2f} s of processor time"}))


def _peak_bytes() -> int:
    """Largest resident memory of this process; ru_maxrss would count the parent before exec as well."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_rows(folder: Path, slices: int) -> bool:
    write_series(folder / "headers", HEADERS, np.zeros((1, SIDE, SIDE), np.int16))
    ok = _row(f"{HEADERS} DICOM headers, series and geometry", "headers", folder / "headers", limit_s=HEADERS_S)
    array = body(slices)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.7, 0.6))
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    write_series(folder / "series", slices, array)
    del array
    size = f"{SIDE} x {SIDE} x {slices} int16"
    ok &= _row(f"{size}, DICOM", "scan", folder / "series", limit_gb=LOAD_GB)
    for name in ("scan.nrrd", "scan.nii", "scan.mha", "scan.nii.gz"):
        sitk.WriteImage(image, str(folder / name), name.endswith(".gz"), 1)
        ok &= _row(f"{size}, {name.partition('.')[2]}", "scan", folder / name, limit_gb=LOAD_GB)
        (folder / name).unlink()
    return ok


def plan_rows(folder: Path, slices: int) -> bool:
    seed = write_phantom(folder, slices)
    size = f"{SIDE} x {SIDE} x {slices} int16, plan by"
    common = ("plan", "plan", folder / "ct.nii.gz", "--out", folder / "out", "--level", "L1")
    ok = _row(f"{size} labels", *common, "--labels", folder / "labels.nii.gz", "--scheme", "verse", limit_gb=PLAN_GB)
    return _row(f"{size} seed", *common, "--seed", seed, limit_gb=PLAN_GB) and ok


def _row(title: str, *arguments: object, limit_s: float = np.inf, limit_gb: float = np.inf) -> bool:
    """Run one child and print what it measured; whether that is within the limits."""
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    good = found["seconds"] <= limit_s and found["peak_gb"] <= limit_gb
    shown = f"{found['seconds']:8.2f} s  {found['peak_gb']:6.2f} GB peak  {'' if good else 'ABOVE THE LIMIT '}"
    print(f"{title:44}{shown}{found['said']}", flush=True)
    return good


def main(arguments: list[str]) -> int:
    plan = "--plan" in arguments
    counts = [int(a) for a in arguments if a.isdigit()]
    with tempfile.TemporaryDirectory() as base:
        print(f"{'what':44} time and memory of the whole process")
        return 0 if (plan_rows if plan else read_rows)(Path(base), counts[0] if counts else SLICES) else 1


if __name__ == "__main__":
    if "--child" not in sys.argv:
        sys.exit(main(sys.argv[1:]))
    elif sys.argv[2] == "plan":
        measure_plan(*sys.argv[3:])
    else:
        measure(*sys.argv[2:4])
