"""Exact distance from points to a triangle mesh of a mask: the independent route of the re-check.

Shares nothing with `trajplan.geometry.surface`: a marching-cubes mesh and closest points on triangles, no samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from skimage.measure import marching_cubes

from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray

_SMOOTHING_MM = 0.5
_CHUNK = 40


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles, shape (N, 3 corners, 3), LPS mm."""

    triangles_lps: FloatArray

    def subset(self, keep: BoolArray) -> Mesh:
        """The triangles where `keep` is True."""
        return Mesh(self.triangles_lps[keep])

    @property
    def centers_lps(self) -> FloatArray:
        """Centroids, shape (N, 3)."""
        return np.asarray(self.triangles_lps.mean(axis=1))


def mesh_of(mask: BoolArray, origin_lps: FloatArray, spacing_mm: float) -> Mesh:
    """Marching-cubes mesh of a mask on an axis-aligned isotropic grid, smoothed by half a millimetre.

    Empty for a mask that is empty or too thin to have a surface.
    """
    image = sitk.GetImageFromArray(np.pad(mask, 2).astype(np.float32))
    image.SetSpacing([spacing_mm] * 3)
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(image, _SMOOTHING_MM))
    if not smooth.max() > 0.5:
        return Mesh(np.zeros((0, 3, 3)))
    vertices, faces, _, _ = marching_cubes(smooth, 0.5)
    world = origin_lps + (vertices[:, ::-1] - 2) * spacing_mm
    return Mesh(np.asarray(world[faces], dtype=np.float64))


def part_inside(mesh: Mesh, parts: AnyArray, origin_lps: FloatArray, spacing_mm: float) -> AnyArray:
    """Part id of the bone just under each triangle: looked up half a voxel inwards along its normal."""
    a, b, c = (mesh.triangles_lps[:, k] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)

    def look(points: FloatArray) -> AnyArray:
        index = np.rint((points - origin_lps) / spacing_mm).astype(int)[:, ::-1]
        index = np.clip(index, 0, np.array(parts.shape) - 1)
        return np.asarray(parts[tuple(index.T)])

    found = look(mesh.centers_lps - 0.6 * spacing_mm * normal)
    other = look(mesh.centers_lps + 0.6 * spacing_mm * normal)
    # the winding of a mesh may be either way: bone is on one side only
    bone = np.isin(found, (1, 2, 3, 4))
    return np.where(bone, found, np.where(np.isin(other, (1, 2, 3, 4)), other, 0))


def distances(points_lps: FloatArray, mesh: Mesh) -> FloatArray:
    """Distance (N,) from each point to the nearest point of the mesh, mm; `inf` for an empty mesh."""
    out = np.full(len(points_lps), np.inf)
    if not len(mesh.triangles_lps):
        return out
    centers = mesh.centers_lps
    reach = np.linalg.norm(mesh.triangles_lps - centers[:, None], axis=2).max()
    for start in range(0, len(points_lps), _CHUNK):
        block = points_lps[start : start + _CHUNK]
        to_center = np.linalg.norm(centers[None] - block[:, None], axis=2)
        near = (to_center <= to_center.min(axis=1, keepdims=True) + 2 * reach).any(axis=0)
        out[start : start + len(block)] = _to_triangles(block, mesh.triangles_lps[near]).min(axis=1)
    return out


def _to_triangles(points: FloatArray, triangles: FloatArray) -> FloatArray:
    """Distances (P, T): to the plane where the foot falls inside the triangle, else to the nearest edge."""
    a, b, c = (triangles[None, :, k] for k in range(3))
    p = points[:, None]
    normal = np.cross(b - a, c - a)
    area2 = np.maximum((normal**2).sum(axis=2), 1e-18)
    height = ((p - a) * normal).sum(axis=2)
    foot = p - normal * (height / area2)[..., None]
    within = np.ones(height.shape, dtype=bool)
    edge = np.full(height.shape, np.inf)
    for s, e in ((a, b), (b, c), (c, a)):
        within &= (np.cross(e - s, foot - s) * normal).sum(axis=2) >= 0
        t = np.clip(((p - s) * (e - s)).sum(axis=2) / np.maximum(((e - s) ** 2).sum(axis=2), 1e-18), 0, 1)
        edge = np.minimum(edge, np.linalg.norm(p - s - t[..., None] * (e - s), axis=2))
    return np.where(within, np.abs(height) / np.sqrt(area2), edge)
