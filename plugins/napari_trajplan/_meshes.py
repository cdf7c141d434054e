"""Triangle meshes of what is shown as a surface: tubes, cones, ellipsoids and discs, LPS mm."""

from __future__ import annotations

import numpy as np

from trajplan.geometry import Frame
from trajplan.geometry.arrays import AnyArray, FloatArray, unit
from trajplan.planning.plan import BalloonFit, Trajectory

Mesh = tuple[FloatArray, AnyArray]
"""Vertices (N, 3), LPS mm, and faces (M, 3)."""

SIDES = 24
RING_STEP_MM = 0.5
"""In a slice only faces wholly inside the slab are drawn: longer ones would leave holes in a cross-section."""


def tube(start_lps: FloatArray, end_lps: FloatArray, radius_mm: float, step_mm: float = RING_STEP_MM) -> Mesh:
    """A closed round tube of true diameter."""
    length = float(np.linalg.norm(end_lps - start_lps))
    rings = max(2, int(np.ceil(length / step_mm)) + 1)
    along = np.linspace(0.0, 1.0, rings)[:, None] * (end_lps - start_lps) + start_lps
    return _swept(along, np.full(rings, radius_mm), unit(end_lps - start_lps))


def ellipsoid(fit: BalloonFit) -> Mesh:
    """A balloon's envelope."""
    half, axis = fit.length_mm / 2, unit(fit.axis_lps)
    turn = np.linspace(0.0, np.pi, 49)[1:-1]
    along = fit.center_lps - (half * np.cos(turn))[:, None] * axis
    ends = fit.center_lps - half * axis, fit.center_lps + half * axis
    return _swept(along, fit.diameter_mm / 2 * np.sin(turn), axis, sides=96, caps=ends)


def cone(path: Trajectory, frame: Frame) -> Mesh | None:
    """The safe cone: all axes that may be taken from the entry without meeting a wall; None where there is none.

    Its rim is at the depth of the tip. Azimuth 0 is towards the side, 90 up in the vertebra's frame, as in `SafeCone`.
    """
    if path.cone is None:
        return None
    axis = path.direction_lps
    up = unit(frame.w - (frame.w @ axis) * axis)
    lateral = np.cross(axis, up)
    lateral = lateral if float(lateral @ frame.u) * path.side.sign > 0 else -lateral
    turn = np.radians(path.cone.azimuth_deg)[:, None]
    reach = path.capsule.length_mm * np.tan(np.radians(path.cone.angle_deg))[:, None]
    rim = path.target_lps + reach * (np.cos(turn) * lateral + np.sin(turn) * up)
    count = len(rim)
    ring = np.arange(count)
    following = (ring + 1) % count
    return np.vstack([rim, path.entry_lps]), np.stack([ring, following, np.full(count, count)], axis=1)


def disc(center_lps: FloatArray, normal_lps: FloatArray, radius_mm: float) -> Mesh:
    """A flat round plate, e.g. the plane of an end plate."""
    first, second = _across(unit(normal_lps))
    turn = np.linspace(0.0, 2 * np.pi, 2 * SIDES, endpoint=False)[:, None]
    rim = center_lps + radius_mm * (np.cos(turn) * first + np.sin(turn) * second)
    ring = np.arange(len(rim))
    faces = np.stack([ring, (ring + 1) % len(rim), np.full(len(rim), len(rim))], axis=1)
    return np.vstack([rim, center_lps]), faces


def joined(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    offset = np.cumsum([0, *(len(vertices) for vertices, _ in meshes[:-1])])
    faces = [faces + start for (_, faces), start in zip(meshes, offset, strict=True)]
    return np.vstack([vertices for vertices, _ in meshes]), np.vstack(faces)


def _across(axis: FloatArray) -> tuple[FloatArray, FloatArray]:
    side = unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))
    return side, np.asarray(np.cross(axis, side))


def _swept(
    along_lps: FloatArray,
    radius_mm: FloatArray,
    axis: FloatArray,
    sides: int = SIDES,
    caps: tuple[FloatArray, FloatArray] | None = None,
) -> Mesh:
    first, second = _across(axis)
    turn = np.linspace(0.0, 2 * np.pi, sides, endpoint=False)
    circle = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    rings = along_lps[:, None] + radius_mm[:, None, None] * circle
    count = len(along_lps)
    at = np.arange(sides)
    following = (at + 1) % sides
    one = np.concatenate(
        [np.stack([at, following, at + sides], axis=1), np.stack([following, following + sides, at + sides], axis=1)]
    )
    walls = (one[None] + sides * np.arange(count - 1)[:, None, None]).reshape(-1, 3)
    ends = (along_lps[0], along_lps[-1]) if caps is None else caps
    total, last = count * sides, (count - 1) * sides
    near = np.stack([following, at, np.full(sides, total)], axis=1)
    far = np.stack([at + last, following + last, np.full(sides, total + 1)], axis=1)
    return np.vstack([rings.reshape(-1, 3), *ends]), np.vstack([walls, near, far])
