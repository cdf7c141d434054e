"""Grid: where voxels lie in the world. Index (z, y, x) of voxel centres <-> LPS mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError
from trajplan.geometry.arrays import FloatArray, frozen


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid of voxel centres in patient LPS millimetres.

    Parameters
    ----------
    shape_zyx : tuple of int
        Number of voxels along (z, y, x), i.e. ``array.shape``.
    origin_lps : array_like, shape (3,)
        World position (x, y, z) in LPS mm of the *centre* of voxel (0, 0, 0).
    spacing_zyx : array_like, shape (3,)
        Distance between voxel centres along array axes (z, y, x), mm, positive.
    direction : array_like, shape (3, 3)
        Columns are the unit LPS directions of increasing x, y, z index (the ITK convention).

    Raises
    ------
    GeometryError
        Empty shape, spacing not positive, direction not orthonormal.

    Examples
    --------
    >>> g = Grid((10, 20, 30), (1.0, 2.0, 3.0), (2.5, 0.7, 0.7))
    >>> g.index_to_world([1, 0, 0]).tolist()
    [1.0, 2.0, 5.5]
    """

    shape_zyx: tuple[int, int, int]
    origin_lps: FloatArray
    spacing_zyx: FloatArray
    direction: FloatArray

    def __init__(
        self,
        shape_zyx: tuple[int, ...],
        origin_lps: ArrayLike,
        spacing_zyx: ArrayLike,
        direction: ArrayLike | None = None,
    ) -> None:
        shape = tuple(int(n) for n in shape_zyx)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(f"a grid needs three positive sizes, got {shape}", code="empty_grid")
        spacing = frozen(spacing_zyx, (3,))
        if not (spacing > 0).all():
            raise GeometryError(f"spacing must be positive, got {spacing.tolist()} mm", code="spacing_invalid")
        axes = frozen(np.eye(3) if direction is None else direction, (3, 3))
        error = float(np.abs(axes.T @ axes - np.eye(3)).max())
        if error > 1e-4:
            raise GeometryError(
                f"direction cosines are not orthonormal (error {error:.2g})", code="orientation_invalid"
            )
        object.__setattr__(self, "shape_zyx", shape)
        object.__setattr__(self, "origin_lps", frozen(origin_lps, (3,)))
        object.__setattr__(self, "spacing_zyx", spacing)
        object.__setattr__(self, "direction", axes)

    @property
    def spacing_xyz(self) -> FloatArray:
        """Spacing along index axes (x, y, z), mm."""
        return self.spacing_zyx[::-1]

    @property
    def is_axis_aligned(self) -> bool:
        """True when index axes x, y, z run along +L, +P, +S."""
        return bool(np.abs(self.direction - np.eye(3)).max() < 1e-6)

    @property
    def center_lps(self) -> FloatArray:
        """World position of the centre of the grid."""
        return self.index_to_world((np.array(self.shape_zyx) - 1) / 2)

    def index_to_world(self, index_zyx: ArrayLike) -> FloatArray:
        """(..., 3) fractional (z, y, x) indices -> (..., 3) LPS mm."""
        step = np.asarray(index_zyx, dtype=np.float64)[..., ::-1] * self.spacing_xyz
        return np.asarray(self.origin_lps + step @ self.direction.T)

    def world_to_index(self, points_lps: ArrayLike) -> FloatArray:
        """(..., 3) LPS mm -> (..., 3) fractional (z, y, x) indices."""
        offset = np.asarray(points_lps, dtype=np.float64) - self.origin_lps
        return np.asarray((offset @ self.direction / self.spacing_xyz)[..., ::-1])

    def contains(self, points_lps: ArrayLike, margin_mm: float = 0.0) -> np.ndarray:
        """Whether each LPS point lies at least `margin_mm` inside the box of voxel centres."""
        index = self.world_to_index(points_lps)
        margin = margin_mm / self.spacing_zyx
        upper = np.array(self.shape_zyx) - 1 - margin
        return np.asarray(((index >= margin) & (index <= upper)).all(axis=-1))

    def corners_lps(self) -> FloatArray:
        """The eight outermost voxel centres, shape (8, 3), LPS mm."""
        n = np.array(self.shape_zyx) - 1
        steps = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        return self.index_to_world(steps * n)

    def points_lps(self) -> FloatArray:
        """World position of every voxel centre, shape (z, y, x, 3)."""
        return self.index_to_world(np.moveaxis(np.indices(self.shape_zyx), 0, -1))

    def cropped(self, start_zyx: ArrayLike, stop_zyx: ArrayLike) -> Grid:
        """The grid of ``array[start:stop]`` along each axis."""
        start, stop = np.asarray(start_zyx, dtype=int), np.asarray(stop_zyx, dtype=int)
        return Grid(tuple(stop - start), self.index_to_world(start), self.spacing_zyx, self.direction)

    def same_as(self, other: Grid, tolerance_mm: float = 1e-3) -> bool:
        """Equal shape, and all corners within `tolerance_mm`."""
        if self.shape_zyx != other.shape_zyx:
            return False
        return bool(np.abs(self.corners_lps() - other.corners_lps()).max() <= tolerance_mm)

    @staticmethod
    def isotropic(lower_lps: ArrayLike, upper_lps: ArrayLike, spacing_mm: float) -> Grid:
        """The axis-aligned LPS grid of `spacing_mm` centred on the box from `lower_lps` to `upper_lps`.

        Centring (rather than starting at a corner) makes the grid of a mirrored box the mirrored grid.
        """
        lower, upper = np.asarray(lower_lps, dtype=float), np.asarray(upper_lps, dtype=float)
        if not (upper > lower).all():
            raise GeometryError(f"box is empty: {lower.tolist()} to {upper.tolist()} mm", code="empty_grid")
        count = np.ceil((upper - lower) / spacing_mm - 1e-9).astype(int) + 1
        origin = (lower + upper) / 2 - (count - 1) / 2 * spacing_mm
        return Grid(tuple(count[::-1]), origin, (spacing_mm,) * 3)
