"""DICOM SR (TID 1500): the paths as lines in space, their measures and verdicts; partial and unverified."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset

from trajplan import __version__
from trajplan.exports.augmentation_model import AugmentationModel
from trajplan.exports.dicom_study import MODEL, SERIAL, Study, finish, software
from trajplan.exports.path_model import TrajectoryModel
from trajplan.exports.plan_model import PlanDocument
from trajplan.exports.vertebra_model import PedicleModel, VertebraModel

SERIES = 9002
SCHEME: Final = "99TRAJPLAN"
_UNITS: Final = {
    "mm": CodedConcept("mm", "UCUM", "mm"),
    "deg": CodedConcept("deg", "UCUM", "deg"),
    "ml": CodedConcept("ml", "UCUM", "ml"),
    "%": CodedConcept("%", "UCUM", "percent"),
    "HU": CodedConcept("[hnsf'U]", "UCUM", "Hounsfield unit"),
}
_SIDES: Final = {"left": CodedConcept("7771000", "SCT", "Left"), "right": CodedConcept("24028007", "SCT", "Right")}
_VERTEBRA: Final = CodedConcept("51282000", "SCT", "Vertebra")
_PEDICLE: Final = CodedConcept("8911002", "SCT", "Pedicle of vertebra")


def structured_report(document: PlanDocument, study: Study) -> Dataset:
    """The SR object: a group for each path, one for each pedicle and one for the vertebra."""
    observer = sr.ObserverContext(
        observer_type=CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=study.uid("device"), name="trajplan", manufacturer_name="trajplan", model_name=MODEL,
            serial_number=SERIAL,
        ),
    )  # fmt: skip
    groups = [_path(path, study) for path in document.trajectories]
    groups += [_pedicle(pedicle, study) for pedicle in document.pedicles]
    if document.vertebra is not None:
        groups.append(_vertebra(document.vertebra, study))
    if document.augmentation is not None:
        groups.append(_augmentation(document.augmentation, study))
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=_own("plan", "Simulated kyphoplasty access plan"),
        imaging_measurements=groups,
        title=CodedConcept("126000", "DCM", "Imaging Measurement Report"),
    )
    ds = sr.Comprehensive3DSR(
        evidence=study.images,
        content=content,
        series_instance_uid=study.uid("SR series"),
        series_number=SERIES,
        sop_instance_uid=study.uid("SR"),
        instance_number=1,
        is_complete=False,
        is_final=False,
        is_verified=False,
        **software(),
        coding_schemes=[
            CodingSchemeIdentificationItem(
                designator=SCHEME, name="trajplan codes", version=__version__, responsible_organization="trajplan"
            )
        ],
    )
    return finish(ds, study, "trajplan measures, SIMULATED, research only")


def _path(path: TrajectoryModel, study: Study) -> Any:
    line = np.array([path.entry_lps, path.target_lps], dtype=np.float64)
    region = sr.ImageRegion3D(
        graphic_type=sr.GraphicTypeValues3D.POLYLINE, graphic_data=line, frame_of_reference_uid=study.frame_uid
    )
    c, b = path.clearance, path.breach_probability
    measured = [
        ("length_in_bone", "Length in bone", path.length_in_bone_mm, "mm"),
        ("length_from_skin", "Length from the skin", path.length_from_skin_mm, "mm"),
        ("diameter", "Outer diameter of the instrument", path.instrument.outer_diameter_mm, "mm"),
        ("convergence", "Convergence to the midline", path.angles.convergence_deg, "deg"),
        ("craniocaudal", "Craniocaudal angle, caudal forward", path.angles.craniocaudal_deg, "deg"),
        ("clearance", "Least clearance to a wall", c.min_mm, "mm"),
        *((f"clearance_{wall}", f"Clearance, {wall} wall", getattr(c, f"{wall}_mm"), "mm") for wall in
          ("medial", "lateral", "superior", "inferior", "anterior", "endplate", "canal", "foramen")),
        ("breach", "Simulated chance of a breach", 100 * b.any, "%"),
        ("carm_primary", "C-arm primary angle, LAO positive", path.en_face.primary_deg, "deg"),
        ("carm_secondary", "C-arm secondary angle, CRA positive", path.en_face.secondary_deg, "deg"),
    ]  # fmt: skip
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracked(f"path {path.side}", study),
        referenced_region=region,
        finding_type=_own("path", "Planned trocar path, bone entry to tip"),
        finding_sites=[sr.FindingSite(anatomic_location=_PEDICLE, laterality=_SIDES[path.side])],
        measurements=_measurements(measured),
        qualitative_evaluations=[
            _said("verdict", "Verdict of the simulation", path.verdict, path.verdict.capitalize()),
            _said("grade", "Gertzbein-Robbins grade", path.gertzbein_robbins, path.gertzbein_robbins),
            _said("use", "Intended use", "research", "Research and education only; not for clinical use"),
        ],
    )


def _pedicle(pedicle: PedicleModel, study: Study) -> Any:
    region = sr.ImageRegion3D(
        graphic_type=sr.GraphicTypeValues3D.POINT,
        graphic_data=np.array([pedicle.isthmus_center_lps], dtype=np.float64),
        frame_of_reference_uid=study.frame_uid,
    )
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracked(f"pedicle {pedicle.side}", study),
        referenced_region=region,
        finding_type=_PEDICLE,
        finding_sites=[sr.FindingSite(anatomic_location=_PEDICLE, laterality=_SIDES[pedicle.side])],
        measurements=_measurements([
            ("pedicle_width", "Width at the isthmus", pedicle.width_mm, "mm"),
            ("pedicle_height", "Height at the isthmus", pedicle.height_mm, "mm"),
        ]),
    )  # fmt: skip


def _vertebra(v: VertebraModel, study: Study) -> Any:
    level = v.level or "not known"
    measured = [
        ("height_anterior", "Anterior body height", v.heights.ha_mm, "mm"),
        ("height_middle", "Middle body height", v.heights.hm_mm, "mm"),
        ("height_posterior", "Posterior body height", v.heights.hp_mm, "mm"),
        ("height_loss", "Largest height loss", v.heights.loss_percent, "%"),
        ("body_volume", "Volume of the body", v.body_volume_ml, "ml"),
        ("body_hu", "Trabecular density", v.body_hu, "HU"),
    ]
    stated = "as entered, not verified" if v.level_confirmed else "not confirmed"
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracked("vertebra", study),
        finding_type=_VERTEBRA,
        finding_sites=[sr.FindingSite(anatomic_location=_VERTEBRA)],
        measurements=_measurements(measured),
        qualitative_evaluations=[_said("level", "Level", level.replace(" ", "_"), f"{level} ({stated})")],
    )


def _augmentation(a: AugmentationModel, study: Study) -> Any:
    """What is simulated after access, named so that nobody takes it for measured."""
    measured: list[tuple[str, str, float | None, str]] = [
        (f"balloon_{i.side}", f"Simulated balloon {i.side}, volume", i.steps[-1].volume_ml, "ml") for i in a.inflations
    ]
    if a.restoration is not None:
        for place, height in zip(("anterior", "middle", "posterior"), a.restoration.predicted.heights_mm, strict=True):
            measured.append((f"predicted_{place}", f"Predicted upper bound, {place} height", height, "mm"))
    if a.cement is not None:
        measured.append(("cement", "Simulated cement, planned at most", a.cement.planned_ml, "ml"))
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracked("augmentation", study),
        finding_type=_own("augmentation", "Simulated augmentation"),
        finding_sites=[sr.FindingSite(anatomic_location=_VERTEBRA)],
        measurements=_measurements(measured),
    )


def _measurements(rows: Iterable[tuple[str, str, float | None, str]]) -> list[Any]:
    return [
        sr.Measurement(name=_own(code, meaning), value=float(value), unit=_UNITS[unit])
        for code, meaning, value, unit in rows
        if value is not None
    ]


def _said(code: str, meaning: str, value: str, text: str) -> Any:
    return sr.QualitativeEvaluation(name=_own(code, meaning), value=_own(value[:16], text[:64]))


def _own(code: str, meaning: str) -> CodedConcept:
    return CodedConcept(code[:16], SCHEME, meaning)


def _tracked(name: str, study: Study) -> Any:
    return sr.TrackingIdentifier(uid=study.uid("tracked", name), identifier=name)
