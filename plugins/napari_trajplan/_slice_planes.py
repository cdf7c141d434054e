"""The six planes of the linked views: where each lies for a crosshair, a path and a depth. LPS mm; no Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.reporting import reslice
from trajplan.reporting.reslice import Plane


class View(StrEnum):
    """The linked views, in the order they are shown."""

    AXIAL = "Axial"
    SAGITTAL = "Sagittal"
    CORONAL = "Coronal"
    ALONG_AXIAL = "Path, axial"
    ALONG_SAGITTAL = "Path, sagittal"
    BARREL = "Down the barrel"


SLICES = {View.AXIAL: reslice.axial, View.SAGITTAL: reslice.sagittal, View.CORONAL: reslice.coronal}
FIELD_MM = {
    **dict.fromkeys(SLICES, 100.0), View.ALONG_AXIAL: 80.0, View.ALONG_SAGITTAL: 80.0, View.BARREL: 30.0,
}  # fmt: skip
"""Shown across the smaller side of a view to begin with."""


@dataclass(frozen=True, eq=False)
class Look:
    """What all views look at.

    Parameters
    ----------
    focus_lps : ndarray, shape (3,)
        Where the crosshair is: the three slices meet here.
    middle_lps : ndarray, shape (3,)
        What the slices have in the middle of their pictures.
    path : Capsule or None
        Entry to target of the chosen path.
    depth_mm : float
        Of the tip on it, from the entry.
    """

    focus_lps: FloatArray
    middle_lps: FloatArray
    path: Capsule | None = None
    depth_mm: float = 0.0


def plane_of(view: View, look: Look, half_width_mm: float, half_height_mm: float, step_mm: float) -> Plane | None:
    """The plane of a view; None where it needs a path and there is none."""
    if view in SLICES:
        plane = SLICES[view](look.middle_lps)
        off = float(plane.project(look.focus_lps)[2])
        normal = np.cross(plane.right_lps, plane.down_lps)
        plane = replace(plane, center_lps=np.asarray(look.middle_lps + off * normal))
    elif look.path is None:
        return None
    elif view is View.ALONG_AXIAL:
        plane = reslice.tilted_axial(look.path)
    elif view is View.ALONG_SAGITTAL:
        plane = reslice.turned_sagittal(look.path)
    else:
        plane = reslice.across_path(look.path, look.depth_mm)
    return replace(plane, half_width_mm=half_width_mm, half_height_mm=half_height_mm, step_mm=step_mm)


def on_plane(plane: Plane, xy_mm: FloatArray) -> FloatArray:
    """The point (LPS mm) at x and y (mm from the centre) of a plane's picture."""
    return np.asarray(plane.center_lps + xy_mm[0] * plane.right_lps + xy_mm[1] * plane.down_lps)


def stepped(view: View, look: Look, steps_mm: float) -> FloatArray:
    """The crosshair moved square to a slice: up, left or back for more; a path view leaves it where it is."""
    along = {View.AXIAL: (0.0, 0.0, 1.0), View.SAGITTAL: (1.0, 0.0, 0.0), View.CORONAL: (0.0, 1.0, 0.0)}
    return np.asarray(look.focus_lps + steps_mm * np.array(along.get(view, (0.0, 0.0, 0.0))))
