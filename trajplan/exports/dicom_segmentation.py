"""DICOM SEG: parts and solids as a binary segmentation on a grid of its own, in the frame of reference of the CT."""

from __future__ import annotations

from typing import Any

import highdicom as hd
import numpy as np
from highdicom.seg import Segmentation, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset

from trajplan import __version__
from trajplan.exports.dicom_study import MANUFACTURER, MODEL, SERIAL, Study, finish
from trajplan.exports.segments import Segment, Segments

SERIES = 9001
_STRUCTURE = CodedConcept("123037004", "SCT", "Anatomical Structure")
_OBJECT = CodedConcept("260787004", "SCT", "Physical object")
_VERTEBRA = CodedConcept("51282000", "SCT", "Vertebra")
_KINDS = {
    "trocar": CodedConcept("trocar", "99TRAJPLAN", "Planned trocar"),
    "balloon": CodedConcept("balloon", "99TRAJPLAN", "Simulated balloon"),
    "cement": CodedConcept("cement", "99TRAJPLAN", "Simulated cement"),
}


def segmentation(segments: Segments, study: Study) -> Dataset:
    """The SEG object; frames without a segment are left out."""
    masks = np.stack([segments.mask(s) for s in segments.found], axis=-1).astype(np.uint8)
    grid = segments.grid
    affine = np.eye(4)
    # array axes z, y, x in columns
    affine[:3, :3] = (grid.direction * grid.spacing_xyz)[:, ::-1]
    affine[:3, 3] = grid.origin_lps
    numbers = list(range(1, len(segments.found) + 1))
    volume = hd.Volume(
        masks, affine, coordinate_system="PATIENT", frame_of_reference_uid=study.frame_uid,
        channels={"SegmentNumber": numbers},
    )  # fmt: skip
    ds = Segmentation(
        source_images=study.images,
        pixel_array=volume,
        segmentation_type="BINARY",
        segment_descriptions=[_description(n, s, study) for n, s in zip(numbers, segments.found, strict=True)],
        series_instance_uid=study.uid("SEG series"),
        series_number=SERIES,
        sop_instance_uid=study.uid("SEG"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=__version__,
        device_serial_number=SERIAL,
        content_label="TRAJPLAN",
        content_description="Parts and planned solids, SIMULATED",
    )
    for item in (*ds.DimensionOrganizationSequence, *ds.DimensionIndexSequence):
        item.DimensionOrganizationUID = study.uid("dimensions")
    return finish(ds, study, "trajplan segments, SIMULATED, research only")


def _description(number: int, segment: Segment, study: Study) -> SegmentDescription:
    part = segment.kind == "part"
    kind: Any = _VERTEBRA if part else _KINDS[segment.kind]
    return SegmentDescription(
        segment_number=number,
        segment_label=segment.title[:64],
        segmented_property_category=_STRUCTURE if part else _OBJECT,
        segmented_property_type=kind,
        algorithm_type="SEMIAUTOMATIC",
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name="trajplan", version=__version__, family=CodedConcept("geometry", "99TRAJPLAN", "Geometric planning")
        ),
        tracking_uid=study.uid("segment", segment.name),
        tracking_id=segment.name,
        display_color=hd.color.CIELabColor.from_rgb(*(round(255 * c) for c in segment.color)),
    )
