"""Solids: the bodies of a plan beside the bone, from trocar to cement. The one list that every export reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from trajplan.augmentation.envelope import Envelope
from trajplan.exports.augmentation_model import InflationModel
from trajplan.exports.handover import Handover
from trajplan.exports.mesh import Mesh, mesh_of_mask, turned_mesh
from trajplan.exports.path_model import BalloonModel, TrajectoryModel
from trajplan.geometry import Capsule, LabelMap
from trajplan.geometry.arrays import BoolArray, FloatArray, frozen, unit

OUTSIDE_MM = 60.0
"""Of the trocar behind the bone entry, where the skin is not known."""
_CAP = 16
_BALLOON = (0.34, 0.71, 0.91)

Color = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Solid:
    """A body of the plan.

    Parameters
    ----------
    name : str
        For files: lower case, no spaces.
    title : str
        For people.
    kind : str
        ``trocar``, ``balloon`` or ``cement``.
    mesh : Mesh
        Closed, LPS mm.
    inside : callable
        LPS points (..., 3) -> whether they lie in it (...,); the exact shape, not the mesh.
    color : tuple of float
        Red, green, blue, 0..1.
    """

    name: str
    title: str
    kind: str
    mesh: Mesh
    inside: Callable[[FloatArray], BoolArray]
    color: Color


def solids_of(handover: Handover) -> tuple[Solid, ...]:
    """The trocars of all paths as planned, the balloons as inflated (else the largest that fits), and the cement."""
    found: list[Solid] = []
    augmentation = handover.document.augmentation
    inflated = {} if augmentation is None else {one.side: one for one in augmentation.inflations}
    for path in handover.document.trajectories:
        found.append(_trocar(path))
        if path.side in inflated:
            found.append(_inflated(inflated[path.side]))
        elif path.balloons:
            found.append(_balloon(path, path.balloons[0]))
    if handover.cement is not None and handover.cement.array.any():
        found.append(_cement(handover.cement))
    return tuple(found)


def shaft_of(path: TrajectoryModel) -> Capsule:
    """The trocar from the skin, or from `OUTSIDE_MM` before the bone where the skin is not known, to its tip."""
    entry, tip = np.array(path.entry_lps), np.array(path.target_lps)
    outer = entry - OUTSIDE_MM * unit(tip - entry) if path.skin_lps is None else np.array(path.skin_lps)
    return Capsule(outer, tip, path.instrument.outer_diameter_mm / 2)


def _trocar(path: TrajectoryModel) -> Solid:
    shaft = shaft_of(path)
    r, turn = shaft.radius_mm, np.linspace(0.0, np.pi / 2, _CAP)
    along = np.concatenate([-r * np.cos(turn), shaft.length_mm + r * np.sin(turn)])
    radius = np.concatenate([r * np.sin(turn), r * np.cos(turn)])
    return Solid(
        f"trocar_{path.side}",
        f"Trocar {path.side}, {path.instrument.name} ({path.verdict.upper()})",
        "trocar",
        turned_mesh(shaft.start_lps, shaft.direction_lps, along, radius),
        lambda points: np.asarray(shaft.distance(points) <= 0),
        (0.90, 0.62, 0.0),
    )


def _balloon(path: TrajectoryModel, balloon: BalloonModel) -> Solid:
    center = np.array(balloon.center_lps)
    axis = unit(np.array(path.target_lps) - np.array(path.entry_lps))
    half, r = balloon.length_mm / 2, balloon.diameter_mm / 2
    turn = np.linspace(0.0, np.pi, 2 * _CAP)

    def inside(points: FloatArray) -> BoolArray:
        offset = points - center
        along = offset @ axis
        off_axis2 = (offset**2).sum(axis=-1) - along**2
        return np.asarray((along / half) ** 2 + off_axis2 / r**2 <= 1)

    return Solid(
        f"balloon_{path.side}",
        f"Balloon {path.side}, {balloon.name}: largest envelope that keeps {balloon.margin_mm:g} mm",
        "balloon",
        turned_mesh(center, axis, -half * np.cos(turn), r * np.sin(turn)),
        inside,
        _BALLOON,
    )


def _inflated(one: InflationModel) -> Solid:
    e, last = one.envelope, one.steps[-1]
    envelope = Envelope(
        frozen(e.center_lps, (3,)), frozen(e.axes_lps, (3, 3)), frozen(e.z_mm), frozen(np.array(e.radius_mm))
    )
    return Solid(
        f"balloon_{one.side}",
        f"Balloon {one.side}, {one.balloon}: inflated to {last.volume_ml:g} ml",
        "balloon",
        Mesh(*envelope.mesh()),
        envelope.contains,
        _BALLOON,
    )


def _cement(labels: LabelMap) -> Solid:
    grid, filled = labels.grid, (labels.array > 0).astype(np.uint8)

    def inside(points: FloatArray) -> BoolArray:
        index = np.moveaxis(grid.world_to_index(points), -1, 0)
        return np.asarray(map_coordinates(filled, index, order=0, mode="constant", cval=0)) > 0

    return Solid(
        "cement",
        "Cement, as planned",
        "cement",
        mesh_of_mask(filled > 0, grid),
        inside,
        (0.8, 0.47, 0.65),
    )
