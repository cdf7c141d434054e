"""A stack of slices as one Enhanced CT multi-frame file."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage

from trajplan_phantoms.dicom_common import (
    DAY,
    INTERCEPT_HU,
    TIME,
    as_sequence,
    decimal,
    fill_pixels,
    fill_study,
    new_file,
    uid_of,
)
from trajplan_phantoms.tilt import Stack

_STACK_ID, _IN_STACK, _FRAME_CONTENT = 0x00209056, 0x00209057, 0x00209111
_TYPE = ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
"""DERIVED: there was no exposure to report, so no value of one is made up."""


def write_enhanced(
    stack: Stack,
    path: Path,
    *,
    position: str = "HFS",
    thickness_mm: float | None = None,
    padding_hu: int | None = None,
    seed: int = 1,
    content: str = "",
) -> Path:
    """Write one Enhanced CT Image; the parameters are those of `write_dicom.write_series`."""
    ds = new_file(EnhancedCTImageStorage, uid_of(seed, "enhanced", content))
    fill_study(ds, seed, content + "enhanced", "Phantom CT, multi-frame", position)
    ds.ImageType, ds.InstanceNumber, ds.AcquisitionNumber = _TYPE, 1, 1
    del ds.AcquisitionDate, ds.AcquisitionTime  # one attribute stands for both in a multi-frame image
    ds.AcquisitionDateTime = DAY + TIME
    ds.PixelPresentation, ds.VolumetricProperties, ds.VolumeBasedCalculationTechnique = "MONOCHROME", "VOLUME", "NONE"
    ds.ContentQualification, ds.PresentationLUTShape = "RESEARCH", "IDENTITY"
    ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
    ds.MultienergyCTAcquisition = "NO"
    ds.AcquisitionContextSequence = Sequence()
    ds.NumberOfFrames = len(stack.array)
    _fill_dimensions(ds, uid_of(seed, "dimension", content))
    ds.SharedFunctionalGroupsSequence = Sequence([_shared(stack, thickness_mm, uid_of(seed, "event", content))])
    ds.PerFrameFunctionalGroupsSequence = Sequence([_frame(stack, k) for k in range(len(stack.array))])
    fill_pixels(ds, stack.array, padding_hu)
    ds.save_as(path, enforce_file_format=True)
    return path


def _fill_dimensions(ds: Dataset, organization: str) -> None:
    ds.DimensionOrganizationSequence = as_sequence(DimensionOrganizationUID=organization)
    ds.DimensionIndexSequence = Sequence(
        item
        for pointer, label in ((_STACK_ID, "Stack"), (_IN_STACK, "Slice"))
        for item in as_sequence(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=pointer,
            FunctionalGroupPointer=_FRAME_CONTENT,
            DimensionDescriptionLabel=label,
        )
    )


def _shared(stack: Stack, thickness_mm: float | None, event: str) -> Dataset:
    group = Dataset()
    group.IrradiationEventIdentificationSequence = as_sequence(IrradiationEventUID=event)
    group.PixelMeasuresSequence = as_sequence(
        PixelSpacing=[decimal(v) for v in stack.spacing_mm],
        SliceThickness=decimal(thickness_mm or stack.slice_spacing_mm),
        SpacingBetweenSlices=decimal(stack.slice_spacing_mm),
    )
    group.PlaneOrientationSequence = as_sequence(ImageOrientationPatient=[decimal(v) for v in stack.orientation])
    spine = as_sequence(CodeValue="421060004", CodingSchemeDesignator="SCT", CodeMeaning="Vertebral column")
    group.FrameAnatomySequence = as_sequence(FrameLaterality="U", AnatomicRegionSequence=spine)
    group.CTImageFrameTypeSequence = as_sequence(
        FrameType=_TYPE,
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    group.PixelValueTransformationSequence = as_sequence(
        RescaleIntercept=str(INTERCEPT_HU), RescaleSlope="1", RescaleType="HU"
    )
    group.FrameVOILUTSequence = as_sequence(WindowCenter="300", WindowWidth="1500")
    return group


def _frame(stack: Stack, k: int) -> Dataset:
    group = Dataset()
    group.FrameContentSequence = as_sequence(
        StackID="1", InStackPositionNumber=k + 1, DimensionIndexValues=[1, k + 1], FrameAcquisitionNumber=1
    )
    group.PlanePositionSequence = as_sequence(ImagePositionPatient=[decimal(v) for v in stack.positions_lps[k]])
    return group
