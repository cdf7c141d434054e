"""Room for the balloon: where in the body the tip should end so that the largest balloon can be filled."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.parts import Part
from trajplan.planning.balloon import MARGIN_MM
from trajplan.planning.instruments import Balloon

_STEP_MM, _ALONG_MM = 0.5, 1.0
_MISS_ML_PER_MM2 = 0.01
"""A tip is moved from the taught place only for more volume than this: 0.25 mL for 5 mm."""


@dataclass(frozen=True, eq=False)
class Room:
    """The body of one vertebra: its voxel centres (N, 3) as (u, v, w) mm, and the distance to its surface on a grid."""

    uvw: FloatArray
    depth_mm: Float32Array
    grid: Grid

    def depth_at(self, points_lps: FloatArray) -> FloatArray:
        """Distance (...,) from LPS points to the surface of the body, mm; 0 outside."""
        index = self.grid.world_to_index(points_lps)
        flat = ndi.map_coordinates(self.depth_mm, index.reshape(-1, 3).T, order=1, mode="constant", cval=0.0)
        return np.asarray(flat.reshape(index.shape[:-1]), dtype=np.float64)


_ROOMS: WeakKeyDictionary[Vertebra, Room] = WeakKeyDictionary()


def room_of(vertebra: Vertebra) -> Room:
    """The room of a vertebra; made once and kept as long as the vertebra is."""
    if vertebra not in _ROOMS:
        _ROOMS[vertebra] = _make(vertebra)
    return _ROOMS[vertebra]


def _make(vertebra: Vertebra) -> Room:
    grid = vertebra.parts.grid
    body: BoolArray = vertebra.parts.array == Part.BODY
    found = np.argwhere(body)
    if not len(found):
        return Room(np.zeros((0, 3)), np.zeros((2, 2, 2), dtype=np.float32), grid)
    low, high = np.maximum(found.min(axis=0) - 2, 0), found.max(axis=0) + 3
    box = body[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    spacing = float(grid.spacing_zyx[0])
    # half a voxel off: the transform gives the distance to the next voxel's centre, the surface lies between
    depth = np.maximum(ndi.distance_transform_edt(box) - 0.5, 0.0) * spacing
    uvw = vertebra.frame.to_local(grid.index_to_world(found))
    return Room(uvw, depth.astype(np.float32), grid.cropped(low, high))


def best_tip(
    vertebra: Vertebra,
    from_uvw: FloatArray,
    taught_uvw: FloatArray,
    reach: tuple[tuple[float, float], tuple[float, float]],
    third: tuple[float, float],
    two_thirds_v: float,
    balloons: tuple[Balloon, ...],
) -> FloatArray:
    """The tip (u, v, w) whose balloon holds most in the anterior two thirds of the body.

    Parameters
    ----------
    from_uvw : ndarray, shape (3,)
        Middle of the isthmus: the balloon lies along the line from there to the tip.
    taught_uvw : ndarray, shape (3,)
        The place that is taught; u is kept, and of tips that serve alike the nearest to it is taken.
    reach : ((float, float), (float, float))
        Least and greatest v and w of the tip, mm.
    third : (float, float)
        (slope, offset) of the border of the anterior third, which the tip may not lie behind.
    two_thirds_v : float
        v of the border between the anterior two thirds of the body and the rest.
    """
    v, w = (np.arange(low, max(high, low) + 1e-9, _STEP_MM) for low, high in reach)
    vv, ww = (a.ravel() for a in np.meshgrid(v, w, indexing="ij"))
    keep = vv <= third[0] * ww + third[1] + 1e-9
    tips = np.stack([np.full(keep.sum(), taught_uvw[0]), vv[keep], ww[keep]], axis=1)
    tips = np.concatenate([taught_uvw[None], tips])
    miss2 = ((tips - taught_uvw) ** 2).sum(axis=1)
    held = np.max([_held_ml(vertebra, from_uvw, tips, b, two_thirds_v) for b in balloons], axis=0, initial=0.0)
    return np.asarray(tips[int(np.argmax(held - _MISS_ML_PER_MM2 * miss2))])


def _held_ml(
    vertebra: Vertebra, from_uvw: FloatArray, tips: FloatArray, balloon: Balloon, two_thirds_v: float
) -> FloatArray:
    """Volume (N,) in the anterior two thirds of an ellipsoid as `trajplan.planning.balloon` fits it, mL."""
    axis = (tips - from_uvw) / np.linalg.norm(tips - from_uvw, axis=1, keepdims=True)
    centers = tips - 0.5 * balloon.length_mm * axis
    folded, full = balloon.folded_diameter_mm / 2, balloon.inflated_diameter_mm / 2
    longest = balloon.inflated_length_mm / 2
    along = np.arange(-longest, longest + 1e-9, _ALONG_MM)
    points = centers[:, None] + along[None, :, None] * axis[:, None]
    room = room_of(vertebra).depth_at(vertebra.frame.to_world(points)) - MARGIN_MM
    radius = np.linspace(folded, full, 48)
    half = balloon.length_mm / 2 + (radius - folded) / max(full - folded, 1e-9) * (longest - balloon.length_mm / 2)
    outline = radius[:, None] * np.sqrt(np.clip(1 - (along / half[:, None]) ** 2, 0.0, None))
    within = np.abs(along) <= half[:, None]
    fits = (~within[None] | (room[:, None] >= outline[None])).all(axis=2)
    # inflated until it first touches
    steps = np.where(fits.all(axis=1), len(radius), np.argmin(fits, axis=1))
    largest = np.maximum(steps - 1, 0)
    inside = np.abs(along) <= half[largest][:, None]
    share = ((points[..., 1] <= two_thirds_v) & inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    volume = 4 / 3 * np.pi * radius[largest] ** 2 * half[largest] / 1000
    return np.asarray(np.where(steps > 0, volume * share, 0.0))
