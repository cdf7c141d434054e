"""The layer adapter: the only place that adds layers. Everything lies in the (S, P, L) mm world of `_coords`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points
from napari.utils.colormaps import Colormap, CyclicLabelColormap

from napari_trajplan import _meshes
from napari_trajplan._coords import AXIS_LABELS, UNITS, placement, to_napari
from napari_trajplan._layer_data import ROLE
from trajplan.anatomy.vertebra import Vertebra
from trajplan.edited import Ends
from trajplan.geometry import Frame, Grid, LabelMap
from trajplan.parts import PART_NAMES, Side
from trajplan.planning.plan import Trajectory, Verdict
from trajplan.reporting.shaft import outer_lps
from trajplan.reporting.style import (
    GREEN,
    ORANGE,
    PART_COLOR,
    PURPLE,
    SIDE_COLOR,
    SKY,
    UNKNOWN_TEXT,
    VERMILLION,
    YELLOW,
)

PATH_COLOR = {Verdict.SAFE: ORANGE, Verdict.UNSAFE: VERMILLION, Verdict.UNKNOWN: UNKNOWN_TEXT}
STALE_COLOR = "#808080"
PARTS, MASK, HEIGHTS, PLATES, SKIN = "Parts", "Mask (edit here)", "Height points", "End plates", "Skin entry"
LABELS = "Vertebrae"


def name_of(side: Side, what: str) -> str:
    """The name of a layer of one path: ``Left trocar``."""
    return f"{side.value.capitalize()} {what}"


def find(viewer: Any, name: str) -> Layer | None:
    """The layer of that name, if trajplan put it there."""
    return next((one for one in viewer.layers if one.name == name and ROLE in one.metadata), None)


def remove(viewer: Any, *names: str) -> None:
    """Take layers of ours away, where they are there."""
    for name in names:
        layer = find(viewer, name)
        if layer is not None:
            viewer.layers.remove(layer)


def show_parts(viewer: Any, vertebra: Vertebra) -> None:
    """Body, pedicles, posterior elements and canal as labels."""
    # by place, not by a dictionary: napari compiles seconds for one
    colors = CyclicLabelColormap(colors=["transparent", *(PART_COLOR[part] for part in sorted(PART_NAMES))])
    _labels(viewer, PARTS, vertebra.parts, opacity=0.35, colormap=colors)


def show_heights(viewer: Any, vertebra: Vertebra) -> None:
    """The six points that the heights stand on."""
    if vertebra.measures is not None:
        _points(viewer, HEIGHTS, vertebra.measures.six_points_lps, size=2.0, face_color=PURPLE, symbol="disc")


def show_plates(viewer: Any, vertebra: Vertebra) -> None:
    """The planes of the end plates, as discs about as wide as the body."""
    width = 0.5 * float(vertebra.body_volume_ml * 1000 / max(vertebra.heights.hm_mm, 5.0)) ** 0.5
    plates = _meshes.joined(
        [_meshes.disc(p.center_lps, p.normal_lps, width) for p in (vertebra.superior, vertebra.inferior)]
    )
    _surface(viewer, PLATES, plates, SKY, opacity=0.4, visible=False)


def show_mask(viewer: Any, mask: LabelMap) -> Labels:
    """The mask that may be edited; a copy of its own."""
    remove(viewer, MASK)
    return _labels(viewer, MASK, mask, opacity=0.25, visible=False, editable=True)


def show_labels(viewer: Any, labels: LabelMap, scan_sha256: str) -> Labels:
    """Labels of the vertebrae of a scan, as they were given or painted."""
    remove(viewer, LABELS)
    layer = _labels(viewer, LABELS, labels, opacity=0.35, editable=True)
    layer.metadata = _about(layer, labels_of=scan_sha256)
    layer.visible = False
    return layer


def show_cone(viewer: Any, path: Trajectory, frame: Frame) -> None:
    """The safe cone of a path."""
    cone = _meshes.cone(path, frame)
    with _still_active(viewer):
        if cone is None:
            remove(viewer, name_of(path.side, "safe cone"))
        else:
            _surface(viewer, name_of(path.side, "safe cone"), cone, GREEN, opacity=0.25, visible=False)


def show_balloon(viewer: Any, path: Trajectory) -> None:
    """The largest balloon that fits at the tip of a path."""
    with _still_active(viewer):
        if path.balloons:
            _surface(viewer, name_of(path.side, "balloon"), _meshes.ellipsoid(path.balloons[0]), SKY, opacity=0.35)
        else:
            remove(viewer, name_of(path.side, "balloon"))


def show_skin(viewer: Any, path: Trajectory) -> None:
    """Where a path goes through the skin."""
    name = f"{SKIN} {path.side.value}"
    with _still_active(viewer):
        if path.skin_lps is None:
            remove(viewer, name)
        else:
            _points(viewer, name, path.skin_lps[None], size=4.0, face_color=YELLOW, symbol="ring")


def show_safety(viewer: Any, path: Trajectory) -> None:
    """The safety map of the side of a path, on the bone; it is the same for every path of that side."""
    found, name = path.safety, name_of(path.side, "safety map")
    layer = find(viewer, name)
    if found is None or (layer is not None and layer.metadata[ROLE]["map"] is found):
        return
    with _still_active(viewer):
        remove(viewer, name)
        viewer.add_points(
            to_napari(found.entry_lps), name=name, units=UNITS, axis_labels=AXIS_LABELS, projection_mode="all",
            size=1.4, features={"margin_mm": found.entry_mm}, face_color="margin_mm", face_colormap="cividis",
            face_contrast_limits=(0.0, max(1.0, float(np.max(found.entry_mm)))), border_width=0.0, visible=False,
            metadata=_about(None, map=found),
        )  # fmt: skip


def show_trocar(viewer: Any, path: Trajectory, grid: Grid, depth_mm: float | None = None) -> None:
    """The trocar from skin (or scan border) to the tip, or to `depth_mm` from the bone."""
    depth = path.capsule.length_mm if depth_mm is None else depth_mm
    tip = path.entry_lps + depth * path.direction_lps
    mesh = _meshes.tube(outer_lps(path, grid), tip, path.instrument.radius_mm)
    # unlit: in its own colour from wherever one looks, and drawn in half the time
    _surface(viewer, name_of(path.side, "trocar"), mesh, PATH_COLOR[path.verdict], shading="none")


def show_ghost(viewer: Any, path: Trajectory) -> None:
    """The planner's own path, pale; shown once the path is moved from it (`mark_moved`)."""
    mesh = _meshes.tube(path.entry_lps, path.target_lps, path.instrument.radius_mm)
    _surface(viewer, name_of(path.side, "automatic plan"), mesh, "#FFFFFF", opacity=0.3, visible=False)


def show_handles(viewer: Any, side: Side, ends: Ends) -> Points:
    """Entry and tip of a path: the only layer of a path that is edited."""
    layer = _points(
        viewer, name_of(side, "path"), np.stack(ends), size=3.5, face_color=["#FFFFFF", SIDE_COLOR[side]], symbol="o",
        border_color="#000000", border_width=0.15,
    )  # fmt: skip
    layer.features = {"end": ["entry", "tip"]}
    return layer


def mark_moved(viewer: Any, side: Side, moved: bool) -> None:
    """The ghost of the automatic plan is seen where the path is no longer there."""
    ghost = find(viewer, name_of(side, "automatic plan"))
    if ghost is not None and ghost.visible != moved:
        ghost.visible = moved


def mark_stale(viewer: Any, stale: bool) -> None:
    """A stale plan looks stale: grey and see-through."""
    for side in Side:
        layer = find(viewer, name_of(side, "trocar"))
        if layer is None:
            continue
        color = STALE_COLOR if stale else layer.metadata[ROLE]["color"]
        layer.colormap = _plain(color)
        layer.opacity = 0.3 if stale else 1.0
    for side in Side:
        for what in ("balloon", "safe cone", "safety map"):
            layer = find(viewer, name_of(side, what))
            if layer is not None and stale:
                layer.visible = False


def _plain(color: str) -> Colormap:
    return Colormap([color, color], name=f"trajplan {color}")


def _about(layer: Layer | None, **more: Any) -> dict[str, Any]:
    return {ROLE: {**(layer.metadata[ROLE] if layer is not None else {}), "derived": True, **more}}


@contextmanager
def _still_active(viewer: Any) -> Iterator[None]:
    """Context: whoever edits a path goes on editing it, whatever is added meanwhile."""
    active = viewer.layers.selection.active
    yield
    if active is not None and active in viewer.layers and viewer.layers.selection.active is not active:
        viewer.layers.selection.active = active


def _unlisted(viewer: Any) -> Any:
    """Context: the list of layers is not told of other data, or it is painted anew, which takes longer than they do."""
    return viewer.layers.events.blocker_all()


def _surface(viewer: Any, name: str, mesh: _meshes.Mesh, color: str, **look: Any) -> None:
    vertices, faces = mesh
    data = (to_napari(vertices), faces, np.ones(len(vertices)))
    layer = find(viewer, name)
    if layer is None:
        viewer.add_surface(
            data, name=name, colormap=_plain(color), contrast_limits=(0.0, 1.0), units=UNITS, axis_labels=AXIS_LABELS,
            projection_mode="none", metadata=_about(None, color=color), **{"shading": "smooth", **look},
        )  # fmt: skip
        return
    with _unlisted(viewer):
        layer.data = data
    if layer.metadata[ROLE].get("color") != color:
        layer.colormap = _plain(color)
        layer.metadata = _about(layer, color=color)


def _points(viewer: Any, name: str, points_lps: Any, **look: Any) -> Points:
    data = to_napari(points_lps)
    layer = find(viewer, name)
    if layer is None:
        return viewer.add_points(
            data, name=name, units=UNITS, axis_labels=AXIS_LABELS, projection_mode="all", metadata=_about(None), **look
        )
    with layer.events.data.blocker(), _unlisted(viewer):
        layer.data = data
    return layer


def _labels(viewer: Any, name: str, labels: LabelMap, *, editable: bool = False, **look: Any) -> Labels:
    layer = find(viewer, name)
    about = _about(layer, grid=labels.grid)
    array = np.array(labels.array) if editable else labels.array  # labels of a case are read-only: nobody could paint
    if layer is not None and layer.data.shape == labels.array.shape:
        layer.data = array
        layer.translate = placement(labels.grid)["translate"]
        layer.scale = placement(labels.grid)["scale"]
        layer.metadata = about
        return layer
    remove(viewer, name)
    layer = viewer.add_labels(array, name=name, metadata=about, **look, **placement(labels.grid))
    layer.editable = editable
    return layer
