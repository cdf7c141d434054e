"""Picking one vertebra of a column that was found without a seed: by its level, by a click, or the most flattened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from trajplan.anatomy.backend import Progress
from trajplan.anatomy.body_look import column_of
from trajplan.anatomy.level_proposal import LevelProposal
from trajplan.anatomy.network_column import NetworkColumn, find_column_by_network
from trajplan.anatomy.seed_place import SeedPlace, place_of, seed_error
from trajplan.anatomy.worst import FRACTURE_PERCENT, worst_vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.levels import LEVEL_IDS, LEVEL_NAMES, level_id


@dataclass(frozen=True, eq=False)
class Found:
    """A vertebra found without a seed.

    Attributes
    ----------
    seed_lps : ndarray, shape (3,)
        Its body's centre.
    level : str or None
        As counted by the program.
    notes : tuple of str
        How it was found and counted.
    levels : LevelProposal
    """

    seed_lps: FloatArray
    level: str | None
    notes: tuple[str, ...]
    levels: LevelProposal

    def provenance(self) -> dict[str, object]:
        """What the name stands on, for plan.json."""
        return {
            "levels": str(self.levels.status),
            "level_evidence": [f"{one.anchor} ({one.level})" for one in self.levels.evidence],
            "level_doubts": list(self.levels.reasons),
        }


def found_in_column(volume: Volume, level: str | None, plannable: Collection[int], progress: Progress) -> Found:
    """Without a seed, by the network: the body's centre of a level, or of the vertebra that lost most height.

    Only levels whose VerSe ids are `plannable`, and vertebrae without a name, are looked at for the latter.
    """
    column = find_column_by_network(volume, lambda share, what: progress(0.1 * share, what))
    levels = column.levels()
    if level is not None:
        index = require_level(column, levels, level)
        notes = [f"{levels.names[index]} was found without a seed."]
    else:
        index, loss_percent, count = worst_in_column(column, levels, plannable)
        which = levels.names[index] or f"number {len(column.vertebrae) - index} from below"
        told = f"{which} has the largest height loss (about {loss_percent:.0f} %)."
        notes = [f"Target chosen by the program: of {count} whole vertebrae found without a seed, {told}"]
        if loss_percent < FRACTURE_PERCENT:
            notes[0] += f" Less than {FRACTURE_PERCENT:.0f} % is no fracture by Genant's limits."
    counted = " and ".join(f"{one.anchor} ({one.level})" for one in levels.evidence) or "nothing to count from"
    doubts = "".join(f" {reason[:1].upper()}{reason[1:]}." for reason in levels.reasons)
    notes.append(f"Levels {levels.status}: {counted}.{doubts}")
    return Found(column.vertebrae[index].center_lps, levels.names[index], tuple(notes), levels)


def seed_of_level(volume: Volume, level: str, progress: Progress) -> tuple[FloatArray, LevelProposal]:
    """The body's centre of a level in a scan without a seed, and what the count stands on."""
    column = find_column_by_network(volume, lambda share, what: progress(0.5 * share, what))
    levels = column.levels()
    return column.vertebrae[require_level(column, levels, level)].center_lps, levels


def require_level(column: NetworkColumn, levels: LevelProposal, level: str) -> int:
    """Index of a level among the vertebrae found.

    Raises
    ------
    AnatomyError
        ``level_not_found``, with what was found, or ``vertebra_cut``.
    """
    wanted = LEVEL_NAMES[level_id(level)]
    if wanted not in levels.names:
        known = [name for name in levels.names if name is not None]
        seen = f"{known[0]} to {known[-1]}" if known else f"{len(levels.names)} vertebrae that could not be counted"
        why = f" ({'; '.join(levels.reasons)})" if levels.reasons else ""
        raise AnatomyError(
            f"{wanted} was not found: the scan shows {seen}{why}. Name a vertebra with --seed and --level",
            code="level_not_found",
            numbers={"vertebrae": float(len(levels.names))},
        )
    index = levels.names.index(wanted)
    if column.vertebrae[index].body_cut:
        sides = " and ".join(column.vertebrae[index].body_cut)
        raise AnatomyError(
            f"{wanted} is cut by the {sides} border of the scan; choose another vertebra or a longer scan",
            code="vertebra_cut",
        )
    return index


def named_at(column: NetworkColumn, seed_lps: FloatArray, level: str) -> tuple[int, str]:
    """Which vertebra a person named by a seed in it, and its name.

    Raises
    ------
    AnatomyError
        The seed is in no vertebral body (`trajplan.anatomy.seed_place`).
    """
    if place_of(column, seed_lps) not in (SeedPlace.BODY, SeedPlace.CUT, SeedPlace.PROCESS):
        raise seed_error(column, seed_lps)
    return column.nearest(seed_lps)[0], LEVEL_NAMES[level_id(level)]


def worst_in_column(column: NetworkColumn, levels: LevelProposal, plannable: Collection[int]) -> tuple[int, float, int]:
    """Index and height loss (percent) of the vertebra most flattened against its neighbours, and how many were seen.

    Cut vertebrae, and those whose name is not `plannable` (VerSe ids), are left out.

    Raises
    ------
    AnatomyError
        ``too_few_vertebrae``.
    """
    able = [
        k
        for k, (one, name) in enumerate(zip(column.vertebrae, levels.names, strict=True))
        if not one.body_cut and (name is None or LEVEL_IDS[name] in plannable)
    ]
    picked = column_of([column.vertebrae[k] for k in able], [column.frames[k] for k in able])
    chosen, loss_percent = worst_vertebra(picked)
    return able[len(able) - 1 - chosen], loss_percent, len(able)
