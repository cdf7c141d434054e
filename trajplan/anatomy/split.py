"""Splitting a vertebra into body, pedicles and posterior elements on a [w, v, u] frame grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.canal import canal_curve
from trajplan.anatomy.endplates import footprint_of
from trajplan.anatomy.pedicles import Isthmus
from trajplan.anatomy.section import outside_distance
from trajplan.geometry import Frame
from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray
from trajplan.geometry.pieces import largest, pieces
from trajplan.parts import Part

CENTRAL_SHARE = 0.6
"""Share of the canal's half width over which its front is the posterior wall; nearer its sides it bends to the arch."""
TUBE_MARGIN_MM = 2.0
TUBE_FLARE = 0.7
NECK_MM = 2.0
NECK_ZONE_MM = 2.0
STRAY_MM = 4.0
PIECE_SHARE = 0.02
LIP_MM = 5.0
"""Lips and osteophytes reach this far beyond the end-plate footprint; what lies further out is a process."""


def posterior_wall(
    hole: BoolArray, u_mm: FloatArray, v_mm: FloatArray, w_mm: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """The posterior wall of the body as v (mm) of every (w, u) column, the canal's curve (W, 2) and half width (mm).

    Within the ring it is the front of the canal in each column, smoothed over 2 mm; sideways it goes on at the level
    it has at 0.6 of the canal's half width; above and below it follows the canal curve.
    """
    curve = canal_curve(hole, u_mm, v_mm, w_mm)
    step = float(u_mm[1] - u_mm[0])
    rows = np.flatnonzero(hole.any(axis=(1, 2)))
    wide = hole[rows].any(axis=1).sum(axis=1) * step
    half = float(np.median(wide)) / 2
    reach = CENTRAL_SHARE * half
    offsets = np.arange(-reach, reach + 1e-6, step)
    front = np.full((len(rows), len(offsets)), np.nan)
    for n, k in enumerate(rows):
        column = np.clip(np.round((curve[k, 0] + offsets - u_mm[0]) / step).astype(int), 0, len(u_mm) - 1)
        open_here = hole[k][:, column]
        first = v_mm[open_here.argmax(axis=0)] - step / 2
        front[n] = np.where(open_here.any(axis=0), first, np.nan) - curve[k, 1]
    typical = np.nanmedian(front, axis=0)
    front = np.where(np.isfinite(front), front, typical)
    front = ndi.gaussian_filter(front, 1.0 / step, mode="nearest")
    relative = np.repeat(typical[None], len(w_mm), axis=0)
    relative[rows] = front
    wall = np.empty((len(w_mm), len(u_mm)))
    for row in range(len(w_mm)):
        wall[row] = curve[row, 1] + np.interp(u_mm - curve[row, 0], offsets, relative[row])
    return wall, curve, half


def split_body(bone: BoolArray, hole: BoolArray, axes_mm: tuple[FloatArray, FloatArray, FloatArray]) -> BoolArray:
    """The body: all bone anterior of the posterior wall, and all bone anterior of the canal, column by column."""
    u_mm, v_mm, w_mm = axes_mm
    wall, curve, half = posterior_wall(hole, u_mm, v_mm, w_mm)
    before = v_mm[None, :, None] < wall[:, None, :]
    # a concave wall, its rims and fragments in the canal: anterior of the canal's middle there is no arch
    beside = np.abs(u_mm[None, None, :] - curve[:, 0][:, None, None]) < CENTRAL_SHARE * half
    in_front = (v_mm[None, :] < curve[:, 1][:, None])[:, :, None] & beside
    block = bone & (before | in_front)
    return pieces(block & _under_end_plates(block, float(u_mm[1] - u_mm[0])), PIECE_SHARE)


def _under_end_plates(block: BoolArray, spacing_mm: float) -> BoolArray:
    """(1, v, u) columns of the footprint and 5 mm about it: transverse processes that reach forward lie outside."""
    core = largest(ndi.binary_opening(block, iterations=max(1, round(2.0 / spacing_mm))))
    away = ndi.distance_transform_edt(~footprint_of(core)) * spacing_mm
    return np.asarray(away <= LIP_MM)[None]


def split_parts(
    bone: BoolArray,
    hole: BoolArray,
    isthmuses: Sequence[Isthmus],
    frame: Frame,
    axes_mm: tuple[FloatArray, FloatArray, FloatArray],
) -> AnyArray:
    """Part ids (no canal yet) of the bone on the frame grid, uint8 (w, v, u).

    A pedicle is the bone behind the posterior wall within a tube about its axis: the isthmus outline widened by 2 mm,
    more towards the body where the pedicle flares, back to where its area has grown by half.
    """
    u_mm, v_mm, w_mm = axes_mm
    body = split_body(bone, hole, axes_mm)
    out = np.where(bone, np.uint8(Part.POSTERIOR), np.uint8(0))
    out[body] = Part.BODY
    k, j, i = np.nonzero(bone & ((v_mm > NECK_ZONE_MM)[None, :, None]))
    in_body = body[k, j, i]
    points = frame.to_world(np.column_stack([u_mm[i], v_mm[j], w_mm[k]]))
    ahead = np.zeros(len(k), dtype=bool)
    half_mm = CENTRAL_SHARE * posterior_wall(hole, u_mm, v_mm, w_mm)[2]
    for isthmus in isthmuses:
        section = isthmus.section
        offset = points - section.center_lps
        s = offset @ section.axis_lps
        x, y = offset @ section.across_lps, offset @ section.along_lps
        same_side = u_mm[i] * isthmus.side.sign > 0
        far = outside_distance(section, x, y)
        tube = (far <= TUBE_MARGIN_MM + TUBE_FLARE * np.maximum(s, 0)) & (s >= -isthmus.posterior_mm) & same_side
        # the isthmus of L5 lies beside the posterior wall, not behind it: the neck itself is always pedicle
        tube &= ~in_body | ((s <= NECK_MM) & (far <= TUBE_MARGIN_MM) & (np.abs(u_mm[i]) > half_mm))
        out[k[tube], j[tube], i[tube]] = isthmus.side.pedicle
        ahead |= same_side & (s > 0) & ~tube & ~in_body
    # facets for ribs and lips beside the pedicle, anterior of the isthmus: to the nearer of body and pedicle
    chosen = np.isin(out, [Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT])
    step = float(u_mm[1] - u_mm[0])
    distance, nearest = ndi.distance_transform_edt(~chosen, return_indices=True)
    stray = np.zeros_like(bone)
    stray[k[ahead], j[ahead], i[ahead]] = True
    stray &= distance * step <= STRAY_MM
    out[stray] = out[tuple(axis[stray] for axis in nearest)]
    return out
