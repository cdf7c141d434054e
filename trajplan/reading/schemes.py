"""Label numberings of vertebrae, and how each becomes VerSe ids."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from trajplan.levels import LEVEL_IDS


class Scheme(StrEnum):
    """How a label file numbers its vertebrae. ``mask``: any non-zero voxel is the one level stated."""

    VERSE = "verse"
    TOTALSEG_V2 = "totalseg-v2"
    TOTALSEG_V1 = "totalseg-v1"
    MASK = "mask"


_UPWARD = [f"L{i}" for i in range(5, 0, -1)] + [f"T{i}" for i in range(12, 0, -1)] + [f"C{i}" for i in range(7, 0, -1)]

TO_VERSE: Mapping[Scheme, Mapping[int, int]] = MappingProxyType(
    {
        Scheme.VERSE: MappingProxyType({i: i for i in LEVEL_IDS.values()}),
        # TotalSegmentator 2: S1 26, then L5 27 upward to C1 50. Version 1: L5 18 upward to C1 41.
        Scheme.TOTALSEG_V2: MappingProxyType(
            {26: LEVEL_IDS["S1"]} | {27 + i: LEVEL_IDS[name] for i, name in enumerate(_UPWARD)}
        ),
        Scheme.TOTALSEG_V1: MappingProxyType({18 + i: LEVEL_IDS[name] for i, name in enumerate(_UPWARD)}),
    }
)
"""File id -> VerSe id for each scheme but ``mask``."""
