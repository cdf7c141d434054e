"""What is read off layers: the scan of an image, the labels that were painted, the ends of a path; and their place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from napari.layers import Image, Labels, Layer, Points

from napari_trajplan._coords import to_lps, to_napari
from trajplan.edited import Ends
from trajplan.errors import InputError
from trajplan.geometry import Grid, LabelMap
from trajplan.reading.scan import Scan

ROLE = "trajplan"
"""Key of what trajplan notes in a layer's metadata."""


def scan_of(layer: Layer) -> Scan:
    """The scan that an image layer shows.

    Raises
    ------
    InputError
        The layer was not read by trajplan (its orientation is not known), or was moved or changed since.
    """
    about = layer.metadata.get(ROLE, {}) if isinstance(layer, Image) else {}
    scan = about.get("scan")
    if not isinstance(scan, Scan):
        raise InputError(
            f"left and right of {layer.name!r} are not known: it was not read by trajplan. Open the scan with "
            "File > Open and choose trajplan as its reader",
            code="not_our_layer",
        )
    require_in_place(layer, scan.volume.grid)
    if layer.data is not scan.volume.array:
        raise InputError(f"the voxels of {layer.name!r} were changed since it was read: open it again", code="changed")
    return scan


def labels_of(layer: Layer, level_names: Mapping[int, str] | None = None) -> LabelMap:
    """A copy of the labels that a layer holds now, at its place.

    Raises
    ------
    InputError
        The layer was moved, or holds nothing.
    """
    grid = layer.metadata.get(ROLE, {}).get("grid") if isinstance(layer, Labels) else None
    if not isinstance(grid, Grid):
        raise InputError(f"{layer.name!r} holds no labels that trajplan has made or read", code="not_our_layer")
    require_in_place(layer, grid)
    array = np.array(layer.data)
    if not array.any():
        raise InputError(
            f"{layer.name!r} is empty: undo the erasing (Ctrl+Z in the layer) or segment again", code="labels_empty"
        )
    return LabelMap(array, grid, level_names or {})


def require_in_place(layer: Layer, grid: Grid) -> None:
    """Refuse a layer that does not lie where its grid says: what is drawn over it would be elsewhere in the patient."""
    corners = np.array([layer.data_to_world(at) for at in ((0, 0, 0), tuple(n - 1 for n in grid.shape_zyx))])
    wanted = to_napari(grid.index_to_world(np.array([(0, 0, 0), tuple(n - 1 for n in grid.shape_zyx)])))
    turned = np.abs(layer.data_to_world((0, grid.shape_zyx[1] - 1, 0)) - wanted[0])[[0, 2]].max()
    if layer.data.shape != grid.shape_zyx or np.abs(corners - wanted).max() > 0.01 or turned > 0.01:
        raise InputError(
            f"the layer {layer.name!r} was moved or resized since it was read: open the scan again", code="layer_moved"
        )


def ends_of(layer: Points) -> Ends:
    """Entry and target of a path layer, LPS mm.

    Raises
    ------
    InputError
        It no longer holds exactly two points.
    """
    if len(layer.data) != 2:
        raise InputError(
            f"{layer.name} needs exactly two points, entry and tip, and has {len(layer.data)}: press Undo",
            code="two_points",
        )
    entry, target = to_lps(layer.data)
    return entry, target
