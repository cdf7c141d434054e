"""Routes: the lines that are tried for each approach, and where their tips may end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.plan import PlanSettings
from trajplan.planning.search import Lines, directions_uvw, towards
from trajplan.planning.target import BESIDE_TIP_MM, docking_u_mm, target_zone, tip_limits_u_mm

BIPEDICULAR, UNIPEDICULAR, EXTRAPEDICULAR = "bipedicular", "unipedicular", "extrapedicular"

CROSSING_STEP_MM = 0.5
DIRECTION_STEP_DEG = 1.0

THORACIC = tuple(f"T{n}" for n in range(4, 13))
"""Levels at which an extrapedicular (costovertebral) path is tried: the rib head covers the way in there."""

_BEYOND_WALL_MM = 2.0
_LATERAL_MM = 6.0


@dataclass(frozen=True)
class Route:
    """One side and approach."""

    side: Side
    approach: str

    @property
    def beside(self) -> bool:
        """Whether the path enters the body beside the pedicle."""
        return self.approach == EXTRAPEDICULAR

    @property
    def to_midline(self) -> bool:
        """Whether one path alone has to fill both halves, so that its tip belongs near the midline."""
        return self.approach != BIPEDICULAR


def lines_of(
    route: Route,
    vertebra: Vertebra,
    settings: PlanSettings,
    step_mm: float = CROSSING_STEP_MM,
    step_deg: float = DIRECTION_STEP_DEG,
) -> Lines:
    """The crossings, directions and tip limits of a route, on a net of `step_mm` and `step_deg`.

    Raises
    ------
    AnatomyError
        ``body_too_small``, ``no_wall_line``.
    """
    flip = np.array([route.side.sign, 1.0, 1.0])
    zone = target_zone(vertebra, route.side, settings, route.to_midline)
    ideal = vertebra.frame.to_local(zone.ideal_lps) * flip
    tip_u = tip_limits_u_mm(route.to_midline)
    if route.beside:
        *limits, ideal[0] = BESIDE_TIP_MM
        tip_u = (limits[0], limits[1])
    crossings = (
        _beside(vertebra, route.side, step_mm) if route.beside else _through(vertebra, route.side, settings, step_mm)
    )
    directions = towards(directions_uvw(settings, step_deg), crossings, ideal)
    outline = vertebra.frame.to_local(vertebra.pedicles[route.side].outline_lps) * flip
    dock_u = float(outline[:, 0].max()) if route.beside else docking_u_mm(vertebra, route.side)
    return Lines(crossings, directions, ideal, zone.slope, zone.offset, tip_u, dock_u)


def _through(vertebra: Vertebra, side: Side, settings: PlanSettings, step: float) -> FloatArray:
    """Points of the isthmus section, `step` apart, as (side * u, v, w); shape (P, 3)."""
    pedicle = vertebra.pedicles[side]
    center = vertebra.frame.to_local(pedicle.isthmus_center_lps) * np.array([side.sign, 1.0, 1.0])
    half_u = max(pedicle.width_mm / 2 - settings.instrument.radius_mm / 2, step)
    half_w = max(pedicle.height_mm / 2 - settings.instrument.radius_mm / 2, step)
    u = np.arange(-np.ceil(half_u / step), np.ceil(half_u / step) + 1) * step
    w = np.arange(-np.ceil(half_w / step), np.ceil(half_w / step) + 1) * step
    uu, ww = np.meshgrid(u, w, indexing="ij")
    keep = (uu / half_u) ** 2 + (ww / half_w) ** 2 <= 1.05
    return np.asarray(center + np.stack([uu[keep], np.zeros(keep.sum()), ww[keep]], axis=1))


def _beside(vertebra: Vertebra, side: Side, step: float) -> FloatArray:
    """Points just in front of the posterior wall, from the root of the pedicle to the flank of the body, (P, 3)."""
    flip = np.array([side.sign, 1.0, 1.0])
    pedicle = vertebra.pedicles[side]
    outline = vertebra.frame.to_local(pedicle.outline_lps) * flip
    v = float(np.median(vertebra.frame.to_local(vertebra.posterior_wall_lps)[:, 1])) - _BEYOND_WALL_MM
    u = np.arange(outline[:, 0].min(), outline[:, 0].max() + _LATERAL_MM, 2 * step)
    w = np.arange(outline[:, 2].min(), outline[:, 2].max() + step, 2 * step)
    uu, ww = np.meshgrid(u, w, indexing="ij")
    return np.stack([uu.ravel(), np.full(uu.size, v), ww.ravel()], axis=1)
