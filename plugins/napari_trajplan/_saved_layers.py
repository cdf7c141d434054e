"""A plan.json or a saved case as layers: the paths as they were saved, to look at. No viewer."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_trajplan import _meshes
from napari_trajplan._coords import AXIS_LABELS, UNITS, placement, to_napari
from trajplan.exports.plan_model import PlanDocument, TrajectoryModel
from trajplan.exports.saved_case import SavedCase, scan_line
from trajplan.geometry import LabelMap
from trajplan.reporting.style import ORANGE, PART_COLOR, UNKNOWN_TEXT, VERMILLION

LayerData = tuple[Any, dict[str, Any], str]
_COLOR = {"safe": ORANGE, "unsafe": VERMILLION, "unknown": UNKNOWN_TEXT}


def plan_layers(document: PlanDocument, parts: LabelMap | None, case: SavedCase | None = None) -> list[LayerData]:
    """The mask and the paths of a saved plan, in patient millimetres; each says that it is a saved one."""
    about = {"saved": True, "plan_of": document.input.sha256, "disclaimer": document.disclaimer}
    layers = [] if parts is None or not parts.grid.is_axis_aligned else [_mask(parts, about)]
    for path in document.trajectories:
        layers += _path(path, about)
    if case is not None:
        layers = layers or [_marker(document, about)]
        layers[0][1]["metadata"]["trajplan"] = about | {"case": case}
    return layers or [_marker(document, about)]


def case_layers(case: SavedCase) -> list[LayerData]:
    """The saved plan of a case; without one, the point in its vertebra."""
    if case.plan is not None:
        return plan_layers(case.plan, case.parts, case)
    about = {"saved": True, "plan_of": case.scan.sha256, "case": case}
    return [_points("Saved case", np.zeros((1, 3)) if case.seed_lps is None else case.seed_lps[None], "white", about)]


def plan_words(document: PlanDocument) -> str:
    """What a saved plan is, in a line: level, verdicts, program, and the CT it belongs to."""
    vertebra = document.vertebra
    level = "no vertebra" if vertebra is None else vertebra.level or "level not known"
    paths = ", ".join(f"{t.side} {t.verdict}" for t in document.trajectories) or "no path offered"
    by = document.software
    return f"Saved plan of {level}: {paths} ({by.name} {by.version}). Made on {scan_line(document.input)}"


def _path(path: TrajectoryModel, about: dict[str, Any]) -> list[LayerData]:
    from napari.utils.colormaps import Colormap

    color = _COLOR[path.verdict]
    entry, target = np.array(path.entry_lps), np.array(path.target_lps)
    outer = entry if path.skin_lps is None else np.array(path.skin_lps)
    vertices, faces = _meshes.tube(outer, target, path.instrument.outer_diameter_mm / 2)
    look = {
        "name": f"Saved {path.side} trocar ({path.verdict})", "colormap": Colormap([color, color]),
        "contrast_limits": (0.0, 1.0), "shading": "smooth", "units": UNITS, "axis_labels": AXIS_LABELS,
        "metadata": {"trajplan": dict(about)},
    }  # fmt: skip
    surface: LayerData = ((to_napari(vertices), faces, np.ones(len(vertices))), look, "surface")
    return [surface, _points(f"Saved {path.side} entry and tip", np.stack([entry, target]), color, about)]


def _mask(parts: LabelMap, about: dict[str, Any]) -> LayerData:
    colors: dict[int | None, str] = {int(part): color for part, color in PART_COLOR.items()} | {None: "transparent"}
    look = {
        "name": "Saved parts", "opacity": 0.3, "colormap": colors, "metadata": {"trajplan": dict(about)},
        **placement(parts.grid),
    }  # fmt: skip
    return np.array(parts.array), look, "labels"


def _marker(document: PlanDocument, about: dict[str, Any]) -> LayerData:
    """Where no path was offered: the vertebra that was refused, or the origin where there is not even that."""
    at = (0.0, 0.0, 0.0) if document.vertebra is None else document.vertebra.frame.origin_lps
    return _points("Saved plan without a path", np.array([at]), UNKNOWN_TEXT, about)


def _points(name: str, points_lps: Any, color: str, about: dict[str, Any]) -> LayerData:
    look = {
        "name": name, "size": 3.0, "face_color": color, "projection_mode": "all", "units": UNITS,
        "axis_labels": AXIS_LABELS, "metadata": {"trajplan": dict(about)},
    }  # fmt: skip
    return to_napari(points_lps), look, "points"
