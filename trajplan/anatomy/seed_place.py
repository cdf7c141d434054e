"""What lies at a seed, and the message when it is no vertebral body: with the nearest vertebra and its distance."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.network_column import NetworkColumn
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import FloatArray

AIR_HU, BONE_HU = -300.0, 150.0
NEAR_MM = 2.5
BORDER_MM = 8.0
DISC_REACH_MM, DISC_RADIUS_MM = 14.0, 22.0


class SeedPlace(StrEnum):
    """Where a seed lies."""

    BODY = "in a vertebral body"
    CUT = "in a vertebra that the border of the scan cuts"
    PROCESS = "in the arch or a process of a vertebra, not in its body"
    DISC = "in a disc"
    BONE = "in a rib or other bone beside the spine"
    AIR = "in air inside the body"
    OUTSIDE = "outside the body"
    SOFT = "in soft tissue"


_CODES = {
    SeedPlace.CUT: "vertebra_cut",
    SeedPlace.PROCESS: "seed_beside_body",
    SeedPlace.DISC: "seed_in_disc",
    SeedPlace.BONE: "seed_in_other_bone",
    SeedPlace.AIR: "seed_in_air",
    SeedPlace.OUTSIDE: "seed_outside_body",
    SeedPlace.SOFT: "seed_in_soft_tissue",
}


def place_of(column: NetworkColumn, seed_lps: FloatArray) -> SeedPlace:
    """What lies at a seed (LPS mm), inside the scan."""
    seed = np.asarray(seed_lps, dtype=np.float64)
    for one in column.vertebrae:
        if _distance(one, one.body, seed) <= NEAR_MM:
            return SeedPlace.CUT if one.body_cut else SeedPlace.BODY
    for one in column.vertebrae:
        if _distance(one, one.mask, seed) <= NEAR_MM:
            return SeedPlace.PROCESS
    hu = _mean_hu(column.work, seed, 3.0)
    if hu < AIR_HU:
        return SeedPlace.AIR if _inside_body(column.work, seed) else SeedPlace.OUTSIDE
    if hu > BONE_HU:
        return SeedPlace.CUT if _beyond_the_last(column, seed) else SeedPlace.BONE
    for upper, lower in zip(column.vertebrae[:-1], column.vertebrae[1:], strict=True):
        if _in_disc(upper, lower, seed):
            return SeedPlace.DISC
    return SeedPlace.SOFT


def seed_error(column: NetworkColumn, seed_lps: FloatArray) -> AnatomyError:
    """The refusal of a seed: where it is, and the nearest vertebra with its body's centre and distance."""
    seed = np.asarray(seed_lps, dtype=np.float64)
    place = place_of(column, seed)
    whole = [k for k, one in enumerate(column.vertebrae) if not one.body_cut] or list(range(len(column.vertebrae)))
    nearest = min(whole, key=lambda k: float(np.linalg.norm(column.vertebrae[k].center_lps - seed)))
    center = column.vertebrae[nearest].center_lps
    distance = float(np.linalg.norm(center - seed))
    name = column.levels().names[nearest]
    told = f" ({name} by the program's count, unconfirmed)" if name else ""
    end = "choose that one or a longer scan" if place is SeedPlace.CUT else "click the middle of the body"
    return AnatomyError(
        f"the seed {_text(seed)} mm LPS is {place}: the nearest whole vertebra found{told} has its body's centre "
        f"{distance:.0f} mm away at {_text(center)}; {end}",
        code=_CODES.get(place, "seed_not_in_vertebra"),
        numbers={"distance_mm": distance, "mean_hu_3mm": _mean_hu(column.work, seed, 3.0)}
        | {f"nearest_{axis}_mm": float(v) for axis, v in zip("xyz", center, strict=True)},
    )


def _distance(one: FoundVertebra, mask: np.ndarray, seed: FloatArray) -> float:
    """To the nearest voxel of a mask, mm."""
    if np.linalg.norm(one.center_lps - seed) > 90.0:
        return np.inf
    return float(np.linalg.norm(one.seen.grid.index_to_world(np.argwhere(mask)) - seed, axis=1).min())


def _in_disc(upper: FoundVertebra, lower: FoundVertebra, seed: FloatArray) -> bool:
    way = upper.center_lps - lower.center_lps
    share = float((seed - lower.center_lps) @ way) / float(way @ way)
    aside = float(np.linalg.norm(seed - lower.center_lps - share * way))
    near = max(_distance(one, one.body, seed) for one in (upper, lower))
    return 0.0 < share < 1.0 and aside <= DISC_RADIUS_MM and near <= DISC_REACH_MM


def _beyond_the_last(column: NetworkColumn, seed: FloatArray) -> bool:
    """In bone near the upper or lower border of the scan, in line with the column."""
    corners = column.work.grid.corners_lps()
    near = min(seed[2] - corners[:, 2].min(), corners[:, 2].max() - seed[2]) <= BORDER_MM
    k, _ = column.nearest(seed)
    frame, one = column.frames[k], column.vertebrae[k]
    local = frame.to_local(seed)
    return bool(near and np.hypot(local[0], local[1]) <= DISC_RADIUS_MM and abs(local[2]) <= 2.0 * one.height_mm)


def _inside_body(work: Volume, seed: FloatArray) -> bool:
    """Whether a place lies inside the outline of the tissue of its slice."""
    z, y, x = np.clip(np.rint(work.grid.world_to_index(seed)).astype(int), 0, np.array(work.grid.shape_zyx) - 1)
    tissue = ndi.binary_opening(work.array[z] > AIR_HU, iterations=2)
    pieces, count = ndi.label(tissue)
    if not count:
        return False
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return bool(ndi.binary_fill_holes(pieces == sizes.argmax())[y, x])


def _mean_hu(work: Volume, seed: FloatArray, radius_mm: float) -> float:
    center = work.grid.world_to_index(seed)
    reach = radius_mm / work.grid.spacing_zyx
    low = np.clip(np.ceil(center - reach), 0, np.array(work.grid.shape_zyx) - 1).astype(int)
    high = np.clip(np.floor(center + reach), 0, np.array(work.grid.shape_zyx) - 1).astype(int) + 1
    box = Grid(tuple(high - low), work.grid.index_to_world(low), work.grid.spacing_zyx)
    near = np.linalg.norm(box.points_lps() - seed, axis=-1) <= radius_mm
    part = work.array[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    return float(part[near].mean()) if near.any() else float(part.mean())


def _text(point: FloatArray) -> str:
    return "(" + ", ".join(f"{v:.0f}" for v in point) + ")"
