"""Inflate: balloons filled together in equal steps until each is stopped; end plates go with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from trajplan.augmentation.balloon_shape import free_shape
from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.envelope import Envelope, across_axis
from trajplan.augmentation.inflation import WALLS, Inflation, InflationStep
from trajplan.augmentation.lift import Lift, lifted, no_lift
from trajplan.augmentation.missing_height import Missing
from trajplan.augmentation.packed_bone import packed
from trajplan.augmentation.room import ANGLES, REACH_MM, SLICE_MM, Room, room_about
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.surface import WallDistance
from trajplan.parts import Side
from trajplan.planning.instruments import Balloon

CORTEX = WALLS[:3]
"""Walls that stop a balloon; end plates are what it bears on."""

OTHER = "other balloon"
MEETING_MM = 0.75
"""Nearer than this two balloons count as met: the march in their rooms is a quarter of a millimetre each."""

_VOLUME_SHARE = 0.002
_REACHED_MM = 0.2


@dataclass(frozen=True, eq=False)
class Mount:
    """A balloon in place: the middle of its markers, its axis to the tip, and where the cannula ends before it."""

    side: Side
    balloon: Balloon
    center_lps: FloatArray
    axis_lps: FloatArray
    cannula_z_mm: float

    @property
    def markers(self) -> Capsule:
        """The axis between both markers, as thick as the folded balloon."""
        half = 0.5 * self.balloon.length_mm * self.axis_lps
        return Capsule(self.center_lps - half, self.center_lps + half, self.balloon.folded_diameter_mm / 2)


@dataclass(frozen=True, eq=False)
class Inflated:
    """All balloons that could be filled at all, how far the end plates went (first none, then one a round), notes."""

    inflations: tuple[Inflation, ...]
    lifts: tuple[Lift, ...]
    notes: tuple[str, ...]


@dataclass
class _Filling:
    """One balloon on its way."""

    mount: Mount
    room: Room
    most_ml: float
    steps: list[InflationStep] = field(default_factory=list)
    stop: str = ""
    why: str = ""

    def end(self, stop: str, why: str) -> None:
        """Stopped: nothing more is filled."""
        self.stop, self.why = stop, why


def inflate(
    block: BodyBlock,
    missing: Missing | None,
    mounts: tuple[Mount, ...],
    settings: AugmentationSettings,
    bound_ml: float = math.inf,
) -> Inflated:
    """Fill every balloon by `step_ml` a round until each is stopped.

    A balloon is stopped before a round that would bring it to a cortex (anterior, lateral, posterior), at its maximum
    volume, before all cavities together exceed `bound_ml`, where bone leaves no room for more, or once the end plates
    have regained all that they may.
    """
    walls = tuple(block.wall_distance(k) for k in range(len(WALLS)))
    fillings = [_begin(block, mount, mounts, missing, settings) for mount in mounts]
    lifts = [no_lift(block)]
    volume = 0.0
    while any(not f.stop for f in fillings):
        volume += settings.step_ml
        if _total_ml(fillings, volume) > bound_ml + 1e-9:
            for f in fillings:
                if not f.stop:
                    f.end(
                        "cement bound", f"more would be beyond the proposed {bound_ml:.1f} ml of cement for this body"
                    )
        for f in fillings:
            if not f.stop:
                _fill(block, f, walls, volume, settings)
        if all(f.stop for f in fillings):
            break  # nothing was filled in this round
        now = tuple(f.steps[-1].envelope for f in fillings if f.steps)
        lifts.append(lifts[-1] if missing is None else lifted(block, missing, now, lifts[-1]))
        if missing is not None and _all_regained(block, missing, lifts[-1]):
            for f in fillings:
                if not f.stop:
                    f.end("height reached", "the end plates have regained all that they may be lifted")
    for f in fillings:
        _mark_meeting(block, f, fillings)
    made = tuple(
        Inflation(f.mount.side, f.mount.balloon, tuple(f.steps), f.stop, f.why, _strict(f)) for f in fillings if f.steps
    )
    empty = tuple(
        f"The {f.mount.side.value} balloon cannot be filled at all: {f.why}." for f in fillings if not f.steps
    )
    return Inflated(made, tuple(lifts), empty)


def _total_ml(fillings: list[_Filling], volume_ml: float) -> float:
    """Volume of all balloons at the end of a round that brings those not stopped to `volume_ml`."""
    return sum(volume_ml if not f.stop else f.steps[-1].volume_ml for f in fillings if not f.stop or f.steps)


def _begin(
    block: BodyBlock, mount: Mount, mounts: tuple[Mount, ...], missing: Missing | None, settings: AugmentationSettings
) -> _Filling:
    others = tuple(m.markers for m in mounts if m is not mount)
    room = room_about(block, mount.center_lps, across_axis(mount.axis_lps), mount.cannula_z_mm, missing, others)
    most = mount.balloon.volume_ml
    return _Filling(mount, room, most if settings.max_volume_ml is None else min(most, settings.max_volume_ml))


def _fill(
    block: BodyBlock, f: _Filling, walls: tuple[WallDistance, ...], volume_ml: float, settings: AugmentationSettings
) -> None:
    """One more step, or the reason why not."""
    if volume_ml > f.most_ml + 1e-9:
        f.end("maximum volume", f"{f.most_ml:.1f} ml is the most for the {f.mount.balloon.name} balloon")
        return
    envelope = grown(f.mount.balloon, f.room, volume_ml)
    if envelope is None:
        f.end("no room", f"the bone packed against the walls leaves no room for {volume_ml:.1f} ml")
        return
    nearest = _nearest(block, walls, envelope, f.steps[-1].nearest_mm if f.steps else {})
    touched = tuple(name for name, mm in nearest.items() if mm <= settings.contact_mm)
    met = [name for name in touched if name in CORTEX]
    if met and not settings.past_contact:
        f.end("contact", f"with {volume_ml:.1f} ml it would come to {nearest[met[0]]:.1f} mm of the {met[0]} wall")
        return
    f.steps.append(
        InflationStep(
            volume_ml, envelope, envelope.diameter_mm, envelope.length_mm, envelope.volume_ml, nearest, touched
        )
    )


def grown(balloon: Balloon, room: Room, volume_ml: float) -> Envelope | None:
    """The balloon that holds `volume_ml` in this room; None where there is no such room."""
    low, high = 0.0, 3 * REACH_MM
    radius = np.zeros(room.free_mm.shape)
    for _ in range(40):
        middle = 0.5 * (low + high)
        radius = room.radius_mm(free_shape(balloon, middle).radius_at(room.z_mm))
        if _volume_ml(radius) < volume_ml:
            low = middle
        else:
            high = middle
        if high - low < 1e-4:
            break
    radius = room.radius_mm(free_shape(balloon, high).radius_at(room.z_mm))
    if _volume_ml(radius) < (1 - _VOLUME_SHARE) * volume_ml:
        return None
    return Envelope(room.center_lps, room.axes_lps, room.z_mm, radius)


def _volume_ml(radius_mm: FloatArray) -> float:
    return float(np.square(radius_mm).sum()) * math.pi / ANGLES * SLICE_MM / 1000


def _nearest(
    block: BodyBlock, walls: tuple[WallDistance, ...], envelope: Envelope, before: Mapping[str, float]
) -> dict[str, float]:
    """Least distance of the surface to each wall, mm, never over-stated; negative beyond where the bone ended.

    No wall is farther than it was `before`, when the balloon was smaller: that spares most of the search.
    """
    points = envelope.surface_lps()[envelope.radius_mm > 0]
    beyond = ~block.in_bone(points)
    at = block.frame.to_local(points)
    middle = 0.5 * (block.map_at(block.top_mm, at[:, 0], at[:, 1]) + block.map_at(block.bottom_mm, at[:, 0], at[:, 1]))
    over, under = beyond & (at[:, 2] > middle), beyond & (at[:, 2] < middle)
    found = {}
    for name, wall in zip(WALLS, walls, strict=True):
        if wall.exists:
            passed = over if name == WALLS[3] else under if name == WALLS[4] else np.zeros(len(points), dtype=bool)
            known = before.get(name, np.inf)
            near = float(wall.signed(points, ~passed, max(known, 0.0) + 1.0).min())
            found[name] = min(known, near)
    return found


def _mark_meeting(block: BodyBlock, f: _Filling, fillings: list[_Filling]) -> None:
    """Note each step at which the layers of bone packed about both balloons meet."""
    for k, step in enumerate(f.steps):
        for other in fillings:
            if other is f or len(other.steps) <= k:
                continue
            own = packed(block, step.envelope)
            skin = own.surface_lps()[own.radius_mm > 0]
            if packed(block, other.steps[k].envelope).contains(skin, MEETING_MM).any():
                f.steps[k] = replace(step, contact=(*step.contact, OTHER))


def _strict(f: _Filling) -> float | None:
    """Volume before the first step that touches anything but the other balloon."""
    before = 0.0
    for step in f.steps:
        if any(name != OTHER for name in step.contact):
            return before
        before = step.volume_ml
    return before if f.stop == "contact" else None


def _all_regained(block: BodyBlock, missing: Missing, lift: Lift) -> bool:
    """Whether the end plates have gone as far as they may; False where they may not go anywhere."""
    foot = block.columns.footprint
    may = (missing.top_mm + missing.bottom_mm)[foot]
    left = may - (lift.top_mm + lift.bottom_mm)[foot]
    return bool(may.max() >= _REACHED_MM and left.max() < _REACHED_MM)
