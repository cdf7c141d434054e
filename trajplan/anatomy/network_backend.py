"""The trained network, looked through twice and settled on the CT's edges, with what its looks disagree about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trajplan.anatomy.backend import LabelResult, Progress
from trajplan.anatomy.network_confidence import doubt_share, judge_looks
from trajplan.anatomy.network_input import NetworkClass
from trajplan.anatomy.network_labels import OUTPUT_SPACING_MM, mean_share, output_grid, settle, with_neighbours
from trajplan.anatomy.network_model import WEIGHTS, NetworkModel, load_model
from trajplan.anatomy.network_neighbour import Step, neighbour
from trajplan.anatomy.network_pass import Look, look
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.geometry.pieces import largest
from trajplan.geometry.resample import resample_volume
from trajplan.levels import UNKNOWN_LEVEL_ID, next_level

MIN_VOLUME_ML = 5.0
MAX_MOVE_MM = 22.0
"""A body centre further from the seed than this is another vertebra's, or none."""

EDGE_MM = 8.0
MIN_FLIP_DICE, MAX_DOUBT_SHARE = 0.80, 0.90
"""Beyond these nothing is at the seed: found on seeds put beside vertebrae on purpose."""


@dataclass(frozen=True)
class NetworkBackend:
    """Seeded segmentation by the trained network (`docs/model-card.md`).

    Parameters
    ----------
    weights : Path
        The ONNX file; its sheet (hash, name) lies beside it.
    """

    weights: Path = WEIGHTS
    name: str = "network"

    def segment(self, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress) -> LabelResult:
        """Segment the vertebra whose body holds `seed_lps` (LPS mm) in a canonical CT.

        The result lies on a 1 mm axis-aligned LPS grid. It holds the target under `level_id`, with the vertebrae above
        and below where they are whole; without a level the target alone, under ``UNKNOWN_LEVEL_ID``.

        Raises
        ------
        AnatomyError
            ``seed_outside``, ``vertebra_cut``, ``seed_not_in_vertebra``, ``segmentation_lost``, and those of
            `load_model`.
        """
        seed = np.asarray(seed_lps, dtype=np.float64)
        _require_room(ct, seed)
        progress(0.0, "loading the network")
        model = load_model(self.weights)
        progress(0.2, "looking at the seed")
        first = look(model, ct, seed)
        centre = first.body_center_lps()
        if centre is None or _volume_ml(first) < MIN_VOLUME_ML or first.flip_dice < MIN_FLIP_DICE:
            raise _nothing_there(ct, seed, first)
        moved = float(np.linalg.norm(centre - seed))
        if moved > MAX_MOVE_MM:
            raise _beside(ct, seed, centre)
        progress(0.5, "looking again from the body's centre")
        second = look(model, ct, centre)
        grid = output_grid((first, second))
        share = mean_share(grid, (first, second))
        if doubt_share(share) > MAX_DOUBT_SHARE:
            raise _nothing_there(ct, seed, first)
        seen, mask = largest(share > 0.5), largest(settle(ct, share, grid) > 0.5)
        again = second.body_center_lps()
        if again is None or not mask.any():
            raise _lost(moved)
        progress(0.7, "looking at the neighbours")
        neighbours = {} if level_id is None else _neighbours(model, ct, Step(second, again), level_id)
        target = UNKNOWN_LEVEL_ID if level_id is None else level_id
        labels, overlap = with_neighbours(ct, mask, grid, target, neighbours)
        progress(1.0, "vertebra segmented")
        return LabelResult(
            labels=labels,
            target_id=target,
            confidence=judge_looks(first, second, share, seen, moved, OUTPUT_SPACING_MM, overlap),
            provenance=self._provenance(model, seed),
        )

    def _provenance(self, model: NetworkModel, seed: FloatArray) -> dict[str, object]:
        import onnxruntime

        return {
            "backend": self.name,
            "weights": model.name,
            "weights_sha256": model.sha256,
            "onnxruntime": onnxruntime.__version__,
            "seed_lps": [float(v) for v in seed],
        }


def _require_room(ct: Volume, seed: FloatArray) -> None:
    if not bool(ct.grid.contains(seed)):
        raise AnatomyError(
            f"the seed {_text(seed)} mm LPS lies outside the scan; give a point in the vertebral body",
            code="seed_outside",
        )
    if not bool(ct.grid.contains(seed, margin_mm=EDGE_MM)):
        raise AnatomyError(
            f"the seed {_text(seed)} mm LPS lies within {EDGE_MM:.0f} mm of the border of the scan, which cuts its "
            "vertebra; choose another vertebra or a longer scan",
            code="vertebra_cut",
        )


def _neighbours(model: NetworkModel, ct: Volume, here: Step, level_id: int) -> dict[int, Look]:
    """The vertebrae above and below, by VerSe id."""
    found: dict[int, Look] = {}
    for upwards, sign in ((True, -1), (False, 1)):
        identifier = next_level(level_id, sign)
        step = neighbour(model, ct, here, upwards=upwards) if identifier is not None else None
        if identifier is not None and step is not None:
            found[identifier] = step.seen
    return found


def _volume_ml(one: Look) -> float:
    return float(np.count_nonzero(one.mask())) * float(np.prod(one.grid.spacing_zyx)) / 1000.0


def _nothing_there(ct: Volume, seed: FloatArray, seen: Look) -> AnatomyError:
    """Say what is at the seed and how far the nearest vertebra is."""
    hu = _mean_hu(ct, seed)
    bone: BoolArray = seen.share[NetworkClass.OTHER] > 0.5
    if bone.any():
        distance = np.linalg.norm(seen.grid.index_to_world(np.argwhere(bone)) - seed, axis=1).min()
        near = f"the nearest vertebra seen is {distance:.0f} mm away"
        numbers = {"mean_hu_5mm": hu, "distance_mm": float(distance)}
    else:
        near, numbers = "no vertebra is seen within 45 mm", {"mean_hu_5mm": hu}
    return AnatomyError(
        f"the seed {_text(seed)} mm LPS is not in a vertebral body (mean {hu:.0f} HU within 5 mm): {near}. "
        "Click the middle of the body",
        code="seed_not_in_vertebra",
        numbers=numbers,
    )


def _beside(ct: Volume, seed: FloatArray, centre: FloatArray) -> AnatomyError:
    distance = float(np.linalg.norm(centre - seed))
    return AnatomyError(
        f"the seed {_text(seed)} mm LPS is not in a vertebral body: the nearest body found has its centre "
        f"{distance:.0f} mm away at {_text(centre)}. Click the middle of the body",
        code="seed_not_in_vertebra",
        numbers={"distance_mm": distance, "mean_hu_5mm": _mean_hu(ct, seed)},
    )


def _lost(moved_mm: float) -> AnatomyError:
    return AnatomyError(
        f"the vertebra seen from the seed is not seen from its own centre {moved_mm:.0f} mm away; move the seed to the "
        "middle of the body, or load a label map",
        code="segmentation_lost",
        numbers={"moved_mm": moved_mm},
    )


def _mean_hu(ct: Volume, seed: FloatArray) -> float:
    around = resample_volume(ct, Grid.isotropic(seed - 5.0, seed + 5.0, 1.0))
    near = np.linalg.norm(around.grid.points_lps() - seed, axis=-1) <= 5.0
    return float(around.array[near].mean())


def _text(point: FloatArray) -> str:
    return "(" + ", ".join(f"{v:.0f}" for v in point) + ")"
