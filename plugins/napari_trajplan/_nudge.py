"""Moving entry or tip by arrow keys in the layer that holds them: 0.5 mm on the screen, 0.1 mm with Shift."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Points

from napari_trajplan._coords import to_lps
from napari_trajplan._views import look_at

ENDS = {"E": 0, "T": 1}
"""Key -> the end that it chooses: entry or tip."""

STEP_MM, FINE_MM = 0.5, 0.1
_ARROWS = {"Up": (0, -1), "Down": (0, 1), "Left": (1, -1), "Right": (1, 1)}
"""Key -> axis of the screen (0 down, 1 right) and sense."""


def bind_arrows(viewer: Any, layer: Points) -> None:
    """Let the arrow keys move the chosen end of a path; with none chosen, Left and Right step through the slices."""
    for key, end in ENDS.items():
        layer.bind_key(key, lambda layer, end=end: _choose(viewer, layer, end), overwrite=True)
    for key in _ARROWS:
        layer.bind_key(key, lambda layer, key=key: _arrow(viewer, layer, key, STEP_MM), overwrite=True)
        layer.bind_key(f"Shift-{key}", lambda layer, key=key: _arrow(viewer, layer, key, FINE_MM), overwrite=True)


def nudged(viewer: Any, data: Any, chosen: set[int], key: str, step_mm: float) -> Any:
    """The points after one press: the chosen ones moved on the screen as the arrow points."""
    screen, sense = _ARROWS[key]
    axis = viewer.dims.displayed[screen]
    runs = viewer.scene.camera.orientation2d[screen].value
    moved = np.array(data, dtype=float)
    moved[sorted(chosen), axis] += sense * step_mm * (1.0 if runs in ("down", "right") else -1.0)
    return moved


def _choose(viewer: Any, layer: Points, end: int) -> None:
    layer.selected_data = {end}
    look_at(viewer, to_lps(layer.data[end]))  # what is moved is seen


def _arrow(viewer: Any, layer: Points, key: str, step_mm: float) -> None:
    chosen = {int(i) for i in layer.selected_data}
    if chosen and viewer.dims.ndisplay == 2:
        layer.data = nudged(viewer, layer.data, chosen, key, step_mm)  # graded by whoever listens to the layer
    elif key == "Left":
        viewer.dims._increment_dims_left()
    elif key == "Right":
        viewer.dims._increment_dims_right()
