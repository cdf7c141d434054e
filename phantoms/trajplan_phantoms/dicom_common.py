"""What every DICOM image of a phantom has in common: nobody as patient, identifiers from a seed, pixels in 16 bits."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray

INTERCEPT_HU = -1024
DAY, TIME = "20000101", "120000"
"""A scan that never took place has a fixed date, so that the same phantom gives the same bytes."""
MAKER, MODEL = "trajplan", "trajplan phantom scanner"
IMPLEMENTATION_UID = UID("2.25.161803398874989484820458683436563811772")


def uid_of(seed: int, *parts: str) -> UID:
    """A UUID-derived UID, the same for the same seed and parts."""
    digest = hashlib.sha256("\0".join(["trajplan-phantom", str(seed), *parts]).encode()).digest()
    return UID(f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}")


def decimal(value: float) -> DSfloat:
    """A number as a decimal string of at most 16 characters."""
    return DSfloat(round(float(value), 10) + 0.0, auto_format=True)


def new_file(sop_class: UID, instance: UID) -> FileDataset:
    """An empty file with its meta header, SOP common and the modules about nobody."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "TRAJPLAN"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, instance
    return ds


def fill_study(ds: Dataset, seed: int, content: str, description: str, position: str) -> None:
    """Patient, study, series, frame of reference and equipment. No person stands behind any of it.

    Parameters
    ----------
    ds : Dataset
        Changed.
    seed : int
    content : str
        What tells this scan from another of the same seed; series, frame of reference and instances follow from it.
    description : str
        SeriesDescription.
    position : str
        PatientPosition.
    """
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Phantom^Synthetic", "PHANTOM", "", "O"
    ds.PatientIdentityRemoved, ds.DeidentificationMethod = "YES", "Computed phantom, no patient"
    ds.StudyInstanceUID = uid_of(seed, "study")
    ds.SeriesInstanceUID = uid_of(seed, "series", content)
    ds.FrameOfReferenceUID = uid_of(seed, "frame")
    ds.PositionReferenceIndicator = ""
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = ds.AcquisitionDate = DAY
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = ds.AcquisitionTime = TIME
    ds.AccessionNumber, ds.ReferringPhysicianName, ds.StudyID = "", "", "1"
    ds.StudyDescription, ds.SeriesDescription = "Synthetic spine", description
    ds.Modality, ds.SeriesNumber, ds.BodyPartExamined, ds.PatientPosition = "CT", 1, "SPINE", position
    ds.Manufacturer, ds.ManufacturerModelName = MAKER, MODEL
    ds.DeviceSerialNumber, ds.SoftwareVersions = str(seed), "1"


def fill_pixels(ds: Dataset, hu: AnyArray, padding_hu: int | None) -> None:
    """Image pixel module: signed 16 bits, HU less the intercept, and the padding value where there is padding."""
    low, high = int(hu.min()), int(hu.max())
    limits = np.iinfo(np.int16)
    if not (limits.min <= low - INTERCEPT_HU and high - INTERCEPT_HU <= limits.max):
        raise InputError(
            f"HU from {low} to {high} do not fit the 16 bits of a CT image",
            code="hu_range",
            numbers={"min": float(low), "max": float(high)},
        )
    ds.Rows, ds.Columns = hu.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    if padding_hu is not None:
        ds.PixelPaddingValue = padding_hu - INTERCEPT_HU
    ds.PixelData = (hu.astype(np.int32) - INTERCEPT_HU).astype("<i2").tobytes()


def as_sequence(**values: Any) -> list[Dataset]:
    """A sequence of one item with these attributes, by keyword."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return [item]
