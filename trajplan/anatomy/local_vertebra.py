"""One vertebra on the grid of its own frame: ring, isthmuses, parts, canal, posterior wall."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.body_frame import BodyFrame
from trajplan.anatomy.bulge import measure_bulge
from trajplan.anatomy.canal import Ring, canal_curve, extruded_canal, find_ring
from trajplan.anatomy.pedicles import Isthmus, find_isthmus
from trajplan.anatomy.split import posterior_wall, split_parts
from trajplan.anatomy.vertebra import Bulge
from trajplan.anatomy.working_grid import WORKING_SPACING_MM, frame_axes, frame_grid
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid
from trajplan.geometry.arrays import AnyArray, BoolArray, Float32Array, FloatArray
from trajplan.geometry.resample import resample_mask
from trajplan.parts import Part, Side

CANAL_BEYOND_MM = 6.0
MAX_WALL_SCATTER_MM = 4.0
_Axes = tuple[FloatArray, FloatArray, FloatArray]


class LocalVertebra:
    """The vertebra on its frame grid [w, v, u]: ring, isthmuses and parts."""

    def __init__(self, share: Float32Array, grid: Grid, found: BodyFrame) -> None:
        self.frame = found.frame
        points = self.frame.to_local(grid.index_to_world(np.argwhere(share > 0.5)))
        self.lower, self.upper = points.min(axis=0), points.max(axis=0)
        self.grid = frame_grid(self.frame, self.lower - 4, self.upper + 4, WORKING_SPACING_MM)
        self.axes_mm: _Axes = frame_axes(self.grid, self.frame)
        self.share: Float32Array = resample_mask(share, grid, self.grid)
        self.bone: BoolArray = self.share > 0.5
        u_mm, v_mm, w_mm = self.axes_mm
        ring = find_ring(self.bone, u_mm, v_mm, behind_mm=5.0)
        if ring is None:
            raise AnatomyError("no closed bony ring about a canal. Check the mask", code="no_canal", numbers={})
        self.ring: Ring = ring
        self.isthmuses: dict[Side, Isthmus] = {
            side: find_isthmus(side, share, grid, self.frame, self.bone, ring.hole, self.axes_mm) for side in Side
        }
        self.parts: AnyArray = split_parts(
            self.bone, ring.hole, tuple(self.isthmuses.values()), self.frame, self.axes_mm
        )
        body_w = w_mm[(self.parts == Part.BODY).any(axis=(1, 2))]
        self.body_low_mm, self.body_high_mm = float(body_w[0]), float(body_w[-1])
        self.canal: BoolArray = extruded_canal(
            ring.hole,
            u_mm,
            v_mm,
            w_mm,
            self.bone,
            self.body_low_mm - CANAL_BEYOND_MM,
            self.body_high_mm + CANAL_BEYOND_MM,
        )

    def body_width_mm(self) -> float:
        """Width of the body at its mid-height."""
        body = self.parts == Part.BODY
        middle = body[np.abs(self.axes_mm[2]) < 3].any(axis=(0, 1))
        return float(np.count_nonzero(middle)) * WORKING_SPACING_MM

    def bulge(self) -> Bulge | None:
        """How far the posterior wall bulges into the canal."""
        u_mm, v_mm, w_mm = self.axes_mm
        curve = canal_curve(self.ring.hole, u_mm, v_mm, w_mm)
        near = (self.parts == Part.BODY)[:, :, np.abs(u_mm) < 6.0].mean(axis=2) > 0.5
        deep = np.flatnonzero(near.sum(axis=1) * WORKING_SPACING_MM > 8.0)
        if not len(deep):
            return None
        # the ends of the body a little in front of its posterior wall, where a bulge has no say
        wall = [float(v_mm[np.flatnonzero(near[k])[-1]]) for k in deep]
        inside = float(np.percentile(wall, 20)) - 2.5
        rows = w_mm[near[:, int(np.argmin(np.abs(v_mm - inside)))]]
        if not len(rows):
            return None
        return measure_bulge(self.share, self.ring.hole, curve, self.axes_mm, (float(rows[0]), float(rows[-1])))

    def posterior_wall_lps(self) -> FloatArray:
        """Points (N, 3) of the posterior wall at the midline and 0.6 of the canal's half width on both sides."""
        u_mm, v_mm, w_mm = self.axes_mm
        _, curve, half = posterior_wall(self.ring.hole, u_mm, v_mm, w_mm)
        body = self.parts == Part.BODY
        points = []
        for k in self._middle_rows():
            for share in (-0.6, 0.0, 0.6):
                i = int(np.argmin(np.abs(u_mm - curve[k, 0] - share * half)))
                column = np.flatnonzero(body[k, :, i])
                if len(column):
                    points.append([u_mm[i], v_mm[column[-1]] + WORKING_SPACING_MM / 2, w_mm[k]])
        return self.frame.to_world(_on_the_wall(np.array(points)))

    def anterior_wall_lps(self) -> FloatArray:
        """Points (N, 3) of the front of the body near the midline, in the middle 70 % of its height."""
        u_mm, v_mm, w_mm = self.axes_mm
        near = (self.parts == Part.BODY)[:, :, np.abs(u_mm) < 6.0]
        points = []
        for k in self._middle_rows():
            row = np.flatnonzero(near[k].any(axis=1))
            if len(row):
                points.append([0.0, v_mm[row[0]] - WORKING_SPACING_MM / 2, w_mm[k]])
        return self.frame.to_world(_on_the_wall(np.array(points)))

    def _middle_rows(self) -> AnyArray:
        """Rows of the middle 70 % of the body's height: beyond, tilted end plates end the columns, not walls."""
        w_mm = self.axes_mm[2]
        margin = 0.15 * (self.body_high_mm - self.body_low_mm)
        return np.flatnonzero((w_mm > self.body_low_mm + margin) & (w_mm < self.body_high_mm - margin))


def _on_the_wall(points_uvw: FloatArray) -> FloatArray:
    """Without the points more than 4 mm off their wall's line: end plates or holes in the mask; shape (N, 3)."""
    if len(points_uvw) < 4:
        return points_uvw.reshape(-1, 3)
    v, w = points_uvw[:, 1], points_uvw[:, 2]
    keep = np.ones(len(v), dtype=bool)
    for _ in range(3):
        off = v - np.polyval(np.polyfit(w[keep], v[keep], 1), w)
        near = np.abs(off - np.median(off)) <= MAX_WALL_SCATTER_MM
        if near.sum() < 4:
            break
        keep = near
    return np.asarray(points_uvw[keep])
