"""Missing height: how much each column of the body has lost, which end plate lost it, and what room is above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.endplates import robust_plane
from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.body_block import BodyBlock, spread
from trajplan.geometry.arrays import FloatArray

DOUBT_MM = 1.0
"""Kept below what the neighbours suggest: their own heights are known no better (proposed)."""

LEAST_LOSS_MM = 2.0
"""Less than this is no loss that could be told from the spread of healthy bodies (proposed)."""

DISC_LEFT_MM = 2.0
"""An end plate never comes nearer to the neighbour's bone, which is taken to stand still (proposed)."""

ONE_PLATE = 0.7
"""From this share of the signs on, one end plate alone is taken to have failed."""

_NATURAL_HOLLOW_MM = (0.7, 1.5)
"""Depth of the healthy superior and inferior end plate (Wang 2012, PMC3481085, read)."""

_SMOOTH_MM = 1.5


@dataclass(frozen=True, eq=False)
class Missing:
    """What may be lifted: maps (V, U) for the superior and the inferior end plate, mm; `failed` names them."""

    top_mm: FloatArray
    bottom_mm: FloatArray
    failed: str


def missing_height(block: BodyBlock, vertebra: Vertebra) -> Missing | None:
    """How far either end plate may be lifted; None without neighbours to compare with, or where nothing is lost."""
    expected, measures = vertebra.heights.expected_mm, vertebra.measures
    if expected is None or measures is None:
        return None
    h = vertebra.heights
    lost = np.array(expected) - [h.ha_mm, h.hm_mm, h.hp_mm]
    if lost.max() < LEAST_LOSS_MM:
        return None
    six = vertebra.frame.to_local(measures.six_points_lps)
    v_at = 0.5 * (six[0::2, 1] + six[1::2, 1])
    line = np.polyfit(v_at, np.array(expected) - DOUBT_MM, 2)
    wanted = np.polyval(line, np.clip(block.v_mm, v_at.min(), v_at.max()))
    now = spread(block.columns.top_mm - block.columns.bottom_mm, block.inner)
    lost_mm = np.maximum(wanted[:, None] - now, 0.0)
    total = np.minimum(_smooth(lost_mm, block.spacing_mm), lost_mm)  # nothing may be lifted where nothing is lost
    share, failed = plate_share(block)
    up, down = _gaps(block)
    return Missing(np.minimum(share * total, up), np.minimum((1 - share) * total, down), failed)


def plate_share(block: BodyBlock) -> tuple[float, str]:
    """Share 0..1 of the loss that is the superior end plate's, and which failed.

    The signs are how far each plate leans to the front, against the perpendicular of the posterior wall, and how much
    deeper it is hollowed than healthy ones are. Without any sign both are taken alike.
    """
    depth = float(np.ptp(block.v_mm[block.columns.footprint.any(axis=1)]))
    signs = []
    for height, sign, hollow in zip(
        (block.columns.top_mm, block.columns.bottom_mm), (1.0, -1.0), _NATURAL_HOLLOW_MM, strict=True
    ):
        plane = robust_plane(height, block.inner, block.u_mm, block.v_mm)
        if plane is None:
            return 0.5, "both"
        lean = sign * (plane.slope_v + block.back[0]) * depth
        u, v = block.u_mm[None, :], block.v_mm[:, None]
        off = sign * (plane.slope_u * u + plane.slope_v * v + plane.offset_mm - height)
        core = off[block.inner & np.isfinite(off)]
        dish = float(np.percentile(core, 90) - np.percentile(core, 10)) - hollow
        signs.append(max(0.0, lean) + max(0.0, dish))
    share = signs[0] / sum(signs) if sum(signs) > 1.0 else 0.5
    if share > ONE_PLATE:
        return 1.0, "superior"
    return (0.0, "inferior") if share < 1 - ONE_PLATE else (share, "both")


def _gaps(block: BodyBlock) -> tuple[FloatArray, FloatArray]:
    """How far each end plate can move before it is `DISC_LEFT_MM` from other bone, on its column or one beside it."""
    reach = max(1, round(DISC_LEFT_MM / block.spacing_mm))
    near = ndi.binary_dilation(block.other, np.ones((1, 2 * reach + 1, 2 * reach + 1), dtype=bool))
    gaps = []
    for edge, sign in ((block.top_mm, 1.0), (block.bottom_mm, -1.0)):
        beyond = near & (sign * (block.w_mm[:, None, None] - edge) > 0)
        far = np.where(beyond, sign * (block.w_mm[:, None, None] - edge), np.inf).min(axis=0)
        seen = sign * ((block.w_mm[-1] if sign > 0 else block.w_mm[0]) - edge)
        gaps.append(np.maximum(np.minimum(far, seen) - DISC_LEFT_MM - block.spacing_mm, 0.0))
    return gaps[0], gaps[1]


def _smooth(values: FloatArray, spacing_mm: float) -> FloatArray:
    return np.asarray(ndi.gaussian_filter(values, _SMOOTH_MM / spacing_mm, mode="nearest"))
