"""What is drawn over a simulated X-ray, as named lines in space; on a view each is a polyline in pixels.

Layers can be switched on and off one by one (`chosen`): pedicle outlines ("eyes"), the posterior wall as the lateral
shows it, both end plates, the midline, a planned path and its tip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import ConvexHull

from trajplan.anatomy.vertebra import Endplate, Vertebra
from trajplan.errors import InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry import Frame
from trajplan.geometry.arrays import FloatArray, frozen, unit
from trajplan.parts import Part

LAYERS: Final = ("pedicles", "posterior_wall", "end_plates", "midline", "path", "tip")
_PLATE_MM: Final = 1.5  # half the thickness of body whose outline is that of an end plate
_INSIDE_MM: Final = 2.0  # below the plane, because a fitted plane may lie outside a rounded rim
_MIDLINE_MM: Final = 25.0  # from the centre of the body, up and down


@dataclass(frozen=True, eq=False)
class Line:
    """A polyline in space, LPS mm, shape (N, 3); a closed one repeats its first point, a point has one row."""

    layer: str
    name: str
    points_lps: FloatArray

    def px(self, carm: CArm) -> FloatArray:
        """(row, column) on a view, shape (N, 2)."""
        return carm.project(self.points_lps)


def anatomy_lines(vertebra: Vertebra) -> tuple[Line, ...]:
    """The lines of one vertebra, before any path is planned."""
    return lines_of(
        vertebra.frame,
        {side.value: pedicle.outline_lps for side, pedicle in vertebra.pedicles.items()},
        vertebra.posterior_wall_lps,
        {name: endplate_ring(vertebra, plate)
         for name, plate in (("superior", vertebra.superior), ("inferior", vertebra.inferior))},
    )  # fmt: skip


def lines_of(
    frame: Frame, outlines_lps: Mapping[str, FloatArray], wall_lps: FloatArray, rings_lps: Mapping[str, FloatArray]
) -> tuple[Line, ...]:
    """The same from plain points: pedicle outlines by side, points of the posterior wall, end-plate rings by name."""
    found = [Line("pedicles", f"pedicle_{side}", _closed(ring)) for side, ring in outlines_lps.items() if len(ring) > 2]
    if len(wall_lps) > 1:
        found.append(Line("posterior_wall", "posterior_wall", _rims(frame, wall_lps)))
    found += [
        Line("end_plates", f"{name}_end_plate", _closed(ring)) for name, ring in rings_lps.items() if len(ring) > 2
    ]
    ends = frame.to_world([[0.0, 0.0, -_MIDLINE_MM], [0.0, 0.0, _MIDLINE_MM]])
    return (*found, Line("midline", "midline", ends))


def path_lines(side: str, entry_lps: ArrayLike, target_lps: ArrayLike, tip_lps: ArrayLike) -> tuple[Line, ...]:
    """A planned path from the bone entry to its end, and where the tip stands on it."""
    path = frozen(np.stack([np.asarray(entry_lps), np.asarray(target_lps)]), (2, 3))
    return Line("path", f"path_{side}", path), Line("tip", f"tip_{side}", frozen([np.asarray(tip_lps)], (1, 3)))


def chosen(lines: Iterable[Line], layers: Iterable[str]) -> tuple[Line, ...]:
    """The lines of some layers.

    Raises
    ------
    InputError
        A layer that does not exist.
    """
    wanted = tuple(layers)
    unknown = [layer for layer in wanted if layer not in LAYERS]
    if unknown:
        raise InputError(f"no overlay is called {unknown[0]!r}; there are {', '.join(LAYERS)}", code="overlay_unknown")
    return tuple(line for line in lines if line.layer in wanted)


def layers_for(carm: CArm, frame: Frame) -> tuple[str, ...]:
    """The layers that mean something on a view: no posterior wall from the front, no midline from the side."""
    along = np.abs([carm.beam_lps @ frame.u, carm.beam_lps @ frame.v])
    dropped = "posterior_wall" if along[1] > along[0] else "midline"
    return tuple(layer for layer in LAYERS if layer != dropped)


def endplate_ring(vertebra: Vertebra, plate: Endplate) -> FloatArray:
    """Outline of an end plate in its own plane, LPS mm, shape (N, 3); empty without a body there.

    The convex outline of the body in the layer just inside the plane.
    """
    normal = unit(plate.normal_lps)
    inwards = -normal if float((vertebra.frame.origin_lps - plate.center_lps) @ normal) < 0 else normal
    index = np.argwhere(vertebra.parts.mask(Part.BODY))
    points = vertebra.parts.grid.index_to_world(index) - plate.center_lps
    points = points[np.abs(points @ inwards - _INSIDE_MM) < _PLATE_MM]
    if len(points) < 3:
        return np.zeros((0, 3))
    right = unit(np.cross(vertebra.frame.v, normal))
    forward = np.cross(normal, right)
    flat = np.stack([points @ right, points @ forward], axis=1)
    ring = flat[ConvexHull(flat).vertices]
    return np.asarray(plate.center_lps + ring[:, :1] * right + ring[:, 1:] * forward)


def _rims(frame: Frame, wall_lps: FloatArray) -> FloatArray:
    """The most posterior point of the wall at every height, on the midline: what the lateral shows as its line."""
    local = frame.to_local(wall_lps)
    height = np.rint(local[:, 2])
    at = np.unique(height)
    back = np.array([local[height == h, 1].max() for h in at])
    return frame.to_world(np.stack([0 * at, back, at], axis=1))


def _closed(ring: FloatArray) -> FloatArray:
    return np.concatenate([ring, ring[:1]])
