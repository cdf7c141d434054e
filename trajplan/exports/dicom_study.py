"""The study that DICOM exports belong to: whose identifiers are kept, which are made up, and nothing of the patient.

Of a DICOM scan the study, its frame of reference and the images are named by their UIDs, so that results open beside
it. Name, ID, birth date, accession number, institution and physician are left out (PS3.15, Basic Application Level
Confidentiality Profile with Retain UIDs Option); where DICOM wants a patient, a pseudonym made from the voxels
stands. `identity` puts them back for whoever has to file the results in an archive.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage

from trajplan import DISCLAIMER, __version__
from trajplan.errors import InputError
from trajplan.exports.handover import Handover
from trajplan.geometry import Volume
from trajplan.reading.dicom_header import BROKEN
from trajplan.reading.origin import Origin

_BLANK: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName",
)  # fmt: skip
_METHOD: Final = (("113100", "Basic Application Confidentiality Profile"), ("113110", "Retain UIDs Option"))
MANUFACTURER, MODEL, SERIAL = "trajplan", "trajplan", "0"
_AROUND_MM = 20.0


@dataclass(frozen=True, eq=False)
class Study:
    """What every DICOM export is made with.

    Parameters
    ----------
    frame_uid : str
        Frame of reference.
    images : list of Dataset
        The CT images by identifiers and place, with the patient and study they name; no pixels unless `made_ct`.
    identified : bool
        The patient's name and numbers are in.
    invented : dict
        What was made up: attribute -> value.
    made_ct : Volume or None
        The piece of the CT that is written along, where the scan has no DICOM images of its own.
    seed : str
        Every made-up UID is derived from it.
    date, time : str
        When the plan was made, as DICOM writes it.
    """

    frame_uid: str
    images: list[Dataset]
    identified: bool
    invented: dict[str, str]
    made_ct: Volume | None
    seed: str
    date: str
    time: str

    def uid(self, *what: object) -> str:
        """A UID for `what` of this plan; the same plan always gives the same."""
        return _uid(self.seed, *what)


def study_of(handover: Handover, identity: bool = False) -> Study:
    """The study of a handover.

    Parameters
    ----------
    handover : Handover
    identity : bool
        Put the patient's name and numbers back, as the scan states them.

    Raises
    ------
    InputError
        ``no_identity`` when they are asked for and the scan is no DICOM.
    """
    origin, document = handover.origin, handover.document
    if identity and origin is None:
        raise InputError("--keep-identity needs a DICOM scan: this one names no patient", code="no_identity")
    stamp = document.created.replace("-", "").replace(":", "")
    date, time = stamp[:8], stamp[9:15]
    pseudonym = f"TRAJPLAN-{document.input.sha256[:12].upper()}"
    who: dict[str, Any] = dict.fromkeys(_BLANK, "")
    invented: dict[str, str] = {}
    if origin is not None and identity:
        who = _identity(origin)
    else:
        who |= {"PatientName": f"{pseudonym}^", "PatientID": pseudonym}
        invented |= {"PatientName": who["PatientName"], "PatientID": pseudonym}
    study = origin.study_uid if origin else ""
    frame = origin.frame_of_reference_uid if origin else ""
    scan = document.input.sha256
    for name, found in (("StudyInstanceUID", study), ("FrameOfReferenceUID", frame)):
        if not found:
            invented[name] = _uid(scan, name)
    study, frame = study or invented["StudyInstanceUID"], frame or invented["FrameOfReferenceUID"]
    if not identity:
        who["PatientIdentityRemoved"] = "YES"
        who["DeidentificationMethod"] = "trajplan: no attribute that names a person is written"
        who["DeidentificationMethodCodeSequence"] = Sequence([_code(value, text) for value, text in _METHOD])
    common = who | {"StudyInstanceUID": study, "FrameOfReferenceUID": frame, "Modality": "CT"}
    made = None
    if origin is not None and origin.images:
        places = [
            {
                "SOPClassUID": i.sop_class, "SOPInstanceUID": i.sop_uid, "SeriesInstanceUID": origin.series_uid,
                "Rows": i.shape[0], "Columns": i.shape[1], "PixelSpacing": list(i.spacing_mm),
                "ImageOrientationPatient": i.orientation.tolist(), "ImagePositionPatient": i.position_lps.tolist(),
            }
            for i in origin.images
        ]  # fmt: skip
    else:
        made = _piece(handover)
        series = _uid(scan, "CT")
        invented["CT SeriesInstanceUID"] = series
        places = [_place(made, k, scan, series) for k in range(made.array.shape[0])]
    at = np.array([place["ImagePositionPatient"] for place in places], dtype=np.float64)
    step = f"{np.linalg.norm(at[1] - at[0]):.6g}" if len(at) > 1 else "1"  # between the slices, whatever a header says
    images = [_dataset(common | place | {"SliceThickness": step}) for place in places]
    return Study(frame, images, identity, invented, made, handover.sha256, date, time)


def finish(ds: Dataset, study: Study, description: str) -> Dataset:
    """What every export states of itself: simulated, when, for research, de-identified; nothing of this moment."""
    ds.SeriesDescription = description
    ds.InstanceCreationDate, ds.InstanceCreationTime = study.date, study.time
    for name in ("SeriesDate", "SeriesTime", "ContentDate", "ContentTime"):
        if name in ds:
            setattr(ds, name, study.date if name.endswith("Date") else study.time)
    for made_by in ds.get("ContributingEquipmentSequence", ()):
        made_by.ContributionDateTime = f"{study.date}{study.time}"
    first = study.images[0]
    for name in ("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"):
        if name in first:
            setattr(ds, name, first[name].value)
    return ds


def software() -> dict[str, Any]:
    """The equipment arguments that every highdicom class takes."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL,
        "software_versions": __version__,
        "device_serial_number": SERIAL,
    }


def note() -> str:
    """What is written as comment into images."""
    return f"SIMULATED by trajplan {__version__}. {DISCLAIMER}"


def _identity(origin: Origin) -> dict[str, Any]:
    try:
        ds = dcmread(origin.first_file, stop_before_pixels=True, force=True, specific_tags=list(_BLANK))
        return {name: ds.get(name, "") or "" for name in _BLANK}
    except BROKEN as error:
        raise InputError("the patient of the scan cannot be read from its files", code="no_identity") from error


def _piece(handover: Handover) -> Volume:
    """The CT around the parts and the paths."""
    grid, places = handover.volume.grid, [handover.parts.grid.corners_lps()]
    places += [np.array([t.entry_lps, t.target_lps]) for t in handover.document.trajectories]
    at = grid.world_to_index(np.concatenate(places))
    room = _AROUND_MM / grid.spacing_zyx
    start = np.maximum(np.floor(at.min(axis=0) - room).astype(int), 0)
    stop = np.minimum(np.ceil(at.max(axis=0) + room).astype(int) + 1, grid.shape_zyx)
    return handover.volume.cropped(start, stop)


def _place(piece: Volume, k: int, scan: str, series: str) -> dict[str, Any]:
    grid = piece.grid
    return {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": _uid(scan, "CT", k), "SeriesInstanceUID": series,
        "Rows": grid.shape_zyx[1], "Columns": grid.shape_zyx[2],
        "PixelSpacing": [float(v) for v in grid.spacing_zyx[1:]],
        "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "ImagePositionPatient": [float(v) for v in grid.index_to_world([k, 0, 0])],
    }  # fmt: skip


def _dataset(values: dict[str, Any]) -> Dataset:
    ds = Dataset()
    for name, value in values.items():
        numbers = name in ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient")
        setattr(ds, name, [f"{float(v):.9f}"[:16] for v in value] if numbers else value)
    return ds


def _code(value: str, meaning: str) -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, "DCM", meaning
    return ds


def _uid(*what: object) -> str:
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, 'trajplan ' + ' '.join(map(str, what))).int}"
