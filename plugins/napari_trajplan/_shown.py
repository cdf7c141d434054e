"""What lies over a picture of the window, as plain data: handles, rings, and all that one of the linked views shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from napari_trajplan._slice_scene import Outline
from trajplan.geometry.arrays import AnyArray, FloatArray


@dataclass(frozen=True, eq=False)
class Handle:
    """An end of a path on a picture: where, in the picture's own coordinates, and its name when it is dragged.

    The name is that of the side and the number of the end: ``left 0`` is the entry, ``left 1`` the tip.
    """

    name: str
    at: FloatArray
    color: str


@dataclass(frozen=True, eq=False)
class Ring:
    """A circle on the plane, mm; filled where it is an instrument."""

    center_mm: FloatArray
    radius_mm: float
    color: str
    filled: bool = False


@dataclass(frozen=True, eq=False)
class Shown:
    """All that a view shows; places are x and y in mm from the middle of the picture."""

    grey: AnyArray
    outlines: Sequence[Outline] = ()
    rings: Sequence[Ring] = ()
    handles: Sequence[Handle] = ()
    cross_mm: FloatArray | None = None
    letters: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    note: str = ""
    note_color: str = "#FFFFFF"
