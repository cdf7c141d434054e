"""The vertebrae of a scan as rows to choose from: level, place, heights, loss, grade and what to check. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.backend import Progress
from trajplan.anatomy.level_proposal import LevelStatus
from trajplan.case import CaseRequest
from trajplan.errors import AnatomyError
from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import FloatArray
from trajplan.reading.scan import Scan
from trajplan.segmenting import Segmentation, SegmentedVertebra, measure_labelled, segment_all


@dataclass(frozen=True, eq=False)
class LevelRow:
    """One vertebra found. `level` is None where nobody knows it; `problem` says why it was not measured."""

    level: str | None
    center_lps: FloatArray
    heights_mm: tuple[float, float, float] | None = None
    loss_percent: float | None = None
    fracture: str = ""
    genant: int | None = None
    check: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Levels:
    """All that were found, from top to bottom, and how far their names can be trusted."""

    rows: tuple[LevelRow, ...]
    told: str


def list_levels(scan: Scan, request: CaseRequest, *, progress: Progress) -> Levels:
    """Every vertebra in view: of the labels that came with the scan, else as the network finds and counts them.

    Raises
    ------
    AnatomyError
        No vertebra was found; the network cannot be loaded.
    """
    if request.labels is not None:
        found = measure_labelled(scan.volume, request.labels, progress)
        return Levels(_rows(found), "Names are those of the labels.")
    found = segment_all(scan.volume, None, None, progress)
    return Levels(_rows(found), _told(found))


def _rows(found: Segmentation) -> tuple[LevelRow, ...]:
    if not found.vertebrae:
        raise AnatomyError("no vertebra was found: click on one in a slice", code="no_vertebra")
    return tuple(_row(one, found.labels) for one in found.vertebrae)


def _row(one: SegmentedVertebra, labels: LabelMap) -> LevelRow:
    measured = one.measured
    if measured is None:
        return LevelRow(one.level, _center(one, labels), check=one.confidence.check, problem=one.refusal)
    heights = measured.heights
    return LevelRow(
        one.level,
        np.asarray(measured.frame.origin_lps),
        (heights.ha_mm, heights.hm_mm, heights.hp_mm),
        heights.loss_percent,
        measured.fracture.type,
        measured.fracture.genant_grade,
        measured.confidence.check,
        "cut by the edge of the scan" if measured.touches_edge else "",
    )


def _center(one: SegmentedVertebra, labels: LabelMap) -> FloatArray:
    if one.found is not None:
        return np.asarray(one.found[0].center_lps)
    inside = np.argwhere(labels.array == one.label_id)
    return np.asarray(labels.grid.index_to_world(inside[len(inside) // 2]))


def _told(found: Segmentation) -> str:
    levels = found.levels
    if levels is None:
        return ""
    by = ", ".join(f"{one.anchor} ({one.level})" for one in levels.evidence) or "nothing to count from"
    sure = "agreed" if levels.status is LevelStatus.AGREED else "not confirmed: count them yourself"
    return " ".join((f"Names {sure}; {by}.", *levels.reasons))
