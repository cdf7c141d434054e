"""All DICOM objects of a plan into one folder, and what was made up for them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from trajplan import DISCLAIMER
from trajplan.exports.captures import captures_of
from trajplan.exports.dicom_documents import captured, ct_slice, encapsulated_pdf
from trajplan.exports.dicom_report import structured_report
from trajplan.exports.dicom_segmentation import segmentation
from trajplan.exports.dicom_study import Study, study_of
from trajplan.exports.handover import Handover
from trajplan.exports.segments import segments_of

IDENTIFIERS = "identifiers.json"


def write_dicom(handover: Handover, folder: Path, identity: bool = False) -> None:
    """Write ``SEG.dcm``, ``SR.dcm``, ``SC_*.dcm`` and ``PDF.dcm``, a series each, and ``identifiers.json``.

    Where the scan is no DICOM, the CT around the vertebra comes along (``CT_*.dcm``) for the others to lie on.

    Raises
    ------
    InputError
        ``no_identity``.
    """
    # the name stays as the scan has it, whatever highdicom thinks of its form
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The string .* is unlikely to represent", category=UserWarning)
        made = _objects(handover, study := study_of(handover, identity))
    for name, ds in made.items():
        ds.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    (folder / IDENTIFIERS).write_text(_identifiers(study, made), encoding="utf-8", newline="\n")


def _objects(handover: Handover, study: Study) -> dict[str, Any]:
    """File name without suffix -> data set."""
    made: dict[str, Any] = {"SEG": segmentation(segments_of(handover), study)}
    made["SR"] = structured_report(handover.document, study)
    for number, capture in enumerate(captures_of(handover), start=1):
        made[f"SC_{capture.name}"] = captured(capture, number, study)
    if handover.report is not None:
        made["PDF"] = encapsulated_pdf(handover.report, study)
    if study.made_ct is not None:
        spacing = float(study.made_ct.grid.spacing_zyx[0])
        for k, (pixels, image) in enumerate(zip(study.made_ct.array, study.images, strict=True)):
            made[f"CT_{k + 1:04d}"] = ct_slice(pixels, k + 1, image, spacing, study)
    return made


def _identifiers(study: Study, made: dict[str, Any]) -> str:
    kept = {"StudyInstanceUID": study.images[0].StudyInstanceUID, "FrameOfReferenceUID": study.frame_uid}
    kept = {name: str(value) for name, value in kept.items() if name not in study.invented}
    invented = dict(study.invented)
    for ds in made.values():
        if ds.Modality != "CT":
            invented[f"{ds.Modality} SeriesInstanceUID"] = str(ds.SeriesInstanceUID)
    facts = {
        "disclaimer": DISCLAIMER,
        "patient": "as in the scan, put back on request" if study.identified else "a pseudonym made from the voxels",
        "kept_from_the_scan": kept,
        "invented": invented,
        "ct_written_along": study.made_ct is not None,
    }
    return json.dumps(facts, indent=1) + "\n"
