"""Where the tip should end so that the balloon can do its work: anterior third, between the end plates."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Part, Side
from trajplan.planning.plan import PlanSettings

ANTERIOR_SHARE = 0.25
"""Tip depth from the anterior wall as a share of the body's depth: inside the anterior third (clinical rule 9)."""


def ideal_target(vertebra: Vertebra, side: Side, settings: PlanSettings, unipedicular: bool) -> FloatArray:
    """The tip position that serves the balloon best, LPS mm, shape (3,), before any wall is looked at.

    Bipedicular: half-way between pedicle and midline. Unipedicular: on the midline. Mid-height between the end plates
    as they are at that place, so below a depressed one.

    Raises
    ------
    AnatomyError
        ``body_too_small`` when the body has no room there (vertebra plana).
    """
    grid = vertebra.parts.grid
    body = vertebra.frame.to_local(grid.index_to_world(np.argwhere(vertebra.parts.array == Part.BODY)))
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
    stand_off = settings.anterior_margin_mm + settings.instrument.radius_mm + 0.5
    v = front + max(stand_off, ANTERIOR_SHARE * (back - front))
    column = strip[np.abs(strip[:, 1] - v) < 3.0]
    if len(column) < 20:
        raise AnatomyError(
            "the vertebral body is too shallow for the anterior stand-off",
            code="body_too_small",
            numbers={"depth_mm": float(back - front), "stand_off_mm": stand_off},
        )
    low, high = np.percentile(column[:, 2], [2, 98])
    return vertebra.frame.to_world([u, float(v), float(low + high) / 2])
