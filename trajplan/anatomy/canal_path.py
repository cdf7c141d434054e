"""The spinal canal through a whole scan, without a seed: dynamic programming over 'enclosed by bone, far from bone'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray
from trajplan.geometry.resample import resample_volume

STEP_MM = 2.0
BONE_HU = 170.0
_REACH_MM = 20.0
_RAYS = 24
_GOOD = 0.22
_MOVE_COST = 0.05


@dataclass(frozen=True, eq=False)
class CanalPath:
    """The canal as one point per millimetre of arc, from inferior to superior.

    Parameters
    ----------
    points_lps, tangents_lps : ndarray, shape (N, 3)
        LPS mm; tangents are unit vectors pointing superior.
    score : ndarray, shape (N,)
        0..1, how much each place looks like the inside of a canal.
    """

    points_lps: FloatArray
    tangents_lps: FloatArray
    score: FloatArray


def find_canal_path(ct: Volume, step_mm: float = STEP_MM) -> CanalPath:
    """The spinal canal of a canonical CT (axis-aligned LPS), however much of the scan has no spine.

    It is looked for on voxels of `step_mm`.

    Raises
    ------
    AnatomyError
        ``no_spine``: no stretch of at least 30 mm looks like a canal.
    """
    work = _working_volume(ct, step_mm)
    hu = np.asarray(work.array, dtype=np.float32)
    score = canal_score(hu, step_mm) * _midline_weight(hu, step_mm)
    path = cheapest_path(score)
    along = score[np.arange(len(path)), path[:, 0], path[:, 1]].astype(np.float64)
    first, last = _longest_run(ndi.gaussian_filter1d(along, 8 / step_mm) > _GOOD, gap=round(24 / step_mm))
    length_mm = (last - first) * step_mm
    if length_mm < 30.0:
        raise AnatomyError(
            f"no spinal canal found: the longest canal-like stretch is {max(0.0, length_mm):.0f} mm of the "
            f"{len(path) * step_mm:.0f} mm scanned (30 mm needed); check that the scan is a CT of the spine in HU",
            code="no_spine",
            numbers={"canal_mm": max(0.0, length_mm), "scan_mm": len(path) * step_mm, "best_score": float(along.max())},
        )
    index = np.c_[np.arange(first, last + 1), path[first : last + 1]]
    return smooth_curve(work.grid.index_to_world(index), along[first : last + 1], step_mm)


def _working_volume(ct: Volume, step_mm: float) -> Volume:
    corners = ct.grid.corners_lps()
    grid = Grid.isotropic(corners.min(axis=0), corners.max(axis=0) + 1e-3, step_mm)
    return resample_volume(ct, grid)


def canal_score(hu: Float32Array, step_mm: float) -> Float32Array:
    """Per voxel 0..1: enclosed in plane by bone, far from bone, soft, and with a body's worth of bone in front.

    The last factor keeps the path out of osteoporotic body interiors, which are enclosed and soft as well.
    """
    smooth = ndi.gaussian_filter(hu, 1.0 / step_mm)
    bone = smooth > BONE_HU
    distance = ndi.distance_transform_edt(~bone, sampling=(3 * step_mm, step_mm, step_mm))
    soft = (smooth > -80) & (smooth < 140)
    front = _box_in_front(np.clip(smooth, -100.0, 250.0), step_mm)
    support = np.clip((front - 20.0) / 110.0, 0.0, 1.0)
    room = np.clip(distance, 0.0, 8.0) / 8.0
    enclosed = np.clip((_enclosure(bone, step_mm) - 0.4) / 0.6, 0.0, 1.0)
    score = ndi.gaussian_filter((enclosed * room * support * soft).astype(np.float32), 0.7)
    return np.asarray(score, dtype=np.float32)


def _enclosure(bone: BoolArray, step_mm: float) -> Float32Array:
    """Share of in-plane rays that meet bone within reach."""
    reach = round(_REACH_MM / step_mm)
    padded = np.pad(bone, ((0, 0), (reach, reach), (reach, reach)))
    count = np.zeros(bone.shape, dtype=np.uint8)
    rows, columns = bone.shape[1:]
    for angle in 2 * np.pi * np.arange(_RAYS) / _RAYS:
        met = np.zeros(bone.shape, dtype=bool)
        for r in range(1, reach + 1):
            dx, dy = round(r * np.cos(angle)), round(r * np.sin(angle))
            met |= padded[:, reach + dy : reach + dy + rows, reach + dx : reach + dx + columns]
        count += met
    return np.asarray(count / np.float32(_RAYS), dtype=np.float32)


def _box_in_front(clipped: Float32Array, step_mm: float) -> Float32Array:
    """Mean over the box 10..30 mm anterior, 16 mm wide and 30 mm high (a body and its disc)."""
    size = [max(1, round(v / step_mm)) for v in (30, 20, 16)]
    mean = ndi.uniform_filter(clipped, size, mode="nearest")
    shift = round(20 / step_mm)
    out: Float32Array = np.full_like(mean, -100.0)
    out[:, shift:] = mean[:, : mean.shape[1] - shift]
    return out


def _midline_weight(hu: Float32Array, step_mm: float) -> Float32Array:
    """1 within 40 mm of the middle of the tissue of each slice, falling to 0.25 at 90 mm: keeps hip joints out."""
    tissue = hu > -300
    columns = np.arange(hu.shape[2])
    mass = ndi.gaussian_filter1d(tissue.sum(axis=1).astype(np.float64), 10, axis=0, mode="nearest") + 1e-6
    middle = (mass * columns).sum(axis=1) / mass.sum(axis=1)
    off_mm = np.abs(columns[None, :] - middle[:, None]) * step_mm
    weight = 1.0 - 0.75 * np.clip((off_mm - 40.0) / 50.0, 0.0, 1.0)
    return np.asarray(weight[:, None, :], dtype=np.float32)


def cheapest_path(score: Float32Array) -> np.ndarray:
    """Row and column per slice, shape (Z, 2), of the path of highest total score with steps of at most one voxel."""
    cost = 1.0 - score
    total = np.empty_like(cost)
    total[0] = cost[0]
    for k in range(1, len(cost)):
        stay = total[k - 1]
        move = ndi.minimum_filter(stay, size=3, mode="nearest") + _MOVE_COST
        total[k] = cost[k] + np.minimum(stay, move)
    path = np.zeros((len(cost), 2), dtype=int)
    path[-1] = np.unravel_index(int(np.argmin(total[-1])), total[-1].shape)
    for k in range(len(cost) - 2, -1, -1):
        y, x = path[k + 1]
        y0, x0 = max(0, y - 1), max(0, x - 1)
        near = total[k][y0 : y + 2, x0 : x + 2] + np.float32(_MOVE_COST)
        near[y - y0, x - x0] -= np.float32(_MOVE_COST)
        j = np.unravel_index(int(np.argmin(near)), near.shape)
        path[k] = y0 + int(j[0]), x0 + int(j[1])
    return path


def _longest_run(good: BoolArray, gap: int) -> tuple[int, int]:
    """First and last index of the longest run, bridging interruptions of up to `gap`; (0, -1) when there is none."""
    index = np.flatnonzero(good)
    if not len(index):
        return 0, -1
    runs = np.split(index, np.flatnonzero(np.diff(index) > gap) + 1)
    best = max(runs, key=lambda run: int(run[-1] - run[0]))
    return int(best[0]), int(best[-1])


def smooth_curve(points: FloatArray, score: FloatArray, step_mm: float) -> CanalPath:
    """A path with one point (N, 3) LPS mm per slice of `step_mm` as a smooth curve.

    Weighted smoothing over about 12 mm (weights = score), then one point per millimetre of arc."""
    weight = np.clip(score, 0.03, 1.0)
    sigma = 12.0 / step_mm
    # Smoothing the residual about a straight line keeps the ends from being pulled inwards.
    z = points[:, 2]
    line = np.stack([np.polyval(np.polyfit(z, p, 1, w=weight), z) for p in points.T], axis=1)
    rest = points - line
    norm = ndi.gaussian_filter1d(weight, sigma, mode="nearest")
    smooth = line + ndi.gaussian_filter1d(rest * weight[:, None], sigma, axis=0, mode="nearest") / norm[:, None]
    arc = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(smooth, axis=0), axis=1))]
    s = np.arange(0.0, arc[-1] + 1e-6, 1.0)
    even = np.stack([np.interp(s, arc, p) for p in smooth.T], axis=1)
    tangent = ndi.gaussian_filter1d(np.gradient(even, axis=0), 5.0, axis=0, mode="nearest")
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return CanalPath(even, tangent, np.interp(s, arc, score))
