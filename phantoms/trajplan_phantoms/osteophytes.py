"""Degenerative beaks on the rims of the end plates."""

from __future__ import annotations

import numpy as np

from trajplan_phantoms.body import Body
from trajplan_phantoms.shapes import Shape, Tube

MAX_OSTEOPHYTE_MM = 8.0
_ANGLES_DEG = (-62.0, -28.0, 0.0, 33.0, 58.0)
"""Where the beaks sit: from straight ahead, + to the left; unevenly, as spurs do."""


def osteophytes(body: Body, size_mm: float) -> tuple[Shape, ...]:
    """Beaks that stand `size_mm` proud of both rims, in front and beside; they follow a fractured rim.

    They stop 0.2 mm short of the rim's height, so that they never bridge the disc.
    """
    if size_mm <= 0.0:
        return ()
    beaks: list[Shape] = []
    for number, angle in enumerate(_ANGLES_DEG):
        turn = np.deg2rad(angle)
        out = np.array([np.sin(turn), -np.cos(turn), 0.0])
        own = size_mm * (1.0, 0.7, 0.85, 0.6, 0.9)[number]
        for top in (True, False):
            reach = np.linspace(0.2, 0.8, 601) * max(body.width_mm, body.depth_mm)
            side = body.side(reach * out[0], reach * out[1], 1.0 if top else -1.0)
            edge = float(np.interp(0.0, side, reach)) * out
            plates = body.plates(np.array(edge[0] * 0.9), np.array(edge[1] * 0.9))
            rim, sign = float(plates[2 if top else 3]), 1.0 if top else -1.0
            root = edge - 4.0 * out + np.array([0.0, 0.0, rim - sign * 3.4])
            tip = edge + max(own - 1.2, 0.0) * out + np.array([0.0, 0.0, rim - sign * 1.5])
            beaks.append(Tube(root, tip, np.array([0.0, 0.0, 1.0]), (5.5, 2.8), (3.4, 1.2), cap_mm=1.2))
    return tuple(beaks)
