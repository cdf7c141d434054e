"""What lies about the vertebrae and keeps its own labels: ribs and discs; and the content of the canal."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan.parts import Side
from trajplan_phantoms.ribs import COSTAL_GAP_MM, Rib
from trajplan_phantoms.sampling import Box, Sampler, world_place
from trajplan_phantoms.shapes import Coordinates, smooth_max
from trajplan_phantoms.spine import Placement, Spine
from trajplan_phantoms.tissue import (
    ANNULUS_HU,
    BONE_EDGE_MM,
    DISC_HU,
    FLAVUM_BEHIND_MM,
    RIB_CORTEX_HU,
    RIB_MARROW_HU,
    blend,
    canal_hu,
    paint_flavum,
)
from trajplan_phantoms.vertebra import Select, Vertebra, everywhere

RIB_CORTEX_MM, _RIB_GRADE_MM = 1.1, 0.9


class Surrounding(IntEnum):
    """Kinds in the map of surroundings; a voxel holds the kind plus the VerSe id of its vertebra.

    A disc belongs to the vertebra above it. Sides are the patient's. The sacrum is a vertebra of the label map (26).
    """

    RIB_LEFT = 32
    RIB_RIGHT = 64
    DISC = 96


_WORDS = {Surrounding.RIB_LEFT: "left rib", Surrounding.RIB_RIGHT: "right rib", Surrounding.DISC: "disc below"}


def surrounding_names(ids: AnyArray) -> dict[int, str]:
    """Names of the ids found in a map, such as {115: "disc below T12"}."""
    found = [int(i) for i in np.unique(ids) if i]
    return {i: f"{_WORDS[Surrounding(i // 32 * 32)]} {LEVEL_NAMES[i % 32]}" for i in found}


def rib_value(spine: Spine, index: int, rib: Rib, p: Coordinates, select: Select = everywhere) -> AnyArray:
    """Implicit value, mm, of a rib of the vertebra `index` in its frame.

    Its joints are cut out: it keeps a gap from its own vertebra and from the one above.
    """
    value = rib.value(p, select)
    near = np.nonzero(value < 1.0)
    q = np.stack([x[near] for x in p], axis=-1)
    for other in (index, index - 1):
        if other < 0:
            continue
        one, here, there = spine.vertebrae[other], spine.placements[index], spine.placements[other]
        into = Placement(there.linear.T @ here.linear, there.to_own(here.origin))
        r = into.to_patient(q).astype(np.float64)
        close = ((r > one.box[0] - COSTAL_GAP_MM) & (r < one.box[1] + COSTAL_GAP_MM)).all(axis=1)
        if close.any():
            bone = one.value((r[close, 0], r[close, 1], r[close, 2]))
            spot = tuple(axis[close] for axis in near)
            value[spot] = np.maximum(value[spot], (COSTAL_GAP_MM - bone).astype(value.dtype))
    return value


def paint_ribs(hu: AnyArray, ids: AnyArray, grid: Grid, spine: Spine, index: int, world: Placement) -> None:
    """Paint and label the ribs of one level; changes `hu` and `ids`."""
    sampler = Sampler(grid, world_place(spine, index, world))
    level = level_id(spine.vertebrae[index].level)
    for rib, side in zip(spine.ribs[index], Side, strict=False):
        box = sampler.box(*rib.bounds())
        if box is None:
            continue
        p = sampler.coordinates(box)
        value = rib_value(spine, index, rib, p, sampler.select(box, 3.0))
        shell = np.clip((RIB_CORTEX_MM + _RIB_GRADE_MM + value) / _RIB_GRADE_MM, 0.0, 1.0)
        blend(hu[box], value, RIB_MARROW_HU + shell * (RIB_CORTEX_HU - RIB_MARROW_HU), BONE_EDGE_MM)
        is_left = (side is Side.LEFT) != spine.spec.pose.mirror
        ids[box][value < 0] = level + (Surrounding.RIB_LEFT if is_left else Surrounding.RIB_RIGHT)


def paint_discs(hu: AnyArray, ids: AnyArray, grid: Grid, spine: Spine, world: Placement) -> None:
    """Paint and label the discs between the vertebrae that are built; changes `hu` and `ids`."""
    for index in range(len(spine.vertebrae) - 1):
        upper, lower = spine.vertebrae[index].body, spine.vertebrae[index + 1].body
        below = Sampler(grid, world_place(spine, index + 1, world))
        above = Sampler(grid, world_place(spine, index, world))
        first, last = lower.bounds()
        reach = np.array([last[0] + 2.0, last[1] + 2.0, last[2] + 0.8 * upper.height_mm])
        box = below.box(np.array([first[0] - 2.0, first[1] - 2.0, -last[2]]), reach)
        if box is None:
            continue
        p, q = below.coordinates(box), above.coordinates(box)
        outline = 0.5 * (lower.side(p[0], p[1], 1.0) + upper.side(q[0], q[1], -1.0)) - 0.6
        inside = smooth_max(
            outline, np.maximum(lower.plates(p[0], p[1])[0] - p[2], q[2] - upper.plates(q[0], q[1])[1]), 1.0
        )
        paint = DISC_HU + (ANNULUS_HU - DISC_HU) * np.clip((outline + 7.0) / 4.0, 0.0, 1.0)
        blend(hu[box], inside, paint, BONE_EDGE_MM)
        ids[box][inside < 0] = Surrounding.DISC + level_id(spine.vertebrae[index].level)


def paint_canal(hu: AnyArray, grid: Grid, spine: Spine, world: Placement) -> None:
    """Paint ligaments, fat, dural sac and cord, from vertebra to vertebra; changes `hu`."""
    tiles = _canal_tiles(grid, spine, world)
    for one, box, p, ends in tiles:
        paint_flavum(hu[box], np.maximum(one.canal.tube(p), ends), p, _canal_centre(one))
    for one, box, p, ends in tiles:
        tube = one.canal.tube(p)
        # a retropulsed wall pushes the content of the canal back with it
        content = p if one.canal.push is None else (p[0], one.canal.push.before_in_canal(p, one.canal.depth_mm), p[2])
        has_cord = level_id(one.level) <= level_id("L1")
        inside = canal_hu(tube, has_cord, content, _canal_centre(one), spine.spec.bone.canal_front_hu)
        blend(hu[box], np.maximum(tube, ends), inside, BONE_EDGE_MM)


def _canal_centre(one: Vertebra) -> FloatArray:
    return np.array([0.0, one.canal.front_mm + 0.45 * one.canal.depth_mm])


def _canal_tiles(grid: Grid, spine: Spine, world: Placement) -> list[tuple[Vertebra, Box, Coordinates, AnyArray]]:
    """Of every vertebra: the box of its canal, own coordinates in it, and how far beyond its ends they lie, mm."""
    tiles = []
    last = len(spine.vertebrae) - 1
    overlap = 9.0 if spine.spec.fracture_of_target.follow else 3.0  # a kink opens the canal behind
    for index, one in enumerate(spine.vertebrae):
        sampler = Sampler(grid, world_place(spine, index, world))
        lower, upper = one.canal.bounds()
        lower = lower - np.array([2.0, 2.0, 40.0 if index == last else overlap])
        upper = upper + np.array([2.0, FLAVUM_BEHIND_MM + 2.0, 40.0 if index == 0 else overlap])
        box = sampler.box(lower, upper)
        if box is not None:
            p = sampler.coordinates(box)
            tiles.append((one, box, p, np.maximum(float(lower[2]) - p[2], p[2] - float(upper[2]))))
    return tiles
