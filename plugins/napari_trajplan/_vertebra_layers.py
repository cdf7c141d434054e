"""The layers of a vertebra: its parts, the points and planes that were measured, masks that can be painted in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap

from napari_trajplan import _meshes
from napari_trajplan._layers import about, put_labels, put_points, put_surface, remove
from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import PART_NAMES
from trajplan.reporting.style import PART_COLOR, PURPLE, SKY

PARTS, MASK, HEIGHTS, PLATES = "Parts", "Mask (edit here)", "Height points", "End plates"
LABELS = "Vertebrae"
OF_A_CASE = (PARTS, MASK, HEIGHTS, PLATES)
"""They go with the case."""
_NO_POINTS = np.empty((0, 3))


def empty(viewer: Any, grid: Grid) -> list[Callable[[], None]]:
    """Pieces of work that put the layers of a vertebra amid a scan's `grid` with nothing in them.

    napari takes a tenth of a second to add a layer and as long to paint the first of its kind: better while a scan is
    opened than when a segmentation has just ended.
    """
    point = Grid((1, 1, 1), grid.center_lps, np.ones(3))
    nothing = LabelMap(np.zeros(point.shape_zyx, np.uint8), point)
    spot = np.repeat(grid.center_lps[None], 3, axis=0), np.array([[0, 1, 2]])
    return [lambda: _parts(viewer, nothing), lambda: _heights(viewer, _NO_POINTS), lambda: _plates(viewer, spot)]


def show_parts(viewer: Any, vertebra: Vertebra) -> None:
    """Body, pedicles, posterior elements and canal as labels."""
    _parts(viewer, vertebra.parts)


def show_heights(viewer: Any, vertebra: Vertebra) -> None:
    """The six points that the heights stand on."""
    _heights(viewer, _NO_POINTS if vertebra.measures is None else vertebra.measures.six_points_lps)


def show_plates(viewer: Any, vertebra: Vertebra) -> None:
    """The planes of the end plates, as discs about as wide as the body."""
    width = 0.5 * float(vertebra.body_volume_ml * 1000 / max(vertebra.heights.hm_mm, 5.0)) ** 0.5
    discs = [_meshes.disc(p.center_lps, p.normal_lps, width) for p in (vertebra.superior, vertebra.inferior)]
    _plates(viewer, _meshes.joined(discs))


def show_mask(viewer: Any, mask: LabelMap) -> Labels:
    """The mask that may be edited; a copy of its own."""
    remove(viewer, MASK)
    return put_labels(viewer, MASK, mask, opacity=0.25, visible=False, editable=True)


def show_labels(viewer: Any, labels: LabelMap, scan_sha256: str) -> Labels:
    """Labels of the vertebrae of a scan, as they were given or painted."""
    remove(viewer, LABELS)
    layer = put_labels(viewer, LABELS, labels, opacity=0.35, editable=True)
    layer.metadata = about(layer, labels_of=scan_sha256)
    layer.visible = False
    return layer


def _parts(viewer: Any, parts: LabelMap) -> None:
    # by place, not by a dictionary: napari compiles seconds for one
    colors = CyclicLabelColormap(colors=["transparent", *(PART_COLOR[part] for part in sorted(PART_NAMES))])
    put_labels(viewer, PARTS, parts, opacity=0.35, colormap=colors)


def _heights(viewer: Any, points_lps: FloatArray) -> None:
    put_points(viewer, HEIGHTS, points_lps, size=2.0, face_color=PURPLE, symbol="disc")


def _plates(viewer: Any, mesh: _meshes.Mesh) -> None:
    put_surface(viewer, PLATES, mesh, SKY, opacity=0.4, visible=False)
