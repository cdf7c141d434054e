"""A shaded view of surfaces in space by their points: the nearest is seen, and bone lets the needle through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trajplan.geometry.arrays import AnyArray, FloatArray, unit

PIXEL_MM = 0.35
_LIGHT = np.array([-0.35, -0.45, -0.82])
"""In the picture: right, down, away from the eye; the light comes over the left shoulder."""
_AMBIENT = 0.28
_STEP_MM = 2.5
"""A pixel so much farther than its neighbour is taken for a hole between two samples."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """Surface samples of one thing: points and outward normals (N, 3), LPS; colour 0..1; how opaque it is, 0..1."""

    points_lps: FloatArray
    normals_lps: FloatArray
    color: tuple[float, float, float]
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Eye:
    """A parallel view of a square: its middle, where right and down point, and half its width, mm."""

    center_lps: FloatArray
    right_lps: FloatArray
    down_lps: FloatArray
    half_mm: float

    @property
    def away_lps(self) -> FloatArray:
        """Where the eye looks."""
        return unit(np.cross(self.right_lps, self.down_lps))


def render(clouds: list[Cloud], eye: Eye) -> AnyArray:
    """The view, shape (n, n, 3), uint8, white behind. Solid things first, then what is see-through over them."""
    count = round(2 * eye.half_mm / PIXEL_MM)
    picture = np.ones((count, count, 3))
    depth = np.full((count, count), np.inf)
    for cloud in sorted(clouds, key=lambda c: -c.opacity):
        shade, near = _splat(cloud, eye, count)
        seen = np.isfinite(near)
        color = shade[..., None] * np.array(cloud.color)
        in_front = seen & (near < depth)
        share = np.where(in_front, cloud.opacity, 0.0)[..., None]
        picture = picture * (1 - share) + color * share
        if cloud.opacity >= 1.0:
            depth = np.where(in_front, near, depth)
    return np.asarray(np.rint(255 * np.clip(picture, 0, 1)), dtype=np.uint8)


def _splat(cloud: Cloud, eye: Eye, count: int) -> tuple[FloatArray, FloatArray]:
    """Shade and distance of the nearest sample at every pixel; holes between samples are closed from around them."""
    axes = np.stack([eye.right_lps, eye.down_lps, eye.away_lps])
    at = (cloud.points_lps - eye.center_lps) @ axes.T
    turned = cloud.normals_lps @ axes.T
    column, row = (np.floor((at[:, k] + eye.half_mm) / PIXEL_MM).astype(int) for k in (0, 1))
    keep = (turned[:, 2] < 0.15) & (column >= 0) & (column < count) & (row >= 0) & (row < count)
    flat, far = (row * count + column)[keep], at[keep, 2]
    bright = _AMBIENT + (1 - _AMBIENT) * np.clip(turned[keep] @ unit(_LIGHT), 0, 1)
    order = np.lexsort((-far, flat))  # the nearest of a pixel comes last, and is the one that stays
    near, shade = np.full(count * count, np.inf), np.zeros(count * count)
    near[flat[order]], shade[flat[order]] = far[order], bright[order]
    return _closed(shade.reshape(count, count), near.reshape(count, count))


def _closed(shade: FloatArray, near: FloatArray) -> tuple[FloatArray, FloatArray]:
    seen = np.isfinite(near)
    wanted = ndimage.binary_closing(np.pad(seen, 4), iterations=3)[4:-4, 4:-4]
    # a surface behind that shows through a gap of the one in front is taken for a hole too
    front = ndimage.minimum_filter(near, 3)
    behind = np.where(seen, near, 0.0) - np.where(np.isfinite(front), front, 0.0) > _STEP_MM
    hole = wanted & (~seen | behind)
    solid = np.where(hole | ~seen, 0.0, 1.0)
    weight = ndimage.gaussian_filter(solid, 0.9)
    smooth = ndimage.gaussian_filter(np.where(solid > 0, shade, 0.0), 0.9) / np.maximum(weight, 1e-6)
    filled = np.where(hole, np.where(np.isfinite(front), front, near), near)
    filled = np.where(wanted & ~np.isfinite(filled), ndimage.minimum_filter(near, 7), filled)
    return smooth, np.where(wanted, filled, np.inf)
