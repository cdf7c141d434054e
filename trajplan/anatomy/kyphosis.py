"""Sagittal angles of a fracture: its own wedge, and the local kyphosis across its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from trajplan.anatomy.lean import lean_deg
from trajplan.anatomy.neighbours import Neighbour
from trajplan.anatomy.vertebra import Endplate, Kyphosis
from trajplan.geometry import Frame
from trajplan.levels import LEVEL_NAMES


def measure_kyphosis(frame: Frame, superior: Endplate, inferior: Endplate, neighbours: Sequence[Neighbour]) -> Kyphosis:
    """Angles in the sagittal plane of `frame`, + kyphotic.

    The local angle is the Cobb angle of the fracture ("bisegmental"): superior end plate of the vertebra right above
    against the inferior one of the vertebra right below.
    """
    wedge = lean_deg(frame, inferior.normal_lps) - lean_deg(frame, superior.normal_lps)
    above, below = (next((n for n in neighbours if n.steps == step), None) for step in (1, -1))
    if above is None or below is None:
        return Kyphosis(wedge)
    local = lean_deg(frame, below.inferior.normal_lps) - lean_deg(frame, above.superior.normal_lps)
    names = [LEVEL_NAMES.get(n.level_id, f"id {n.level_id}") for n in (above, below)]
    return Kyphosis(wedge, local, f"{names[0]} to {names[1]}")
