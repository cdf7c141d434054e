"""Which vertebrae carry ribs: bone that starts at a vertebra's side and reaches far out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.network_input import SPACING_MM
from trajplan.geometry import Frame, Volume
from trajplan.geometry.arrays import AnyArray, BoolArray

RIB_HU = 140.0
RIB_LENGTH_MM = 38.0
"""A shorter rib is hypoplastic (Yun et al., Korean J Radiol 19:1140, 2018)."""

RIB_REACH_MM, SHORT_REACH_MM = 58.0, 42.0
"""From the midline. Measured: T12 69 mm and more (the box ends at 75), what is left beside L1's mask at most 41."""

_BOX_MM = ((-75.0, -30.0, -50.0), (75.0, 60.0, 25.0))
_SEEN_MM = 60.0
_CONTACT_MM = 6.0


class RibKind(StrEnum):
    """What a vertebra carries at one side."""

    FULL = "rib"
    SHORT = "short rib or long process"
    NONE = "no rib"
    UNSEEN = "outside the scan"


@dataclass(frozen=True)
class Ribs:
    """What one vertebra carries left and right, and how far from the midline it reaches, mm (0 when nothing)."""

    left: RibKind
    right: RibKind
    left_reach_mm: float
    right_reach_mm: float

    @property
    def both(self) -> bool:
        """A full rib on either side."""
        return self.left is RibKind.FULL and self.right is RibKind.FULL

    @property
    def none(self) -> bool:
        """Seen, and without a rib."""
        return self.left is RibKind.NONE and self.right is RibKind.NONE

    @property
    def unseen(self) -> bool:
        """A side lies outside the scan."""
        return RibKind.UNSEEN in (self.left, self.right)


def find_ribs(work: Volume, vertebrae: Sequence[FoundVertebra], frames: Sequence[Frame]) -> tuple[Ribs, ...]:
    """What every vertebra carries, in their order; `work` is the scan on the network's lattice."""
    owner = np.zeros(work.grid.shape_zyx, dtype=np.uint8)
    for k, one in enumerate(vertebrae):
        offset = np.rint(work.grid.world_to_index(one.seen.grid.index_to_world(np.zeros(3)))).astype(int)
        index = np.argwhere(one.mask) + offset
        inside = ((index >= 0) & (index < owner.shape)).all(axis=1)
        owner[tuple(index[inside].T)] = k + 1
    return tuple(_of(work, owner, k, one, frame) for k, (one, frame) in enumerate(zip(vertebrae, frames, strict=True)))


def _of(work: Volume, owner: AnyArray, k: int, one: FoundVertebra, frame: Frame) -> Ribs:
    grid = work.grid
    low, high = (np.rint(grid.world_to_index(one.center_lps + np.array(corner))).astype(int) for corner in _BOX_MM)
    low, high = np.maximum(low, 0), np.minimum(high + 1, grid.shape_zyx)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    bone = (work.array[box] > RIB_HU) & ~ndi.binary_dilation(owner[box] > 0)
    near = bone & ndi.binary_dilation(owner[box] == k + 1, iterations=round(_CONTACT_MM / SPACING_MM))
    pieces, _ = ndi.label(bone, np.ones((3, 3, 3)))
    local = frame.to_local(grid.index_to_world(np.argwhere(near) + low))
    costal = (
        (local[:, 1] > -6.0) & (local[:, 1] < 40.0) & (np.abs(local[:, 2] - 0.3 * one.height_mm) < 0.7 * one.height_mm)
    )
    kinds: list[RibKind] = []
    reaches: list[float] = []
    for side in (1.0, -1.0):
        touching = np.unique(pieces[near][costal & (side * local[:, 0] > 8.0)])
        kind, reach = _longest(work, pieces, near, touching, low, frame, side)
        end = one.center_lps + side * _SEEN_MM * frame.u
        if kind is not RibKind.FULL and not bool(grid.contains(end)):
            kind = RibKind.UNSEEN
        kinds.append(kind)
        reaches.append(reach)
    return Ribs(kinds[0], kinds[1], reaches[0], reaches[1])


def _longest(
    work: Volume, pieces: AnyArray, near: BoolArray, touching: AnyArray, low: AnyArray, frame: Frame, side: float
) -> tuple[RibKind, float]:
    """The kind and reach of the piece that reaches furthest out on one side."""
    best, kind = 0.0, RibKind.NONE
    for number in touching:
        index = np.argwhere(pieces == number)
        local = frame.to_local(work.grid.index_to_world(index + low)) * [side, 1.0, 1.0]
        start = local[near[tuple(index.T)] & (local[:, 0] > 8.0)]
        away = local[local[:, 0] > 5.0]
        if not len(start) or not len(away):
            continue
        reach = float(away[:, 0].max())
        length = float(np.linalg.norm(away - start.mean(axis=0), axis=1).max())
        if reach > best:
            full = reach >= RIB_REACH_MM and length >= RIB_LENGTH_MM
            best, kind = reach, RibKind.FULL if full else RibKind.SHORT if reach >= SHORT_REACH_MM else RibKind.NONE
    return kind, best


def last_rib(ribs: Sequence[Ribs]) -> int | None:
    """Index of the lowest vertebra with ribs on both sides; None when it is not seen where ribs end.

    Counted from the top down to the first vertebra without any: what lies further down and looks like a rib is
    kidney or pelvis.
    """
    end = next((k for k, one in enumerate(ribs) if one.none), len(ribs))
    bearing = [k for k in range(end) if ribs[k].both]
    if not bearing or bearing[-1] + 1 >= len(ribs) or ribs[bearing[-1] + 1].unseen:
        return None
    return bearing[-1]
