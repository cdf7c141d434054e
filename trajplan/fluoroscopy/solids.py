"""Analytic solids for what is put into the beam: capsules, tubes, ellipsoids and unions of them, LPS mm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray, frozen

ROW: Final = 13
"""Numbers that describe one primitive to the compiled chords: its kind, then twelve of its own."""


class Kind(IntEnum):
    """What the twelve numbers mean: ends, radius (and bore); or centre and the nine of ``|M (x - c)| < 1``."""

    CAPSULE = 0
    TUBE = 1
    ELLIPSOID = 2


@dataclass(frozen=True, eq=False)
class Tube:
    """A straight tube with flat ends, as a cannula; a rod when `bore_mm` is 0.

    Parameters
    ----------
    start_lps, end_lps : array_like, shape (3,)
    radius_mm, bore_mm : float
        Outer and inner radius.
    """

    start_lps: FloatArray
    end_lps: FloatArray
    radius_mm: float
    bore_mm: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_lps", frozen(self.start_lps, (3,)))
        object.__setattr__(self, "end_lps", frozen(self.end_lps, (3,)))
        if not 0 <= self.bore_mm < self.radius_mm or not np.any(self.start_lps != self.end_lps):
            raise GeometryError(
                f"a tube needs two different ends and a bore below its radius, got {self.bore_mm} of "
                f"{self.radius_mm} mm",
                code="radius_invalid",
            )


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """An ellipsoid, as a balloon or a lump of cement.

    Parameters
    ----------
    center_lps : array_like, shape (3,)
    semi_axes_lps : array_like, shape (3, 3)
        Rows: the three half axes, at right angles to one another.
    """

    center_lps: FloatArray
    semi_axes_lps: FloatArray

    def __init__(self, center_lps: ArrayLike, semi_axes_lps: ArrayLike) -> None:
        object.__setattr__(self, "center_lps", frozen(center_lps, (3,)))
        axes = frozen(semi_axes_lps, (3, 3))
        object.__setattr__(self, "semi_axes_lps", axes)
        length = np.linalg.norm(axes, axis=1)
        if not length.min() > 0 or np.abs(axes @ axes.T - np.diag(length**2)).max() > 1e-6 * length.max() ** 2:
            raise GeometryError("the half axes of an ellipsoid must be at right angles", code="axes_invalid")

    @property
    def to_sphere(self) -> FloatArray:
        """The matrix that turns it into the unit sphere, (3, 3)."""
        return np.asarray(self.semi_axes_lps / (self.semi_axes_lps**2).sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Union:
    """Several solids as one: where they overlap the beam is weakened once."""

    parts: tuple[Solid, ...]


Solid = Capsule | Tube | Ellipsoid | Union


def rows_of(solid: Solid) -> FloatArray:
    """The primitives of a solid, shape (N, `ROW`)."""
    if isinstance(solid, Union):
        return np.concatenate([rows_of(part) for part in solid.parts])
    row = np.zeros((1, ROW))
    if isinstance(solid, Ellipsoid):
        row[0] = (Kind.ELLIPSOID, *solid.center_lps, *solid.to_sphere.ravel())
    else:
        bore = solid.bore_mm if isinstance(solid, Tube) else 0.0
        kind = Kind.TUBE if isinstance(solid, Tube) else Kind.CAPSULE
        row[0, :9] = (kind, *solid.start_lps, *solid.end_lps, solid.radius_mm, bore)
    return row


def ends_of(row: FloatArray) -> tuple[FloatArray, float]:
    """Two points (2, 3) and a radius whose capsule holds the primitive."""
    if row[0] == Kind.ELLIPSOID:
        reach = 1.0 / np.linalg.svd(row[4:].reshape(3, 3), compute_uv=False).min()
        return np.stack([row[1:4], row[1:4]]), float(reach)
    return np.stack([row[1:4], row[4:7]]), float(row[7])
