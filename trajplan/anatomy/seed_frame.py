"""One seed in a body -> canal, rough vertebra frame, end plates and centre, robust enough to start a registration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.body_heights import BodyInStraight, body_walls, measure_body
from trajplan.anatomy.canal_path import CanalPath, canal_score, cheapest_path, smooth_curve
from trajplan.anatomy.disc_levels import find_discs, spine_signals
from trajplan.anatomy.straighten import Straightened, straighten
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, Grid, Volume
from trajplan.geometry.arrays import Float32Array, FloatArray, unit
from trajplan.geometry.resample import resample_volume

_STEP_MM = 1.5
_BEHIND_MM = (9.0, 50.0)
_BESIDE_MM = 22.0


@dataclass(frozen=True, eq=False)
class SeedFrame:
    """What one seed tells about its vertebra.

    Parameters
    ----------
    frame : Frame
        Rough vertebra frame, origin at the body centre.
    canal_lps : ndarray, shape (3,)
        The canal point in the plane of the body centre, LPS mm.
    height_mm : float
        End plate to end plate in the posterior half of the body (the half that a wedge spares).
    depth_mm : float
        Posterior to anterior wall.
    canal_score : float
        0..1, mean over the canal beside the vertebra.
    plate_contrast_hu : float
        How far the end plates stand above the spongy bone.
    neighbours_lps : tuple of ndarray, shape (3,)
        Guessed body centres of the vertebrae below and above, where the chain of discs reaches them.
    """

    frame: Frame
    canal_lps: FloatArray
    height_mm: float
    depth_mm: float
    canal_score: float
    plate_contrast_hu: float
    neighbours_lps: tuple[FloatArray, ...]


def frame_at_seed(ct: Volume, seed_lps: FloatArray) -> SeedFrame:
    """Canal, rough frame, end plates and centre of the vertebra whose body holds `seed_lps` in a canonical CT.

    Raises
    ------
    AnatomyError
        ``seed_outside``; ``seed_not_in_bone`` (HU about the seed in `numbers`); ``no_canal``; ``vertebra_cut``.
    """
    seed = np.asarray(seed_lps, dtype=np.float64)
    hu = _hu_about(ct, seed)
    path, score = local_canal(ct, seed)
    if score < 0.18:
        raise _not_in_body(seed, hu, f"no spinal canal lies behind it (score {score:.2f}, 0.18 needed)")
    straight = straighten(ct, path)
    s_seed, v_seed, u_seed = _place_of(straight, seed)
    below, above, outer, others = _span_about(straight, s_seed)
    wall, front = body_walls(straight, below, above)
    depth = float(np.clip(front - wall, 17.0, 42.0))
    body = measure_body(straight, below, above, outer, wall, depth)
    height = max(8.0, float(np.median([body.hp_mm, body.hm_mm, body.hp_mm, body.ha_mm])))
    off = np.array([u_seed - body.center_u, v_seed - (wall + depth / 2), s_seed - body.center_s])
    room = np.array([24.0, depth / 2 + 3.0, height / 2 + 5.0])
    if (np.abs(off) > room).any():
        raise _not_in_body(
            seed,
            hu,
            f"it lies {np.linalg.norm(off):.0f} mm from the centre of the nearest body found, outside its walls",
        )
    center = straight.to_world(body.center_s, wall + depth / 2, body.center_u)
    frame, canal = _frame(straight, body, center)
    _refuse_cut(ct, frame, height, depth)
    return SeedFrame(frame, canal, height, depth, score, body.contrast_hu, others)


def _hu_about(ct: Volume, seed: FloatArray) -> dict[str, float]:
    if not bool(ct.grid.contains(seed)):
        lower, upper = ct.grid.corners_lps()[[0, -1]]
        raise AnatomyError(
            f"the seed {_text(seed)} lies outside the scan ({_text(lower)} to {_text(upper)} mm LPS); "
            "give a point in the vertebral body",
            code="seed_outside",
            numbers={"x_mm": float(seed[0]), "y_mm": float(seed[1]), "z_mm": float(seed[2])},
        )
    if not bool(ct.grid.contains(seed, margin_mm=8.0)):
        raise AnatomyError(
            f"the seed {_text(seed)} mm LPS lies within 8 mm of the border of the scan, which cuts its vertebra; "
            "choose another vertebra or a longer scan",
            code="vertebra_cut",
            numbers={"x_mm": float(seed[0]), "y_mm": float(seed[1]), "z_mm": float(seed[2])},
        )
    around = resample_volume(ct, Grid.isotropic(seed - 15.0, seed + 15.0, 1.5)).array
    offset = np.linalg.norm(np.indices(around.shape) * 1.5 - 15.0, axis=0)
    numbers = {
        "mean_hu_5mm": float(around[offset <= 5].mean()),
        "mean_hu_10mm": float(around[offset <= 10].mean()),
        "bone_share_15mm": float((around[offset <= 15] > 180).mean()),
    }
    if numbers["mean_hu_10mm"] < -20 or numbers["bone_share_15mm"] < 0.02:
        raise _not_in_body(seed, numbers, "there is no bone about it")
    return numbers


def _not_in_body(seed: FloatArray, numbers: dict[str, float], why: str) -> AnatomyError:
    return AnatomyError(
        f"the seed {_text(seed)} mm LPS is not in a vertebral body: {why}; mean {numbers['mean_hu_5mm']:.0f} HU within "
        f"5 mm, {100 * numbers['bone_share_15mm']:.0f} % bone within 15 mm; click the middle of the body",
        code="seed_not_in_bone",
        numbers=numbers,
    )


def _text(point: FloatArray) -> str:
    return "(" + ", ".join(f"{x:.0f}" for x in point) + ")"


def local_canal(ct: Volume, seed: FloatArray) -> tuple[CanalPath, float]:
    """The canal within 70 mm above and below the seed, and its mean score within 15 mm of the seed's height."""
    z0, z1 = ct.grid.corners_lps()[[0, -1], 2]
    lower = np.array([seed[0] - 60, seed[1] - 50, max(seed[2] - 70, z0)])
    upper = np.array([seed[0] + 60, seed[1] + 90, min(seed[2] + 70, z1)])
    box = resample_volume(ct, Grid.isotropic(lower, np.maximum(upper, lower + 3), _STEP_MM))
    score = canal_score(np.asarray(box.array, dtype=np.float32), _STEP_MM) * _window(box.grid, seed)
    path = cheapest_path(score)
    along = score[np.arange(len(path)), path[:, 0], path[:, 1]].astype(np.float64)
    points = box.grid.index_to_world(np.c_[np.arange(len(path)), path])
    beside = np.abs(points[:, 2] - seed[2]) < 15
    return smooth_curve(points, along, _STEP_MM), float(along[beside].mean()) if beside.any() else 0.0


def _window(grid: Grid, seed: FloatArray) -> Float32Array:
    """1 where the canal can lie for this seed, widening with the distance along z; 0 outside."""
    z, y, x = (
        grid.index_to_world(np.eye(3)[a] * np.arange(n)[:, None])[:, 2 - a] for a, n in enumerate(grid.shape_zyx)
    )
    widen = np.maximum(np.abs(z - seed[2]) - 10.0, 0.0)[:, None, None] * 0.7
    behind = (y - seed[1])[None, :, None]
    beside = np.abs(x - seed[0])[None, None, :]
    inside = (behind > _BEHIND_MM[0] - widen) & (behind < _BEHIND_MM[1] + widen) & (beside < _BESIDE_MM + widen)
    return np.asarray(inside, dtype=np.float32)


def _place_of(straight: Straightened, point: FloatArray) -> tuple[float, float, float]:
    """Straightened coordinates (s, v, u) of a world point: the section whose plane holds it, nearest first."""
    offset = point - straight.points_lps
    along = np.einsum("ij,ij->i", offset, straight.along_lps)
    s = int(np.argmin(np.abs(along)))
    return (
        float(s + along[s]),
        float(offset[s] @ straight.anterior_lps[s]),
        float(offset[s] @ straight.left_lps[s]),
    )


def _span_about(straight: Straightened, s_seed: float) -> tuple[int, int, tuple[int, int], tuple[FloatArray, ...]]:
    """The discs below and above the seed, the next ones beyond them, and the neighbours' rough centres."""
    signals = spine_signals(straight)
    discs = find_discs(signals, straight.inside)
    last = len(straight.hu) - 1
    inside = [k for k in range(len(discs) - 1) if discs[k] <= s_seed <= discs[k + 1]]
    if inside:
        k = inside[0]
        below, above = discs[k], discs[k + 1]
    else:
        below, above = _nearest_plates(signals.disc, s_seed, last)
        k = -1
    span = above - below
    outer = (
        discs[k - 1] if k > 0 else max(0, below - span),
        discs[k + 2] if 0 <= k < len(discs) - 2 else min(last, above + span),
    )
    others = []
    for a, b in ((outer[0], below), (above, outer[1])):
        if b - a > 12:
            others.append(straight.to_world((a + b) / 2, 22.0, 0.0))
    return below, above, outer, tuple(others)


def _nearest_plates(disc: FloatArray, s_seed: float, last: int) -> tuple[int, int]:
    """Without a chain that holds the seed: the strongest disc evidence 7..24 mm below and above, near 14 mm first."""
    places = []
    for sign in (-1, 1):
        d = np.arange(7, 25)
        s = np.clip(np.round(s_seed + sign * d).astype(int), 0, last)
        places.append(int(s[int(np.argmax(disc[s] - 0.03 * np.abs(d - 14)))]))
    return places[0], places[1]


def _frame(straight: Straightened, body: BodyInStraight, center: FloatArray) -> tuple[Frame, FloatArray]:
    """w along the canal, tilted to the end plates' mean slope (at most 20 degrees); v from the centre to the canal."""
    k = int(np.clip(round(body.center_s), 0, len(straight.along_lps) - 1))
    tangent, anterior = straight.along_lps[k], straight.anterior_lps[k]
    tilt = float(np.clip(np.arctan(body.slope), -np.radians(20), np.radians(20)))
    w = unit(np.cos(tilt) * tangent - np.sin(tilt) * anterior)
    # The canal point whose plane normal to w holds the centre.
    along = (straight.points_lps - center) @ w
    canal = straight.points_lps[int(np.argmin(np.abs(along)))]
    v = canal - center
    v = unit(v - (v @ w) * w)
    return Frame(center, np.stack([np.cross(v, w), v, w])), np.asarray(canal)


def _refuse_cut(ct: Volume, frame: Frame, height: float, depth: float) -> None:
    """The body with its end plates and 4 mm beyond them must lie inside the scan.

    A cut body looks too low, so it is taken to be at least as high as usual for its depth.
    """
    reach = max(height, 0.62 * depth) / 2 + 4.0
    corners = np.array([[u, v, w] for u in (-14, 14) for v in (-depth / 2 + 2, depth / 2) for w in (-reach, reach)])
    inside = ct.grid.contains(frame.to_world(corners))
    if not inside.all():
        raise AnatomyError(
            f"the vertebra at {_text(frame.origin_lps)} mm LPS is cut by the border of the scan "
            f"({int((~inside).sum())} of 8 corners of its body lie outside); choose another vertebra or a longer scan",
            code="vertebra_cut",
            numbers={"corners_outside": float((~inside).sum()), "height_mm": height, "depth_mm": depth},
        )
