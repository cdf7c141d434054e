"""Trocar angles in the vertebra frame: convergence (towards the midline +), craniocaudal (caudal going forward +)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from trajplan.geometry import Frame
from trajplan.parts import Side


def trocar_angles(direction_lps: ArrayLike, frame: Frame, side: Side) -> tuple[float, float]:
    """(convergence_deg, craniocaudal_deg) of a direction from entry to tip.

    Convergence is measured in the axial (u, v) plane of the vertebra from straight anterior; craniocaudal is the
    elevation out of that plane.

    >>> import numpy as np
    >>> f = Frame((0, 0, 0), np.eye(3))
    >>> trocar_angles([-1.0, -1.0, 0.0], f, Side.LEFT)
    (45.0, 0.0)
    >>> trocar_angles([-1.0, -1.0, 0.0], f, Side.RIGHT)
    (-45.0, 0.0)
    """
    u, v, w = frame.direction_to_local(direction_lps)
    convergence = float(np.degrees(np.arctan2(-side.sign * u, -v)))
    craniocaudal = float(np.degrees(np.arctan2(-w, np.hypot(u, v))))
    return convergence + 0.0, craniocaudal + 0.0
