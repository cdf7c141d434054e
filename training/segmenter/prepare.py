"""From a labelled CT to targets: resampled to the network's grid, vertebrae split into body and posterior elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

from training.segmenter.target import FULL, HALF, SIDE, Target, cube, padding
from training.segmenter.tissues import tissue_map
from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_input import SPACING_MM
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.pieces import thickest
from trajplan.geometry.resample import resample_labels, resample_mask, resample_volume
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan.parts import Part

_OUTSIDE_HU = -3000.0
_FINER = 2
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
    stored = np.where(valid, np.clip(hu, -1024, 3000), padding()).astype(np.int16)
    out = []
    for one in ids:
        own = vertebrae == one
        try:
            parts = _parts(scan, one)
        except AnatomyError as error:
            print(f"  {scan.name} {LEVEL_NAMES[one]} left out: {error}")
            continue
        body = resample_mask(parts.array == Part.BODY, parts.grid, grid)
        arch = resample_mask(np.isin(parts.array, _BONE_PARTS[1:]), parts.grid, grid)
        centre, height = body_center(own & (body >= arch))
        lower = np.round(centre).astype(int) - HALF
        out.append(
            Target(
                f"{scan.name} {LEVEL_NAMES[one]}",
                scan.patient,
                cube(stored, lower, float(padding())).astype(np.int16),
                _share(scan, one, parts, grid.cropped(lower, lower + SIDE)),
                cube(tissues, lower, 200).astype(np.uint8),
                cube(valid, lower, 0).astype(bool),
                height,
                bool((parts.array == Part.CANAL).any()),
                weight,
            )
        )
    return out


def _share(scan: LabelledScan, one: int, parts: LabelMap, grid: Grid) -> npt.NDArray[np.uint8]:
    """How much of each voxel of a cube is what, as `Target.share`."""
    own = _filled(scan.labels, (one,), grid)
    body, arch = _filled(parts, (Part.BODY,), grid), _filled(parts, _BONE_PARTS[1:], grid)
    # beyond the measured parts (their outline is not quite that of the labels) the nearer one goes on
    beyond = body + arch < 0.05
    body[beyond], arch[beyond] = (ndi.gaussian_filter(x, 1.5)[beyond] for x in (body, arch))
    arch += 1e-6
    others = tuple(i for i in scan.labels.ids() if i not in (one, SACRUM))
    other = np.minimum(_filled(scan.labels, others, grid), 1 - own)
    canal = np.minimum(_filled(parts, (Part.CANAL,), grid), 1 - own - other)
    unknown = np.zeros_like(own)
    if scan.ignore is not None:
        unknown = np.where(resample_mask(scan.ignore, scan.ct.grid, grid) > 0.2, 1 - own - other - canal, 0.0)
    in_body = own * body / (body + arch)
    return np.round(FULL * np.stack([in_body, own - in_body, other, canal, unknown], axis=-1)).astype(np.uint8)


def _filled(labels: LabelMap, ids: tuple[int, ...], grid: Grid) -> npt.NDArray[np.float32]:
    """Share of each voxel that labels `ids` fill, from points a voxel's half apart."""
    step = np.asarray(grid.spacing_xyz) / _FINER
    fine = Grid(
        tuple(_FINER * n for n in grid.shape_zyx), grid.origin_lps - 0.5 * (_FINER - 1) * step, tuple(step[::-1])
    )
    share = resample_mask(np.isin(labels.array, ids), labels.grid, fine)
    z, y, x = grid.shape_zyx
    return np.asarray(share.reshape(z, _FINER, y, _FINER, x, _FINER).mean(axis=(1, 3, 5)), dtype=np.float32)


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
