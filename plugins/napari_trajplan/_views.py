"""The standard views of the canvas, right way up, with the letters at their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Labels

from napari_trajplan._coords import to_napari
from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import FloatArray
from trajplan.reading.scan import Scan

ORDERS = {"Axial": (0, 1, 2), "Sagittal": (2, 0, 1), "Coronal": (1, 0, 2)}
"""Order of the world axes (S, P, L): the first is stepped through, the others are down (or up) and right."""

ORIENTATION = {
    "Axial": ("away", "down", "right"),
    "Sagittal": ("towards", "up", "right"),
    "Coronal": ("away", "up", "right"),
    "3D": ("away", "down", "right"),
}
"""Where the axes of `ORDERS` run on the screen. napari's own default shows a mirrored patient in 3D: (S, P, L) is a
left-handed order of axes."""

_LABELS_OPACITY, _LABELS_OPACITY_3D = 0.35, 0.75
_BEHIND_MM = 15.0
_FIELD_MM = 115.0
"""Shown across the smaller side of the canvas."""

LETTERS = {
    "Axial": "left R, right L, top A, bottom P",
    "Sagittal": "left A, right P, top S, bottom I",
    "Coronal": "left R, right L, top S, bottom I",
}


WINDOWS_HU = {"bone": (-200.0, 1300.0), "soft tissue": (-160.0, 240.0), "lung": (-1350.0, 150.0)}
"""CT windows as (black, white) in HU."""


SLAB_MM = 10.0
"""Entry, tip and height points within half of this from a slice are shown in it."""


def show_view(viewer: Any, name: str, center_lps: Any = None) -> None:
    """Axial (seen from the feet), sagittal, coronal (seen from the front), or 3D from behind the patient.

    The head is up wherever it is in the picture; no data are turned for it. `center_lps` is put into the middle.
    """
    camera = viewer.scene.camera
    flat = name in ORDERS
    viewer.dims.ndisplay = 2 if flat else 3
    viewer.dims.order = ORDERS.get(name, (0, 1, 2))
    camera.orientation = ORIENTATION[name]
    for layer in viewer.layers:
        if isinstance(layer, Image) and "scan" in layer.metadata.get("trajplan", {}):
            layer.visible = flat  # in 3D the scan would hide the instruments in it
        elif isinstance(layer, Labels) and "grid" in layer.metadata.get("trajplan", {}):
            # bone on black: brighter than over the scan, and the instruments are seen through it
            layer.opacity = _LABELS_OPACITY if flat else _LABELS_OPACITY_3D
            layer.blending = "translucent" if flat else "translucent_no_depth"
    if viewer.layers:
        shown = viewer.dims.displayed
        middle = viewer.dims.point if center_lps is None else to_napari(center_lps)
        along = tuple(float(middle[axis]) for axis in shown)
        camera.center = (0.0, *along) if flat else along
        camera.zoom = min(viewer.canvas.size) / _FIELD_MM
    if not flat:
        camera.set_view_direction((-0.3, -1.0, 0.0), (1.0, 0.0, 0.0))
    text = viewer.canvas.overlays.text
    text.text = f"{name}: {LETTERS[name]}" if flat else "3D, seen from behind"
    text.visible = True
    viewer.canvas.overlays.scale_bar.visible = True


def middle_of(vertebra: Vertebra) -> FloatArray:
    """Between body and canal: the body, both pedicles and the entries are about it."""
    return np.asarray(vertebra.frame.origin_lps + _BEHIND_MM * vertebra.frame.v)


def look_at(viewer: Any, point_lps: Any) -> None:
    """Put the slices through a point; handles near them are shown, scans and labels stay one voxel thin."""
    for layer in viewer.layers:
        if isinstance(layer, Image | Labels) and layer.projection_mode != "none":
            layer.projection_mode = "none"
    viewer.dims.set_point((0, 1, 2), tuple(float(v) for v in to_napari(point_lps)))
    viewer.dims.thickness = (SLAB_MM,) * 3


def set_window(viewer: Any, scan: Scan, name: str) -> None:
    """One of `WINDOWS_HU` on the layer that shows a scan."""
    for layer in viewer.layers:
        if isinstance(layer, Image) and layer.metadata.get("trajplan", {}).get("scan") is scan:
            layer.contrast_limits = WINDOWS_HU[name]
