"""Stacking vertebrae over their discs, along the curve of the spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray, unit
from trajplan_phantoms.build import Plan
from trajplan_phantoms.curve import SpineCurve, rotation

MIN_DISC_MM = 1.8
"""End-plate rims of neighbours come no closer than this; a curve that would is refused. It is a little more than the
diagonal of a 1 mm voxel, so that labels of neighbours do not touch, not even by a corner, up to 1 mm spacing."""


@dataclass(frozen=True, eq=False)
class Placement:
    """A rigid place: ``patient = linear @ own + origin``; `linear` is orthogonal."""

    linear: FloatArray
    origin: FloatArray

    def to_patient(self, points: ArrayLike) -> FloatArray:
        """(..., 3) own mm -> (..., 3) patient mm."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.linear.T + self.origin)

    def to_own(self, points: ArrayLike) -> FloatArray:
        """(..., 3) patient mm -> (..., 3) own mm."""
        return np.asarray((np.asarray(points, dtype=np.float64) - self.origin) @ self.linear)

    def then(self, linear: FloatArray, origin: FloatArray) -> Placement:
        """This placement followed by another."""
        return Placement(linear @ self.linear, linear @ self.origin + origin)


def stack(chain: list[Plan], target: int, curve: SpineCurve) -> list[Placement]:
    """Places of intact vertebrae, top to bottom, about the body centre of the target.

    The target stands upright in the sagittal plane; its lean and turn are those of the curve. Posterior walls are in
    line wherever the spine is straight.

    Parameters
    ----------
    chain : list of Plan
        Adjacent vertebrae, top to bottom.
    target : int
        Index into `chain`.
    curve : SpineCurve

    Raises
    ------
    InputError
        The curve would bring the rims of two end plates together.
    """
    lean, added, turn = curve.angles_deg(tuple(plan.level for plan in chain)).T
    bend = np.zeros(len(chain))
    for i in reversed(range(len(chain) - 1)):
        own = np.rad2deg(_slope(chain[i + 1]) + _slope(chain[i])) - chain[i].sizes.disc_below_deg
        bend[i] = bend[i + 1] + own + added[i] - added[i + 1]
    bend -= bend[target]
    places = [Placement(rotation(lean[-1], bend[-1], turn[-1]), np.zeros(3))]
    for i in reversed(range(len(chain) - 1)):
        places.append(_on_top(chain[i], chain[i + 1], rotation(lean[i], bend[i], turn[i]), places[-1]))
    places.reverse()
    middle = places[target].origin
    return [Placement(place.linear, place.origin - middle) for place in places]


def _slope(plan: Plan) -> float:
    """Angle, rad, of the superior end plate, + when it rises backwards; the inferior one has its negative."""
    return float(np.arctan(plan.body().intact.slope))


def _on_top(upper: Plan, lower: Plan, linear: FloatArray, below: Placement) -> Placement:
    low, up = lower.body().intact, upper.body().intact
    lift = below.linear @ np.array([0.0, -np.sin(_slope(lower)), np.cos(_slope(lower))])
    rest = linear @ np.array([0.0, np.sin(_slope(upper)), np.cos(_slope(upper))])
    gap = upper.sizes.disc_below_mm * upper.scale
    plate = below.to_patient([0.0, 0.0, 0.5 * low.height_mm]) + gap * unit(lift + rest)
    place = Placement(linear, plate - linear @ np.array([0.0, upper.wall_mm - lower.wall_mm, -0.5 * up.height_mm]))
    _check_disc(upper, lower, place, below)
    return place


def _check_disc(upper: Plan, lower: Plan, place: Placement, below: Placement) -> None:
    body = upper.body().intact
    angle = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    u, v = 0.5 * body.width_mm * np.sin(angle), 0.5 * body.depth_mm * np.cos(angle)
    rim = place.to_patient(np.stack([u, v, body.plates(u, v)[3]], axis=-1))
    q = below.to_own(rim)
    narrowest = float((q[:, 2] - lower.body().intact.plates(q[:, 0], q[:, 1])[2]).min())
    if narrowest < MIN_DISC_MM:
        raise InputError(
            f"the disc {upper.level}/{lower.level} would be {narrowest:.1f} mm high at its narrowest; "
            f"it needs {MIN_DISC_MM} mm: use a gentler curve or other disc sizes",
            code="disc_closed",
            numbers={"narrowest_mm": narrowest, "min_mm": MIN_DISC_MM},
        )
