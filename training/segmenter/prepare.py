"""From a labelled CT to targets: resampled to the network's grid, vertebrae split into body and posterior elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.segmenter.target import HALF, IGNORE, Target, cube, padding
from training.segmenter.tissues import tissue_map
from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_input import SPACING_MM, NetworkClass
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.pieces import thickest
from trajplan.geometry.resample import resample_labels, resample_mask, resample_volume
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan.parts import Part

_OUTSIDE_HU = -3000.0
_ROOM_MM = 80.0
SACRUM = level_id("S1")
"""Background to the network, as in the real scans: walking down from L5 must not find another vertebra."""

_BONE_PARTS = (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR)


@dataclass(frozen=True, eq=False)
class LabelledScan:
    """A CT with labels, both axis-aligned LPS.

    Attributes
    ----------
    labels : LabelMap
        VerSe ids.
    organs : LabelMap or None
        Other organs, ids below 200, for recolouring.
    parts : mapping
        Exact parts (ids of `trajplan.parts.Part`) by VerSe id, where known; measured otherwise.
    ignore : ndarray of bool or None
        On the CT's grid: where vertebrae stand that `labels` leave out.
    """

    name: str
    patient: str
    ct: Volume
    labels: LabelMap
    organs: LabelMap | None = None
    parts: Mapping[int, LabelMap] | None = None
    ignore: npt.NDArray[np.bool_] | None = None


def targets_of(scan: LabelledScan, ids: Iterable[int], weight: float) -> list[Target]:
    """Prepare the vertebrae `ids` of a scan; one that cannot be measured is left out and told."""
    grid = _grid(scan)
    wide = resample_volume(scan.ct, grid, outside_hu=_OUTSIDE_HU)
    hu = np.asarray(wide.array, dtype=np.float32)
    valid = hu > -1500.0
    vertebrae = resample_labels(scan.labels, grid).array
    organs = np.zeros(grid.shape_zyx, dtype=np.uint8)
    if scan.organs is not None:
        organs = _nearest(scan.organs, grid)
    tissues = tissue_map(hu, vertebrae > 0, organs)
    unknown = None
    if scan.ignore is not None:
        unknown = resample_mask(scan.ignore, scan.ct.grid, grid) > 0.2
    stored = np.where(valid, np.clip(hu, -1024, 3000), padding()).astype(np.int16)
    out = []
    for one in ids:
        own = vertebrae == one
        try:
            parts = _parts(scan, one)
        except AnatomyError as error:
            print(f"  {scan.name} {LEVEL_NAMES[one]} left out: {error}")
            continue
        share = {part: resample_mask(parts.array == part, parts.grid, grid) for part in (*_BONE_PARTS, Part.CANAL)}
        body = share[Part.BODY] >= sum(share[part] for part in _BONE_PARTS[1:])
        labels = np.zeros(grid.shape_zyx, dtype=np.uint8)
        labels[share[Part.CANAL] > 0.5] = NetworkClass.CANAL
        if unknown is not None:
            labels[unknown] = IGNORE
        labels[(vertebrae > 0) & (vertebrae != SACRUM) & ~own] = NetworkClass.OTHER
        labels[own] = np.where(body, NetworkClass.BODY, NetworkClass.POSTERIOR)[own]
        centre, height = body_center(own & body)
        lower = np.round(centre).astype(int) - HALF
        out.append(
            Target(
                f"{scan.name} {LEVEL_NAMES[one]}",
                scan.patient,
                cube(stored, lower, float(padding())).astype(np.int16),
                cube(labels, lower, 0).astype(np.uint8),
                cube(tissues, lower, 200).astype(np.uint8),
                cube(valid, lower, 0).astype(bool),
                height,
                bool((share[Part.CANAL] > 0.5).any()),
                weight,
            )
        )
    return out


def body_center(body: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], float]:
    """Centre (voxels z, y, x) of a body, where it is thickest, and its height there, voxels."""
    centre = thickest(body)
    _, y, x = np.round(centre).astype(int)
    return centre, float(body[:, y - 1 : y + 2, x - 1 : x + 2].any(axis=(1, 2)).sum())


def _grid(scan: LabelledScan) -> Grid:
    """The network's grid about the labelled spine, within the scan."""
    marked = np.argwhere(scan.labels.array > 0)
    ends = [scan.labels.grid.index_to_world(end) for end in (marked.min(axis=0), marked.max(axis=0))]
    corners = scan.ct.grid.corners_lps()
    lower = np.maximum(np.min(ends, axis=0) - _ROOM_MM, corners.min(axis=0))
    upper = np.minimum(np.max(ends, axis=0) + _ROOM_MM, corners.max(axis=0))
    return Grid.isotropic(lower, upper, SPACING_MM)


def _parts(scan: LabelledScan, one: int) -> LabelMap:
    if scan.parts is not None and one in scan.parts:
        return scan.parts[one]
    measured: Vertebra = measure_vertebra(
        scan.ct, scan.labels, one, level=LEVEL_NAMES[one], level_confirmed=True, source="training"
    )
    return measured.parts


def _nearest(labels: LabelMap, grid: Grid) -> npt.NDArray[np.uint8]:
    index = np.round(labels.grid.world_to_index(grid.points_lps())).astype(np.int64)
    inside = ((index >= 0) & (index < np.array(labels.grid.shape_zyx))).all(axis=-1)
    out = np.zeros(grid.shape_zyx, dtype=np.uint8)
    out[inside] = labels.array[tuple(index[inside].T)]
    return out
