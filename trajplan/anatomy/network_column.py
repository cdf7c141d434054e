"""The whole spine of a CT without a seed, by the trained network: every vertebra in view, from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trajplan.anatomy.backend import Progress
from trajplan.anatomy.canal_path import CanalPath, find_canal_path
from trajplan.anatomy.column_search import search_column
from trajplan.anatomy.found_vertebra import FoundVertebra, settle
from trajplan.anatomy.network_model import WEIGHTS, NetworkModel, load_model
from trajplan.anatomy.work_volume import work_volume
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray

CANAL_STEP_MM = 3.0
PROPOSAL_STEP_MM = 12
FRONT_MM = 22.0
"""From the canal's middle to the body's, about."""


@dataclass(frozen=True, eq=False)
class NetworkColumn:
    """What was found, from the uppermost to the lowest.

    Attributes
    ----------
    vertebrae : tuple of FoundVertebra
        Those cut by the border of the scan too (`FoundVertebra.cut`).
    looks : int
        How often the network was asked for.
    work : Volume
        The scan on the network's lattice.
    model : NetworkModel
    """

    vertebrae: tuple[FoundVertebra, ...]
    looks: int
    work: Volume
    model: NetworkModel


def find_vertebrae(ct: Volume, progress: Progress, weights: Path = WEIGHTS) -> NetworkColumn:
    """Find every vertebra of a canonical CT (axis-aligned LPS).

    Raises
    ------
    AnatomyError
        ``no_spine``, and those of `load_model`.
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
        progress(min(0.95, 0.3 + 0.02 * asked), "looking for vertebrae")
        return settle(model, work, ct.grid, seed_lps)

    found = search_column(at, proposals)
    if not found:
        raise AnatomyError(
            f"no vertebra was seen at {asked} places along the spinal canal; check that the scan is a CT of the spine "
            "in HU, or click a seed in the body of the vertebra",
            code="no_spine",
            numbers={"places": float(asked)},
        )
    progress(1.0, f"{len(found)} vertebrae found")
    return NetworkColumn(found, asked, work, model)


def proposed_seeds(path: CanalPath) -> list[FloatArray]:
    """Where bodies should be along a canal, the middle of it first."""
    places = np.arange(PROPOSAL_STEP_MM // 2, len(path.points_lps), PROPOSAL_STEP_MM)
    places = places[np.argsort(np.abs(places - len(path.points_lps) / 2), kind="stable")]
    tangent = path.tangents_lps[places]
    front = np.array([0.0, -1.0, 0.0]) + tangent[:, 1:2] * tangent
    front /= np.linalg.norm(front, axis=1, keepdims=True)
    return list(path.points_lps[places] + FRONT_MM * front)
