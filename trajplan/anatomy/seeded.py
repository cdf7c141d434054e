"""Segmenting at a seed; where the network's seed is no good, the whole column is found to say what it hit instead."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.backend import Backend, LabelResult, Progress
from trajplan.anatomy.network_backend import NetworkBackend
from trajplan.anatomy.network_column import find_column_by_network
from trajplan.anatomy.scan_edge import cut_sides
from trajplan.anatomy.second_opinion import LEADING_SHARE, SecondOpinion
from trajplan.anatomy.seed_place import SeedPlace, place_of, seed_error
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray

SEED_CODES = {"seed_not_in_vertebra", "vertebra_cut", "segmentation_lost"}
NEAR_MM = 1.5


def segment_at_seed(
    backend: Backend, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress
) -> LabelResult:
    """What `backend` segments at a seed (LPS mm).

    Raises
    ------
    AnatomyError
        What the back-end refuses. Of the network: ``seed_in_disc``, ``seed_in_other_bone``, ``seed_in_air``,
        ``seed_outside_body``, ``seed_in_soft_tissue``, ``seed_beside_body`` or ``vertebra_cut``, with the centre and
        the distance of the nearest whole vertebra.
    """
    seed = np.asarray(seed_lps, dtype=np.float64)
    if isinstance(backend, SecondOpinion):
        first = segment_at_seed(
            backend.leading, ct, seed, level_id, lambda share, what: progress(LEADING_SHARE * share, what)
        )
        return backend.asked(first, ct, seed, level_id, progress)
    if not isinstance(backend, NetworkBackend):
        return backend.segment(ct, seed, level_id, progress)
    try:
        result = backend.segment(ct, seed, level_id, progress)
    except AnatomyError as refusal:
        if refusal.code not in SEED_CODES:
            raise
        raise _explained(backend, ct, seed, refusal, progress) from refusal
    if _beside(result, seed):
        raise _explained(backend, ct, seed, None, progress)
    if {"superior", "inferior"} & set(cut_sides(result.labels, result.target_id, ct.grid)):
        column = find_column_by_network(ct, progress, backend.weights)
        if place_of(column, seed) is SeedPlace.CUT:
            raise seed_error(column, seed)
    return result


def _beside(result: LabelResult, seed: FloatArray) -> bool:
    """Whether the seed lies outside the mask that was found from it."""
    points = result.labels.grid.index_to_world(np.argwhere(result.labels.array == result.target_id))
    return not len(points) or float(np.linalg.norm(points - seed, axis=1).min()) > NEAR_MM


def _explained(
    backend: NetworkBackend, ct: Volume, seed: FloatArray, refusal: AnatomyError | None, progress: Progress
) -> AnatomyError:
    try:
        column = find_column_by_network(ct, progress, backend.weights)
    except AnatomyError as nothing:
        return refusal or nothing
    error = seed_error(column, seed)
    # a seed that the column finds in a body, but that the network refused there, keeps the network's own reason
    return refusal if refusal is not None and error.code == "seed_not_in_vertebra" else error
