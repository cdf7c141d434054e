"""The layers of a path: trocar, handles, what is known of it, and the planner's own path behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Points

from napari_trajplan import _meshes
from napari_trajplan._layer_data import ROLE
from napari_trajplan._layers import about, find, plain, put_points, put_surface, remove
from trajplan.edited import Ends
from trajplan.geometry import Frame, Grid
from trajplan.parts import Side
from trajplan.planning.plan import Trajectory, Verdict
from trajplan.reporting.shaft import outer_lps
from trajplan.reporting.style import GREEN, ORANGE, SIDE_COLOR, SKY, UNKNOWN_TEXT, VERMILLION, YELLOW

PATH_COLOR = {Verdict.SAFE: ORANGE, Verdict.UNSAFE: VERMILLION, Verdict.UNKNOWN: UNKNOWN_TEXT}
STALE_COLOR = "#808080"
SKIN = "Skin entry"


def name_of(side: Side, what: str) -> str:
    """The name of a layer of one path: ``Left trocar``."""
    return f"{side.value.capitalize()} {what}"


def show_cone(viewer: Any, path: Trajectory, frame: Frame) -> None:
    """The safe cone of a path."""
    cone = _meshes.cone(path, frame)
    if cone is None:
        remove(viewer, name_of(path.side, "safe cone"))
    else:
        put_surface(viewer, name_of(path.side, "safe cone"), cone, GREEN, opacity=0.25, visible=False)


def show_balloon(viewer: Any, path: Trajectory) -> None:
    """The largest balloon that fits at the tip of a path."""
    if path.balloons:
        put_surface(viewer, name_of(path.side, "balloon"), _meshes.ellipsoid(path.balloons[0]), SKY, opacity=0.35)
    else:
        remove(viewer, name_of(path.side, "balloon"))


def show_skin(viewer: Any, path: Trajectory) -> None:
    """Where a path goes through the skin."""
    name = f"{SKIN} {path.side.value}"
    if path.skin_lps is None:
        remove(viewer, name)
    else:
        put_points(viewer, name, path.skin_lps[None], size=4.0, face_color=YELLOW, symbol="ring")


def show_safety(viewer: Any, path: Trajectory) -> None:
    """The safety map of the side of a path, on the bone; it is the same for every path of that side."""
    found, name = path.safety, name_of(path.side, "safety map")
    layer = find(viewer, name)
    if found is None or (layer is not None and layer.metadata[ROLE]["map"] is found):
        return
    remove(viewer, name)
    layer = put_points(
        viewer, name, found.entry_lps,
        size=1.4, features={"margin_mm": found.entry_mm}, face_color="margin_mm", face_colormap="cividis",
        face_contrast_limits=(0.0, max(1.0, float(np.max(found.entry_mm)))), border_width=0.0, visible=False,
    )  # fmt: skip
    layer.metadata = about(layer, map=found)


def show_trocar(viewer: Any, path: Trajectory, grid: Grid, depth_mm: float | None = None) -> None:
    """The trocar from skin (or scan border) to the tip, or to `depth_mm` from the bone."""
    depth = path.capsule.length_mm if depth_mm is None else depth_mm
    tip = path.entry_lps + depth * path.direction_lps
    mesh = _meshes.tube(outer_lps(path, grid), tip, path.instrument.radius_mm)
    # unlit: in its own colour from wherever one looks, and drawn in half the time
    put_surface(viewer, name_of(path.side, "trocar"), mesh, PATH_COLOR[path.verdict], shading="none")


def show_ghost(viewer: Any, path: Trajectory) -> None:
    """The planner's own path, pale; shown once the path is moved from it (`mark_moved`)."""
    mesh = _meshes.tube(path.entry_lps, path.target_lps, path.instrument.radius_mm)
    put_surface(viewer, name_of(path.side, "automatic plan"), mesh, "#FFFFFF", opacity=0.3, visible=False)


def show_handles(viewer: Any, side: Side, ends: Ends) -> Points:
    """Entry and tip of a path: the only layer of a path that is edited."""
    layer = put_points(
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
        layer.colormap = plain(color)
        layer.opacity = 0.3 if stale else 1.0
    for side in Side:
        for what in ("balloon", "safe cone", "safety map"):
            layer = find(viewer, name_of(side, what))
            if layer is not None and stale:
                layer.visible = False
