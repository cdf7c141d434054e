"""Measuring a vertebra by its walls alone: rays to where bone ends, on the functions or on a label map.

Nothing here reads a stored size. A `Solid` answers which points are bone: smoothly (an implicit function, walls found
to 1e-5 mm by repeated subdivision) or by the nearest voxel of a label map (walls found to the voxel, so that many rays
are averaged).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trajplan.geometry import Grid
from trajplan_phantoms.body import Body
from trajplan_phantoms.sampling import Sampler
from trajplan_phantoms.shapes import corners
from trajplan_phantoms.spine import Placement
from trajplan_phantoms.vertebra import Vertebra


@dataclass(frozen=True)
class Solid:
    """Bone in the own frame of a vertebra, (u left, v posterior, w superior) mm.

    Attributes
    ----------
    inside : callable
        (n, 3) own mm -> (n,) bool.
    step_mm : float
        Rays are first walked with this step.
    rounds : int
        How often the interval that holds a wall is cut into 16; 0 leaves it at the step.
    """

    inside: Callable[[np.ndarray], np.ndarray]
    step_mm: float
    rounds: int

    def walls(self, start: np.ndarray, direction: np.ndarray, reach_mm: float) -> np.ndarray:
        """Distance (n,) from points (n, 3) along a direction to the first place that is not inside."""
        start = np.atleast_2d(start)
        low, width = np.zeros(len(start)), reach_mm
        count = int(np.ceil(reach_mm / self.step_mm))
        for _ in range(self.rounds + 1):
            t = low[:, None] + width * np.arange(count + 1) / count
            points = start[:, None] + t[..., None] * direction
            out = ~self.inside(points.reshape(-1, 3)).reshape(t.shape)
            out[:, -1] = True
            first = np.argmax(out, axis=1)
            width /= count
            low = low + (np.maximum(first, 1) - 1) * width
            count = 16
        return low + 0.5 * width

    @property
    def complement(self) -> Solid:
        """What is not inside."""
        return Solid(lambda q: ~self.inside(q), self.step_mm, self.rounds)

    def outline(self, middle: np.ndarray, direction: np.ndarray, reach_mm: float) -> np.ndarray:
        """Distance (n,) between the first walls met when coming from either end of lines through points."""
        out, far, back = self.complement, reach_mm * np.asarray(direction), -np.asarray(direction)
        first = out.walls(middle - far, direction, 2.0 * reach_mm)
        return 2.0 * reach_mm - first - out.walls(middle + far, back, 2.0 * reach_mm)

    def spans(self, start: np.ndarray, direction: np.ndarray, reach_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """Length (n,) of bone about the points along a line, and how far its middle lies from the point."""
        ahead, behind = self.walls(start, direction, reach_mm), self.walls(start, -np.asarray(direction), reach_mm)
        return ahead + behind, 0.5 * (ahead - behind)


def smooth(value: Callable[..., np.ndarray]) -> Solid:
    """The solid of an implicit function of (u, v, w)."""
    return Solid(lambda q: value((q[:, 0].copy(), q[:, 1].copy(), q[:, 2].copy())) < 0, 0.25, 4)


@dataclass(frozen=True)
class Voxels:
    """A vertebra sampled at the voxel centres of a world grid, as `make_phantom` samples it.

    Attributes
    ----------
    bone, body, canal : Solid
        Labels: the nearest voxel counts.
    partial : Solid
        The share of bone in every voxel, as it is painted into the CT; half of it, interpolated, is the wall.
    """

    bone: Solid
    body: Solid
    canal: Solid
    partial: Solid


def voxels(vertebra: Vertebra, place: Placement, spacing_mm: float) -> Voxels:
    """Sample a vertebra whose own frame lies at `place` in the world."""
    sampler, p = _sampled(*vertebra.box, place, spacing_mm)
    z, y, x = sampler.grid.shape_zyx
    value = vertebra.value(p, sampler.select((slice(0, z), slice(0, y), slice(0, x))))
    bone = value < 0
    body = bone & (vertebra.body.value(p) < 0)  # what `Vertebra.parts` names so
    canal = ~bone & (vertebra.canal.value(p) < 0)
    share = np.clip(0.5 - value / 0.9, 0.0, 1.0)
    labels = (_looked_up(label, sampler, 0, 0.1, 0) for label in (bone, body, canal))
    return Voxels(*labels, _looked_up(share, sampler, 1, 0.2, 1))


def body_voxels(body: Body, place: Placement, spacing_mm: float) -> Solid:
    """Sample the share of a body alone in every voxel."""
    sampler, p = _sampled(*body.bounds(), place, spacing_mm)
    return _looked_up(np.clip(0.5 - body.value(p) / 0.9, 0.0, 1.0), sampler, 1, 0.2, 1)


def _sampled(
    lower: np.ndarray, upper: np.ndarray, place: Placement, spacing_mm: float
) -> tuple[Sampler, tuple[np.ndarray, ...]]:
    world = place.to_patient(corners(lower, upper))
    sampler = Sampler(Grid.isotropic(world.min(axis=0) - 2.0, world.max(axis=0) + 2.0, spacing_mm), place)
    z, y, x = sampler.grid.shape_zyx
    return sampler, sampler.coordinates((slice(0, z), slice(0, y), slice(0, x)))


def _looked_up(image: np.ndarray, sampler: Sampler, order: int, step_mm: float, rounds: int) -> Solid:
    image = image.astype(np.float32)

    def inside(own: np.ndarray) -> np.ndarray:
        index = sampler.grid.world_to_index(sampler.place.to_patient(own))
        return ndimage.map_coordinates(image, index.T, order=order, cval=0.0) > 0.5

    return Solid(inside, step_mm, rounds)


@dataclass(frozen=True)
class Neck:
    """A pedicle as measured: its sections across a direction, about a point near its isthmus."""

    width_mm: float
    height_mm: float
    center: np.ndarray
    axis: np.ndarray


def neck(solid: Solid, center: np.ndarray, axis: np.ndarray, half_mm: float, spread: float, many: int) -> Neck:
    """Width, height, middle and axis (forward) of a pedicle from a first guess at both.

    Rays across and along the section are cast on planes up to `half_mm` either way; `spread` is the share of
    the section's half height and width over which they are spread. The squared chord of an ellipse falls linearly
    with the square of its offset, so the intercept is the axis of the ellipse; the middles of the chords give the axis.
    """
    width, height, plane = 6.0, 12.0, center[1]
    for _ in range(30):
        across = np.cross([0.0, 0.0, 1.0], axis)
        across /= np.linalg.norm(across)
        up = np.cross(axis, across)
        up *= np.sign(up[2])
        along, offset = (
            x.ravel() for x in np.meshgrid(np.linspace(-half_mm, half_mm, many), np.linspace(-spread, spread, many))
        )
        base = center + along[:, None] * axis
        chord_w, off_w = solid.spans(base + (0.5 * height * offset)[:, None] * up, across, 16.0)
        chord_h, off_h = solid.spans(base + (0.5 * width * offset)[:, None] * across, up, 16.0)
        width, side = _section(along, offset, chord_w, off_w)
        height, lift = _section(along, offset, chord_h, off_h)
        center = center + side[1] * across + lift[1] * up
        turned = axis + side[0] * across + lift[0] * up
        moved = float(np.abs(turned / np.linalg.norm(turned) - axis).max())
        axis = turned / np.linalg.norm(turned)
        if moved < 2e-5:
            break
    center = center + axis * (plane - center[1]) / axis[1]
    return Neck(width, height, center, axis)


def _section(along: np.ndarray, offset: np.ndarray, chord: np.ndarray, middle: np.ndarray) -> tuple[float, np.ndarray]:
    """Axis of the ellipse at its middle, and the line of the middles, of rays that did not run into something else."""
    design = np.stack([np.ones_like(along), along**2, offset**2], axis=1)
    keep = np.ones(len(along), dtype=bool)
    for _ in range(4):
        size = np.linalg.lstsq(design[keep], chord[keep] ** 2, rcond=None)[0]
        line = np.polyfit(along[keep], middle[keep], 1)
        misfit = np.abs(chord - np.sqrt(np.maximum(design @ size, 0.0))) + 2.0 * np.abs(
            middle - np.polyval(line, along)
        )
        keep = misfit <= max(0.05, 2.5 * float(np.median(misfit)))
    return float(np.sqrt(size[0])), line


@dataclass(frozen=True)
class Plates:
    """Planes w = slope v + height of both end plates of a body, as measured at their rims."""

    upper: np.ndarray
    lower: np.ndarray

    def height_mm(self, v_mm: float) -> float:
        """Distance of the planes along w."""
        return float(np.polyval(self.upper, v_mm) - np.polyval(self.lower, v_mm))

    @property
    def wedge_deg(self) -> float:
        """Angle between the planes, + when the front is lower."""
        return float(np.rad2deg(np.arctan(self.upper[0]) - np.arctan(self.lower[0])))


def columns(solid: Solid, u_mm: np.ndarray, v_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """w of the ends of the bone above and below places (u, v) at mid-height."""
    start = np.column_stack([u_mm, v_mm, np.zeros(len(u_mm))])
    up = np.array([0.0, 0.0, 1.0])
    return solid.walls(start, up, 22.0), -solid.walls(start, -up, 22.0)


def end_plates(solid: Solid, width_mm: float, depth_mm: float, across: int) -> Plates:
    """Planes through the flat rims in front of and behind the hollows, within their rounded edges."""
    u, v = np.meshgrid(np.linspace(-0.2, 0.2, across) if across > 1 else [0.0], [-0.36, -0.34, -0.32, 0.42, 0.43, 0.44])
    top, bottom = columns(solid, width_mm * u.ravel(), depth_mm * v.ravel())
    return Plates(np.polyfit(depth_mm * v.ravel(), top, 1), np.polyfit(depth_mm * v.ravel(), bottom, 1))


def plate_sizes(solid: Solid, width_mm: float, depth_mm: float, plates: Plates, behind_mm: float) -> np.ndarray:
    """Width and depth of the upper, then of the lower end plate: sections short of the rounded rims, drawn out to them.

    Widths, fronts and backs of the sections are fitted by a cubic in the level (-1 lower, 1 upper end plate; a waist
    that narrows by a square times a width that grows evenly is one) and a parabola sideways. Rays to the posterior
    wall start in the canal, `behind_mm` behind it.
    """
    level, ends = np.linspace(-0.8, 0.8, 41), np.array([1.0, -1.0])
    rows, offset = (x.ravel() for x in np.meshgrid(level, np.linspace(-1.0, 1.0, 13)))
    design = np.stack([rows**k for k in range(4)] + [offset, offset**2], axis=1)
    at_ends = np.stack([ends**k for k in range(4)], axis=1)
    side, back, none = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]), np.zeros_like(rows)
    v = (0.01 + 0.09 * offset) * depth_mm  # ahead of the pedicles
    start = np.column_stack([none, v, 0.5 * rows * np.array([plates.height_mm(x) for x in v])])
    wide = np.column_stack([design, rows * offset, rows**2 * offset])  # the widest place moves with the level
    c = np.linalg.lstsq(wide, solid.outline(start, side, 0.7 * width_mm), rcond=None)[0]
    width = at_ends @ c[:4] - 0.25 * (c[4] + c[6] * ends + c[7]) ** 2 / c[5]
    depth = np.zeros(2)
    for toward, reach in ((1.0, 0.5 * depth_mm + behind_mm), (-1.0, 0.8 * depth_mm)):
        lift = 0.5 * rows * plates.height_mm(0.5 * toward * depth_mm)
        start = np.column_stack([0.06 * width_mm * offset, none + toward * reach, lift])
        wall = reach - solid.complement.walls(start, -toward * back, reach)
        depth += at_ends @ np.linalg.lstsq(design, wall, rcond=None)[0][:4]
    return np.array([width, depth]).T.ravel()


def canal_size(
    solid: Solid, center: np.ndarray, width_mm: float, depth_mm: float, half_mm: float
) -> tuple[float, float]:
    """Width and midsagittal depth of the free canal about a point in it."""
    found = []
    for direction, side, spread in (
        ([1.0, 0, 0], [0, 1.0, 0], 0.12 * depth_mm),
        ([0, 1.0, 0], [1.0, 0, 0], 0.12 * width_mm),
    ):
        lift, offset = (
            x.ravel() for x in np.meshgrid(np.linspace(-half_mm, half_mm, 13), np.linspace(-spread, spread, 13))
        )
        start = center + offset[:, None] * np.array(side) + lift[:, None] * np.array([0.0, 0.0, 1.0])
        chord, _ = solid.spans(start, np.array(direction), 25.0)
        c = np.polyfit(offset, chord, 2)
        found.append(float(c[2] - 0.25 * c[1] ** 2 / c[0]))
    return found[0], found[1]


def outline_size(solid: Solid, depth_mm: float) -> tuple[float, float]:
    """Largest width and midsagittal depth of an outline in the plane of u and v."""
    v = np.linspace(-0.1, 0.3, 81) * depth_mm
    wide, _ = solid.spans(np.column_stack([0.0 * v, v, 0.0 * v]), np.array([1.0, 0.0, 0.0]), 40.0)
    deep, _ = solid.spans(np.zeros((1, 3)), np.array([0.0, 1.0, 0.0]), 40.0)
    return float(wide.max()), float(deep[0])
