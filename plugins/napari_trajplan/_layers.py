"""The layer adapter: the only place that adds layers. Everything lies in the (S, P, L) mm world of `_coords`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points
from napari.utils.colormaps import Colormap
from numpy.typing import ArrayLike

from napari_trajplan import _meshes
from napari_trajplan._coords import AXIS_LABELS, UNITS, placement, to_napari
from napari_trajplan._layer_data import ROLE
from trajplan.geometry import LabelMap


def find(viewer: Any, name: str) -> Layer | None:
    """The layer of that name, if trajplan put it there."""
    return next((one for one in viewer.layers if one.name == name and ROLE in one.metadata), None)


def remove(viewer: Any, *names: str) -> None:
    """Take layers of ours away, where they are there."""
    for name in names:
        layer = find(viewer, name)
        if layer is not None:
            viewer.layers.remove(layer)


def about(layer: Layer | None, **more: Any) -> dict[str, Any]:
    """What is noted on a layer of ours, and more."""
    return {ROLE: {**(layer.metadata[ROLE] if layer is not None else {}), "derived": True, **more}}


def plain(color: str) -> Colormap:
    """One colour for all values."""
    return Colormap([color, color], name=f"trajplan {color}")


def put_surface(viewer: Any, name: str, mesh: _meshes.Mesh, color: str, **look: Any) -> None:
    """A surface (LPS mm) in its layer, which is added where there is none."""
    vertices, faces = mesh
    data = (to_napari(vertices), faces, np.ones(len(vertices)))
    layer = find(viewer, name)
    if layer is None:
        with _still_active(viewer):
            viewer.add_surface(
                data, name=name, colormap=plain(color), contrast_limits=(0.0, 1.0), units=UNITS,
                axis_labels=AXIS_LABELS, projection_mode="none", metadata=about(None, color=color),
                **{"shading": "smooth", **look},
            )  # fmt: skip
        return
    with _unlisted(viewer):
        layer.data = data
    if layer.metadata[ROLE].get("color") != color:
        layer.colormap = plain(color)
        layer.metadata = about(layer, color=color)


def put_points(viewer: Any, name: str, points_lps: ArrayLike, **look: Any) -> Points:
    """Points (LPS mm) in their layer, which is added where there is none."""
    data = to_napari(points_lps)
    layer = find(viewer, name)
    if layer is None:
        with _still_active(viewer):
            return viewer.add_points(
                data, name=name, units=UNITS, axis_labels=AXIS_LABELS, projection_mode="all", metadata=about(None),
                **look,
            )  # fmt: skip
    with layer.events.data.blocker(), _unlisted(viewer):
        layer.data = data
    return layer


def put_labels(viewer: Any, name: str, labels: LabelMap, *, editable: bool = False, **look: Any) -> Labels:
    """Labels in their layer, which is added where there is none."""
    layer = find(viewer, name)
    array = np.array(labels.array) if editable else labels.array  # labels of a case are read-only: nobody could paint
    place = placement(labels.grid)
    if layer is None:
        with _still_active(viewer):
            layer = viewer.add_labels(array, name=name, metadata=about(None, grid=labels.grid), **look, **place)
        layer.editable = editable
        return layer
    layer.data = array
    layer.translate, layer.scale = place["translate"], place["scale"]
    layer.metadata = about(layer, grid=labels.grid)
    return layer


@contextmanager
def _still_active(viewer: Any) -> Iterator[None]:
    """Context: whoever edits a layer goes on editing it, whatever is added meanwhile.

    napari is not told of a change of selection that is none: it would ask a layer what is under a mouse that may never
    have been there, which some layers answer with an error in 3D.
    """
    selection = viewer.layers.selection
    active = selection.active
    if active is None:
        yield
        return
    with selection.events.blocker_all():
        yield
        selection.active = active


def _unlisted(viewer: Any) -> Any:
    """Context: the list of layers is not told of other data, or it is painted anew, which takes longer than they do."""
    return viewer.layers.events.blocker_all()
