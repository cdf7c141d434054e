"""Where the tip should end so that the balloon can do its work: anterior third, between the end plates."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.plan import PlanSettings
from trajplan.planning.room import best_tip, room_of

ANTERIOR_SHARE = 0.25
"""Ideal tip depth from the front as a share of the body's depth: well inside the anterior third (clinical rule 9)."""

MIN_WALL_POINTS = 3
"""Fewer points of the front or the posterior wall make no line."""

HEIGHT_DOUBT_MM = 1.3
"""Two voxels: what the height at one place is not known to."""

_THIRD_RESERVE_MM = 1.0
"""Kept from the border of the anterior third, so that perspective does not push the tip out on the lateral view."""


@dataclass(frozen=True, eq=False)
class TargetZone:
    """The ideal tip (LPS mm) and the border of the anterior third, ``v <= slope * w + offset`` in the vertebra frame.

    The border is that of the lateral view: a third of the way from the front of the body at the midline to its
    posterior wall, whatever the body's depth is where the tip is.
    """

    ideal_lps: FloatArray
    slope: float
    offset: float

    def behind_third_mm(self, v: FloatArray | float, w: FloatArray | float) -> FloatArray:
        """How far (v, w) is behind the anterior third, mm; <= 0 inside."""
        return np.asarray(np.asarray(v) - self.slope * np.asarray(w) - self.offset)


_TIPS: WeakKeyDictionary[Vertebra, dict[tuple[Side, float, PlanSettings], FloatArray]] = WeakKeyDictionary()
"""Tips of a vertebra that were found before, kept as long as it is; every approach asks for them several times."""


def target_zone(vertebra: Vertebra, side: Side, settings: PlanSettings, unipedicular: bool) -> TargetZone:
    """The tip position that serves the balloon best, before any wall is looked at, and how far back it may move.

    Bipedicular: half-way between pedicle and midline, both sides alike in distance, depth and height where both are
    known, so that the pair is symmetrical. Unipedicular: on the midline. Depth and height are those at which the
    largest balloon of the catalogue can be filled (`room.best_tip`), a quarter of the depth from the front and half-way
    between the end plates as they are there when that serves as well.

    Raises
    ------
    AnatomyError
        ``body_too_small`` when the body has no room there, ``vertebra_plana`` when it is too flat; ``no_wall_line``
        when its front or back is not known.
    """
    third = _third(vertebra)
    isthmus = {s: vertebra.frame.to_local(p.isthmus_center_lps) for s, p in vertebra.pedicles.items()}
    off_mm = 0.0 if unipedicular else 0.5 * float(np.mean([abs(at[0]) for at in isthmus.values()]))
    sides = [side] if unipedicular or len(isthmus) < 2 else list(Side)
    known = _TIPS.setdefault(vertebra, {})
    for s in sides:
        if (s, off_mm, settings) not in known:
            known[s, off_mm, settings] = _tip(vertebra, isthmus[s], s.sign * off_mm, third, settings)
    found = [known[s, off_mm, settings] for s in sides]
    v, w = np.mean([at[1:] for at in found], axis=0)
    v = min(float(v), third[0] * float(w) + third[1])
    return TargetZone(vertebra.frame.to_world([side.sign * off_mm, v, float(w)]), *third)


def _tip(
    vertebra: Vertebra, isthmus_uvw: FloatArray, u: float, third: tuple[float, float], settings: PlanSettings
) -> FloatArray:
    """The tip (u, v, w) at a distance from the midline."""
    body = room_of(vertebra).uvw
    strip = body[np.abs(body[:, 0] - u) < 3.0]
    core = strip[np.abs(strip[:, 2] - np.median(strip[:, 2])) < 3.0] if len(strip) else strip
    if len(core) < 50:
        raise AnatomyError(
            f"the vertebral body has no room {abs(u):.0f} mm from the midline",
            code="body_too_small",
            numbers={"voxels": float(len(core))},
        )
    front, back = np.percentile(core[:, 1], [1, 99])
    stand_off = settings.anterior_margin_mm + settings.instrument.radius_mm + 1.0
    v = front + max(stand_off, ANTERIOR_SHARE * (back - front))
    column = strip[np.abs(strip[:, 1] - v) < 3.0]
    if len(column) < 20:
        raise AnatomyError(
            "the vertebral body is too shallow for the anterior stand-off",
            code="body_too_small",
            numbers={"depth_mm": float(back - front), "stand_off_mm": stand_off},
        )
    low, high = np.percentile(column[:, 2], [2, 98])
    if high - low < least_height_mm(settings) - HEIGHT_DOUBT_MM:
        raise too_flat(vertebra, float(high - low), settings)
    w = float(low + high) / 2
    taught = np.array([u, min(float(v), third[0] * w + third[1]), w])
    room = settings.endplate_margin_mm + settings.instrument.radius_mm
    reach = ((front + stand_off, third[0] * w + third[1]), (float(low) + room, float(high) - room))
    return best_tip(vertebra, isthmus_uvw, taught, reach, third, front + (back - front) * 2 / 3, settings.balloons)


def least_height_mm(settings: PlanSettings) -> float:
    """Height of the body that the instrument needs between the end plates, with its margins, mm."""
    return settings.instrument.outer_diameter_mm + 2 * settings.endplate_margin_mm


def too_flat(vertebra: Vertebra, height_mm: float, settings: PlanSettings) -> AnatomyError:
    """``vertebra_plana``: the body is lower where the tip should end than the instrument with its margins."""
    need, loss = least_height_mm(settings), vertebra.heights.loss_percent
    lost = "" if loss is None else f" ({loss:.0f} % of its height is lost)"
    return AnatomyError(
        f"the body is {height_mm:.1f} mm high where the tip should end{lost}; the {settings.instrument.name} needle "
        f"with {settings.endplate_margin_mm:.1f} mm to either end plate needs {need:.1f} mm. A thinner instrument or a "
        "smaller end-plate margin may help; a flat vertebra may not be one to augment",
        code="vertebra_plana",
        numbers={"height_mm": height_mm, "needed_mm": need, **({} if loss is None else {"loss_percent": loss})},
    )


def height_at_mm(vertebra: Vertebra, tip_lps: FloatArray) -> float:
    """Height of the body between its end plates in a column of 3 mm about a tip, mm; 0 outside it."""
    body, tip = room_of(vertebra).uvw, vertebra.frame.to_local(tip_lps)
    column = body[np.abs(body[:, :2] - tip[:2]).max(axis=1) < 3.0, 2] if len(body) else np.zeros(0)
    return float(np.ptp(np.percentile(column, [2, 98]))) if len(column) else 0.0


def tip_limits_u_mm(unipedicular: bool) -> tuple[float, float]:
    """Least and greatest distance of the tip from the midline towards its own side, mm.

    The staged rule asks the same of the AP view: not across the midline, unipedicular within 5 mm of it. One
    millimetre is kept from either, as perspective moves the tip on the view.
    """
    return (-4.0, 4.0) if unipedicular else (1.0, np.inf)


BESIDE_TIP_MM = (1.0, 6.0, 2.5)
"""Least, greatest and ideal distance of an extrapedicular tip from the midline, on its own side, mm."""


def docking_u_mm(vertebra: Vertebra, side: Side) -> float:
    """Least distance of the entry from the midline, mm: the middle of the pedicle (docks on its lateral half on AP)."""
    outline = vertebra.frame.to_local(vertebra.pedicles[side].outline_lps)[:, 0] * side.sign
    return float(outline.min() + outline.max()) / 2


def _third(vertebra: Vertebra) -> tuple[float, float]:
    """Border of the anterior third as v = slope * w + offset, from the front and back wall points."""
    for name, points in (("front", vertebra.anterior_wall_lps), ("posterior wall", vertebra.posterior_wall_lps)):
        if len(points) < MIN_WALL_POINTS or not np.isfinite(points).all():
            raise AnatomyError(
                f"the {name} of the body is known at {len(points)} points, at least {MIN_WALL_POINTS} are needed to "
                "say where its anterior third is: check the mask",
                code="no_wall_line",
                numbers={"points": float(len(points)), "needed": float(MIN_WALL_POINTS)},
            )
    front = _wall_line(vertebra.frame.to_local(vertebra.anterior_wall_lps), 90.0)
    back = _wall_line(vertebra.frame.to_local(vertebra.posterior_wall_lps), 10.0)
    slope, offset = front + (back - front) / 3
    return float(slope), float(offset) - _THIRD_RESERVE_MM


def _wall_line(points_uvw: FloatArray, percentile: float) -> FloatArray:
    """(slope, offset) of v over w, shifted so that `percentile` of the points lie anterior of the line."""
    v, w = points_uvw[:, 1], points_uvw[:, 2]
    slope = float(np.polyfit(w, v, 1)[0]) if np.ptp(w) > 2 else 0.0
    return np.array([slope, float(np.percentile(v - slope * w, percentile))])
