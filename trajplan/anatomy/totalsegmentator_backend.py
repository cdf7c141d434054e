"""TotalSegmentator, where it is installed, by its Python API: all vertebrae at once; the one at the seed is taken."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from trajplan.anatomy.backend import LabelResult, Progress
from trajplan.anatomy.clean_labels import clean_labels
from trajplan.anatomy.vertebra import Confidence
from trajplan.errors import AnatomyError, InputError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.resample import canonical
from trajplan.levels import LEVEL_NAMES, next_level
from trajplan.reading.schemes import TO_VERSE, Scheme

MAX_SEED_MM = 6.0
"""A seed so near to a labelled vertebra is in it: seeds are clicked, borders are uncertain."""

_VERTEBRAE = (*(f"vertebrae_T{n}" for n in range(1, 13)), *(f"vertebrae_L{n}" for n in range(1, 6)))
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class TotalSegmentatorBackend:
    """The ``total`` task of TotalSegmentator (Wasserthal et al. 2023, doi 10.1148/ryai.230024; Apache-2.0).

    Its own package, weights (downloaded by it on first use) and PyTorch are needed: ``pip install TotalSegmentator``.
    It asks a server of its makers to count its uses; that is switched off for calls from here.
    """

    name = "totalsegmentator"

    def segment(self, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress) -> LabelResult:
        """Segment the thoracic and lumbar vertebrae of a canonical CT; the target is the one at `seed_lps` (LPS mm).

        Where `level_id` is another level than TotalSegmentator's, all its names move with it, and that is told.

        Raises
        ------
        InputError
            ``backend_missing`` when the package is not installed.
        AnatomyError
            ``backend_failed``, ``seed_not_in_vertebra``, ``segmentation_lost``.
        """
        api, nibabel = _import("totalsegmentator.python_api"), _import("nibabel")
        progress(0.0, "TotalSegmentator is at work (minutes without a GPU)")
        array = _run(api, nibabel, ct)
        progress(0.9, "taking the vertebra at the seed")
        labels, mended = clean_labels(_as_verse(array, ct))
        found = _at(labels, np.asarray(seed_lps, dtype=np.float64))
        told = tuple(text for one in mended if (text := one.told()))
        if level_id is not None and level_id != found:
            theirs, stated = LEVEL_NAMES[found], LEVEL_NAMES[level_id]
            told = (f"TotalSegmentator calls this vertebra {theirs}, the level stated is {stated}", *told)
            labels, found = _renamed(labels, found, level_id), level_id
        progress(1.0, "vertebra segmented")
        return LabelResult(
            labels=labels,
            target_id=found,
            # it gives no probabilities: nothing is known of how sure it is
            confidence=Confidence(score=1.0, values={}, check=told),
            provenance={
                "backend": self.name,
                "task": "total",
                "version": str(getattr(_import("totalsegmentator"), "__version__", "unknown")),
                "seed_lps": [float(v) for v in np.asarray(seed_lps)],
            },
        )


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            "the back-end totalsegmentator needs the package TotalSegmentator with its PyTorch: "
            f"pip install TotalSegmentator ({error}); or choose another with --backend",
            code="backend_missing",
        ) from error


def _run(api: ModuleType, nibabel: ModuleType, ct: Volume) -> AnyArray:
    """The label array of the whole scan, (z, y, x) as `ct`."""
    image = nibabel.Nifti1Image(np.ascontiguousarray(ct.array.transpose(2, 1, 0)), _affine_ras(ct.grid))
    try:
        with _no_counting(api), contextlib.redirect_stdout(io.StringIO()):
            result: Any = api.totalsegmentator(image, None, task="total", roi_subset=list(_VERTEBRAE), quiet=True)
    except SystemExit as error:  # how it ends when weights or a licence are missing
        raise _failed(f"it ended with status {error.code}") from error
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise _failed(f"{type(error).__name__}: {error}") from error
    array = np.asarray(result.dataobj).transpose(2, 1, 0)
    if array.shape != ct.array.shape or not np.allclose(result.affine, image.affine, atol=1e-3):
        raise _failed(f"its labels ({array.shape}) do not lie on the scan ({ct.array.shape})")
    return np.asarray(array, dtype=np.int64)


def _failed(why: str) -> AnatomyError:
    return AnatomyError(
        f"TotalSegmentator failed: {why}. Run its own command TotalSegmentator once to fetch its weights, or choose "
        "another back-end",
        code="backend_failed",
    )


@contextlib.contextmanager
def _no_counting(api: ModuleType) -> Iterator[None]:
    """Nothing about a use of this program leaves the machine."""
    counted = getattr(api, "send_usage_stats", None)
    if counted is None:
        yield
        return
    vars(api)["send_usage_stats"] = lambda *_args, **_kwargs: None
    try:
        yield
    finally:
        vars(api)["send_usage_stats"] = counted


def _affine_ras(grid: Grid) -> FloatArray:
    """NIfTI affine (index x, y, z to RAS mm) of a grid."""
    affine = np.eye(4)
    affine[:3, :3] = grid.direction * grid.spacing_zyx[::-1]
    affine[:3, 3] = grid.origin_lps
    return np.asarray(_LPS_TO_RAS @ affine)


def _as_verse(array: AnyArray, ct: Volume) -> LabelMap:
    ids = TO_VERSE[Scheme.TOTALSEG_V2]
    table = np.zeros(max(int(array.max()), *ids) + 1, dtype=np.uint8)
    for theirs, ours in ids.items():
        table[theirs] = ours
    labels = table[array]
    names = {int(i): LEVEL_NAMES[int(i)] for i in np.unique(labels) if i}
    if not names:
        raise AnatomyError(
            "TotalSegmentator finds no thoracic or lumbar vertebra in this scan", code="segmentation_lost"
        )
    return canonical(LabelMap(labels, ct.grid, names))


def _at(labels: LabelMap, seed: FloatArray) -> int:
    """The level at the seed, or the nearest within `MAX_SEED_MM`."""
    where = np.argwhere(labels.array > 0)
    distance = np.linalg.norm(labels.grid.index_to_world(where) - seed, axis=1)
    nearest = int(distance.argmin())
    level = int(labels.array[tuple(where[nearest])])
    if distance[nearest] > MAX_SEED_MM:
        raise AnatomyError(
            f"the seed is in no vertebra that TotalSegmentator finds; the nearest is {LEVEL_NAMES[level]}, "
            f"{distance[nearest]:.0f} mm away",
            code="seed_not_in_vertebra",
            numbers={"distance_mm": float(distance[nearest])},
        )
    return level


def _renamed(labels: LabelMap, found: int, stated: int) -> LabelMap:
    """All levels moved by as many names as the target is; those that have no name are dropped."""
    array = np.zeros_like(labels.array)
    for old in labels.ids():
        array[labels.array == old] = next_level(old, stated - found) or 0
    return LabelMap(array, labels.grid, {int(i): LEVEL_NAMES[int(i)] for i in np.unique(array) if i})
