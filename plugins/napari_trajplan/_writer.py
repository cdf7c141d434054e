"""File > Save: a labels layer as NRRD or NIfTI at its place in the patient, and the verified plan as plan.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_trajplan._coords import AXIS_LABELS, grid_of
from trajplan.errors import InputError, TrajplanError
from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.arrays import AnyArray
from trajplan.levels import LEVEL_NAMES

_SAME = 1e-9


def write_labels_layer(path: str, data: Any, about: dict[str, Any]) -> list[str]:
    """Write one labels layer (napari's writer of a single layer); an error is told, not raised.

    Returns
    -------
    list of str
        The file, or nothing where it could not be written.
    """
    return _told(lambda: [str(_write_labels(Path(path), data, about))])


def write_plan_layers(path: str, layers: list[Any]) -> list[str]:
    """Write the verified plan of the viewer in front as plan.json, with its mask beside it."""
    return _told(lambda: [str(one) for one in _write_plan(Path(path), layers)])


def labels_at(data: AnyArray, about: dict[str, Any]) -> LabelMap:
    """The labels of a layer at its place, LPS.

    Raises
    ------
    InputError
        ``not_our_world``: the layer does not lie in the millimetre world of a scan that trajplan has read.
    """
    known = about.get("metadata", {}).get("trajplan", {}).get("grid")
    if isinstance(known, Grid) and known.shape_zyx == np.shape(data):
        grid = known
    elif np.ndim(data) == 3 and tuple(about.get("axis_labels", ())) == AXIS_LABELS and _straight(about):
        grid = grid_of(np.shape(data), about["scale"], about["translate"])
    else:
        raise InputError(
            f"left and right of {about.get('name', 'this layer')!r} are not known: paint in a layer that trajplan "
            "made, or in one with the scale and place of its CT",
            code="not_our_world",
        )
    return LabelMap(
        np.asarray(data), grid, {i: name for i, name in LEVEL_NAMES.items() if (np.asarray(data) == i).any()}
    )


def _write_labels(path: Path, data: Any, about: dict[str, Any]) -> Path:
    from trajplan.exports.labels_file import write_labels

    return write_labels(labels_at(np.asarray(data), about), path)


def _write_plan(path: Path, layers: list[Any]) -> list[Path]:
    from napari_trajplan._commands import planner_dock
    from trajplan.exports.labels_file import write_parts
    from trajplan.exports.plan_json import plan_document, write_plan

    if not any("derived" in about.get("metadata", {}).get("trajplan", {}) for _, about, _ in layers):
        raise InputError("choose a layer of the plan, such as Left path, to save the plan", code="not_our_layer")
    result = planner_dock().session.exportable()
    if path.suffix != ".json":
        raise InputError(f"a plan is written as .json, got {path.name!r}", code="output_suffix")
    written = []
    parts = None
    if result.vertebra is not None:
        parts = path.with_name(f"{path.stem}-parts.nrrd")
        written.append(write_parts(result.vertebra, parts))
    return [write_plan(plan_document(result, None if parts is None else parts.name), path), *written]


def _straight(about: dict[str, Any]) -> bool:
    """Whether a layer lies square in the world: scaled and shifted, not turned, sheared or mirrored."""
    identity = np.eye(3)
    turned = np.abs(np.asarray(about.get("rotate", identity)) - identity).max() > _SAME
    sheared = np.abs(np.asarray(about.get("shear", np.zeros(3)))).max() > _SAME
    moved = np.abs(np.asarray(about.get("affine", np.eye(4))) - np.eye(4)).max() > _SAME
    return not (turned or sheared or moved) and bool((np.asarray(about["scale"]) > 0).all())


def _told(write: Any) -> list[str]:
    try:
        return list(write())
    except TrajplanError as error:
        from napari.utils.notifications import show_error

        from napari_trajplan._session import short_message

        show_error(short_message(error))
        return []
