"""The sacrum: S1 with its wings, the segment below it, and a canal closed behind."""

from __future__ import annotations

import numpy as np

from trajplan.parts import Side
from trajplan_phantoms.build import Plan
from trajplan_phantoms.shapes import Shape, Tube
from trajplan_phantoms.vertebra import Vertebra

_BACK, _UP = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def sacrum(plan: Plan, keep_out: tuple[Shape, ...]) -> Vertebra:
    """S1 as a vertebra of its own label; the wings and S2 grow on its body, the back wall closes the canal.

    The median crest begins with the spinous process of S1, close below that of L5.
    """
    s = plan.scale
    body, canal = plan.body(), plan.canal()
    back = canal.front_mm + canal.depth_mm
    half, wall = 0.5 * body.height_mm, plan.wall_mm
    behind = Tube(
        np.array([0.0, back + 2.6 * s, -0.25 * half]), np.array([0.0, back + 4.0 * s, -2.4 * half]), _BACK,
        (0.62 * canal.width_mm, 3.2 * s), (0.5 * canal.width_mm, 2.8 * s), cap_mm=3.0 * s, power=4,
    )  # fmt: skip
    crest = Tube(
        np.array([0.0, back + 5.5 * s, -0.5 * half]), np.array([0.0, back + 8.0 * s, -2.4 * half]), _UP,
        (3.0 * s, 4.0 * s), (3.4 * s, 4.0 * s), cap_mm=3.0 * s,
    )  # fmt: skip
    pieces: list[Shape] = [plan.spinous(), crest, behind]
    below = Tube(
        np.array([0.0, wall - 11.5 * s, -half]), np.array([0.0, wall - 9.0 * s, -3.0 * half]), _BACK,
        (19.0 * s, 11.0 * s), (14.0 * s, 8.5 * s), cap_mm=4.0 * s,
    )  # fmt: skip
    extras: list[Shape] = [below]
    for side in Side:
        pieces += [plan.lamina(side), plan.superior_process(side)]
        wing = np.array([side.sign * 14.0, wall / s - 8.0, half / s - 10.0]) * s
        extras += [
            Tube(wing, np.array([side.sign * 48.0 * s, wall + 1.0 * s, half - 17.0 * s]), _UP,
                 (10.5 * s, 9.0 * s), (14.0 * s, 15.0 * s), cap_mm=6.0 * s),
            Tube(wing - 9.0 * s * _UP, np.array([side.sign * 33.0 * s, wall + 6.0 * s, -1.9 * half]), _UP,
                 (11.0 * s, 12.0 * s), (11.0 * s, 14.0 * s), cap_mm=6.0 * s),
        ]  # fmt: skip
    pedicles = {side: plan.pedicle(side) for side in Side}
    return Vertebra(plan.level, body, pedicles, tuple(pieces), canal, keep_out, tuple(extras))
