"""Cement: how much fills the cavity and the bone about it, where it lies, and where it must stop."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.augmentation.published import Published
from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import FloatArray

CAVITY_LEFT, CAVITY_RIGHT, INTERDIGITATION = 1, 2, 3
"""Ids of `Cement.labels`: cement in the cavity of each side's balloon, and in the bone about them."""

CEMENT_NAMES = {
    CAVITY_LEFT: "cement in the left cavity",
    CAVITY_RIGHT: "cement in the right cavity",
    INTERDIGITATION: "cement between trabeculae",
}


@dataclass(frozen=True, eq=False)
class Cement:
    """The planned fill of one body.

    Parameters
    ----------
    cavity_ml, fill_ml, planned_ml : float
        Volume of the cavities; of all that cement may fill, cavities and the layer between trabeculae about them; and
        that, or the bound where it is less.
    held_back_ml : float
        What of that would lie behind the stop line and is not filled.
    body_share, restored_share : float
        `planned_ml` as a share of the body as it is, and as predicted.
    cap_ml : float
        The proposed upper bound for this level and body.
    touches : tuple of str
        End plates that the cement comes to within a millimetre.
    posterior_wall_mm : float
        Least distance of the cement to the posterior wall.
    labels : LabelMap
        Where it lies, on the grid of the vertebra's parts; ids `CEMENT_NAMES`.
    stop_line_lps : ndarray, shape (2, 3)
        The stop line at the posterior quarter, midsagittal, lower and upper end.
    published : tuple of Published
        Fill volumes and shares that are published, with their disagreement.
    """

    cavity_ml: float
    fill_ml: float
    planned_ml: float
    held_back_ml: float
    body_share: float
    restored_share: float
    cap_ml: float
    touches: tuple[str, ...]
    posterior_wall_mm: float
    labels: LabelMap
    stop_line_lps: FloatArray
    published: tuple[Published, ...]
