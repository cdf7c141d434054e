"""The six height points as the source of truth: a person moves them, and heights, losses and grade follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from trajplan.anatomy.fracture import OWN_POSTERIOR, Expected, grade_fracture
from trajplan.anatomy.heights import heights_from_points
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import frozen


def with_six_points(vertebra: Vertebra, six_points_lps: ArrayLike) -> Vertebra:
    """The vertebra with heights, losses, shape and grade from six points, shape (6, 3), LPS mm.

    Order: anterior, middle, posterior, each superior then inferior. The expected heights stay those of the
    neighbours; without neighbours they are the (moved) posterior height. The vertebra's own points give its own
    measures again.

    Raises
    ------
    AnatomyError
        ``height_points_invalid``; ``not_measured`` for a vertebra without measured points.
    """
    measures, expected = vertebra.measures, vertebra.heights.expected_mm
    if measures is None or expected is None:
        raise AnatomyError(
            "this vertebra has no measured height points. Measure it first", code="not_measured", numbers={}
        )
    own = heights_from_points(six_points_lps, vertebra.frame)
    alone = vertebra.heights.reference_source == OWN_POSTERIOR
    origin = OWN_POSTERIOR if alone else vertebra.heights.reference_source.partition(" height of ")[2]
    reference = Expected(np.full(3, own.hp_mm) if alone else np.array(expected), origin, alone)
    heights, fracture = grade_fracture(own, reference)
    moved = replace(measures, six_points_lps=frozen(six_points_lps, (6, 3)))
    return replace(vertebra, heights=heights, fracture=fracture, measures=moved)
