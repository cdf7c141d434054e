"""The vertebral body: superelliptic section with a waist, concave end plates, a posterior wall, and its fracture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan_phantoms.fracture import ANTERIOR_COLUMN, INTACT, MIDDLE_COLUMN, POSTERIOR_COLUMN, Fracture
from trajplan_phantoms.fracture_shapes import CleftShape, FragmentShape, Push
from trajplan_phantoms.shapes import Coordinates, smooth_max, superellipse

WAIST = 0.13
"""The width at mid-height is this share smaller than at the end plates."""
OUTLINE_SHARE = 0.60
"""Half of the outline's ellipse, as a share of the body's depth; more than 0.5, so that the back is cut off wide."""
LEAST_RIM_MM = 0.3
"""Rims are rounded by no less; sizes that leave less room are refused (`sizes_check`)."""


@dataclass(frozen=True)
class Body:
    """A vertebral body about its own centre, (u left, v posterior, w superior) mm.

    Attributes
    ----------
    width_upper_mm, width_lower_mm, depth_upper_mm, depth_lower_mm : float
        End plates.
    height_anterior_mm, height_posterior_mm : float
        Between the end-plate rims at the front and the posterior wall, intact.
    superior_concavity_mm, inferior_concavity_mm : float
    power : float
        Exponent of the section; 2 is an ellipse.
    fracture : Fracture
    superior_apex, inferior_apex : float
        Deepest place of the end plates: share of the depth behind the body centre.
    """

    width_upper_mm: float
    width_lower_mm: float
    depth_upper_mm: float
    depth_lower_mm: float
    height_anterior_mm: float
    height_posterior_mm: float
    superior_concavity_mm: float
    inferior_concavity_mm: float
    power: float = 2.3
    fracture: Fracture = INTACT
    superior_apex: float = 0.04
    inferior_apex: float = 0.04

    @property
    def depth_mm(self) -> float:
        """Mean depth of both end plates; the posterior wall lies half of it behind the centre."""
        return 0.5 * (self.depth_upper_mm + self.depth_lower_mm)

    @property
    def width_mm(self) -> float:
        """Mean width of both end plates."""
        return 0.5 * (self.width_upper_mm + self.width_lower_mm)

    @property
    def height_mm(self) -> float:
        """Distance of the intact end-plate rims at the centre."""
        return 0.5 * (self.height_anterior_mm + self.height_posterior_mm)

    @property
    def slope(self) -> float:
        """Rise of the superior end plate per mm backwards (the inferior one falls as much)."""
        return 0.5 * (self.height_posterior_mm - self.height_anterior_mm) / self.depth_mm

    @property
    def blend_mm(self) -> float:
        """Rounding of the posterior edges, and of the rims where there is room."""
        return 0.055 * self.depth_mm

    @cached_property
    def rim_mm(self) -> float:
        """Rounding of the rims, kept off the places where heights are measured if one end plate is the shallower.

        The sacrum's lower plate does not reach the anterior place at all; its rims are rounded in full.
        """
        places = np.array([ANTERIOR_COLUMN, POSTERIOR_COLUMN]) * self.depth_mm
        room = min(-float(self.side(np.zeros(2), places, level).max()) for level in (-1.0, 1.0))
        return self.blend_mm if room < LEAST_RIM_MM else min(self.blend_mm, room)

    def _concavity(self, u: AnyArray, v: AnyArray, apex: float) -> AnyArray:
        depth = self.depth_mm
        radius2 = np.square(u * (1.0 / (0.40 * self.width_mm))) + np.square((v - apex * depth) * (1.0 / (0.34 * depth)))
        return np.asarray(np.square(np.maximum(1.0 - radius2, 0.0)))

    @cached_property
    def intact(self) -> Body:
        """The same body before its fracture."""
        return replace(self, fracture=INTACT)

    @cached_property
    def _intact_columns(self) -> tuple[float, float]:
        return self.intact.height_at(ANTERIOR_COLUMN), self.intact.height_at(MIDDLE_COLUMN)

    def plates(self, u: AnyArray, v: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
        """Heights w of superior and inferior end plate at (u, v), and of both without their concavity."""
        hollow = self._concavity(u, v, self.superior_apex)
        hollow_low = hollow if self.inferior_apex == self.superior_apex else self._concavity(u, v, self.inferior_apex)
        up = v * self.slope + 0.5 * self.height_mm
        height = 2.0 * up - hollow * self.superior_concavity_mm - hollow_low * self.inferior_concavity_mm
        down: AnyArray | float = 0.0
        rise: AnyArray | float = 0.0
        if self.fracture.kind != "none":
            anterior, middle = self._intact_columns
            down, rise = self.fracture.drops(u, v, height, 0.5 * self.width_mm, self.depth_mm, anterior, middle)
        rim_up, rim_low = up - down, rise - up
        return (
            rim_up - hollow * self.superior_concavity_mm,
            rim_low + hollow_low * self.inferior_concavity_mm,
            rim_up,
            rim_low,
        )

    def height_at(self, depth_fraction: float) -> float:
        """Exact midsagittal height, mm, at a fraction of the depth before (-) or behind the body centre."""
        v = np.array(depth_fraction * self.depth_mm)
        top, bottom, _, _ = self.plates(np.zeros(()), v)
        return float(top - bottom)

    def heights_mm(self) -> dict[str, float]:
        """Exact anterior, middle and posterior midsagittal heights."""
        return {
            "ha_mm": self.height_at(ANTERIOR_COLUMN),
            "hm_mm": self.height_at(MIDDLE_COLUMN),
            "hp_mm": self.height_at(POSTERIOR_COLUMN),
        }

    def side(self, u: AnyArray, v: AnyArray, level: AnyArray | float, waist: AnyArray | float = 0.0) -> AnyArray:
        """Implicit value of the outline at `level` -1 (inferior end plate) .. 1 (superior); `waist` narrows it."""
        share = 0.5 * (level + 1.0)
        lean = 1.0 - waist
        width = (self.width_lower_mm + share * (self.width_upper_mm - self.width_lower_mm)) * lean
        depth = self.depth_lower_mm + share * (self.depth_upper_mm - self.depth_lower_mm)
        back = 0.5 * self.depth_mm
        # an ellipse deeper than the body, its back cut off by the posterior wall
        b = OUTLINE_SHARE * depth * lean
        centre = back - (1.0 - OUTLINE_SHARE) * depth - 0.15 * waist * depth
        outline = superellipse(u, v - centre, 0.5 * width, b, self.power)
        hollow = np.minimum(np.square(u * (1.0 / (0.34 * self.width_mm))), 1.5) * (0.03 * self.depth_mm)
        wall = v - (back + hollow)
        return smooth_max(outline, wall, 2.0 * self.blend_mm)

    def value(self, p: Coordinates) -> AnyArray:
        """Implicit value, mm; negative inside the body, a burst fragment included."""
        whole = self.unbroken_value(p)
        if self.fragment is None:
            return whole
        return np.minimum(smooth_max(whole, self.fragment.keep_clear(p), 0.5), self.fragment.value(p))

    def unbroken_value(self, p: Coordinates) -> AnyArray:
        """Implicit value, mm, as if no fragment had burst off."""
        u, v, w = p
        top, bottom, rim_top, rim_bottom = self.plates(u, v)
        if self.push is not None:
            v = self.push.before_in_body(p)
        gap = np.maximum(rim_top - rim_bottom, 1.0)
        level = np.clip((2.0 * w - rim_top - rim_bottom) / gap, -1.0, 1.0)
        waist = (1.0 - np.square(level)) * (WAIST * gap * (1.0 / self.height_mm)).clip(0.0, WAIST)
        ends = smooth_max(w - top, bottom - w, 0.5)
        return smooth_max(self.side(u, v, level, waist), ends, self.rim_mm)

    @cached_property
    def push(self) -> Push | None:
        """The retropulsion of the posterior wall."""
        if self.fracture.retropulsion_mm == 0.0:
            return None
        top, bottom = self.wall_edges
        height, sign = top - bottom, self._failed_sign
        edge = top if sign > 0 else bottom
        past, along = 0.22 * height + 3.5, 0.65 * height
        up, down = (past, along) if sign > 0 else (along, past)
        return Push(
            self.fracture.retropulsion_mm, 0.5 * self.depth_mm, 0.65 * self.depth_mm,
            edge - sign * 0.22 * height, 0.27 * self.width_mm, up, down,
        )  # fmt: skip

    @cached_property
    def fragment(self) -> FragmentShape | None:
        """The piece burst off the posterior wall."""
        ask = self.fracture.fragment
        if ask is None:
            return None
        top, bottom = self.wall_edges
        sign, back = self._failed_sign, 0.5 * self.depth_mm
        width = ask.width_mm or 0.36 * self.width_mm
        depth = ask.depth_mm or 0.28 * self.depth_mm
        height = ask.height_mm or 0.6 * (top - bottom)
        low = (top if sign > 0 else -bottom) - height
        return FragmentShape(
            self.unbroken_value, 0.5 * width, back - depth, low, sign,
            ask.shift_mm, ask.turn_deg, ask.gap_mm, back, height,
        )  # fmt: skip

    @cached_property
    def cleft(self) -> CleftShape | None:
        """The gas or fluid filled cleft; a wedge opens it in front."""
        ask = self.fracture.cleft
        if ask is None:
            return None
        share = {"superior": 0.36, "inferior": 0.64, "both": 0.5}[self.fracture.plates_failed]
        centre = (-0.12 if self.fracture.kind == "wedge" else -0.04) * self.depth_mm

        def middle(u: AnyArray, v: AnyArray) -> AnyArray:
            _, _, top, bottom = self.plates(u, v)
            return np.asarray(top + (bottom - top) * share)

        height = float(np.subtract(*self.plates(np.zeros(()), np.array(centre))[:2]))
        wide = ask.width_mm or 0.5 * self.width_mm
        deep = ask.depth_mm or 0.42 * self.depth_mm
        thick = ask.thickness_mm or min(3.0, 0.3 * height)
        return CleftShape(middle, (0.5 * wide, 0.5 * deep, 0.5 * thick), centre)

    @property
    def _failed_sign(self) -> int:
        return -1 if self.fracture.plates_failed == "inferior" else 1

    @cached_property
    def wall_edges(self) -> tuple[float, float]:
        """w of the end plates at the posterior wall, superior and inferior, midsagittal."""
        top, bottom, _, _ = self.plates(np.zeros(()), np.array(0.5 * self.depth_mm))
        return float(top), float(bottom)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """A box around the body."""
        half = np.array(
            [
                0.5 * max(self.width_upper_mm, self.width_lower_mm),
                0.5 * max(self.depth_upper_mm, self.depth_lower_mm) + 2.0,
                0.5 * max(self.height_anterior_mm, self.height_posterior_mm),
            ]
        )
        behind = self.fracture.retropulsion_mm
        if self.fragment is not None:
            behind += self.fragment.shift_mm + 2.0
        return -half - 0.5, half + 0.5 + np.array([0.0, behind, 0.0])
