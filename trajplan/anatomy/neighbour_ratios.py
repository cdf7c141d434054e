"""A vertebra against its sound neighbours: one much larger, smaller or higher than they are is a mask to look at."""

from __future__ import annotations

from collections.abc import Sequence

from trajplan.anatomy.fracture import Expected
from trajplan.anatomy.heights import BodyHeights
from trajplan.anatomy.neighbours import Neighbour, flanking, weight_above

VOLUME, HEIGHT = "volume_to_neighbours", "height_to_neighbours"


def neighbour_ratios(
    volume_ml: float, own: BodyHeights, expected: Expected, neighbours: Sequence[Neighbour]
) -> dict[str, float]:
    """Volume of the mask and greatest height of the body, each as a ratio to what the neighbours let expect.

    The expected volume lies between those of the nearest sound neighbour above and below, in proportion to their
    distance in levels; with one of them, it is that one's. Nothing is said without a sound neighbour.

    Parameters
    ----------
    volume_ml : float
        Of the whole mask.
    expected : Expected
        Heights, of the same neighbours (`trajplan.anatomy.fracture.expected_heights`).
    """
    above, below = flanking(neighbours)
    if above is not None and below is not None:
        share = weight_above(above, below)
        usual_ml = above.volume_ml**share * below.volume_ml ** (1 - share)
    elif (one := above or below) is not None:
        usual_ml = one.volume_ml
    else:
        return {}
    return {VOLUME: volume_ml / usual_ml, HEIGHT: float((own.values_mm / expected.heights_mm).max())}
