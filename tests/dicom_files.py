"""DICOM files for the tests: single slices, whole series, enhanced multi-frame, in every lossless transfer syntax."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

SPACING_ZYX = (2.0, 0.9, 0.7)
ORIGIN = np.array([-10.5, 20.25, -300.0])
LOSSLESS = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg2000": JPEG2000Lossless,
    "jpeg-lossless": JPEGLosslessSV1,
}
if importlib.util.find_spec("jpeg_ls"):  # pyjpegls, of the test group
    LOSSLESS["jpeg-ls"] = JPEGLSLossless
_BY_ITK = {JPEG2000Lossless: "JPEG2000", JPEGLosslessSV1: "JPEG"}


def ct_slice(
    pixels: np.ndarray,
    position: np.ndarray,
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    spacing_zyx: tuple[float, ...] = SPACING_ZYX,
    series_uid: str = "1.2.3.4",
    number: int = 1,
) -> FileDataset:
    """One CT slice of int HU `pixels`, explicit VR little endian, stored as uint16 with intercept -1024."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = series_uid, "1.2.3", "1.2.4"
    ds.Modality, ds.ImageType, ds.SeriesDescription = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], "synthetic"
    ds.PatientName, ds.PatientID, ds.InstanceNumber = "Nobody", "0", number
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.RescaleSlope, ds.RescaleIntercept = "1", "-1024"
    ds.PixelSpacing = [spacing_zyx[1], spacing_zyx[2]]
    ds.SliceThickness = 99  # never to be trusted
    ds.ImageOrientationPatient = [float(f"{v:.10g}") for v in orientation]
    ds.ImagePositionPatient = [round(float(v), 6) for v in position]
    set_pixels(ds, pixels)
    return ds


def set_pixels(ds: Dataset, hu: np.ndarray) -> None:
    """Store int HU with intercept -1024."""
    ds.Rows, ds.Columns = hu.shape[-2:]
    ds.PixelData = (hu.astype(np.int32) + 1024).astype("<u2").tobytes()


def write_series(
    folder: Path,
    array: np.ndarray,
    *,
    spacing_zyx: tuple[float, ...] = SPACING_ZYX,
    origin: np.ndarray = ORIGIN,
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    step: tuple[float, ...] | None = None,
    edit: Callable[[int, Dataset], Any] | None = None,
    seed: int = 0,
    series_uid: str | None = None,
    syntax: str = "explicit",
) -> Path:
    """One file a slice under shuffled names.

    `step` is the vector from slice to slice (default along the normal), `edit(k, dataset)` changes slice k (return
    False to leave it out), `syntax` is a key of `LOSSLESS`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    uid = series_uid or generate_uid()
    normal = np.cross(orientation[:3], orientation[3:])
    along = normal * spacing_zyx[0] if step is None else np.array(step)
    names = [int(n) for n in np.random.default_rng(seed).permutation(len(array))]
    for k, pixels in enumerate(array):
        ds = ct_slice(pixels, origin + k * along, orientation, spacing_zyx, uid, names[k])
        if edit is None or edit(k, ds) is not False:
            to_syntax(ds, syntax)
            save(ds, folder / f"IM{seed}_{names[k]:04d}")
    return folder


def save(ds: Dataset, path: Path) -> Path:
    """Write part 10 in the byte order of its transfer syntax (`FileDataset` would refuse to change it)."""
    plain = Dataset(ds)
    plain.file_meta, plain.preamble = ds.file_meta, b"\0" * 128
    dcmwrite(path, plain, enforce_file_format=True)
    return path


def to_syntax(ds: Dataset, name: str) -> Dataset:
    """Re-encode the pixels of a native data set in a lossless transfer syntax."""
    uid = LOSSLESS[name]
    if uid == ExplicitVRBigEndian:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    elif uid in _BY_ITK:
        ds.PixelData = encapsulate([_itk_frame(f, _BY_ITK[uid]) for f in _frames(ds)])
        ds["PixelData"].VR = "OB"
    elif uid in (RLELossless, JPEGLSLossless):
        ds.compress(uid, generate_instance_uid=False)
    ds.file_meta.TransferSyntaxUID = uid
    return ds


def _frames(ds: Dataset) -> np.ndarray:
    kind = "<i2" if ds.PixelRepresentation else "<u2"
    return np.frombuffer(ds.PixelData, kind).reshape(-1, ds.Rows, ds.Columns)


def _itk_frame(pixels: np.ndarray, compressor: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "frame.dcm")
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.SetUseCompression(True)
        writer.SetCompressor(compressor)
        writer.SetFileName(path)
        writer.Execute(sitk.GetImageFromArray(pixels[None].astype(pixels.dtype.newbyteorder("="))))
        return next(generate_frames(dcmread(path).PixelData, number_of_frames=1))


def enhanced_ct(
    array: np.ndarray,
    positions: np.ndarray,
    *,
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    spacing_zyx: tuple[float, ...] = SPACING_ZYX,
    rescale: Callable[[int], tuple[float, float]] = lambda _k: (1.0, -1024.0),
    edit_frame: Callable[[int, Dataset], Any] = lambda _k, _item: None,
) -> FileDataset:
    """An enhanced multi-frame CT: frame k shows ``array[k]`` at ``positions[k]``, with its own slope and intercept."""
    ds = ct_slice(array[0], positions[0])
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        delattr(ds, name)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    ds.NumberOfFrames = len(array)
    measures, plane = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [spacing_zyx[1], spacing_zyx[2]], 99
    plane.ImageOrientationPatient = [float(f"{v:.10g}") for v in orientation]
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    ds.SharedFunctionalGroupsSequence = [shared]
    items, stored = [], []
    for k, (hu, position) in enumerate(zip(array, positions, strict=True)):
        place, content, values, item = Dataset(), Dataset(), Dataset(), Dataset()
        slope, intercept = rescale(k)
        place.ImagePositionPatient = [round(float(v), 6) for v in position]
        content.FrameAcquisitionNumber = 1
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = str(slope), str(intercept), "HU"
        item.PlanePositionSequence, item.FrameContentSequence = [place], [content]
        item.PixelValueTransformationSequence = [values]
        edit_frame(k, item)
        items.append(item)
        stored.append(np.rint((hu.astype(float) - intercept) / slope).astype("<u2"))
    ds.PerFrameFunctionalGroupsSequence = items
    ds.PixelData = np.array(stored).tobytes()
    return ds
