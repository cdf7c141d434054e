"""Restoration: how far the end plates are lifted while the balloons are inflated, and the heights that follow."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.augmentation.published import Published
from trajplan.geometry import Grid
from trajplan.geometry.arrays import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Shape:
    """What is measured of a body: anterior, middle and posterior height (3,) mm; wedge and local kyphosis, deg."""

    heights_mm: FloatArray
    wedge_deg: float
    local_kyphosis_deg: float | None


@dataclass(frozen=True, eq=False)
class RestorationStep:
    """The body at one filling volume of all balloons together."""

    volume_ml: float
    heights_mm: FloatArray
    wedge_deg: float
    lifted_ml: float


@dataclass(frozen=True, eq=False)
class Restoration:
    """Heights before, predicted with the balloons inflated, and what is published of what is kept.

    Parameters
    ----------
    before, predicted : Shape
        The prediction is an upper bound: no load, and the end plate goes wherever the balloon pushes it.
    expected_mm : ndarray, shape (3,)
        What the neighbours suggest the heights were.
    failed : str
        Which end plates are taken to have come down: ``superior``, ``inferior``, ``both`` or ``none``.
    steps : tuple of RestorationStep
        One for each inflation step, the first before any.
    grid : Grid
        Index (w, v, u) along the vertebra frame; the maps below lie on its (v, u) columns.
    top_mm, bottom_mm : ndarray, shape (V, U)
        Both end plates before, w in mm; NaN outside the body.
    lift_top_mm, lift_bottom_mm : ndarray, shape (V, U)
        How far each is moved apart, >= 0.
    body : ndarray of bool, shape (W, V, U)
        The body with its end plates moved: every column stretched evenly.
    kept : tuple of Published
        What is published of height regained and kept.
    """

    before: Shape
    predicted: Shape
    expected_mm: FloatArray
    failed: str
    steps: tuple[RestorationStep, ...]
    grid: Grid
    top_mm: FloatArray
    bottom_mm: FloatArray
    lift_top_mm: FloatArray
    lift_bottom_mm: FloatArray
    body: BoolArray
    kept: tuple[Published, ...]

    @property
    def gain_mm(self) -> FloatArray:
        """Predicted less measured heights, (3,)."""
        return self.predicted.heights_mm - self.before.heights_mm
