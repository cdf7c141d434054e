"""The spinal column of a whole scan, without a seed: the canal curve and one seed per vertebra."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trajplan.anatomy.backend import Progress
from trajplan.anatomy.body_heights import body_walls, measure_body
from trajplan.anatomy.canal_path import find_canal_path
from trajplan.anatomy.disc_levels import find_discs, spine_signals
from trajplan.anatomy.straighten import extend, straighten
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray

_EXTEND_MM = 15


@dataclass(frozen=True, eq=False)
class VertebraSeed:
    """One vertebra found along the canal.

    Parameters
    ----------
    center_lps, tangent_lps : ndarray, shape (3,)
        Body centre, LPS mm, and the unit direction of the canal beside it, pointing superior.
    height_mm : float
        End plate to end plate in the middle of the body; an estimate on 1 mm profiles.
    ha_mm, hm_mm, hp_mm : float
        Anterior, middle (deepest place) and posterior height estimates.
    depth_mm : float
        Posterior to anterior wall.
    score : float
        0..1, how clearly its end plates stand out.
    """

    center_lps: FloatArray
    tangent_lps: FloatArray
    height_mm: float
    ha_mm: float
    hm_mm: float
    hp_mm: float
    depth_mm: float
    score: float


@dataclass(frozen=True, eq=False)
class Column:
    """The canal, shape (N, 3) LPS mm from inferior to superior at 1 mm, and the whole vertebrae in the same order."""

    canal_lps: FloatArray
    vertebrae: tuple[VertebraSeed, ...]


def find_column(ct: Volume, progress: Progress | None = None) -> Column:
    """Find the spinal canal and the body centres of all whole vertebrae in a canonical CT (axis-aligned LPS).

    Vertebrae cut by the scan border are left out.

    Raises
    ------
    AnatomyError
        ``no_spine``: no canal, or no vertebra along it.
    """
    tell = progress or (lambda fraction, what: None)
    tell(0.0, "looking for the spinal canal")
    path = find_canal_path(ct)
    tell(0.6, "laying the spine straight")
    straight = straighten(ct, extend(path, _EXTEND_MM))
    tell(0.8, "looking for discs and pedicles")
    discs = find_discs(spine_signals(straight), straight.inside)
    if len(discs) < 2:
        raise AnatomyError(
            f"a canal-like stretch of {len(path.points_lps)} mm was found, but no vertebra along it; "
            "check that the scan is a CT of the spine in HU, or click a seed in the body of the vertebra",
            code="no_spine",
            numbers={"canal_mm": float(len(path.points_lps)), "mean_score": float(path.score.mean())},
        )
    spans = list(pairwise(discs))
    walls = np.array([body_walls(straight, a, b) for a, b in spans])
    # A vessel on the front wall hides it: the depth is the median with the neighbours'.
    depth = walls[:, 1] - walls[:, 0]
    seeds = []
    for k, (a, b) in enumerate(spans):
        near = float(np.median(depth[max(0, k - 2) : k + 3]))
        outer = (
            discs[k - 1] if k > 0 else max(0, a - (b - a)),
            discs[k + 2] if k + 2 < len(discs) else min(len(straight.hu) - 1, b + (b - a)),
        )
        body = measure_body(straight, a, b, outer, float(walls[k, 0]), near)
        center = straight.to_world(body.center_s, (body.wall_v + body.front_v) / 2, body.center_u)
        tangent = straight.along_lps[int(np.clip(round(body.center_s), 0, len(straight.along_lps) - 1))]
        seeds.append(
            VertebraSeed(
                center_lps=center,
                tangent_lps=tangent,
                height_mm=float(np.median([body.ha_mm, body.hm_mm, body.hp_mm])),
                ha_mm=body.ha_mm,
                hm_mm=body.hm_mm,
                hp_mm=body.hp_mm,
                depth_mm=near,
                score=float(np.clip(body.contrast_hu / 250.0, 0.0, 1.0)),
            )
        )
    tell(1.0, f"{len(seeds)} vertebrae found")
    return Column(path.points_lps, tuple(seeds))
