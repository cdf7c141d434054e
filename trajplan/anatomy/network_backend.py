"""The default back-end: the trained network, looked through twice, with what its looks disagree about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trajplan.anatomy.backend import LabelResult, Progress
from trajplan.anatomy.network_confidence import judge_looks
from trajplan.anatomy.network_input import NetworkClass
from trajplan.anatomy.network_model import WEIGHTS, NetworkModel, load_model
from trajplan.anatomy.network_pass import Look, look
from trajplan.anatomy.working_grid import largest
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray
from trajplan.geometry.resample import resample_mask, resample_volume
from trajplan.levels import LEVEL_NAMES, UNKNOWN_LEVEL_ID

OUTPUT_SPACING_MM = 1.0
MIN_VOLUME_ML = 5.0
MAX_MOVE_MM = 22.0
"""A body centre further from the seed than this is another vertebra's, or none."""

EDGE_MM = 8.0


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

        The result lies on a 1 mm axis-aligned LPS grid and holds the target alone, under `level_id` or
        ``UNKNOWN_LEVEL_ID``.

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
        if centre is None or _volume_ml(first) < MIN_VOLUME_ML:
            raise _nothing_there(ct, seed, first)
        moved = float(np.linalg.norm(centre - seed))
        if moved > MAX_MOVE_MM:
            raise _beside(ct, seed, centre)
        progress(0.6, "looking again from the body's centre")
        second = look(model, ct, centre)
        grid = _output_grid(first, second)
        share = _on(grid, (first, second))
        mask = largest(share > 0.5)
        if second.body_center_lps() is None or not mask.any():
            raise _lost(moved)
        confidence = judge_looks(first, second, share, mask, moved)
        target = UNKNOWN_LEVEL_ID if level_id is None else level_id
        progress(1.0, "vertebra segmented")
        names = {target: LEVEL_NAMES.get(target, "vertebra of unknown level")}
        return LabelResult(
            labels=LabelMap(np.where(mask, target, 0).astype(np.uint8), grid, names),
            target_id=target,
            confidence=confidence,
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


def _output_grid(*looks: Look) -> Grid:
    """A 1 mm grid that holds the target as either look saw it."""
    points = np.concatenate([one.grid.index_to_world(np.argwhere(one.target_share > 0.3)) for one in looks])
    return Grid.isotropic(points.min(axis=0) - 4.0, points.max(axis=0) + 4.0, OUTPUT_SPACING_MM)


def _on(grid: Grid, looks: tuple[Look, ...]) -> Float32Array:
    """Mean target probability of the looks; where only one of them reaches, its own."""
    total, weight = np.zeros(grid.shape_zyx, np.float32), np.zeros(grid.shape_zyx, np.float32)
    for one in looks:
        reach = resample_mask(np.ones(one.grid.shape_zyx, dtype=np.float32), one.grid, grid)
        total += resample_mask(one.target_share, one.grid, grid)
        weight += reach
    return np.asarray(total / np.maximum(weight, 1e-3), dtype=np.float32)


def _volume_ml(one: Look) -> float:
    return float(np.count_nonzero(one.mask())) * float(np.prod(one.grid.spacing_zyx)) / 1000.0


def _nothing_there(ct: Volume, seed: FloatArray, seen: Look) -> AnatomyError:
    """Say what is at the seed and how far the nearest vertebra is."""
    hu = _mean_hu(ct, seed)
    bone: BoolArray = seen.share[NetworkClass.OTHER] + seen.target_share > 0.5
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
