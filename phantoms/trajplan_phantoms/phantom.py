"""Make a phantom: CT, labels and truth from one set of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.volume import LabelMap, Volume
from trajplan.levels import level_id
from trajplan.parts import PART_NAMES, Part
from trajplan_phantoms.backdrop import upright_background
from trajplan_phantoms.bone_look import bone_hu
from trajplan_phantoms.fracture_paint import band_hu, cortex_depth, paint_clot, paint_gaps
from trajplan_phantoms.orientation import table_side
from trajplan_phantoms.sampling import Sampler, world_place
from trajplan_phantoms.scanner import Scanner, scan
from trajplan_phantoms.shapes import corners
from trajplan_phantoms.spec import PhantomSpec
from trajplan_phantoms.spine import Placement, Spine, build_spine
from trajplan_phantoms.surroundings import paint_canal, paint_discs, paint_ribs, surrounding_names
from trajplan_phantoms.table import lay_table, round_field
from trajplan_phantoms.tissue import BONE_EDGE_MM, Bend, Torso, blend
from trajplan_phantoms.truth import Truth

FIELD_HALF_WIDTH_MM = 80.0
FIELD_FRONT_MM = 72.0
FIELD_AIR_MM = 14.0
FIELD_ENDS_MM = 6.0
_SLAB = 24
MAX_VOXELS = 400_000_000
"""Samples of a scan; making one takes about 20 bytes each."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic scan and what is true of it.

    Attributes
    ----------
    spec : PhantomSpec
    scanner : Scanner
    ct : Volume
        int16 HU.
    labels : LabelMap
        VerSe ids of all vertebrae, from the functions at the voxel centres.
    parts : LabelMap
        Parts of the target (`trajplan.parts.Part`), sides by the patient.
    surroundings : LabelMap
        Ribs and discs, numbered as `surroundings.Surrounding` says; never where `labels` holds a vertebra.
    truth : Truth
    """

    spec: PhantomSpec
    scanner: Scanner
    ct: Volume
    labels: LabelMap
    parts: LabelMap
    surroundings: LabelMap
    truth: Truth


def make_phantom(
    spec: PhantomSpec | None = None, scanner: Scanner | None = None, progress: Progress | None = None
) -> Phantom:
    """Build a phantom.

    Parameters
    ----------
    spec : PhantomSpec, optional
        What to build; a wedge fracture of L1 by default.
    scanner : Scanner, optional
    progress : callable, optional
        Called with (share done 0..1, what is being done).

    Returns
    -------
    Phantom
        The same bytes for the same arguments, on any number of threads.

    Raises
    ------
    InputError
        A scan of more than `MAX_VOXELS`, or what `build_spine` refuses.
    """
    spec, scanner = spec or PhantomSpec(), scanner or Scanner()
    report: Progress = progress or (lambda share, text: None)
    spine = build_spine(spec)
    world = Placement(spec.pose.linear, spec.pose.translation_lps)
    torso = _torso(spine)
    grid = _field_of_view(spine, torso, scanner, world)
    fine = scanner.sampled_grid(grid)
    _check_size(fine)
    report(0.0, "soft tissue")
    hu = _background(fine, world, torso)
    if scanner.table:
        lay_table(hu, Sampler(fine, world), torso, table_side(scanner.patient_position))
    labels, parts, around = (np.zeros(fine.shape_zyx, dtype=np.uint8) for _ in range(3))
    paint_discs(hu, around, fine, spine, world)
    paint_canal(hu, fine, spine, world)
    for index, level in enumerate(spec.levels):
        report(0.2 + 0.6 * index / len(spec.levels), f"vertebra {level}")
        _paint_vertebra(hu, labels, parts, fine, spine, index, world)
        paint_ribs(hu, around, fine, spine, index, world)
    around[labels > 0] = 0  # beaks and fragments grow into discs
    report(0.8, "scanner")
    ct = Volume(scan(hu, scanner), grid)
    labels, parts, around = (scanner.at_slices(one) for one in (labels, parts, around))
    report(1.0, "done")
    return Phantom(
        spec,
        scanner,
        ct,
        LabelMap(labels, grid, {level_id(level): level for level in spec.levels}),
        LabelMap(parts, grid, {int(k): v for k, v in PART_NAMES.items()}),
        LabelMap(around, grid, surrounding_names(around)),
        Truth(spec.target, spine.vertebrae[spine.target], world_place(spine, spine.target, world)),
    )


def _check_size(grid: Grid) -> None:
    count = int(np.prod(grid.shape_zyx, dtype=np.int64))
    if count > MAX_VOXELS:
        raise InputError(
            f"a scan of {' x '.join(map(str, grid.shape_zyx))} samples takes about {count * 2e-8:.0f} GB of memory; "
            "use a coarser spacing or fewer levels",
            code="scan_too_large",
            numbers={"samples": float(count), "max_samples": float(MAX_VOXELS)},
        )


def _torso(spine: Spine) -> Torso:
    target = spine.vertebrae[spine.target]
    canal_back = target.canal.front_mm + target.canal.depth_mm
    plain = Torso(canal_back + spine.spec.skin_behind_canal_mm, canal_back, 0.5 * target.body.width_mm)
    if not spine.spec.full:
        return replace(plain, aorta_hu=spine.spec.aorta_hu)
    centers = spine.canal_center()[::-1]
    bend = Bend(centers[:, 2], centers[:, :2] - spine.canal_center()[spine.target, :2])
    return replace(plain, aorta_hu=spine.spec.aorta_hu, chest_from_mm=_diaphragm(spine), bend=bend)


def _diaphragm(spine: Spine) -> float:
    """Patient z of T11's body: lungs above, belly below."""
    levels, heights = spine.spec.levels, [float(place.origin[2]) for place in spine.placements]
    if "T11" in levels:
        return heights[levels.index("T11")]
    above = level_id(levels[-1]) < level_id("T11")
    return -np.inf if above else np.inf


def _field_of_view(spine: Spine, torso: Torso, scanner: Scanner, world: Placement) -> Grid:
    """A box around the segment and the back, centred so that a mirrored patient gets the mirrored grid."""
    ends = [
        place.to_patient(corners(*one.body.bounds()))[:, 2]
        for one, place in zip(spine.vertebrae, spine.placements, strict=True)
    ]
    boxes = [
        place.to_patient(corners(*(one.body.bounds() if one.level == "S1" else one.box)))[:, 2]
        for one, place in zip(spine.vertebrae, spine.placements, strict=True)
    ]
    low, high = min(b.min() for b in boxes), max(max(e.max() for e in ends), max(b.max() for b in boxes))
    lower = np.array([-FIELD_HALF_WIDTH_MM, -FIELD_FRONT_MM, low - FIELD_ENDS_MM])
    upper = np.array([FIELD_HALF_WIDTH_MM, torso.back_mm + FIELD_AIR_MM, high + FIELD_ENDS_MM])
    if scanner.fov_mm is not None:
        return round_field(scanner, torso, float(lower[2]), float(upper[2]), world)
    box = world.to_patient(corners(lower, upper))
    first, last = box.min(axis=0), box.max(axis=0)
    spacing_xyz = np.array(scanner.spacing_zyx[::-1])
    count = np.ceil((last - first) / spacing_xyz - 1e-6).astype(int) + 1
    origin = 0.5 * (first + last) - 0.5 * (count - 1) * spacing_xyz
    return Grid(tuple(count[::-1]), origin, scanner.spacing_zyx)


def _background(grid: Grid, world: Placement, torso: Torso) -> AnyArray:
    hu = np.empty(grid.shape_zyx, dtype=np.float32)
    sampler = Sampler(grid, world)
    full = slice(0, grid.shape_zyx[1]), slice(0, grid.shape_zyx[2])
    if abs(abs(world.linear[2, 2]) - 1.0) < 1e-12 and grid.is_axis_aligned:
        if torso.bend is None and not np.isfinite(torso.chest_from_mm):
            hu[:] = torso.paint(sampler.coordinates((slice(0, 1), *full)))  # it does not change along an upright z
            return hu
        return upright_background(hu, sampler, torso)
    for start in range(0, grid.shape_zyx[0], _SLAB):
        slab = slice(start, min(start + _SLAB, grid.shape_zyx[0]))
        hu[slab] = torso.paint(sampler.coordinates((slab, *full)))
    return hu


def _paint_vertebra(
    hu: AnyArray, labels: AnyArray, parts: AnyArray, grid: Grid, spine: Spine, index: int, world: Placement
) -> None:
    one = spine.vertebrae[index]
    sampler = Sampler(grid, world_place(spine, index, world))
    lower, upper = one.box
    if index == spine.target:
        first, last = one.canal.bounds()
        lower, upper = np.minimum(lower, first), np.maximum(upper, last)
    box = sampler.box(lower, upper)
    if box is None:
        return
    p = sampler.coordinates(box)
    bone = one.value(p, sampler.select(box))
    labels[box][bone < 0] = level_id(one.level)
    inner = np.float32(spine.spec.trabecular_hu) + band_hu(one.body, p)
    paint = bone_hu(spine.spec.bone, one, p, bone, cortex_depth(one.body, p, bone), inner)
    paint_gaps(paint, one, p)
    paint_clot(hu[box], one.body, p)
    blend(hu[box], bone, paint, BONE_EDGE_MM)
    if index == spine.target:
        ids = one.parts(p, bone)
        if spine.spec.pose.mirror:
            swapped = ids.copy()
            swapped[ids == Part.PEDICLE_LEFT] = Part.PEDICLE_RIGHT
            swapped[ids == Part.PEDICLE_RIGHT] = Part.PEDICLE_LEFT
            ids = swapped
        parts[box] = ids
