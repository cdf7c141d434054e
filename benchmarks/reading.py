"""Reading: time of 2,000 DICOM headers, and peak memory and time of a 512 x 512 x 1500 int16 scan in each format.

Each row is measured in a process of its own. `python benchmarks/reading.py [slices]`; needs about 4 GB of disk.
"""

from __future__ import annotations

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


def measure(what: str, path: str) -> None:
    """Run in a child: print seconds and peak memory."""
    from trajplan.reading import read_scan
    from trajplan.reading.dicom_geometry import solve_geometry
    from trajplan.reading.dicom_series import choose_series, files_below

    start = time.perf_counter()
    if what == "headers":
        files = files_below(Path(path))
        group, _ = choose_series(files, "folder", series=None, assume_hu=False)
        solve_geometry(group)
    else:
        read_scan(Path(path))
    seconds = time.perf_counter() - start
    peak_gb = _peak_bytes() / 1e9
    print(f"{seconds:8.2f} s  {peak_gb:6.2f} GB peak ({peak_gb * 1e9 / 2**30:.2f} GiB)")


def _peak_bytes() -> int:
    """Largest resident memory of this process; ru_maxrss would count the parent before exec as well."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(slices: int) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        write_series(folder / "headers", HEADERS, np.zeros((1, SIDE, SIDE), np.int16))
        print(f"{'what':44} time and memory of the whole process")
        _row(f"{HEADERS} DICOM headers, series and geometry", "headers", folder / "headers")
        array = body(slices)
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((0.7, 0.7, 0.6))
        image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
        write_series(folder / "series", slices, array)
        del array
        size = f"{SIDE} x {SIDE} x {slices} int16"
        _row(f"{size}, DICOM", "scan", folder / "series")
        for name in ("scan.nrrd", "scan.nii", "scan.mha"):
            sitk.WriteImage(image, str(folder / name))
            _row(f"{size}, {name.partition('.')[2]}", "scan", folder / name)
            (folder / name).unlink()
        sitk.WriteImage(image, str(folder / "scan.nii.gz"), True, 1)
        _row(f"{size}, nii.gz", "scan", folder / "scan.nii.gz")


def _row(title: str, what: str, path: Path) -> None:
    done = subprocess.run(
        [sys.executable, __file__, "--child", what, str(path)], capture_output=True, text=True, check=True
    )
    print(f"{title:44}{done.stdout.rstrip()}", flush=True)


if __name__ == "__main__":
    if "--child" in sys.argv:
        measure(*sys.argv[2:4])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1500)
