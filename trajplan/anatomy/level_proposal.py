"""Names for the vertebrae of a column, with the evidence they stand on; unconfirmed wherever it can be wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

_LAST_LUMBAR, _LAST_THORACIC = "L5", "T12"
_STANDARD = (*(f"C{n}" for n in range(1, 8)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6)))
LUMBAR_COUNT = 5


class Anchor(StrEnum):
    """What a name is counted from."""

    SACRUM = "counted from the sacrum"
    LAST_RIB = "last rib"
    NAMED = "named by the user"


_BY = {Anchor.SACRUM: "counted from the sacrum", Anchor.LAST_RIB: "counted from the last rib"}


class LevelStatus(StrEnum):
    """How far the names can be trusted.

    ``named``: a person named one vertebra. ``agreed``: sacrum and last rib say the same. ``unconfirmed``: an anchor is
    missing, they disagree, or the anatomy is transitional; with only one of them seen about one lumbar spine in ten is
    miscounted (Nakajima et al., Insights Imaging 5:111, 2014).
    """

    NAMED = "named"
    AGREED = "agreed"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class LevelEvidence:
    """One anchor: vertebra `index` (from the top) is `level`; `numbers` are the figures behind it, names with units."""

    anchor: Anchor
    index: int
    level: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LevelProposal:
    """Names of the vertebrae from top to bottom (None: nobody knows), and what they stand on.

    `reasons` say why the names are unconfirmed, or what contradicts the user.
    """

    names: tuple[str | None, ...]
    status: LevelStatus
    evidence: tuple[LevelEvidence, ...]
    reasons: tuple[str, ...]


def propose_levels(
    count: int,
    *,
    sacrum: LevelEvidence | None = None,
    last_rib: LevelEvidence | None = None,
    named: LevelEvidence | None = None,
    short_ribs: Sequence[str] = (),
    tall_processes: Sequence[str] = (),
    gaps: Sequence[int] = (),
) -> LevelProposal:
    """Names of `count` mobile vertebrae, from what was seen and what a person said.

    Parameters
    ----------
    sacrum, last_rib, named : LevelEvidence, optional
        The lowest mobile vertebra; the one with the last ribs; the one a person named.
    short_ribs, tall_processes : sequence of str
        What was seen of transitional anatomy at the thoracolumbar and the lumbosacral border, one sentence each.
    gaps : sequence of int
        ``k``: a vertebra may be missing between the k-th and the next. Nothing is counted across.

    Examples
    --------
    >>> propose_levels(3, sacrum=LevelEvidence(Anchor.SACRUM, 2, "L5")).names
    ('L3', 'L4', 'L5')
    >>> propose_levels(3).names
    (None, None, None)
    """
    seen = tuple(one for one in (sacrum, last_rib) if one is not None)
    names, reasons = _from_anchors(count, sacrum, last_rib, bool(short_ribs))
    transitional = (*short_ribs, *tall_processes)
    reasons = [*transitional, *reasons]
    if named is not None:
        contradicting = [
            f"the vertebra named {named.level} is {counted or 'none'} when {_BY[one.anchor]}"
            for one in seen
            if (counted := _counted(count, one.index, one.level)[named.index]) != named.level
        ]
        if names[named.index] != named.level:
            names = _counted(count, named.index, named.level)
        reasons = [*transitional, *contradicting]
    broken = _segments(count, gaps)
    if len(set(broken)) > 1:
        reasons.append(f"{len(set(broken)) - 1} gap(s) in the column: nothing is counted across")
        origin = {broken[one.index] for one in ((named,) if named else seen)}
        names = tuple(name if broken[k] in origin else None for k, name in enumerate(names))
        if named is None and len(origin) > 1:
            names = (None,) * count
    if named is not None:
        return LevelProposal(names, LevelStatus.NAMED, (*seen, named), tuple(reasons))
    status = LevelStatus.UNCONFIRMED if reasons else LevelStatus.AGREED
    return LevelProposal(names, status, seen, tuple(reasons))


def _from_anchors(
    count: int, sacrum: LevelEvidence | None, last_rib: LevelEvidence | None, short_rib: bool
) -> tuple[tuple[str | None, ...], list[str]]:
    if sacrum is None:
        if last_rib is None:
            return (None,) * count, ["neither the sacrum nor the last rib is seen: the vertebrae cannot be counted"]
        return _counted(count, last_rib.index, last_rib.level), [
            "only the last rib is seen, not the sacrum: a thirteenth or a missing rib would shift all names by one"
        ]
    if last_rib is None:
        return _counted(count, sacrum.index, sacrum.level), [
            "only the sacrum is seen, not the last rib: a sixth or a fused lumbar vertebra would shift all names by one"
        ]
    lumbar = sacrum.index - last_rib.index
    if lumbar == LUMBAR_COUNT:
        return _counted(count, sacrum.index, sacrum.level), []
    why = f"sacrum and last rib disagree: {lumbar} vertebrae without full ribs between them instead of {LUMBAR_COUNT}"
    if lumbar == LUMBAR_COUNT + 1:
        # a short rib below the last full one is a thirteenth; without it there is a sixth lumbar vertebra
        extra = last_rib.index + 1 if short_rib else sacrum.index
        above = _counted(count, last_rib.index, last_rib.level)
        below = _counted(count, sacrum.index - (0 if short_rib else 1), sacrum.level)
        names = (*above[: last_rib.index + 1], *below[last_rib.index + 1 :])
        return (*names[:extra], "T13" if short_rib else "L6", *names[extra + 1 :]), [why]
    if lumbar == LUMBAR_COUNT - 1:
        return _counted(count, last_rib.index, last_rib.level), [f"{why} (a fused L5, or a rib at L1)"]
    return (None,) * count, [why]


def _counted(count: int, index: int, level: str) -> tuple[str | None, ...]:
    """Names of all vertebrae when the one at `index` is `level`, in a spine of twelve ribs and five lumbar vertebrae.

    T13 and L6 stand between their neighbours where they are the level named.
    """
    chain = list(_STANDARD)
    if level in ("T13", "L6"):
        chain.insert(chain.index(_LAST_THORACIC if level == "T13" else _LAST_LUMBAR) + 1, level)
    if level not in chain:
        chain.append(level)  # S1: nothing is counted below it
    first = chain.index(level) - index
    return tuple(chain[k] if 0 <= k < len(chain) else None for k in range(first, first + count))


def _segments(count: int, gaps: Sequence[int]) -> tuple[int, ...]:
    """Number of the unbroken stretch that each vertebra belongs to."""
    return tuple(sum(k > gap for gap in gaps) for k in range(count))
