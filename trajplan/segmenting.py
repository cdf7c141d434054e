"""Segment and measure one vertebra of a scan (at a seed, or a level looked for), or every one in view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.backend import Backend, Progress
from trajplan.anatomy.clean_labels import clean_labels
from trajplan.anatomy.column_search import shared
from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.level_proposal import LevelProposal
from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_column import find_column_by_network
from trajplan.anatomy.network_confidence import judge_looks
from trajplan.anatomy.network_input import SPACING_MM
from trajplan.anatomy.seeded import segment_at_seed
from trajplan.anatomy.spine_labels import column_ids, spine_labels
from trajplan.anatomy.vertebra import Confidence, Vertebra
from trajplan.anatomy.without_seed import named_at, require_level, seed_of_level
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, LabelMap, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.resample import resample_labels
from trajplan.levels import LEVEL_IDS, LEVEL_NAMES, level_id
from trajplan.parts import PART_NAMES

_T13_PLACE = LEVEL_IDS["T12"] + 0.5
"""Ids run from head to feet but for T13, which was numbered later."""


@dataclass(frozen=True, eq=False)
class SegmentedVertebra:
    """A vertebra of a label map.

    Attributes
    ----------
    label_id : int
        Its VerSe id, or a number of its own where nobody knows its name.
    level : str or None
    confidence : Confidence
        In the mask.
    measured : Vertebra or None
        None when it cannot be measured; `refusal` says why.
    found : tuple of FoundVertebra and Frame, or None
        How the search of the whole column saw it.
    """

    label_id: int
    level: str | None
    confidence: Confidence
    measured: Vertebra | None
    refusal: str = ""
    found: tuple[FoundVertebra, Frame] | None = None


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Labels and what they hold, from top to bottom; `levels` and `seed_lps` where vertebrae were counted."""

    labels: LabelMap
    vertebrae: tuple[SegmentedVertebra, ...]
    levels: LevelProposal | None = None
    seed_lps: FloatArray | None = None

    @property
    def ratings(self) -> Mapping[int, Confidence]:
        """Confidence in each mask, by label."""
        return {one.label_id: one.confidence for one in self.vertebrae}


def segment_one(
    backend: Backend, ct: Volume, seed_lps: FloatArray | None, level: str | None, progress: Progress
) -> Segmentation:
    """The vertebra at a seed; without one, that of a level, found by counting.

    Raises
    ------
    AnatomyError
        It is not found or cannot be segmented.
    """
    levels = None
    stated = level
    if seed_lps is None:
        seed_lps, levels = seed_of_level(ct, str(level), progress)
        stated = None  # the program counted
    result = segment_at_seed(backend, ct, seed_lps, level_id(level) if level else None, progress)
    one = _measured(ct, result.labels, result.target_id, stated, result.confidence)
    return Segmentation(result.labels, (one,), levels, np.asarray(seed_lps, dtype=float))


def segment_all(ct: Volume, seed_lps: FloatArray | None, level: str | None, progress: Progress) -> Segmentation:
    """Every vertebra in view, named as far as the evidence goes, or by the one at `seed_lps` that is `level`.

    Raises
    ------
    AnatomyError
        No spine, or no such level in view.
    """
    column = find_column_by_network(ct, lambda share, what: progress(0.4 * share, what))
    named = None if seed_lps is None or level is None else named_at(column, seed_lps, level)
    levels = column.levels(named)
    if level is not None and named is None:
        require_level(column, levels, level)
    ids = column_ids(levels.names)
    labels = spine_labels(ct, column.vertebrae, ids, levels.names)
    out = []
    for k, (one, frame, name) in enumerate(zip(column.vertebrae, column.frames, levels.names, strict=True)):
        progress(0.4 + 0.6 * k / len(ids), f"measuring {name or f'vertebra {k + 1}'}")
        beside = [*column.vertebrae[max(0, k - 1) : k], *column.vertebrae[k + 1 : k + 2]]
        overlap = max((shared(one, other) for other in beside), default=None)
        confidence = judge_looks(one.seen, None, one.seen.target_share, one.mask, 0.0, SPACING_MM, overlap)
        out.append(_measured(ct, labels, ids[k], name if named else None, confidence, name, (one, frame)))
    return Segmentation(labels, tuple(out), levels)


def measure_labelled(ct: Volume, labels: LabelMap, progress: Progress) -> Segmentation:
    """Every vertebra of labels that came with a scan, measured; their names are those of the labels.

    Raises
    ------
    AnatomyError
        ``no_vertebra``: the labels hold none.
    """
    cleaned, _ = clean_labels(labels)
    ids = [i for i in cleaned.ids() if i in LEVEL_NAMES]
    if not ids:
        raise AnatomyError("the labels hold no vertebra by its VerSe id", code="no_vertebra")
    known, out = Confidence(1.0, {}, ()), []
    for k, identifier in enumerate(sorted(ids, key=lambda i: _T13_PLACE if i == LEVEL_IDS["T13"] else i)):
        name = LEVEL_NAMES[identifier]
        progress(k / len(ids), f"measuring {name}")
        out.append(_measured(ct, cleaned, identifier, None, known, name))
    return Segmentation(cleaned, tuple(out))


def parts_of(vertebrae: Sequence[SegmentedVertebra], labels: LabelMap) -> LabelMap:
    """The parts (`trajplan.parts.Part`) of all measured vertebrae in one map.

    One vertebra keeps the finer grid it was measured on; several lie on the grid of `labels`, which tells whose part
    a voxel is. A canal goes to the uppermost vertebra that claims it.

    Raises
    ------
    AnatomyError
        ``not_measured``: none could be measured, so none has parts.
    """
    measured = [one for one in vertebrae if one.measured is not None]
    if not measured:
        reasons = "; ".join(one.refusal for one in vertebrae)
        raise AnatomyError(f"no vertebra could be divided into parts: {reasons}", code="not_measured")
    names = {int(i): name for i, name in PART_NAMES.items()}
    parts = [one.measured.parts for one in measured if one.measured is not None]
    if len(vertebrae) == 1:
        return LabelMap(parts[0].array, parts[0].grid, names)
    out = np.zeros(labels.grid.shape_zyx, dtype=np.uint8)
    for one, own in zip(measured, parts, strict=True):
        here = resample_labels(own, labels.grid).array
        mine = (here > 0) & ((labels.array == one.label_id) | ((labels.array == 0) & (out == 0)))
        out[mine] = here[mine]
    return LabelMap(out, labels.grid, names)


def _measured(
    ct: Volume,
    labels: LabelMap,
    identifier: int,
    stated: str | None,
    confidence: Confidence,
    level: str | None = None,
    found: tuple[FoundVertebra, Frame] | None = None,
) -> SegmentedVertebra:
    """`stated` is the name when a person said it, `level` the name to show."""
    try:
        vertebra = measure_vertebra(
            ct,
            labels,
            identifier,
            level=stated,
            level_confirmed=stated is not None,
            source="segmented",
            confidence=confidence,
        )
    except AnatomyError as error:
        return SegmentedVertebra(identifier, level or stated, confidence, None, f"{error.code}: {error}", found)
    return SegmentedVertebra(identifier, level or stated, confidence, vertebra, "", found)
