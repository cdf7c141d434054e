"""The isthmus of each pedicle: where it is narrowest, which way it runs, how wide and high it is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.coronal import coarse_center
from trajplan.anatomy.section import Section, clipped_centroid, cut
from trajplan.anatomy.vertebra import Pedicle
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, Grid
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray, unit
from trajplan.parts import Side

REACH_MM = 6.0
STEP_MM = 0.5
LEAST_REACH_MM, AXIS_REACH_MM = 2.0, 3.0
NECK_AREA = 1.08
FLARE, WIDEST = 0.11, 4.0
"""A section 11 % wider than the least weighs 1 / e of it in the place of the isthmus, one 44 % wider nothing."""

HINDWARD_PER_MM = 0.01
SIZE_REACH_MM = 1.5
ROUNDS = 4
MAX_GROWTH = 1.04
"""A new place and axis whose section is more than this larger lead away from the isthmus, into a process."""

SETTLED_DEG = 0.6
CONVERGENCE_TRIALS_DEG = (-10.0, 0.0, 10.0, 20.0, 30.0, 40.0)
CRANIOCAUDAL_TRIALS_DEG = (-20.0, -10.0, 0.0, 10.0, 20.0)
AHEAD_TRIALS_MM, AHEAD_FROM_DEG, AHEAD_LEVEL_DEG = (3.0, 6.0), 20.0, 10.0
GAIN_AHEAD_PER_MM = 0.05
"""The pars behind a pedicle that converges may be narrower than it: of two necks the front one counts as 5 % less for
every mm."""

MAX_CONVERGENCE_DEG = (-20.0, 45.0)
MAX_CRANIOCAUDAL_DEG = 30.0
MAX_DRIFT_MM = 8.0


@dataclass(frozen=True, eq=False)
class Isthmus:
    """The isthmus section of one side and how far the pedicle keeps its girth in front of and behind it (mm).

    `width_mm` and `height_mm` are medians over the neck about the section: a single one feels the voxels.
    """

    side: Side
    section: Section
    anterior_mm: float
    posterior_mm: float
    width_mm: float
    height_mm: float

    def pedicle(self) -> Pedicle:
        """The shared record of this isthmus."""
        s = self.section
        return Pedicle(self.side, s.center_lps, s.axis_lps, self.width_mm, self.height_mm, s.outline_lps)


def find_isthmus(
    side: Side,
    share: Float32Array,
    grid: Grid,
    frame: Frame,
    bone: BoolArray,
    hole: BoolArray,
    axes_mm: tuple[FloatArray, FloatArray, FloatArray],
) -> Isthmus:
    """The isthmus of one side.

    Coronal planes give the place; of a fan of directions from it that with the least section gives the first axis.
    Then, in turn, in planes normal to the axis: the place of least area, and the axis as the line through the centroids
    of the sections of the neck, each clipped to the isthmus outline so that neither the body nor a process can bend it.

    Parameters
    ----------
    share, grid : occupancy of the target on its axis-aligned grid (world).
    bone, hole : ndarray of bool, shape (w, v, u)
        Target and ring canal on the frame grid whose u, v, w coordinates (mm) are `axes_mm`.

    Raises
    ------
    AnatomyError
        ``no_pedicle`` when no bone borders the canal on this side or the isthmus runs away from it.
    """
    section = _best_direction(side, share, grid, frame, frame.to_world(coarse_center(side, bone, hole, axes_mm)))
    if section is None:
        raise _lost(side, float("nan"))
    start = section.center_lps
    anterior = posterior = REACH_MM
    least_mm2 = section.area_mm2
    for _ in range(ROUNDS):
        s_mm, sections = _sections_along(share, grid, frame, section)
        area = np.array([x.area_mm2 for x in sections])
        at, neck = _narrowest(area, s_mm)
        anterior, posterior = _girth_limits(s_mm - at, area)
        narrow = cut(share, grid, section.center_lps + at * section.axis_lps, section.axis_lps, frame.w)
        if narrow is None:
            break
        axis = _axis(side, share, grid, frame, narrow, (neck[0] - at, neck[1] - at))
        moved = cut(share, grid, narrow.center_lps, axis, frame.w)
        if moved is None or moved.area_mm2 > MAX_GROWTH * least_mm2:
            break
        least_mm2 = min(least_mm2, moved.area_mm2)
        turned = float(np.degrees(np.arccos(np.clip(axis @ section.axis_lps, -1.0, 1.0))))
        section = moved
        if turned < SETTLED_DEG:
            break
    drift = float(np.linalg.norm(section.center_lps - start))
    if drift > MAX_DRIFT_MM:
        raise _lost(side, drift)
    return Isthmus(side, section, anterior, posterior, *_size(share, grid, frame, section))


def axis_from_angles(side: Side, frame: Frame, convergence_deg: float, craniocaudal_deg: float) -> FloatArray:
    """Unit LPS vector pointing anterior; convergence is towards the midline, craniocaudal + is caudal going forward."""
    c, k = np.radians(convergence_deg), np.radians(craniocaudal_deg)
    return frame.direction_to_world(unit([-side.sign * np.tan(c), -1.0, -np.tan(k)]))


def _angles(side: Side, frame: Frame, axis_lps: FloatArray) -> tuple[float, float]:
    """(convergence, craniocaudal) in degrees of an axis that points anterior."""
    u, v, w = frame.direction_to_local(axis_lps)
    return float(np.degrees(np.arctan2(-side.sign * u, -v))), float(np.degrees(np.arctan2(-w, -v)))


def _best_direction(side: Side, share: Float32Array, grid: Grid, frame: Frame, center: FloatArray) -> Section | None:
    """The section of least area through `center` over a fan of directions, or ahead of it on those that converge.

    Coronal planes cut a pedicle that converges by 30 degrees, as at L5, together with the body; their least section
    then lies behind it, in the pars.
    """
    fan = [
        (axis_from_angles(side, frame, a, b), ahead)
        for a in CONVERGENCE_TRIALS_DEG
        for b in CRANIOCAUDAL_TRIALS_DEG
        for ahead in (0.0, *AHEAD_TRIALS_MM)
        if ahead == 0.0 or (a >= AHEAD_FROM_DEG and abs(b) <= AHEAD_LEVEL_DEG)
    ]
    trials = [
        (found.area_mm2 * np.exp(-GAIN_AHEAD_PER_MM * ahead), found)
        for axis, ahead in fan
        if (found := cut(share, grid, center + ahead * axis, axis, frame.w)) is not None
    ]
    return min(trials, key=lambda t: t[0], default=(0.0, None))[1]


def _sections_along(share: Float32Array, grid: Grid, frame: Frame, middle: Section) -> tuple[FloatArray, list[Section]]:
    """Sections normal to the axis of `middle`, outwards from it until the area has tripled or the bone ends."""
    found = {0: middle}
    axis = middle.axis_lps
    for direction in (-1, 1):
        for k in range(1, round(REACH_MM / STEP_MM) + 1):
            here = middle.center_lps + direction * k * STEP_MM * axis
            section = cut(share, grid, here, axis, frame.w)
            if section is None or section.area_mm2 > 3.0 * middle.area_mm2:
                break
            found[direction * k] = section
    order = sorted(found)
    return STEP_MM * np.array(order, dtype=float), [found[k] for k in order]


def _narrowest(area: FloatArray, s_mm: FloatArray) -> tuple[float, tuple[float, float]]:
    """Place (mm along the axis) of the isthmus, and the ends of its neck: where the area is at most 8 % more.

    A neck is flat along its axis and its bare minimum wanders by millimetres with the voxels of the mask. So the place
    is the centroid of narrowness: each section weighs by how little wider than the least it is. At L5 the neck widens
    by 2 or 3 % over as many millimetres towards the body and at once into the processes behind; there the hind one of
    two like sections counts for a little more.
    """
    first, last = _valley(area, s_mm, NECK_AREA)
    tilted = area * np.exp(HINDWARD_PER_MM * s_mm)
    front, back = _valley(tilted, s_mm, 1 + WIDEST * FLARE)
    wider = tilted[front : back + 1] / tilted[front : back + 1].min() - 1
    weight = np.maximum(np.exp(-wider / FLARE) - np.exp(-WIDEST), 0.0)
    return float(weight @ s_mm[front : back + 1] / weight.sum()), (float(s_mm[first]), float(s_mm[last]))


def _valley(area: FloatArray, s_mm: FloatArray, ratio: float) -> tuple[int, int]:
    """First and last section of the run about the least one whose area is at most `ratio` times it."""
    least = first = last = int(np.argmin(area / area.min() + 0.02 * np.abs(s_mm)))
    narrow = area <= ratio * area[least]
    while first > 0 and narrow[first - 1]:
        first -= 1
    while last < len(area) - 1 and narrow[last + 1]:
        last += 1
    return first, last


def _size(share: Float32Array, grid: Grid, frame: Frame, section: Section) -> tuple[float, float]:
    """Width and height: medians over the sections within 1.5 mm that are at most 8 % larger than `section`."""
    sizes = [(section.width_mm, section.height_mm)]
    for s in np.arange(-SIZE_REACH_MM, SIZE_REACH_MM + 0.1, STEP_MM):
        near = cut(share, grid, section.center_lps + s * section.axis_lps, section.axis_lps, frame.w)
        if near is not None and near.area_mm2 <= NECK_AREA * section.area_mm2:
            sizes.append((near.width_mm, near.height_mm))
    width, height = np.median(np.array(sizes), axis=0)
    return float(width), float(height)


def _axis(
    side: Side, share: Float32Array, grid: Grid, frame: Frame, section: Section, neck_mm: tuple[float, float]
) -> FloatArray:
    """Line through the clipped centroids over the neck, 2 to 3 mm each way, kept within anatomical angles."""
    ahead, behind = (float(np.clip(x, LEAST_REACH_MM, AXIS_REACH_MM)) for x in (neck_mm[1], -neck_mm[0]))
    place = np.arange(-behind, ahead + 0.1, STEP_MM)
    middles = np.array([clipped_centroid(share, grid, section, s) for s in place])
    slope = np.polyfit(place, middles, 1)[0]
    axis = unit(section.axis_lps + slope[0] * section.across_lps + slope[1] * section.along_lps)
    convergence, craniocaudal = _angles(side, frame, axis)
    return axis_from_angles(
        side,
        frame,
        float(np.clip(convergence, *MAX_CONVERGENCE_DEG)),
        float(np.clip(craniocaudal, -MAX_CRANIOCAUDAL_DEG, MAX_CRANIOCAUDAL_DEG)),
    )


def _girth_limits(s_mm: FloatArray, area: FloatArray) -> tuple[float, float]:
    """How far in front of (+) and behind (-) the isthmus the area stays below 1.5 times its least, 3..8 mm."""
    wide = area > 1.5 * area.min()
    ends = (s_mm[0], s_mm[-1])
    ahead = min((float(s) for s in s_mm[wide & (s_mm > 0)]), default=float(ends[1]))
    behind = min((float(-s) for s in s_mm[wide & (s_mm < 0)]), default=float(-ends[0]))
    return float(np.clip(ahead, 3.0, 8.0)), float(np.clip(behind, 3.0, 8.0))


def _lost(side: Side, drift_mm: float) -> AnatomyError:
    return AnatomyError(
        f"the {side.value} pedicle has no isthmus: its least section lies {drift_mm:.1f} mm from where bone borders "
        f"the canal (limit {MAX_DRIFT_MM:.0f} mm). Check the mask there",
        code="no_pedicle",
        numbers={"drift_mm": drift_mm, "limit_mm": MAX_DRIFT_MM},
    )
