"""DICOM without a class of its own in highdicom, and the simple ones: encapsulated PDF, captured X-rays, CT slices."""

from __future__ import annotations

import numpy as np
from highdicom.sc import SCImage
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage, ExplicitVRLittleEndian

from trajplan import __version__
from trajplan.exports.captures import Capture
from trajplan.exports.dicom_study import MANUFACTURER, MODEL, SERIAL, Study, finish, note, software
from trajplan.geometry.arrays import AnyArray

CAPTURES, PDF, CT = 9003, 9004, 9000
_PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def captured(capture: Capture, number: int, study: Study) -> Dataset:
    """One simulated X-ray as a Secondary Capture; its pixel spacing is that at the isocentre."""
    first = study.images[0]
    ds = SCImage(
        pixel_array=capture.grey,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=first.StudyInstanceUID,
        series_instance_uid=study.uid("SC series"),
        series_number=CAPTURES,
        sop_instance_uid=study.uid("SC", capture.name),
        instance_number=number,
        patient_id=first.PatientID,
        patient_name=first.PatientName,
        patient_birth_date=first.PatientBirthDate,
        patient_sex=first.PatientSex,
        accession_number=first.AccessionNumber,
        study_id=first.StudyID,
        study_date=first.StudyDate or None,
        study_time=first.StudyTime or None,
        referring_physician_name=first.ReferringPhysicianName,
        pixel_spacing=(capture.pixel_mm, capture.pixel_mm),
        patient_orientation=capture.orientation,
        **software(),
    )
    ds.ImageType = ["DERIVED", "SECONDARY", "SIMULATED"]
    ds.BodyPartExamined = "SPINE"
    ds.DateOfSecondaryCapture, ds.TimeOfSecondaryCapture = study.date, study.time
    ds.PixelSpacingCalibrationType, ds.PixelSpacingCalibrationDescription = "GEOMETRY", "at the isocentre"
    ds.BurnedInAnnotation, ds.RecognizableVisualFeatures = "NO", "NO"
    ds.ImageComments = f"{capture.title}. {note()}"
    ds.DerivationDescription = "Line integrals through a CT"
    return finish(ds, study, "trajplan X-rays, SIMULATED, research only")


def encapsulated_pdf(data: bytes, study: Study) -> Dataset:
    """The report as an Encapsulated PDF."""
    ds = _file(study, EncapsulatedPDFStorage, study.uid("PDF"))
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "DOC", PDF, 1
    ds.SeriesInstanceUID, ds.ConversionType = study.uid("PDF series"), "WSD"
    ds.ContentDate, ds.ContentTime = study.date, study.time
    ds.AcquisitionDateTime = ""
    ds.BurnedInAnnotation = "NO"
    ds.DocumentTitle = "Simulated kyphoplasty access plan, research only"
    ds.ConceptNameCodeSequence = Sequence([])
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(data)
    ds.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    return finish(ds, study, "trajplan report, SIMULATED, research only")


def ct_slice(pixels_hu: AnyArray, number: int, image: Dataset, spacing_mm: float, study: Study) -> Dataset:
    """One slice of the piece of CT that stands in for images the scan does not have."""
    ds = _file(study, CTImageStorage, image.SOPInstanceUID)
    for name in ("SeriesInstanceUID", "FrameOfReferenceUID", "Rows", "Columns", "PixelSpacing"):
        setattr(ds, name, image[name].value)
    ds.ImageOrientationPatient, ds.ImagePositionPatient = image.ImageOrientationPatient, image.ImagePositionPatient
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", CT, number
    ds.ImageType, ds.PatientPosition, ds.PositionReferenceIndicator = ["DERIVED", "SECONDARY", "AXIAL"], "HFS", ""
    ds.AcquisitionNumber, ds.SliceThickness, ds.KVP = 1, f"{spacing_mm:.6g}", ""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "1", "0", "HU"
    ds.BurnedInAnnotation, ds.BodyPartExamined, ds.ImageComments = "NO", "SPINE", "Made from a file that is no DICOM"
    ds.PixelData = np.ascontiguousarray(pixels_hu, dtype="<i2").tobytes()
    ds["PixelData"].VR = "OW"
    return finish(ds, study, "CT around the vertebra, converted")


def _file(study: Study, sop_class: str, sop_uid: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, sop_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, sop_uid
    for name in _PATIENT_AND_STUDY:
        setattr(ds, name, study.images[0][name].value)
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, MODEL
    ds.DeviceSerialNumber, ds.SoftwareVersions = SERIAL, __version__
    return ds
