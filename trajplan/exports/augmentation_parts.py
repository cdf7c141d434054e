"""The augmentation block of plan.json, made from the dataclasses."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.candidacy import CandidacySheet
from trajplan.augmentation.cement import Cement
from trajplan.augmentation.envelope import Envelope
from trajplan.augmentation.inflation import Inflation
from trajplan.augmentation.leak import LeakFinding
from trajplan.augmentation.published import Published
from trajplan.augmentation.restoration import Restoration, Shape
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.exports.augmentation_model import (
    AugmentationModel,
    CandidacyModel,
    CementModel,
    CriterionModel,
    EnvelopeModel,
    InflationModel,
    InflationStepModel,
    LeakModel,
    PublishedModel,
    RestorationModel,
    RestorationStepModel,
    SequenceModel,
    SequenceStepModel,
    ShapeModel,
)
from trajplan.exports.plain import UNIT_DIGITS, numbers, optional, required, rounded, vector
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side

_MM = 2
_WHERE = "augmentation"


def augmentation(a: Augmentation) -> AugmentationModel:
    """The block of one case; of the candidacy entries only what was entered, word for word as in the report."""
    return AugmentationModel(
        settings=_settings(a.settings),
        sequences=tuple(_sequence(s) for s in a.sequences),
        inflations=tuple(_inflation(i) for i in a.inflations),
        restoration=None if a.restoration is None else _restoration(a.restoration),
        cement=None if a.cement is None else _cement(a.cement),
        leaks=tuple(_leak(finding) for finding in a.leaks),
        candidacy=_candidacy(a.candidacy),
        notes=a.notes,
    )


def _settings(s: AugmentationSettings) -> dict[str, float | bool | str | None]:
    return {f.name: getattr(s, f.name) for f in dataclasses.fields(s) if f.name != "entries"}


def _side(side: Side) -> Literal["left", "right"]:
    return "left" if side is Side.LEFT else "right"


def _published(p: Published) -> PublishedModel:
    return PublishedModel(text=p.text, source=p.source, evidence=p.evidence)


def _sequence(s: InstrumentSequence) -> SequenceModel:
    return SequenceModel(
        side=_side(s.side),
        steps=tuple(
            SequenceStepModel(
                name=one.name,
                instrument=one.instrument,
                tip_lps=vector(one.tip_lps, f"{_WHERE}.sequences.tip_lps"),
                depth_mm=required(one.depth_mm, f"{_WHERE}.sequences.depth_mm", _MM),
                from_skin_mm=optional(one.from_skin_mm, _MM),
                from_hub_mm=optional(one.from_hub_mm, _MM),
                rule=_published(one.rule),
            )
            for one in s.steps
        ),
        cannula=s.cannula.name,
        cannula_outer_diameter_mm=rounded(s.cannula.outer_diameter_mm),
        cannula_clearance_mm=required(s.cannula_clearance_mm, f"{_WHERE}.sequences.cannula_clearance_mm"),
        drill=s.drill.name,
        balloon=None if s.balloon is None else s.balloon.name,
        warnings=s.warnings,
    )


def _inflation(i: Inflation) -> InflationModel:
    return InflationModel(
        side=_side(i.side),
        balloon=i.balloon.name,
        verified=i.balloon.verified,
        stop=i.stop,
        why=i.why,
        strict_ml=i.strict_ml,
        steps=tuple(
            InflationStepModel(
                volume_ml=rounded(s.volume_ml),
                diameter_mm=rounded(s.diameter_mm, _MM),
                length_mm=rounded(s.length_mm, _MM),
                cavity_ml=rounded(s.cavity_ml),
                nearest_mm=numbers(s.nearest_mm),
                contact=s.contact,
            )
            for s in i.steps
        ),
        envelope=_envelope(i.final.envelope),
    )


def _envelope(e: Envelope) -> EnvelopeModel:
    rows = np.flatnonzero(e.radius_mm.max(axis=1) > 0)
    kept = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
    first, second, axis = (vector(row, f"{_WHERE}.envelope.axes_lps", UNIT_DIGITS) for row in e.axes_lps)
    return EnvelopeModel(
        center_lps=vector(e.center_lps, f"{_WHERE}.envelope.center_lps"),
        axes_lps=(first, second, axis),
        z_mm=tuple(rounded(z, 3) for z in e.z_mm[kept]),
        radius_mm=tuple(tuple(rounded(r, 3) for r in row) for row in e.radius_mm[kept]),
    )


def _three(values: FloatArray) -> tuple[float, float, float]:
    a, b, c = (required(float(x), f"{_WHERE}.restoration", _MM) for x in values)
    return a, b, c


def _shape(s: Shape) -> ShapeModel:
    return ShapeModel(
        heights_mm=_three(s.heights_mm),
        wedge_deg=required(s.wedge_deg, f"{_WHERE}.restoration.wedge_deg", _MM),
        local_kyphosis_deg=optional(s.local_kyphosis_deg, _MM),
    )


def _restoration(r: Restoration) -> RestorationModel:
    return RestorationModel(
        before=_shape(r.before),
        predicted=_shape(r.predicted),
        expected_mm=_three(r.expected_mm),
        failed=r.failed,
        steps=tuple(
            RestorationStepModel(
                volume_ml=rounded(s.volume_ml),
                heights_mm=_three(s.heights_mm),
                wedge_deg=required(s.wedge_deg, f"{_WHERE}.restoration.steps", _MM),
                lifted_ml=rounded(s.lifted_ml),
            )
            for s in r.steps
        ),
        kept=tuple(_published(p) for p in r.kept),
    )


def _cement(c: Cement) -> CementModel:
    low, high = (vector(p, f"{_WHERE}.cement.stop_line_lps") for p in c.stop_line_lps)
    return CementModel(
        cavity_ml=rounded(c.cavity_ml),
        fill_ml=rounded(c.fill_ml),
        planned_ml=rounded(c.planned_ml),
        held_back_ml=rounded(c.held_back_ml),
        body_share=rounded(c.body_share),
        restored_share=rounded(c.restored_share),
        cap_ml=rounded(c.cap_ml),
        touches=c.touches,
        posterior_wall_mm=optional(c.posterior_wall_mm, _MM),
        stop_line_lps=(low, high),
        published=tuple(_published(p) for p in c.published),
    )


def _leak(f: LeakFinding) -> LeakModel:
    return LeakModel(
        code=f.code,
        present=f.present,
        text=f.text,
        at_lps=None if f.at_lps is None else vector(f.at_lps, f"{_WHERE}.leaks.at_lps"),
        value=optional(f.value, _MM),
        unit=f.unit,
        published=None if f.published is None else _published(f.published),
    )


def _candidacy(c: CandidacySheet) -> CandidacyModel:
    return CandidacyModel(
        entered=c.entered,
        measured=c.measured,
        criteria=tuple(
            CriterionModel(name=k.name, speaks=k.speaks, because=k.because, published=_published(k.published))
            for k in c.criteria
        ),
        disagreements=tuple(_published(p) for p in c.disagreements),
    )
