"""Where the neighbours of a fractured body go when they follow its end plates."""

from __future__ import annotations

import numpy as np

from trajplan.geometry.arrays import FloatArray
from trajplan_phantoms.body import Body

_RING = (0.82, 0.95)
"""The disc rests on the rim: the part of the end plate between these shares of its half width and depth."""


def rim_line(body: Body, upper: bool) -> tuple[float, float]:
    """w above the centre, mm, and slope along v of the plane fitted to the rim of an end plate, hollow left out."""
    angle = np.linspace(0.0, 2.0 * np.pi, 72, endpoint=False)
    ring = np.array(_RING)[:, None]
    u = (0.5 * body.width_mm * ring * np.sin(angle)).ravel()
    v = (0.5 * body.depth_mm * ring * np.cos(angle)).ravel()
    design = np.stack([np.ones_like(v), v], axis=1)
    height, slope = np.linalg.lstsq(design, body.plates(u, v)[2 if upper else 3], rcond=None)[0]
    return float(height), float(slope)


def plate_motion(body: Body, upper: bool) -> tuple[FloatArray, FloatArray]:
    """The rigid motion of what rests on an end plate, from before the fracture to after it.

    Parameters
    ----------
    body : Body
    upper : bool
        The superior end plate, else the inferior one.

    Returns
    -------
    linear : ndarray, shape (3, 3)
        A rotation about u.
    origin : ndarray, shape (3,)
        ``after = linear @ before + origin``, in the frame of the body, mm.

    Notes
    -----
    The motion is that of the plane fitted to how far the rim of the end plate moved; a dish in its middle moves
    nothing.
    """
    (h0, s0), (h1, s1) = rim_line(body.intact, upper), rim_line(body, upper)
    turn = float(np.arctan(s1) - np.arctan(s0))
    c, s = np.cos(turn), np.sin(turn)
    linear = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    return linear, np.array([0.0, 0.0, h1]) - linear @ np.array([0.0, 0.0, h0])
