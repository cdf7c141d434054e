"""How near a path comes to other bone: the facet joint of the level above, a rib."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side

BEHIND_MM = 40.0
"""Other bone is watched from this far behind the entry to the tip."""


def facet_clearance(facets_uvw: FloatArray, vertebra: Vertebra, side: Side, path: Capsule) -> float | None:
    """Distance from the instrument's surface to the nearest other bone, mm; None when none is known.

    A joint is violated when it is negative. Bone that the axis runs through is told by `skin.through_other_bone`.

    Parameters
    ----------
    facets_uvw : ndarray, shape (N, 3)
        Samples of its surface, (side * u, v, w) mm.
    """
    if not len(facets_uvw):
        return None
    flip = np.array([side.sign, 1.0, 1.0])
    entry = vertebra.frame.to_local(path.start_lps) * flip
    along = vertebra.frame.direction_to_local(path.direction_lps) * flip
    to = facets_uvw - entry
    t = np.clip(to @ along, -BEHIND_MM, path.length_mm)
    return float(np.linalg.norm(to - t[:, None] * along, axis=1).min() - path.radius_mm)
