"""Anterior, middle and posterior height of a body from six points: two end-plate points in each of three places."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from trajplan.anatomy.endplates import column_ends
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray, frozen

MIDDLE_HALF_MM, RIM_HALF_MM = 2.5, 5.0
"""Half the midsagittal slab: in the middle a dish under a broken end plate is lost in a wider one; at the rims a beak
in the midline is outvoted only in a wider one."""

ANTERIOR_PLACE, POSTERIOR_PLACE = 0.06, 0.895
"""Where the end heights stand between front and posterior wall. The front is that of the waist, about 5 % of the depth
behind the end plates' rim: these are a tenth and nine tenths of the end plates."""

ANTERIOR_BAND, POSTERIOR_BAND = (0.03, 0.17), (0.79, 0.935)
"""Columns that the line through either end plate is fitted to; the rounded rims are left out."""

PLATEAU_MM = 4.0
FRONT_SHARE, BACK_SHARE = 0.5, 0.8
"""Front and back are where the bone in a column reaches this share of what it is 4 mm further in: lips, beaks and
osteophytes are thinner and stand outside, however much the body is wedged; so does a wall that bulges behind."""

MIDDLE_BAND = (0.38, 0.62)
MIDDLE_PLACES = (0.44, 0.56)
"""A parabola is fitted over the band; the middle height is its least over these places."""

PLACES = ("anterior", "middle", "posterior")


@dataclass(frozen=True)
class BodyHeights:
    """Heights and depth of one body, mm, and the six points (u, v, w) they stand on, where known.

    `points_uvw`, shape (6, 3): anterior, middle and posterior, each superior then inferior.
    """

    ha_mm: float
    hm_mm: float
    hp_mm: float
    depth_mm: float
    points_uvw: FloatArray | None = field(default=None, compare=False)

    def points_lps(self, frame: Frame) -> FloatArray:
        """The six points in LPS mm.

        Raises
        ------
        AnatomyError
            ``no_heights`` for heights that were not measured on points.
        """
        if self.points_uvw is None:
            raise AnatomyError(
                "these heights stand on no points. Measure them on a mask or from six points",
                code="no_heights",
                numbers={},
            )
        return frame.to_world(self.points_uvw)

    @property
    def values_mm(self) -> FloatArray:
        """The three heights, mm: anterior, middle, posterior."""
        return np.array([self.ha_mm, self.hm_mm, self.hp_mm])


def heights_from_points(six_points_lps: ArrayLike, frame: Frame) -> BodyHeights:
    """Heights from six points that a person may have moved.

    Parameters
    ----------
    six_points_lps : array_like, shape (6, 3)
        Anterior, middle and posterior, each superior then inferior; LPS mm.
    frame : Frame
        Heights are taken along its w.

    Raises
    ------
    AnatomyError
        ``height_points_invalid`` when they are not six finite points or a superior one is not above its inferior one.

    Examples
    --------
    >>> f = Frame((0.0, 0.0, 0.0), np.eye(3))
    >>> points = [[0, -14, 8], [0, -14, -9], [0, 0, 10], [0, 0, -9], [0, 14, 12], [0, 14, -12]]
    >>> heights_from_points(points, f).values_mm.tolist()
    [17.0, 19.0, 24.0]
    """
    try:
        points = frame.to_local(frozen(six_points_lps, (6, 3)))
    except ValueError as error:
        raise AnatomyError(
            f"the height points must be six points in LPS mm: {error}", code="height_points_invalid", numbers={}
        ) from error
    return _standing_on(points)


def _standing_on(points_uvw: FloatArray) -> BodyHeights:
    heights = points_uvw[0::2, 2] - points_uvw[1::2, 2]
    if not np.all(heights > 0):
        worst = int(np.argmin(heights))
        raise AnatomyError(
            f"the {PLACES[worst]} height is {heights[worst]:.1f} mm: its superior point must lie above its inferior "
            "point. Move the points",
            code="height_points_invalid",
            numbers={"height_mm": float(heights[worst])},
        )
    middles = points_uvw[0::2, 1] + points_uvw[1::2, 1]
    depth = 0.5 * float(middles[2] - middles[0]) / (POSTERIOR_PLACE - ANTERIOR_PLACE)
    ha, hm, hp = (float(h) for h in heights)
    return BodyHeights(ha, hm, hp, depth, points_uvw)


def measure_heights(
    body: BoolArray, share: Float32Array, axes_mm: tuple[FloatArray, FloatArray, FloatArray]
) -> BodyHeights:
    """Heights along w of a body on its [w, v, u] frame grid, from the 0.5 crossings of the occupancy `share`.

    Each end plate is the median over a slab |u| <= 5 mm (2.5 mm in the middle), and there a line along v (in the
    middle a parabola).
    Lips and osteophytes lie outside the places, which are shares of the way between the front and the posterior wall.

    Raises
    ------
    AnatomyError
        ``no_heights`` when the midsagittal slab holds less than 10 mm of body.
    """
    u_mm, v_mm, w_mm = axes_mm
    step = float(u_mm[1] - u_mm[0])
    slab = np.abs(u_mm) <= RIM_HALF_MM
    narrow = np.abs(u_mm[slab]) <= MIDDLE_HALF_MM
    core = body[:, :, slab]
    front, back = _front_and_back(core.sum(axis=0).mean(axis=1) * step, v_mm)
    depth = back - front
    if not depth >= 10:
        raise AnatomyError(
            f"the body is only {depth:.1f} mm deep in the midsagittal slab: heights cannot be measured. Check the mask",
            code="no_heights",
            numbers={"depth_mm": depth},
        )
    place = (v_mm - front) / depth
    rows = np.flatnonzero((place > 0) & (place < 1))
    ends = column_ends(core[:, rows], share[:, rows][:, :, slab], w_mm)
    rims, middle = [_profile(end) for end in ends], [_profile(end[:, narrow]) for end in ends]
    place = place[rows]
    points = []
    for at, band, degree in (
        (ANTERIOR_PLACE, ANTERIOR_BAND, 1),
        (None, MIDDLE_BAND, 2),
        (POSTERIOR_PLACE, POSTERIOR_BAND, 1),
    ):
        use = (place >= band[0]) & (place <= band[1])
        upper, lower = (np.polyfit(place[use], end[use], degree) for end in (middle if at is None else rims))
        if at is None:
            trial = np.linspace(*MIDDLE_PLACES, 25)
            at = float(trial[np.argmin(np.polyval(upper - lower, trial))])
        v = front + at * depth
        points += [[0.0, v, float(np.polyval(upper, at))], [0.0, v, float(np.polyval(lower, at))]]
    found = _standing_on(np.array(points))
    return BodyHeights(found.ha_mm, found.hm_mm, found.hp_mm, depth, found.points_uvw)


def _front_and_back(filled_mm: FloatArray, v_mm: FloatArray) -> tuple[float, float]:
    """v (mm) of the front and the back of a body whose columns hold `filled_mm` of bone; NaN where there is none."""
    step = float(v_mm[1] - v_mm[0])
    inward = max(1, round(PLATEAU_MM / step))
    padded = np.pad(filled_mm, inward)
    wide = filled_mm - FRONT_SHARE * padded[2 * inward :], filled_mm - BACK_SHARE * padded[: -2 * inward]
    solid = filled_mm > 5.0
    ends = []
    for excess, order in ((wide[0], 1), (wide[1], -1)):
        inside = np.flatnonzero((excess >= 0) & solid)[::order]
        if not len(inside):
            return float("nan"), float("nan")
        k = int(inside[0])
        before = excess[k - order] if 0 <= k - order < len(excess) else -excess[k]
        share = excess[k] / (excess[k] - before) if before < 0 else 0.5
        ends.append(float(v_mm[k]) - order * step * float(share))
    return ends[0], ends[1]


def _profile(end_mm: FloatArray) -> FloatArray:
    """Median over u of an end-plate map (v, u); a row without any column takes its neighbours' line."""
    filled = np.isfinite(end_mm).any(axis=1)
    rows = np.flatnonzero(filled)
    values = np.nanmedian(end_mm[filled], axis=1)
    return np.asarray(np.interp(np.arange(len(end_mm)), rows, values))
