"""Where the tip should end so that the balloon can do its work: anterior third, between the end plates."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Part, Side
from trajplan.planning.plan import PlanSettings

ANTERIOR_SHARE = 0.25
"""Ideal tip depth from the front as a share of the body's depth: well inside the anterior third (clinical rule 9)."""

MIN_WALL_POINTS = 3
"""Fewer points of the front or the posterior wall make no line."""

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


_BODIES: WeakKeyDictionary[Vertebra, FloatArray] = WeakKeyDictionary()


def body_uvw(vertebra: Vertebra) -> FloatArray:
    """Voxel centres of the body as (u, v, w) mm, shape (N, 3); kept as long as the vertebra is."""
    if vertebra not in _BODIES:
        grid = vertebra.parts.grid
        voxels = grid.index_to_world(np.argwhere(vertebra.parts.array == Part.BODY))
        _BODIES[vertebra] = vertebra.frame.to_local(voxels)
    return _BODIES[vertebra]


def target_zone(vertebra: Vertebra, side: Side, settings: PlanSettings, unipedicular: bool) -> TargetZone:
    """The tip position that serves the balloon best, before any wall is looked at, and how far back it may move.

    Bipedicular: half-way between pedicle and midline. Unipedicular: on the midline. Mid-height between the end plates
    as they are at that place, so below a depressed one.

    Raises
    ------
    AnatomyError
        ``body_too_small`` when the body has no room there (vertebra plana); ``no_wall_line`` when its front or back is
        not known.
    """
    body = body_uvw(vertebra)
    isthmus_u = float(vertebra.frame.to_local(vertebra.pedicles[side].isthmus_center_lps)[0])
    u = 0.0 if unipedicular else 0.5 * isthmus_u
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
    w = float(low + high) / 2
    slope, offset = _third(vertebra)
    v = min(float(v), slope * w + offset)
    return TargetZone(vertebra.frame.to_world([u, v, w]), slope, offset)


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
