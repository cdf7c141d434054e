"""The whole spine of a CT without a seed, by the trained network: every vertebra in view, from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trajplan.anatomy.backend import Progress
from trajplan.anatomy.canal_path import CanalPath, find_canal_path
from trajplan.anatomy.column_frames import column_frames
from trajplan.anatomy.column_search import gaps, search_column
from trajplan.anatomy.found_vertebra import FoundVertebra, settle
from trajplan.anatomy.level_anchors import LevelAnchors, find_anchors
from trajplan.anatomy.level_proposal import Anchor, LevelEvidence, LevelProposal, propose_levels
from trajplan.anatomy.network_model import WEIGHTS, load_model
from trajplan.anatomy.work_volume import work_volume
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, Volume
from trajplan.geometry.arrays import FloatArray

CANAL_STEP_MM = 3.0
PROPOSAL_STEP_MM = 12
FRONT_MM = 22.0
"""From the canal's middle to the body's, about."""


@dataclass(frozen=True, eq=False)
class NetworkColumn:
    """What was found, from the uppermost to the lowest vertebra.

    Attributes
    ----------
    vertebrae : tuple of FoundVertebra
        Those cut by the border of the scan too (`FoundVertebra.cut`); no part of the sacrum.
    frames : tuple of Frame
    gaps : tuple of int
        ``k``: a vertebra may be missing between the k-th and the next.
    anchors : LevelAnchors
    work : Volume
        The scan on the network's lattice.
    looks : int
        How often the network was asked for a vertebra.
    """

    vertebrae: tuple[FoundVertebra, ...]
    frames: tuple[Frame, ...]
    gaps: tuple[int, ...]
    anchors: LevelAnchors
    work: Volume
    looks: int

    def levels(self, named: tuple[int, str] | None = None) -> LevelProposal:
        """Names for the vertebrae; `named` is the index of one that a person named, and its name."""
        anchors = self.anchors
        return propose_levels(
            len(self.vertebrae),
            sacrum=anchors.sacrum,
            last_rib=anchors.last_rib,
            named=None if named is None else LevelEvidence(Anchor.NAMED, *named),
            short_ribs=anchors.short_ribs,
            tall_processes=anchors.tall_processes,
            gaps=self.gaps,
        )

    def nearest(self, point_lps: FloatArray) -> tuple[int, float]:
        """Index of the vertebra whose body's centre is nearest to a point, and the distance, mm."""
        distance = [float(np.linalg.norm(one.center_lps - point_lps)) for one in self.vertebrae]
        k = int(np.argmin(distance))
        return k, distance[k]


def find_column_by_network(ct: Volume, progress: Progress, weights: Path = WEIGHTS) -> NetworkColumn:
    """Find every vertebra of a canonical CT (axis-aligned LPS), its frame, and what its level is counted from.

    Raises
    ------
    AnatomyError
        ``no_spine``, and those of `load_model`: ``runtime_missing`` says what to install.
    """
    progress(0.0, "loading the network")
    model = load_model(weights)
    progress(0.05, "laying out the scan")
    work = work_volume(ct)
    progress(0.2, "looking for the spinal canal")
    proposals = proposed_seeds(find_canal_path(work, CANAL_STEP_MM))
    asked = 0

    def at(seed_lps: FloatArray) -> FoundVertebra | None:
        nonlocal asked
        if not bool(ct.grid.contains(seed_lps, margin_mm=2.0)):
            return None
        asked += 1
        progress(min(0.9, 0.3 + 0.02 * asked), "looking for vertebrae")
        return settle(model, work, ct.grid, seed_lps)

    found = search_column(at, proposals)
    if not found:
        raise AnatomyError(
            f"no vertebra was seen at {asked} places along the spinal canal; check that the scan is a CT of the spine "
            "in HU, or click a seed in the body of the vertebra",
            code="no_spine",
            numbers={"places": float(asked)},
        )
    progress(0.95, "counting")
    frames = column_frames(found)
    anchors = find_anchors(work, found, frames)
    mobile = found[: anchors.mobile]
    progress(1.0, f"{len(mobile)} vertebrae found")
    return NetworkColumn(mobile, frames[: anchors.mobile], gaps(mobile), anchors, work, asked)


def proposed_seeds(path: CanalPath) -> list[FloatArray]:
    """Where bodies should be along a canal, the middle of it first."""
    places = np.arange(PROPOSAL_STEP_MM // 2, len(path.points_lps), PROPOSAL_STEP_MM)
    places = places[np.argsort(np.abs(places - len(path.points_lps) / 2), kind="stable")]
    tangent = path.tangents_lps[places]
    front = np.array([0.0, -1.0, 0.0]) + tangent[:, 1:2] * tangent
    front /= np.linalg.norm(front, axis=1, keepdims=True)
    return list(path.points_lps[places] + FRONT_MM * front)
