"""From a cut to what its view shows: greys, outlines, trocars, handles, crosshair, ring, letters and words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from napari_trajplan._shafts import Shafts
from napari_trajplan._shown import Handle, Ring, Shown
from napari_trajplan._slice_planes import SLICES, Look, View
from napari_trajplan._slice_scene import Cut, Outline, greys, shaft_outline
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory
from trajplan.reporting.barrel import room_at
from trajplan.reporting.reslice import Plane
from trajplan.reporting.style import SIDE_COLOR, TROCAR, letters_of

_NEAR_MM = 5.0
"""Ends of a path this near to a slice can be dragged in it."""


def drawing(
    view: View,
    known: Cut,
    look: Look,
    window_hu: tuple[float, float],
    shafts: Shafts,
    live: Mapping[Side, Trajectory],
    chosen: Side | None,
    margin_mm: float,
) -> Shown:
    """All that a view shows.

    Parameters
    ----------
    live : mapping
        The paths as last graded: clearances are read from them.
    chosen : Side or None
        The side whose path is looked along.
    margin_mm : float
        Asked of the walls: the ring down the barrel.
    """
    plane = known.plane
    words = view.value if view in SLICES or chosen is None else f"{view.value}: {chosen.value}"
    note, color = "", "#FFFFFF"
    rings: tuple[Ring, ...] = ()
    outlines = [*known.outlines]
    path = None if chosen is None else live.get(chosen)
    if view is View.BARREL and path is not None and chosen is not None:
        rings, note, color = _barrel(path, look, plane, margin_mm)
    if view is not View.BARREL:
        outlines += _trocars(shafts, plane)
    return Shown(
        greys(known.hu, window_hu),
        outlines,
        rings,
        () if view is View.BARREL else _handles(view, shafts, plane, chosen),
        plane.project(look.focus_lps)[:2] if view in SLICES else None,
        letters(plane),
        words,
        note,
        color,
    )


def letters(plane: Plane) -> dict[str, str]:
    """The orientation letters at the edges of a plane's picture."""
    edges = {"left": -plane.right_lps, "right": plane.right_lps, "top": -plane.down_lps, "bottom": plane.down_lps}
    return {edge: letters_of(direction) for edge, direction in edges.items()}


def _barrel(path: Trajectory, look: Look, plane: Plane, margin_mm: float) -> tuple[tuple[Ring, ...], str, str]:
    """The trocar, the ring of the margin about it, and in words how deep it is and what is left to the walls there."""
    room, color, kept = room_at(path, look.depth_mm, margin_mm)
    axis = path.capsule if look.path is None else look.path
    middle = plane.project(axis.start_lps + look.depth_mm * axis.direction_lps)[:2]
    radius = path.instrument.radius_mm
    told = f"{look.depth_mm:.0f} mm deep"
    if room != "-":
        told += f", {room} mm free" + {"short": ", too little", "crossed": ": CROSSED"}.get(kept, "")
    rings = Ring(middle, radius, TROCAR, filled=True), Ring(middle, radius + margin_mm, color)
    return rings, told, "#FFFFFF" if kept == "kept" else color


def _trocars(shafts: Shafts, plane: Plane) -> list[Outline]:
    found = []
    for side in shafts.sides:
        shaft = shafts.shaft(side)
        outline = None if shaft is None else shaft_outline(shaft, plane)
        if outline is not None:
            found.append(outline)
    return found


def _handles(view: View, shafts: Shafts, plane: Plane, chosen: Side | None) -> list[Handle]:
    found = []
    for side in shafts.sides:
        for end, point in enumerate(shafts.ends(side) or ()):
            x, y, off = plane.project(point)
            if abs(off) <= _NEAR_MM or (side is chosen and view not in SLICES):
                color = "#FFFFFF" if end == 0 else SIDE_COLOR[side]
                found.append(Handle(f"{side.value} {end}", np.array([x, y]), color))
    return found
