"""What a column can be counted from: the sacrum below its lowest mobile vertebra, and its last pair of ribs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.level_proposal import Anchor, LevelEvidence
from trajplan.anatomy.rib_anchor import RibKind, Ribs, find_ribs, last_rib
from trajplan.anatomy.sacrum_anchor import first_sacral
from trajplan.anatomy.transverse_process import CASTELLVI_MM, process_heights_mm
from trajplan.geometry import Frame, Volume


@dataclass(frozen=True)
class LevelAnchors:
    """What was seen: `mobile` is how many of the vertebrae (from the top) are none of the sacrum.

    `short_ribs` and `tall_processes` hold a sentence for each thing that makes counting doubtful at the thoracolumbar
    and at the lumbosacral border.
    """

    mobile: int
    sacrum: LevelEvidence | None
    last_rib: LevelEvidence | None
    short_ribs: tuple[str, ...]
    tall_processes: tuple[str, ...]


def find_anchors(work: Volume, vertebrae: Sequence[FoundVertebra], frames: Sequence[Frame]) -> LevelAnchors:
    """Look for both anchors; vertebrae from top to bottom, `work` the scan on the network's lattice."""
    ribs = find_ribs(work, vertebrae, frames)
    lowest_ribs = last_rib(ribs)
    begins = first_sacral(work, frames, 0 if lowest_ribs is None else lowest_ribs + 1)
    mobile = len(vertebrae) if begins is None else begins[0]
    sacrum: LevelEvidence | None = None
    tall: tuple[str, ...] = ()
    if begins is not None and mobile > 0:
        left, right = process_heights_mm(vertebrae[mobile - 1], frames[mobile - 1])
        tall = _tall(left, right)
        figures = {
            "wing_bone_share": round(begins[1], 3),
            "process_height_left_mm": round(left, 1),
            "process_height_right_mm": round(right, 1),
        }
        sacrum = LevelEvidence(Anchor.SACRUM, mobile - 1, "L5", figures)
    if lowest_ribs is None or lowest_ribs >= mobile:
        return LevelAnchors(mobile, sacrum, None, (), tall)
    numbers = {
        "rib_reach_left_mm": round(ribs[lowest_ribs].left_reach_mm, 1),
        "rib_reach_right_mm": round(ribs[lowest_ribs].right_reach_mm, 1),
    }
    found = LevelEvidence(Anchor.LAST_RIB, lowest_ribs, "T12", numbers)
    return LevelAnchors(mobile, sacrum, found, _short(ribs[lowest_ribs + 1]), tall)


def _tall(left_mm: float, right_mm: float) -> tuple[str, ...]:
    """What the processes of the lowest lumbar vertebra say against counting from the sacrum."""
    sides = (("left", left_mm), ("right", right_mm))
    tall = [f"{side}: {height:.0f} mm" for side, height in sides if height >= CASTELLVI_MM]
    if not tall:
        return ()
    told = f"the vertebra above the sacrum has a tall transverse process ({'; '.join(tall)})"
    return (f"{told}: from {CASTELLVI_MM:.0f} mm on the lumbosacral border is transitional (Castellvi)",)


def _short(below: Ribs) -> tuple[str, ...]:
    """What the vertebra below the last ribs carries, if it should not."""
    seen = [
        f"{name}: reaches {reach:.0f} mm from the midline"
        for name, kind, reach in (
            ("left", below.left, below.left_reach_mm),
            ("right", below.right, below.right_reach_mm),
        )
        if kind in (RibKind.SHORT, RibKind.FULL)
    ]
    if not seen:
        return ()
    told = f"the vertebra below the last full ribs carries a short rib or a long process ({'; '.join(seen)})"
    return (f"{told}: the thoracolumbar border may be transitional",)
