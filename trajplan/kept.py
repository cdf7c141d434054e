"""A segmented vertebra kept for later: all it takes to measure it again, without segmenting again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trajplan.anatomy.backend import LabelResult
from trajplan.anatomy.measure import measure_vertebra
from trajplan.reading.scan import Scan
from trajplan.target import Target


@dataclass(frozen=True, eq=False)
class Kept:
    """What a back-end made of one vertebra, before it was measured.

    Parameters
    ----------
    made : LabelResult
        Labels (VerSe ids, LPS), which of them is meant, and how sure the back-end was.
    level : str or None
    level_confirmed : bool
        Whether a person has stated the level.
    source : str
        The back-end.
    notes : tuple of str
        What a reader must know about how the vertebra was found.
    provenance : mapping
        As in `Target`.
    spacing_mm : float or None
        Largest voxel spacing of what the mask was made on.
    """

    made: LabelResult
    level: str | None
    level_confirmed: bool
    source: str
    notes: tuple[str, ...]
    provenance: Mapping[str, object]
    spacing_mm: float | None


def keep(target: Target) -> Kept | None:
    """What to keep of a target; None where its labels were given, because they are kept themselves."""
    if target.segmentation is None:
        return None
    one = target.vertebra
    return Kept(
        target.segmentation, one.level, one.level_confirmed, one.source, target.notes, target.provenance,
        target.spacing_mm,
    )  # fmt: skip


def target_again(scan: Scan, kept: Kept) -> Target:
    """The target measured anew on the same scan: the same mask, to the voxel. It stays an automatic one.

    Raises
    ------
    AnatomyError
        It cannot be measured.
    """
    vertebra = measure_vertebra(
        scan.volume, kept.made.labels, kept.made.target_id, level=kept.level, level_confirmed=kept.level_confirmed,
        source=kept.source, confidence=kept.made.confidence,
    )  # fmt: skip
    return Target(vertebra, True, kept.notes, kept.provenance, kept.spacing_mm, kept.made)
