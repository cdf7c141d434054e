"""Which triangles of the mesh are walls of a path, and from where on they count, in the words of the re-check."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy.interpolate import RegularGridInterpolator

from trajplan.geometry import Grid
from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray
from trajplan.verification.mesh_distance import Mesh, distances

PEDICLE = {"left": 2, "right": 3}
_POSTERIOR = 4
_FORAMEN_REACH_MM, _NECK_MM, _ROOT_MM = 8.0, 6.5, 3.0


def root(bone: Mesh, owner: AnyArray, side: str, plan: dict[str, Any]) -> BoolArray:
    """Triangles of the processes beside the hind end of the pedicle that face sideways, up or down."""
    out = np.asarray((owner == _POSTERIOR) & (np.abs(facing(bone, plan["vertebra"]["frame"]["v"])) < 0.7))
    own = owner == PEDICLE[side]
    if not own.any():
        return np.zeros(len(own), dtype=bool)
    reach = bone.centers_lps[own]
    out &= ((bone.centers_lps > reach.min(axis=0) - _ROOT_MM) & (bone.centers_lps < reach.max(axis=0) + _ROOT_MM)).all(
        axis=1
    )
    near = np.flatnonzero(out)
    out[near] = distances(bone.centers_lps[near], bone.subset(own)) < _ROOT_MM
    return out


def neck_begins(points_lps: FloatArray, label: AnyArray, path: dict[str, Any], plan: dict[str, Any]) -> int:
    """Index of the first point no more than 6.5 mm behind the isthmus, along the pedicle, that is in its own bone."""
    pedicle = next(p for p in plan["pedicles"] if p["side"] == path["side"])
    behind = (np.array(pedicle["isthmus_center_lps"]) - points_lps) @ np.array(pedicle["axis_lps"])
    found = (behind <= _NECK_MM) & np.isin(label, (_POSTERIOR, PEDICLE[path["side"]]))
    return int(np.argmax(found)) if found.any() else len(points_lps)


def towards_foramen(bone: Mesh, side: str, plan: dict[str, Any]) -> BoolArray:
    """Triangles that face forward between the borders of the pedicle, up to 8 mm above and below it."""
    frame = plan["vertebra"]["frame"]
    origin, u, v, w = (np.array(frame[name]) for name in ("origin_lps", "u", "v", "w"))
    outline = np.array(next(p for p in plan["pedicles"] if p["side"] == side)["outline_lps"]) - origin
    at = bone.centers_lps - origin
    across, up = (at @ u, outline @ u), (at @ w, outline @ w)
    near = (across[0] > across[1].min()) & (across[0] < across[1].max())
    near &= (up[0] > up[1].min() - _FORAMEN_REACH_MM) & (up[0] < up[1].max() + _FORAMEN_REACH_MM)
    return np.asarray(near & (facing(bone, -v) > 0.5))


def facing(mesh: Mesh, towards: FloatArray | list[float]) -> FloatArray:
    """Cosine (N,) between the outward normal of each triangle and a unit vector.

    Marching cubes winds all triangles of a mask alike: outwards (`tests/verification` holds it to that).
    """
    a, b, c = (mesh.triangles_lps[:, k] for k in range(3))
    normal = np.cross(b - a, c - a)
    return np.asarray(normal @ np.array(towards) / np.maximum(np.linalg.norm(normal, axis=1), 1e-12))


def first_inside(points_lps: FloatArray, mask: BoolArray, grid: Grid) -> int:
    """Index of the first point inside a mask smoothed by half a millimetre; the number of points when none is."""
    image = sitk.GetImageFromArray(mask.astype(np.float32))
    image.SetSpacing([float(v) for v in grid.spacing_xyz])
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(image, 0.5))
    axes = tuple(np.arange(n) * s for n, s in zip(mask.shape, grid.spacing_zyx, strict=True))
    value = RegularGridInterpolator(axes, smooth, bounds_error=False, fill_value=0.0)(
        (points_lps - grid.origin_lps)[:, ::-1]
    )
    found = value >= 0.5
    return int(np.argmax(found)) if found.any() else len(points_lps)
