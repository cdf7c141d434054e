"""The spine laid straight: CT sampled along the canal curve on a (s, v, u) grid at 1 mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.canal_path import CanalPath
from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray

V_RANGE_MM = (-15, 52)
U_HALF_MM = 30


@dataclass(frozen=True, eq=False)
class Straightened:
    """CT along the canal.

    Parameters
    ----------
    hu : ndarray, shape (S, V, U)
        s superior along the canal, v *anterior* of the canal (`V_RANGE_MM`), u patient left (+-`U_HALF_MM`); 1 mm.
    inside : ndarray of bool, shape (S,)
        The body region of that section (v 0..40, u +-12 mm) lies inside the scan.
    points_lps, along_lps, anterior_lps, left_lps : ndarray, shape (S, 3)
        Canal points and the three unit axes at each section.
    """

    hu: Float32Array
    inside: BoolArray
    points_lps: FloatArray
    along_lps: FloatArray
    anterior_lps: FloatArray
    left_lps: FloatArray

    def to_world(self, s: float, v: float, u: float) -> FloatArray:
        """LPS mm of a straightened place (s, v, u), mm."""
        k = np.arange(len(self.points_lps))

        def at(rows: FloatArray) -> FloatArray:
            return np.array([np.interp(s, k, column) for column in rows.T])

        return np.asarray(at(self.points_lps) + v * at(self.anterior_lps) + u * at(self.left_lps))

    def band(self, v_mm: tuple[float, float], u_mm: tuple[float, float]) -> Float32Array:
        """The block of `hu` with v and u (mm, both ends included) in the given ranges."""
        v0, v1 = (round(v) - V_RANGE_MM[0] for v in v_mm)
        u0, u1 = (round(u) + U_HALF_MM for u in u_mm)
        return np.asarray(self.hu[:, max(v0, 0) : v1 + 1, max(u0, 0) : u1 + 1])


def extend(path: CanalPath, by_mm: int) -> CanalPath:
    """The canal continued straight by `by_mm` at both ends: the last vertebra reaches beyond its ring."""
    step = np.arange(1, by_mm + 1)[:, None]
    below = (path.points_lps[0] - step * path.tangents_lps[0])[::-1]
    above = path.points_lps[-1] + step * path.tangents_lps[-1]
    tangents = np.r_[
        np.repeat(path.tangents_lps[:1], by_mm, 0), path.tangents_lps, np.repeat(path.tangents_lps[-1:], by_mm, 0)
    ]
    score = np.r_[np.zeros(by_mm), path.score, np.zeros(by_mm)]
    return CanalPath(np.r_[below, path.points_lps, above], tangents, score)


def straighten(ct: Volume, path: CanalPath) -> Straightened:
    """Sample a canonical CT, smoothed by 0.7 mm, along `path`."""
    t = path.tangents_lps
    anterior = np.array([0.0, -1.0, 0.0]) + t * t[:, 1:2]
    anterior /= np.linalg.norm(anterior, axis=1, keepdims=True)
    left = np.cross(t, anterior)
    v = np.arange(V_RANGE_MM[0], V_RANGE_MM[1] + 1.0)
    u = np.arange(-U_HALF_MM, U_HALF_MM + 1.0)
    reach = float(np.hypot(max(abs(v[0]), v[-1]), u[-1])) + 2.0
    lower, upper = path.points_lps.min(axis=0) - reach, path.points_lps.max(axis=0) + reach
    corner = ct.grid.world_to_index([lower, upper])
    box = ct.cropped(np.floor(corner[0]), np.ceil(corner[1]) + 1)
    smooth = ndi.gaussian_filter(np.asarray(box.array, dtype=np.float32), 0.7 / box.grid.spacing_zyx)
    plane = path.points_lps[:, None, None] + v[:, None, None] * anterior[:, None, None]
    index = np.moveaxis(box.grid.world_to_index(plane + u[:, None] * left[:, None, None]), -1, 0)
    hu = ndi.map_coordinates(smooth, index, order=1, mode="constant", cval=-1000.0)
    body = path.points_lps[:, None] + np.array([0.0, 40.0])[:, None] * anterior[:, None]
    inside: BoolArray = np.all(ct.grid.contains(body), axis=1)
    return Straightened(np.asarray(hu, dtype=np.float32), inside, path.points_lps, t, anterior, left)
