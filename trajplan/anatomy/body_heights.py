"""One vertebral body in the straightened spine: walls, end plates, centre and heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.straighten import U_HALF_MM, V_RANGE_MM, Straightened
from trajplan.geometry.arrays import FloatArray

_U_COLUMNS = ((-7, -3), (-2, 2), (3, 7))


@dataclass(frozen=True)
class BodyInStraight:
    """Places in the straightened spine, mm: walls along v (anterior +), centre, heights; plate `slope` ds/dv."""

    wall_v: float
    front_v: float
    center_s: float
    center_u: float
    ha_mm: float
    hm_mm: float
    hp_mm: float
    contrast_hu: float
    slope: float


def body_walls(straight: Straightened, below: int, above: int) -> tuple[float, float]:
    """Posterior and anterior wall (v, mm anterior of the canal) of the body between two discs."""
    third = (above - below) // 3
    block = straight.band((0, V_RANGE_MM[1]), (-6, 6))[below + third : above - third + 1]
    profile = ndi.gaussian_filter1d(np.clip(np.median(block, axis=(0, 2)), -150.0, 400.0), 1.0)
    peak = 3 + int(np.argmax(profile[3:15]))
    half = (profile[:3].mean() + profile[peak]) / 2
    wall = next((v for v in range(2, peak + 1) if profile[v] > half), peak)
    drop = profile[:-2] - profile[2:]
    start = wall + 13
    front = start + 1 + int(np.argmax(drop[start:])) if start < len(drop) else start
    return float(wall), float(front)


def measure_body(
    straight: Straightened, below: int, above: int, outer: tuple[int, int], wall: float, depth: float
) -> BodyInStraight:
    """End plates, heights and centre of the body between the discs `below` and `above`.

    `outer` are the next discs beyond these two (or guesses of them); `depth` reaches from `wall` to the front.
    """
    u0 = _middle_u(straight, below, above, wall, depth)
    # Not nearer the front: there the waist's cortex crosses the band and passes for a plate.
    v = np.linspace(wall + 0.08 * depth, wall + 0.85 * depth, 9)
    low = np.array([disc_plates(straight, outer[0], below, above, x, u0) for x in v])
    up = np.array([disc_plates(straight, below, above, outer[1], x, u0) for x in v])
    inferior = ndi.median_filter(low[:, 1], 3, mode="nearest")
    superior = ndi.median_filter(up[:, 0], 3, mode="nearest")
    height = np.maximum(superior - inferior, 1.0)
    share = (v - wall) / depth
    ha = float(np.median(height[share > 0.7]))
    hp = float(np.median(height[share < 0.25]))
    # The deepest place counts: a depressed plate is narrower than the middle third.
    hm = float(height[(share > 0.25) & (share < 0.72)].min())
    center = float(np.median((superior + inferior) / 2))
    contrast = float(np.median(np.r_[low[:, 2], up[:, 2]]))
    slope = float(np.median(np.diff(superior + inferior)[1:-1]) / (2 * (v[1] - v[0])))
    return BodyInStraight(wall, wall + depth, center, u0, ha, hm, hp, contrast, slope)


def disc_plates(straight: Straightened, below: int, disc: int, above: int, v: float, u0: float) -> FloatArray:
    """Both end plates at one disc in a 3 mm wide band at v, between the neighbouring discs `below` and `above`.

    The pair is sought together: across a narrow disc the far plate would else pass for the near one.

    Returns
    -------
    ndarray, shape (3,)
        Superior plate of the vertebra below, inferior plate of the one above (s), and their mean contrast, HU.
    """
    found = []
    for a, b in _U_COLUMNS:
        block = straight.band((v - 1, v + 1), (u0 + a, u0 + b)).mean(axis=(1, 2))
        profile = ndi.gaussian_filter1d(np.clip(block, -150.0, 600.0), 0.7)
        first = np.arange(max(7, disc - round(0.46 * (disc - below))), min(disc + 4, len(profile) - 8))
        second = np.arange(max(7, disc - 3), min(disc + round(0.5 * (above - disc)) + 1, len(profile) - 8))
        if not len(first) or not len(second):
            continue
        value = _ridge(profile, first, -1)[:, None] + _ridge(profile, second, +1)[None, :]
        contrast = max(60.0, float(value.max()) / 2)
        for i, s1 in enumerate(first):
            for k, s2 in enumerate(second):
                gap = s2 - s1
                if gap < 2:
                    value[i, k] = -np.inf
                    continue
                dip = float(min(float(profile[s1]), float(profile[s2])) - profile[s1 : s2 + 1].min())
                # In units of the contrast: a body's own two plates, too, are ridges with a dip between.
                far = 0.06 * max(0.0, float(gap) - 9.0) + 0.05 * abs((s1 + s2) / 2 - disc)
                value[i, k] += 0.6 * min(dip, contrast) - contrast * float(far)
        at = np.unravel_index(int(np.argmax(value)), value.shape)
        found.append((first[at[0]] + 0.5, second[at[1]] - 0.5, value[at] / 2))
    if not found:
        return np.array([float(disc) - 2, float(disc) + 2, 0.0])
    return np.asarray(np.median(np.array(found), axis=0))


def _ridge(profile: FloatArray, where: np.ndarray, inward: int) -> FloatArray:
    """How far each place stands above the bone 3..6 mm towards its own body."""
    inner = np.mean([profile[where + inward * k] for k in (3, 4, 5, 6)], axis=0)
    return np.asarray(profile[where] - inner)


def _middle_u(straight: Straightened, below: int, above: int, wall: float, depth: float) -> float:
    """Lateral place of the body: the mirror axis of its mid section."""
    third = (above - below) // 3
    block = straight.hu[below + third : above - third + 1]
    v0, v1 = (round(v) - V_RANGE_MM[0] for v in (wall + 3, wall + depth + 3))
    section = np.clip(block[:, v0:v1].mean(axis=0), -50.0, 300.0)
    best, at = np.inf, 0.0
    for u in range(-7, 8):
        c = U_HALF_MM + u
        left, right = section[:, c + 1 : c + 23], section[:, c - 22 : c][:, ::-1]
        n = min(left.shape[1], right.shape[1])
        cost = float(np.abs(left[:, :n] - right[:, :n]).mean()) + 0.8 * abs(u)
        if cost < best:
            best, at = cost, float(u)
    return at
