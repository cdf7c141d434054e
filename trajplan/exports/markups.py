"""3D Slicer markups (.mrk.json): paths as lines, their points, and planes of the vertebra; LPS, mm.

The form is that of Slicer's published markups schema 1.0.3. The schema does not ask for the coordinate system or its
unit, nor that numbers are finite; both are always written here, and a number that is not finite is refused.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from trajplan import DISCLAIMER
from trajplan.exports.path_model import TrajectoryModel
from trajplan.exports.plain import UNIT_DIGITS, vector
from trajplan.exports.plan_model import PlanDocument
from trajplan.exports.vertebra_model import PedicleModel
from trajplan.geometry.arrays import FloatArray, unit

SCHEMA: Final = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
SUFFIX: Final = ".mrk.json"
_COLOR: Final = {"left": [0.337, 0.706, 0.914], "right": [0.0, 0.62, 0.451]}
_GREY: Final = [0.7, 0.7, 0.7]
_PEDICLE_PLANE_MM, _BODY_PLANE_MM = 20.0, 60.0


def markups_of(document: PlanDocument) -> dict[str, bytes]:
    """File name -> contents: one markup a file, since every version of Slicer reads those."""
    made: dict[str, dict[str, Any]] = {}
    for path in document.trajectories:
        made[f"{path.side}_path"] = _line(f"{path.side} path {path.verdict.upper()}", path)
        made[f"{path.side}_points"] = _points(f"{path.side} points", path)
    for pedicle in document.pedicles:
        made[f"{pedicle.side}_isthmus"] = _isthmus(pedicle)
    if document.vertebra is not None:
        frame = document.vertebra.frame
        for name, normal, right in (("midsagittal", frame.u, frame.v), ("axial", frame.w, frame.u)):
            made[f"{name}_plane"] = _plane(f"{name} plane", frame.origin_lps, normal, right, _BODY_PLANE_MM, _GREY)
    return {f"{name}{SUFFIX}": _text(markup) for name, markup in made.items()}


def _text(markup: dict[str, Any]) -> bytes:
    whole = {"@schema": SCHEMA, "markups": [markup]}
    return (json.dumps(whole, allow_nan=False, indent=1) + "\n").encode()


def _line(name: str, path: TrajectoryModel) -> dict[str, Any]:
    ends = [("bone entry", path.entry_lps), ("tip", path.target_lps)]
    length = float(np.linalg.norm(np.array(path.target_lps) - np.array(path.entry_lps)))
    measured = {"name": "length", "enabled": True, "value": round(length, 4), "units": "mm",
                "printFormat": "%-#4.4g%s"}  # fmt: skip
    return _markup("Line", name, ends, _COLOR[path.side]) | {"measurements": [measured]}


def _points(name: str, path: TrajectoryModel) -> dict[str, Any]:
    points = [] if path.skin_lps is None else [("skin", path.skin_lps)]
    points += [("bone entry", path.entry_lps)]
    points += [(stage.name, stage.tip_lps) for stage in path.stages if stage.tip_lps is not None]
    return _markup("Fiducial", name, [*points, ("tip", path.target_lps)], _COLOR[path.side])


def _isthmus(pedicle: PedicleModel) -> dict[str, Any]:
    up = (0.0, 0.0, 1.0)
    right = np.cross(up, pedicle.axis_lps)
    return _plane(
        f"{pedicle.side} isthmus", pedicle.isthmus_center_lps, pedicle.axis_lps, right, _PEDICLE_PLANE_MM,
        _COLOR[pedicle.side],
    )  # fmt: skip


def _plane(
    name: str, center_lps: ArrayLike, normal_lps: ArrayLike, right_lps: ArrayLike, size_mm: float, color: list[float]
) -> dict[str, Any]:
    center, normal = np.asarray(center_lps, dtype=np.float64), unit(normal_lps)
    x = np.asarray(right_lps, dtype=np.float64)
    x = unit(x - (x @ normal) * normal)
    turn = np.stack([x, np.cross(normal, x), normal], axis=1)  # columns: x, y and normal of the plane
    place = np.eye(4)
    place[:3, :3], place[:3, 3] = turn, center
    half = size_mm / 2
    shape = {
        "planeType": "pointNormal",
        "sizeMode": "absolute",
        "size": [size_mm, size_mm, 0.0],
        "planeBounds": [-half, half, -half, half],
        "center": list(vector(center, name)),
        "normal": list(vector(normal, name, UNIT_DIGITS)),
        "objectToBase": np.eye(4).ravel().tolist(),
        "baseToNode": [round(float(v), UNIT_DIGITS) for v in place.ravel()],
        "orientation": [round(float(v), UNIT_DIGITS) for v in turn.ravel()],
    }
    return _markup("Plane", name, [("center", center)], color, turn) | shape


def _markup(
    kind: str, name: str, points: list[tuple[str, Any]], color: list[float], turn: FloatArray | None = None
) -> dict[str, Any]:
    axes = np.eye(3) if turn is None else turn
    controls = [
        {
            "id": str(number),
            "label": label,
            "description": "",
            "associatedNodeID": "",
            "position": list(vector(place, f"{name} {label}")),
            "orientation": [round(float(v), UNIT_DIGITS) for v in axes.ravel()],
            "selected": True,
            "locked": True,
            "visibility": True,
            "positionStatus": "defined",
        }
        for number, (label, place) in enumerate(points, start=1)
    ]
    return {
        "type": kind,
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(controls),
        "description": f"trajplan. {DISCLAIMER}",
        "controlPoints": controls,
        "display": {"visibility": True, "opacity": 1.0, "color": color, "selectedColor": color, "pointLabelsVisibility":
                    kind == "Fiducial", "textScale": 3.0, "glyphType": "Sphere3D", "glyphScale": 2.0},
    }  # fmt: skip
