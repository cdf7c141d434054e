"""Coronal planes through a pedicle: a first, whole-voxel look for its isthmus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.parts import Side

LATERAL_REACH_MM = 22.0
CONTACT_MM = 4.0
WINDOW_SHARE = 0.55
"""The isthmus is looked for over this share of the canal's depth, from its front on."""


@dataclass(frozen=True, eq=False)
class CoronalScan:
    """Sections of one pedicle in coronal planes: v (mm), area (mm2, NaN where none), centroids (u, w) in mm."""

    v_mm: FloatArray
    area_mm2: FloatArray
    middle_uw: FloatArray


def coronal_scan(
    side: Side, bone: BoolArray, hole: BoolArray, axes_mm: tuple[FloatArray, FloatArray, FloatArray]
) -> CoronalScan:
    """Coronal planes from 4 mm before the canal's front to its back: the bone that borders the canal on one side."""
    u_mm, v_mm, w_mm = axes_mm
    spacing = float(u_mm[1] - u_mm[0])
    rows = np.flatnonzero(hole.any(axis=(1, 2)))
    depth = np.flatnonzero(hole.any(axis=(0, 2)))
    front, back = int(depth[0]), int(depth[-1])
    planes = np.arange(max(0, front - round(4 / spacing)), back + 1)
    reach, contact = round(LATERAL_REACH_MM / spacing), round(CONTACT_MM / spacing)
    area, middle = np.full(len(planes), np.nan), np.full((len(planes), 2), np.nan)
    inset = max(1, round(1.5 / spacing))
    for n, j in enumerate(planes.tolist()):
        columns = np.flatnonzero(hole[:, min(max(j, front + inset), back - inset), :].any(axis=0))
        if not len(columns):
            continue
        if side is Side.LEFT:
            first = int(columns[-1]) + 1
            beside, window = slice(first, first + contact), slice(first, first + reach)
        else:
            first = int(columns[0])
            beside, window = slice(max(0, first - contact), first), slice(max(0, first - reach), first)
        plane = np.zeros_like(bone[:, j, :])
        plane[:, window] = bone[:, j, window]
        found, count = ndi.label(plane)
        touching = np.bincount(found[rows, beside].ravel(), minlength=count + 1)
        touching[0] = 0
        if not touching.any():
            continue
        chosen = found == int(touching.argmax())
        k, i = np.nonzero(chosen)
        area[n] = chosen.sum() * spacing**2
        middle[n] = u_mm[i].mean(), w_mm[k].mean()
    return CoronalScan(v_mm[planes], area, middle)


def coarse_center(
    side: Side, bone: BoolArray, hole: BoolArray, axes_mm: tuple[FloatArray, FloatArray, FloatArray]
) -> FloatArray:
    """(u, v, w) mm of the centroid of the least coronal section of one side.

    Raises
    ------
    AnatomyError
        ``no_pedicle`` when no bone borders the canal on this side.
    """
    v_mm = axes_mm[1]
    scan = coronal_scan(side, bone, hole, axes_mm)
    depth = v_mm[hole.any(axis=(0, 2))]
    seen = np.isfinite(scan.area_mm2)
    reach = max(6.0, WINDOW_SHARE * float(np.ptp(depth)))
    window = (scan.v_mm >= depth[0] - 1) & (scan.v_mm <= depth[0] + reach) & seen
    if np.count_nonzero(window) < 4:
        raise AnatomyError(
            f"no {side.value} pedicle found: bone borders the canal on that side in only {np.count_nonzero(window)} "
            "coronal planes. Check the mask there",
            code="no_pedicle",
            numbers={"planes": float(np.count_nonzero(window))},
        )
    step = float(v_mm[1] - v_mm[0])
    ceiling = 2 * float(np.nanmax(scan.area_mm2))
    area = ndi.gaussian_filter1d(np.where(seen, scan.area_mm2, ceiling), 1.0 / step)
    best = int(np.argmin(np.where(window, area, np.inf)))
    return np.array([scan.middle_uw[best, 0], scan.v_mm[best], scan.middle_uw[best, 1]])
