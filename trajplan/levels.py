"""Vertebral levels and their VerSe ids (C1..C7 = 1..7, T1..T12 = 8..19, L1..L6 = 20..25, S1 = 26, T13 = 28)."""

from __future__ import annotations

from trajplan.errors import InputError

LEVEL_IDS: dict[str, int] = (
    {f"C{i}": i for i in range(1, 8)}
    | {f"T{i}": 7 + i for i in range(1, 13)}
    | {f"L{i}": 19 + i for i in range(1, 7)}
    | {"S1": 26, "T13": 28}
)
LEVEL_NAMES: dict[int, str] = {i: name for name, i in LEVEL_IDS.items()}

UNKNOWN_LEVEL_ID = 100
"""Id of a target vertebra whose level nobody has stated or counted."""

UNNAMED_FIRST_ID = 130
"""Ids of the vertebrae of a column that could not be counted, from the uppermost: clear of VerSe's discs (100 + id)
and end plates (200 + id)."""


def level_id(name: str) -> int:
    """VerSe id of a level name; refuses with the list of names.

    >>> level_id("l1")
    20
    """
    found = LEVEL_IDS.get(name.strip().upper())
    if found is None:
        raise InputError(f"unknown level {name!r}; use C1..C7, T1..T13, L1..L6 or S1", code="unknown_level")
    return found


def is_thoracic(identifier: int) -> bool:
    """T1..T12 and T13."""
    return 8 <= identifier <= 19 or identifier == 28


def next_level(identifier: int, steps: int) -> int | None:
    """The VerSe id `steps` below (above when negative), in a spine of twelve thoracic and five lumbar vertebrae.

    None beyond C1 and L5, and for a level that such a spine has not.

    >>> LEVEL_NAMES[next_level(level_id("T12"), 1)]
    'L1'
    """
    first, last = LEVEL_IDS["C1"], LEVEL_IDS["L5"]
    if not first <= identifier <= last or not first <= identifier + steps <= last:
        return None
    return identifier + steps
