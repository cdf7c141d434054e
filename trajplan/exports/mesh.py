"""Closed triangle meshes in patient LPS mm: of a mask, and of a shape turned about an axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from skimage.measure import marching_cubes

from trajplan.errors import GeometryError
from trajplan.geometry import Grid
from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray, unit
from trajplan.geometry.surface import occupancy

_LEVEL = 0.4999
"""Not 0.5, which the edge of a straight mask meets exactly: triangles without area would tear the mesh open."""
_PAD = 3
_AROUND = 64


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed surface, counter-clockwise seen from outside.

    Parameters
    ----------
    vertices_lps : ndarray, shape (N, 3)
        LPS mm.
    faces : ndarray of int, shape (M, 3)
    """

    vertices_lps: FloatArray
    faces: AnyArray

    @property
    def volume_mm3(self) -> float:
        """Enclosed volume; negative when the faces are turned inside out."""
        a, b, c = (self.vertices_lps[self.faces[:, k]] - self.vertices_lps.mean(axis=0) for k in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def mesh_of_mask(mask: BoolArray, grid: Grid) -> Mesh:
    """The surface of a mask, smoothed by half a millimetre as in every distance of the plan, closed at the border.

    Raises
    ------
    GeometryError
        An empty mask, or one too thin to have a surface.
    """
    at = np.argwhere(mask)
    if not len(at):
        raise GeometryError("an empty mask has no surface", code="surface_empty")
    start, stop = at.min(axis=0), at.max(axis=0) + 1
    box = np.pad(mask[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))], _PAD)
    field = occupancy(box, grid)
    if not field.max() > _LEVEL:
        raise GeometryError("the mask is too thin to have a surface", code="surface_empty")
    vertices, faces, _, _ = marching_cubes(field, _LEVEL, allow_degenerate=False)
    world = grid.index_to_world(vertices.astype(np.float64) + start - _PAD)
    return _outward(Mesh(world, faces.astype(np.int64)))


def turned_mesh(start_lps: ArrayLike, axis_lps: ArrayLike, along_mm: ArrayLike, radius_mm: ArrayLike) -> Mesh:
    """A closed solid of revolution.

    Parameters
    ----------
    start_lps, axis_lps : array_like, shape (3,)
        Where depth 0 lies, and the axis.
    along_mm, radius_mm : array_like, shape (N,)
        The profile; the first and last radius are 0 (the poles), all others positive. Radii are widened so that the
        many-sided ring encloses as much as the circle.
    """
    along, radius = np.asarray(along_mm, dtype=np.float64), np.asarray(radius_mm, dtype=np.float64)
    axis = unit(axis_lps)
    across = unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))
    turn = np.linspace(0.0, 2 * np.pi, _AROUND, endpoint=False)
    ring = np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * np.cross(axis, across)
    ring *= np.sqrt(2 * np.pi / _AROUND / np.sin(2 * np.pi / _AROUND))
    middle = np.asarray(start_lps, dtype=np.float64) + along[:, None] * axis
    inner = middle[1:-1, None, :] + radius[1:-1, None, None] * ring[None]
    vertices = np.concatenate([middle[:1], inner.reshape(-1, 3), middle[-1:]])
    rows = len(along) - 2
    here = 1 + np.arange(_AROUND)
    following = 1 + (np.arange(_AROUND) + 1) % _AROUND
    faces = [np.stack([np.zeros(_AROUND, int), following, here], axis=1)]
    for row in range(rows - 1):
        a, b = here + row * _AROUND, following + row * _AROUND
        faces += [np.stack([a, b, a + _AROUND], axis=1), np.stack([b, b + _AROUND, a + _AROUND], axis=1)]
    last = (rows - 1) * _AROUND
    faces.append(np.stack([np.full(_AROUND, len(vertices) - 1), here + last, following + last], axis=1))
    return _outward(Mesh(vertices, np.concatenate(faces)))


def _outward(mesh: Mesh) -> Mesh:
    return mesh if mesh.volume_mm3 > 0 else Mesh(mesh.vertices_lps, mesh.faces[:, ::-1])
