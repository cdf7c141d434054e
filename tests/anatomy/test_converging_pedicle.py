"""A pedicle that converges by 38 degrees, as at L5, with a pars behind it that is narrower than the pedicle itself."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.coronal import coarse_center
from trajplan.anatomy.pedicles import find_isthmus
from trajplan.geometry import Frame, Grid
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray, unit
from trajplan.parts import Side

STEP_MM = 0.75
GRID = Grid((49, 81, 121), np.array([-45.0, -6.0, -18.0]), np.full(3, STEP_MM), np.eye(3))
FRAME = Frame(np.zeros(3), np.eye(3))
AXES_MM = tuple(o + STEP_MM * np.arange(n) for o, n in zip(GRID.origin_lps, reversed(GRID.shape_zyx), strict=True))
FROM, TO = np.array([15.0, 9.0]), np.array([25.0, 22.0])
"""Where the pedicle's axis starts in the body and ends at the pars: (distance from the midline, v) in mm."""


def rod(away: FloatArray, v: FloatArray, w: FloatArray, a: FloatArray, b: FloatArray, radii: FloatArray) -> FloatArray:
    """Occupancy of a flat rod from a to b in the plane (away from the midline, v); radii in it and in w."""
    d = b - a
    p = np.stack([away - a[0], v - a[1]], axis=-1)
    beside = p - np.clip(p @ d / (d @ d), 0.0, 1.0)[..., None] * d
    return np.asarray(np.sqrt((beside**2).sum(axis=-1) / radii[0] ** 2 + w**2 / radii[1] ** 2))


def arch(pars_mm: float) -> tuple[Float32Array, BoolArray]:
    """Share and canal of a body with two pedicles, transverse processes, a pars of the given radius and a lamina."""
    u, v, w = np.moveaxis(GRID.points_lps(), -1, 0)
    away = np.abs(u)
    rods = [
        (FROM, TO, (7.5, 10.0)),
        (np.array([26.0, 20.0]), np.array([44.0, 22.0]), (6.0, 8.0)),
        (np.array([24.0, 20.0]), np.array([22.0, 36.0]), (pars_mm, 8.0)),
        (np.array([22.0, 36.0]), np.array([0.0, 40.0]), (5.0, 10.0)),
    ]
    body = np.sqrt((away / 27) ** 4 + ((v + 2) / 16) ** 4 + (w / 14) ** 4)
    nearest = np.min([body, *(rod(away, v, w, a, b, np.array(r)) for a, b, r in rods)], axis=0)
    share = np.clip(5 * (1 - nearest) + 0.5, 0.0, 1.0).astype(np.float32)
    canal = (share < 0.5) & (v > 12) & (v < 36) & (away < 8 + 0.6 * (v - 12)) & (np.abs(w) < 16)
    return share, canal


@pytest.mark.parametrize("pars_mm", [5.0, 6.0, 7.0])
@pytest.mark.parametrize("side", list(Side))
def test_the_isthmus_lies_in_the_pedicle_and_not_in_the_narrower_pars(side: Side, pars_mm: float) -> None:
    share, canal = arch(pars_mm)
    coarse = coarse_center(side, share >= 0.5, canal, AXES_MM)  # type: ignore[arg-type]  # three of them
    assert coarse[1] > TO[1]  # coronal planes take the pars for it, or the test tests nothing

    found = find_isthmus(side, share, GRID, FRAME, share >= 0.5, canal, AXES_MM).section  # type: ignore[arg-type]  # three

    forward = unit(FROM - TO)
    offset = found.center_lps[:2] * [side.sign, 1.0] - TO
    assert abs(offset[0] * forward[1] - offset[1] * forward[0]) < 0.6  # mm beside the axis
    assert 0.0 < offset @ forward < np.linalg.norm(FROM - TO)
    assert found.axis_lps @ [side.sign * forward[0], forward[1], 0.0] > np.cos(np.radians(3.0))
