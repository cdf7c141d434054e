"""The local frame of a vertebra from its mask: u patient left, v posterior, w along the mean end-plate normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.borrowed_axis import OWN, AxisHints, choose_axis
from trajplan.anatomy.canal import canal_curve, find_ring
from trajplan.anatomy.endplates import BodyColumns, Plane, body_columns, body_of, inner, robust_plane
from trajplan.anatomy.lean import wall_lean_deg
from trajplan.anatomy.symmetry import mirror_plane
from trajplan.anatomy.vertebra import Endplate
from trajplan.anatomy.working_grid import (
    COARSE_SPACING_MM,
    frame_axes,
    frame_grid,
    occupancy,
    working_grid,
)
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, Grid, LabelMap
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray, unit
from trajplan.geometry.pieces import largest
from trajplan.geometry.resample import resample_mask

ROUNDS = 3
MAX_SYMMETRY_MM = 0.6


@dataclass(frozen=True, eq=False)
class BodyFrame:
    """Frame, end plates and the figures that tell how far to trust them."""

    frame: Frame
    superior: Endplate
    inferior: Endplate
    front_mm: float
    canal_lps: FloatArray
    ring_closing_mm: float
    symmetry_mm: float
    axis_source: str = OWN
    axis_caution: str = ""


def coarse_frame(box: LabelMap, target_id: int, *, symmetry: bool = True, hints: AxisHints | None = None) -> BodyFrame:
    """`find_body_frame` of one label, worked out at 1 mm."""
    grid = working_grid(box, target_id, COARSE_SPACING_MM, margin_mm=5.0)
    return find_body_frame(occupancy(box, target_id, grid), grid, symmetry=symmetry, hints=hints)


@dataclass(frozen=True, eq=False)
class _Look:
    """One look at the vertebra in a trial frame."""

    canal_lps: FloatArray
    closing_mm: float
    front_mm: float
    columns: BodyColumns
    middle_uv: tuple[float, float]
    top: Plane
    bottom: Plane
    wall_deg: float | None


def find_body_frame(
    share: Float32Array, grid: Grid, *, symmetry: bool = True, hints: AxisHints | None = None
) -> BodyFrame:
    """The frame of the vertebra whose occupancy is `share` on the axis-aligned `grid` (about 1 mm).

    Canal, end plates and axes are found in turn, three times; then yaw and the midline come from the symmetry of the
    whole bone (`symmetry` False leaves that out: enough for heights). With `hints`, a body that is more wedged than
    expected takes its w axis from what the fracture has left standing (`choose_axis`).

    Raises
    ------
    AnatomyError
        ``no_canal`` (no bony ring), ``no_endplates``, ``frame_unreliable`` (symmetry residual above 0.6 mm).
    """
    solid = share > 0.5
    frame = _first_guess(solid, grid)
    look = _look(share, grid, solid, frame)
    for _ in range(ROUNDS):
        frame = _improved(frame, look)
        look = _look(share, grid, solid, frame)
    source, caution = OWN, ""
    if hints is not None:
        frame, source, caution = _borrowed(frame, look, hints)
        look = _look(share, grid, solid, frame)
    residual = float("nan")
    if symmetry:
        normal, offset_mm, residual = mirror_plane(solid, grid, frame)
        u = unit(normal - (normal @ frame.w) * frame.w)
        axes = np.array([u, np.cross(frame.w, u), frame.w])
        frame = Frame(frame.origin_lps + offset_mm * normal, axes)
        if residual > MAX_SYMMETRY_MM:
            raise AnatomyError(
                f"the two sides of the mask do not match (symmetry residual {residual:.2f} mm, limit "
                f"{MAX_SYMMETRY_MM} mm): part of the vertebra is missing or mislabelled. Correct the mask",
                code="frame_unreliable",
                numbers={"symmetry_residual_mm": residual, "limit_mm": MAX_SYMMETRY_MM},
            )
        look = _look(share, grid, solid, frame)
        # the symmetry owns the midline, the body owns depth and height
        center = (0.0, look.middle_uv[1])
        origin = frame.to_world([*center, (look.top.at(*center) + look.bottom.at(*center)) / 2])
        moved = Frame(origin, frame.rotation)
        look = _look(share, grid, solid, moved)
        frame = moved
    return BodyFrame(
        frame,
        _endplate(frame, look.top),
        _endplate(frame, look.bottom),
        look.front_mm,
        look.canal_lps,
        look.closing_mm,
        residual,
        source,
        caution,
    )


def _first_guess(solid: BoolArray, grid: Grid) -> Frame:
    """Origin in the thickest part (the body), v towards the rest of the bone, w up."""
    depth = ndi.distance_transform_edt(np.pad(ndi.binary_closing(solid, iterations=1) | solid, 1))[1:-1, 1:-1, 1:-1]
    seed = grid.index_to_world(ndi.center_of_mass(largest(depth > 0.6 * depth.max())))
    away = grid.index_to_world(ndi.center_of_mass(solid)) - seed
    away[2] = 0.0
    v = unit(away) if np.linalg.norm(away) > 1 else np.array([0.0, 1.0, 0.0])
    w = np.array([0.0, 0.0, 1.0])
    return Frame(seed, np.array([np.cross(v, w), v, w]))


def _improved(frame: Frame, look: _Look) -> Frame:
    w = unit(frame.direction_to_world(look.top.normal_uvw) + frame.direction_to_world(look.bottom.normal_uvw))
    u0, v0 = look.middle_uv
    origin = frame.to_world([u0, v0, (look.top.at(u0, v0) + look.bottom.at(u0, v0)) / 2])
    to_canal = look.canal_lps - origin
    v = unit(to_canal - (to_canal @ w) * w)
    return Frame(origin, np.array([np.cross(v, w), v, w]))


def _borrowed(frame: Frame, look: _Look, hints: AxisHints) -> tuple[Frame, str, str]:
    """The frame turned about u to the chosen axis, about the middle of the body."""
    superior, inferior = (frame.direction_to_world(plane.normal_uvw) for plane in (look.top, look.bottom))
    chosen = choose_axis(frame, superior, inferior, look.wall_deg, hints)
    if chosen.source == OWN:
        return frame, OWN, ""
    v = np.cross(chosen.w_lps, frame.u)
    return Frame(frame.origin_lps, np.array([frame.u, v, chosen.w_lps])), chosen.source, chosen.caution


def _look(share: Float32Array, grid: Grid, solid: BoolArray, frame: Frame) -> _Look:
    spacing = float(grid.spacing_zyx[0])
    local = frame.to_local(grid.index_to_world(np.argwhere(solid)))
    box = frame_grid(frame, local.min(axis=0) - 3, local.max(axis=0) + 3, spacing)
    u_mm, v_mm, w_mm = frame_axes(box, frame)
    turned = resample_mask(share, grid, box)
    bone = turned > 0.5
    ring = find_ring(bone, u_mm, v_mm, behind_mm=5.0)
    if ring is None:
        raise AnatomyError(
            "no spinal canal found: the mask has no closed bony ring behind the body, even after closing gaps of "
            "9 mm. Check that the label holds the posterior elements",
            code="no_canal",
            numbers={"largest_gap_closed_mm": 9.0},
        )
    canal_lps = box.index_to_world(ndi.center_of_mass(ring.hole))
    front = canal_front(ring.hole, v_mm)
    body = body_of(bone, front - 1.0, v_mm)
    columns = body_columns(body, turned, w_mm)
    core = inner(columns.footprint, spacing)
    top = robust_plane(columns.top_mm, core, u_mm, v_mm)
    bottom = robust_plane(columns.bottom_mm, core, u_mm, v_mm)
    if top is None or bottom is None:
        raise AnatomyError(
            f"no end plates found: the body footprint holds only {int(core.sum() * spacing**2)} mm2. Check the mask",
            code="no_endplates",
            numbers={"footprint_mm2": float(core.sum() * spacing**2)},
        )
    j, i = np.nonzero(columns.footprint)
    middle_u = float(u_mm[i].mean())
    # half-way between front and back at the midline: the centroid leans towards the broad back of a heart-shaped body
    near_middle = v_mm[j[np.abs(u_mm[i] - middle_u) < 4.0]]
    middle = (middle_u, 0.5 * float(near_middle.min() + near_middle.max()))
    canal_v = canal_curve(ring.hole, u_mm, v_mm, w_mm)[:, 1]
    wall = wall_lean_deg(turned, canal_v, middle_u, (u_mm, v_mm, w_mm), front, top, bottom)
    return _Look(canal_lps, ring.closing_mm, front, columns, middle, top, bottom, wall)


def canal_front(hole: BoolArray, v_mm: FloatArray) -> float:
    """v (mm) of the front wall of the canal: where its mean width over the ring slices passes 3 mm."""
    spacing = float(v_mm[1] - v_mm[0])
    width = hole.sum(axis=(0, 2)) * spacing / max(1, int(hole.any(axis=(1, 2)).sum()))
    return float(v_mm[np.flatnonzero(width > 3.0)[0]])


def _endplate(frame: Frame, plane: Plane) -> Endplate:
    return Endplate(
        frame.to_world([0.0, 0.0, plane.at(0.0, 0.0)]), frame.direction_to_world(plane.normal_uvw), plane.rms_mm
    )
