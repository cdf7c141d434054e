"""What a vertebral compression fracture is asked to be, and how far it brings the end plates towards each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray
from trajplan.parts import Side

FractureKind = Literal["none", "wedge", "biconcave", "crush"]
FRACTURE_KINDS: tuple[str, ...] = get_args(FractureKind)
EndPlates = Literal["superior", "inferior", "both"]
Extent = Literal["whole", "local"]
CleftContent = Literal["gas", "fluid"]

MAX_HEIGHT_LOSS_PERCENT = 80.0

ANTERIOR_COLUMN = -0.40
MIDDLE_COLUMN = 0.0
POSTERIOR_COLUMN = 0.40
"""Where the three heights are measured: fractions of the body depth before (-) and behind the body centre."""

CRUSH_POSTERIOR_SHARE = 0.6
"""In a crush fracture the posterior height loses this share of what the front and middle lose."""

LOCAL_HALF_WIDTH = 0.75
"""A local depression of a wedge or crush reaches this share of the half width; the lateral rims stand."""

CLEFT_HU = {"gas": (-900.0, -200.0), "fluid": (0.0, 20.0)}
BAND_HU = (50.0, 150.0)
"""HU of a cleft and of the impacted band above the cancellous bone; typical values, not from a cohort."""


def within(name: str, value: float, low: float, high: float, unit: str, code: str) -> None:
    """Refuse a number outside [low, high], or not finite, saying both."""
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(
            f"{name} {value:g} {unit} cannot be built; use {low:g} to {high:g} {unit}",
            code=code,
            numbers={"value": float(value), "min": low, "max": high},
        )


def _known(name: str, value: str, known: tuple[str, ...], code: str = "fracture_option_unknown") -> None:
    if value not in known:
        raise InputError(f"unknown {name} {value!r}; use {', '.join(known)}", code=code)


@dataclass(frozen=True)
class Cleft:
    """A gas or fluid filled gap between the end plates that follows their shape.

    Parameters
    ----------
    content : {"gas", "fluid"}
    width_mm, depth_mm, thickness_mm : float, optional
        Full sizes across, front to back and along the body's height; from the body's own where None.
    hu : float, optional
        -900..-200 for gas (default -600), 0..20 for fluid (default 10).
    """

    content: CleftContent = "gas"
    width_mm: float | None = None
    depth_mm: float | None = None
    thickness_mm: float | None = None
    hu: float | None = None

    def __post_init__(self) -> None:
        _known("cleft content", self.content, get_args(CleftContent))
        for name in ("width_mm", "depth_mm", "thickness_mm"):
            if (size := getattr(self, name)) is not None:
                within(f"cleft {name[:-3]}", size, 0.5, 80.0, "mm", "cleft_invalid")
        within(f"density of a {self.content} cleft", self.density_hu, *CLEFT_HU[self.content], "HU", "cleft_invalid")

    @property
    def density_hu(self) -> float:
        """HU inside."""
        return (-600.0 if self.content == "gas" else 10.0) if self.hu is None else self.hu


@dataclass(frozen=True)
class Fragment:
    """A piece of the posterior wall burst off towards the canal, at the corner of the failed end plate.

    Parameters
    ----------
    shift_mm : float
        How far it goes backwards, on top of any retropulsion of the wall.
    turn_deg : float
        How far the edge at the end plate tips backwards.
    gap_mm : float
        Least distance to the rest of the bone.
    width_mm, depth_mm, height_mm : float, optional
        From the body's own sizes where None.
    """

    shift_mm: float = 4.0
    turn_deg: float = 10.0
    gap_mm: float = 1.5
    width_mm: float | None = None
    depth_mm: float | None = None
    height_mm: float | None = None

    def __post_init__(self) -> None:
        within("shift of the fragment", self.shift_mm, 0.0, 15.0, "mm", "fragment_invalid")
        within("turn of the fragment", self.turn_deg, 0.0, 45.0, "degrees", "fragment_invalid")
        within("gap around the fragment", self.gap_mm, 0.5, 5.0, "mm", "fragment_invalid")
        for name in ("width_mm", "depth_mm", "height_mm"):
            if (size := getattr(self, name)) is not None:
                within(f"fragment {name[:-3]}", size, 2.0, 40.0, "mm", "fragment_invalid")


@dataclass(frozen=True)
class Fracture:
    """Kind and size of a body deformation, and what may come with it.

    wedge: the end plate comes down in front, the loss being that of the anterior column; the posterior column keeps
    its height. biconcave: the end plates cave in around the centre, the loss being that of the middle column; the rims
    keep theirs. crush: the end plate comes down everywhere, anterior and middle by the loss, posterior by 0.6 of it.

    Parameters
    ----------
    kind : {"none", "wedge", "biconcave", "crush"}
    height_loss_percent : float
        0..80.
    end_plates : {"superior", "inferior", "both"}, optional
        Which end plates fail; "both" share the loss equally. By default both in a biconcave fracture, else
        the superior.
    extent : {"whole", "local"}
        local: only the middle of the end plate is depressed and its lateral rims stand (biconcave: a smaller dish).
        The midsagittal heights are the same.
    band_hu, band_mm : float
        Sclerotic impaction band under the failed end plates: HU above the cancellous bone (0 for none, else
        50..150) and thickness.
    cleft : Cleft, optional
    retropulsion_mm : float
        How far the posterior wall bulges into the canal in the midline, near the failed end plate.
    fragment : Fragment, optional
    pedicle_line : Side, optional
        The side of a fracture line through the pedicle (before any mirroring by the pose); HU only, no displacement.
    follow : bool
        Whether the vertebrae beyond a failed end plate follow it rigidly, so that the discs keep their height.
    """

    kind: FractureKind = "none"
    height_loss_percent: float = 0.0
    end_plates: EndPlates | None = None
    extent: Extent = "whole"
    band_hu: float = 0.0
    band_mm: float = 4.0
    cleft: Cleft | None = None
    retropulsion_mm: float = 0.0
    fragment: Fragment | None = None
    pedicle_line: Side | None = None
    follow: bool = False

    def __post_init__(self) -> None:
        _known("fracture", self.kind, FRACTURE_KINDS, code="fracture_unknown")
        if self.end_plates is not None:
            _known("failed end plates", self.end_plates, get_args(EndPlates))
        _known("extent", self.extent, get_args(Extent))
        within("height loss", self.height_loss_percent, 0.0, MAX_HEIGHT_LOSS_PERCENT, "%", "height_loss_invalid")
        if self.band_hu != 0.0:
            within("sclerotic band", self.band_hu, *BAND_HU, "HU", "band_invalid")
        within("thickness of the sclerotic band", self.band_mm, 0.5, 12.0, "mm", "band_invalid")
        within("retropulsion", self.retropulsion_mm, 0.0, 15.0, "mm", "retropulsion_invalid")
        if self.pedicle_line is not None:
            _known("side of the pedicle line", self.pedicle_line, tuple(Side))
            object.__setattr__(self, "pedicle_line", Side(self.pedicle_line))
        if self.kind == "none" and self.height_loss_percent > 0:
            raise InputError(
                f"a height loss of {self.height_loss_percent:g} % needs a kind of fracture; "
                f"use {', '.join(FRACTURE_KINDS[1:])}",
                code="fracture_unknown",
            )

    @property
    def plates_failed(self) -> EndPlates:
        """Which end plates fail, the default resolved."""
        return self.end_plates or ("both" if self.kind == "biconcave" else "superior")

    def drops(
        self,
        u: AnyArray,
        v: AnyArray,
        height: AnyArray,
        half_width_mm: float,
        depth_mm: float,
        anterior_mm: float,
        middle_mm: float,
    ) -> tuple[AnyArray | float, AnyArray | float]:
        """How far the superior end plate comes down and the inferior one comes up, mm.

        Parameters
        ----------
        u, v : ndarray
            Points of the end plate, mm to the left of and behind the body centre.
        height : ndarray
            Intact height between the end plates at the points, mm.
        half_width_mm, depth_mm : float
            Half width and depth of the body.
        anterior_mm, middle_mm : float
            Intact midsagittal heights of the anterior and the middle column.
        """
        loss = self.height_loss_percent / 100.0
        if self.kind == "none" or loss == 0.0:
            return 0.0, 0.0
        front, back = ANTERIOR_COLUMN * depth_mm, POSTERIOR_COLUMN * depth_mm
        local = self.extent == "local"
        if self.kind == "wedge":
            share = np.clip((back - v) * (1.0 / (back - front)), 0.0, 1.1)
            drop = share**1.2 * (loss * anterior_mm)
        elif self.kind == "biconcave":
            wide, deep = (0.60 * half_width_mm, 0.70 * back) if local else (0.88 * half_width_mm, back)
            radius2 = np.square(u * (1.0 / wide)) + np.square(v * (1.0 / deep))
            drop = np.square(np.maximum(1.0 - radius2, 0.0)) * (loss * middle_mm)
        else:
            share = np.clip(v * (1.0 / back), 0.0, 1.0)
            share = share * share * (3.0 - 2.0 * share)
            drop = height * ((1.0 - (1.0 - CRUSH_POSTERIOR_SHARE) * share) * loss)
        if local and self.kind != "biconcave":
            far = np.square(u * (1.0 / (LOCAL_HALF_WIDTH * half_width_mm)))
            drop = drop * np.square(np.maximum(1.0 - far, 0.0))
        if self.plates_failed == "both":
            return 0.5 * drop, 0.5 * drop
        return (drop, 0.0) if self.plates_failed == "superior" else (0.0, drop)


INTACT = Fracture()
"""No fracture."""


def genant_grade(loss_percent: float) -> int:
    """Genant semiquantitative grade: 0 below 20 %, 1 from 20, 2 from 25, 3 from 40 % loss of height.

    >>> [genant_grade(x) for x in (0.0, 19.9, 20.0, 25.0, 40.0)]
    [0, 0, 1, 2, 3]
    """
    return sum(loss_percent >= limit - 1e-6 for limit in (20.0, 25.0, 40.0))
