"""Which vertebra, and its anatomy: from labels, from a seed, or the worst fracture found without either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.backend import Backend, LabelResult, Progress
from trajplan.anatomy.backends import DEFAULT, get_backend
from trajplan.anatomy.clean_labels import clean_labels
from trajplan.anatomy.column import find_column
from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_backend import NetworkBackend
from trajplan.anatomy.second_opinion import leading
from trajplan.anatomy.seeded import segment_at_seed
from trajplan.anatomy.vertebra import Confidence, Vertebra
from trajplan.anatomy.without_seed import found_in_column
from trajplan.anatomy.worst import FRACTURE_PERCENT, worst_vertebra
from trajplan.errors import AnatomyError, InputError
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.levels import LEVEL_IDS, LEVEL_NAMES, level_id
from trajplan.reading.scan import Scan

PLANNABLE_IDS = range(LEVEL_IDS["T4"], LEVEL_IDS["L5"] + 1)
"""Levels looked at when the worst fracture is searched for: kyphoplasty is done from about T4 to L5."""


COARSE_MM = 1.5
"""Labels on voxels from this size on are said to be coarse."""

_UNRATED = 0.8
"""Confidence in a mask that came with a rated one: enough to plan on, less than certain."""


@dataclass(frozen=True, eq=False)
class Target:
    """The vertebra to plan, whether its mask is automatic, and what a reader must know about how it was found.

    `spacing_mm` is the largest voxel spacing of what the mask was made on: the coarser of scan and labels.
    `segmentation` is what a back-end made (`trajplan.kept` saves it); None where labels were given.
    """

    vertebra: Vertebra
    automatic: bool
    notes: tuple[str, ...]
    provenance: Mapping[str, object]
    spacing_mm: float | None = None
    segmentation: LabelResult | None = None


@dataclass(frozen=True)
class Segmented:
    """A label file that a back-end made: unless a person has edited it, it is no more than an automatic mask.

    Parameters
    ----------
    backend : str
    ratings : mapping
        The confidence in each mask that was rated, by VerSe id.
    edited : bool
        Whether somebody has changed the labels since.
    """

    backend: str
    ratings: Mapping[int, Confidence]
    edited: bool = False

    def confidence_in(self, identifier: int) -> Confidence:
        """What is known of the mask of one level."""
        if identifier in self.ratings:
            return self.ratings[identifier]
        rated = ", ".join(LEVEL_NAMES.get(i, "another vertebra") for i in self.ratings) or "none"
        return Confidence(_UNRATED, {}, (f"check the mask: it came along and was not rated (rated: {rated})",))


def find_target(
    scan: Scan,
    level: str | None,
    seed_lps: FloatArray | None,
    labels: LabelMap | None,
    labels_source: str | None,
    progress: Progress,
    backend: str = DEFAULT,
    segmented: Segmented | None = None,
) -> Target:
    """The target's measured anatomy.

    Raises
    ------
    InputError
        A seed outside the scan; a level that the labels do not hold; an unknown back-end.
    AnatomyError
        The vertebra cannot be found, segmented or measured.
    """
    if labels is not None:
        return _from_labels(scan, level, seed_lps, labels, labels_source or "labels", progress, segmented)
    notes: list[str] = []
    chosen = get_backend(backend)
    stated = level
    counted: dict[str, object] = {}
    if seed_lps is not None:
        require_inside(scan.volume, seed_lps)
    elif isinstance(leading(chosen), NetworkBackend):
        found = found_in_column(scan.volume, level, {*PLANNABLE_IDS, LEVEL_IDS["T13"]}, progress)
        seed_lps, level, counted = found.seed_lps, found.level, found.provenance()
        stated = None  # the program counted; nobody has pointed at the vertebra
        notes += found.notes
    elif level is not None:
        raise InputError(
            f"{chosen.name} does not count vertebrae: say where {level.upper()} is with --seed or --labels, take "
            "--backend network, which counts, or leave --level out for the vertebra with the largest height loss",
            code="usage",
        )
    else:
        progress(0.0, "looking for the spine")
        seed_lps, chosen_note = _worst_seed(scan.volume)
        notes.append(chosen_note)
    try:
        vertebra, result = _segmented(
            scan, level, np.asarray(seed_lps, dtype=float), chosen, progress, confirmed=stated is not None
        )
    except AnatomyError as reason:
        # whoever reads the refusal must know which vertebra it is about
        told = " ".join([f"{reason}.", *notes])
        raise AnatomyError(told, code=reason.code, numbers=reason.numbers) from reason
    notes.append(
        f"The mask is automatic ({chosen.name}, confidence {vertebra.confidence.score:.2f}); nobody has confirmed it."
    )
    if level is None:
        notes.append("The level of the vertebra is not known; state it with --level after counting.")
    elif stated is None:
        notes.append(f"The level {level} is the program's own count; nobody has confirmed it.")
    spacing_mm = float(scan.volume.grid.spacing_zyx.max())
    return Target(vertebra, True, tuple(notes), dict(result.provenance) | counted, spacing_mm, result)


def _worst_seed(volume: Volume) -> tuple[FloatArray, str]:
    """Body centre of the vertebra that lost most height, and the sentence that says so."""
    column = find_column(volume)
    index, loss_percent = worst_vertebra(column)
    seed_lps = column.vertebrae[index].center_lps
    note = (
        f"Target chosen by the program: of {len(column.vertebrae)} vertebrae found without labels, number {index + 1} "
        f"from below has the largest height loss (about {loss_percent:.0f} %), centre "
        f"({', '.join(f'{v:.0f}' for v in seed_lps)}) LPS mm."
    )
    if loss_percent < FRACTURE_PERCENT:
        note += f" Less than {FRACTURE_PERCENT:.0f} % is no fracture by Genant's limits."
    return seed_lps, note


def _segmented(
    scan: Scan, level: str | None, seed_lps: FloatArray, backend: Backend, progress: Progress, *, confirmed: bool
) -> tuple[Vertebra, LabelResult]:
    """Segment and measure the vertebra at a seed."""
    result = segment_at_seed(
        backend,
        scan.volume,
        seed_lps,
        level_id(level) if level else None,
        lambda fraction, what: progress(0.1 + 0.7 * fraction, what),
    )
    progress(0.85, "measuring the vertebra")
    vertebra = measure_vertebra(
        scan.volume,
        result.labels,
        result.target_id,
        level=level.upper() if level else None,
        level_confirmed=confirmed,
        source=backend.name,
        confidence=result.confidence,
    )
    return vertebra, result


def require_inside(volume: Volume, seed_lps: FloatArray) -> None:
    """Refuse a seed outside the scan with the extent of the scan."""
    if volume.grid.contains(seed_lps):
        return
    corners = volume.grid.corners_lps()
    raise InputError(
        f"the seed ({', '.join(f'{v:.1f}' for v in seed_lps)}) lies outside the scan, which spans "
        f"{np.round(corners.min(axis=0), 1).tolist()} to {np.round(corners.max(axis=0), 1).tolist()} LPS mm",
        code="seed_outside",
    )


def _from_labels(
    scan: Scan,
    level: str | None,
    seed_lps: FloatArray | None,
    labels: LabelMap,
    source: str,
    progress: Progress,
    segmented: Segmented | None,
) -> Target:
    labels, mended = clean_labels(labels)
    present = [i for i in labels.ids() if i in PLANNABLE_IDS]
    names = ", ".join(LEVEL_NAMES[i] for i in labels.ids() if i in LEVEL_NAMES)
    notes: list[str] = []
    if level is not None:
        wanted = level_id(level)
        if wanted not in labels.ids():
            raise InputError(
                f"level {level.upper()} is not in the labels; they hold {names}", code="level_not_in_labels"
            )
        if seed_lps is not None:
            _refuse_another_level(wanted, _label_at(labels, seed_lps, names), level)
    elif seed_lps is not None:
        wanted = _label_at(labels, seed_lps, names)
    else:
        if not present:
            raise InputError(f"the labels hold no level from T4 to L5; they hold {names}", code="level_not_in_labels")
        wanted, note = _worst_label(scan, labels, present, progress)
        notes.append(note)
    progress(0.7, f"measuring {LEVEL_NAMES.get(wanted, wanted)}")
    vertebra = measure_vertebra(
        scan.volume,
        labels,
        wanted,
        level=LEVEL_NAMES.get(wanted),
        level_confirmed=level is not None,
        source=source,
        confidence=segmented.confidence_in(wanted) if segmented and not segmented.edited else None,
    )
    automatic = segmented is not None and not segmented.edited
    if segmented and segmented.edited:
        notes.append(f"The label file is a segmentation by {segmented.backend} that somebody has edited since.")
    elif segmented:
        notes.append(
            f"The label file is a segmentation by {segmented.backend}, unchanged: its mask is automatic (confidence "
            f"{vertebra.confidence.score:.2f}); nobody has confirmed it."
        )
    notes += [text for one in mended if abs(one.level_id - wanted) <= 1 and (text := one.told())]
    if level is None:
        notes.append(f"The level {LEVEL_NAMES.get(wanted)} is that of the label file; nobody has confirmed it.")
    spacing_mm = float(max(labels.grid.spacing_zyx.max(), scan.volume.grid.spacing_zyx.max()))
    if spacing_mm >= COARSE_MM:
        notes.append(
            f"The labels stand on voxels of up to {spacing_mm:.1f} mm: the place of a wall is known to a good part of "
            "that only, and more than the usual margins is asked of a safe path."
        )
    provenance = {"backend": "labels", "source": source} | ({"segmented_by": segmented.backend} if segmented else {})
    return Target(vertebra, automatic, tuple(notes), provenance, spacing_mm)


def _refuse_another_level(wanted: int, at_seed: int, level: str) -> None:
    """A seed and a level that name two vertebrae: neither is more right than the other."""
    if at_seed != wanted:
        raise InputError(
            f"the seed lies in {LEVEL_NAMES[at_seed]} of the labels but the level asked for is {level.upper()}; "
            "give one of them, or the right seed",
            code="seed_not_in_level",
        )


def _label_at(labels: LabelMap, seed_lps: FloatArray, names: str) -> int:
    index = np.rint(labels.grid.world_to_index(seed_lps)).astype(int)
    inside = bool((index >= 0).all() and (index < labels.array.shape).all())
    found = int(labels.array[tuple(index)]) if inside else 0
    if found not in LEVEL_NAMES:
        raise InputError(
            f"the seed ({', '.join(f'{v:.1f}' for v in np.asarray(seed_lps))}) LPS mm is in no labelled vertebra; the "
            f"labels hold {names}",
            code="seed_outside",
        )
    return found


def _worst_label(scan: Scan, labels: LabelMap, present: list[int], progress: Progress) -> tuple[int, str]:
    """Measure every labelled vertebra and take the one that lost most height; name those that cannot be measured."""
    losses: dict[int, float] = {}
    skipped: list[str] = []
    for n, identifier in enumerate(present):
        progress(0.7 * n / len(present), f"measuring {LEVEL_NAMES[identifier]}")
        try:
            one = measure_vertebra(
                scan.volume, labels, identifier, level=LEVEL_NAMES[identifier], level_confirmed=False, source="labels"
            )
        except AnatomyError:
            skipped.append(LEVEL_NAMES[identifier])
            continue
        if not one.touches_edge and one.heights.loss_percent is not None:
            losses[identifier] = one.heights.loss_percent
        else:
            skipped.append(LEVEL_NAMES[identifier])
    if not losses:
        raise AnatomyError(
            f"no labelled vertebra could be measured whole ({', '.join(skipped)} tried); choose one with --level",
            code="truncated",
        )
    worst = max(losses, key=lambda i: losses[i])
    note = (
        f"Target chosen by the program: of {len(losses)} labelled vertebrae {LEVEL_NAMES[worst]} has the largest "
        f"height loss ({losses[worst]:.0f} %)."
    )
    if skipped:
        note += f" Not measured (cut or unclear): {', '.join(skipped)}."
    return worst, note
