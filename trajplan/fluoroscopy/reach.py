"""What a C-arm can reach: its angles, and the height of the isocentre over the floor with the patient on a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import GeometryError, InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry import Volume

if TYPE_CHECKING:
    from trajplan.fluoroscopy.views import SolvedView

_TISSUE_HU: Final = -500.0
_STRIP_MM: Final = 20.0  # half width of the strip over which the skin is looked for


@dataclass(frozen=True)
class Reach:
    """Largest angles, either way, and heights of the isocentre over the floor that the C-arm is taken to reach.

    Siemens Cios Fusion as in DeepDRR's MobileCArm: orbital -40..110 deg, here 110 to both sides because the arm can be
    brought in from either side of the table; angulation kept to 45 deg; vertical travel 430 mm. The lowest height of
    the isocentre is a guess (unverified).
    """

    primary_deg: float = 110.0
    secondary_deg: float = 45.0
    lowest_mm: float = 1000.0
    highest_mm: float = 1430.0


def out_of_reach_deg(carm: CArm, reach: Reach | None = None) -> float:
    """How far the angles exceed the reach, deg; 0 when the view can be set."""
    limit = Reach() if reach is None else reach
    return max(0.0, abs(carm.primary_deg) - limit.primary_deg, abs(carm.secondary_deg) - limit.secondary_deg)


def nearest_reachable(carm: CArm, reach: Reach | None = None) -> CArm:
    """The same view with both angles brought within the reach."""
    limit = Reach() if reach is None else reach
    return replace(
        carm,
        primary_deg=float(np.clip(carm.primary_deg, -limit.primary_deg, limit.primary_deg)),
        secondary_deg=float(np.clip(carm.secondary_deg, -limit.secondary_deg, limit.secondary_deg)),
    )


def require_reachable(view: SolvedView, reach: Reach | None = None) -> SolvedView:
    """The view itself, or a refusal that names the nearest angles the C-arm reaches and how far off they are.

    Raises
    ------
    GeometryError
        ``view_out_of_reach``.
    """
    limit = Reach() if reach is None else reach
    if out_of_reach_deg(view.carm, limit) <= 0:
        return view
    near = nearest_reachable(view.carm, limit)
    off = float(np.degrees(np.arccos(np.clip(near.beam_lps @ view.carm.beam_lps, -1.0, 1.0))))
    raise GeometryError(
        f"the {view.name} view needs {view.carm.primary_deg:.1f} / {view.carm.secondary_deg:.1f} deg, beyond the "
        f"C-arm's {limit.primary_deg:g} / {limit.secondary_deg:g}; the nearest it reaches is {near.primary_deg:.1f} / "
        f"{near.secondary_deg:.1f} deg, {off:.1f} deg off: turn the patient or the table by that",
        code="view_out_of_reach",
        numbers={"primary_deg": near.primary_deg, "secondary_deg": near.secondary_deg, "off_deg": off},
    )


@dataclass(frozen=True)
class Table:
    """A table with a patient on it.

    Parameters
    ----------
    height_mm : float
        Its top over the floor.
    skin_y_mm : float
        LPS y of the skin that lies on it.
    prone : bool
        Whether the patient lies on the front, as for this operation.
    """

    height_mm: float
    skin_y_mm: float
    prone: bool = True

    def isocenter_height_mm(self, carm: CArm) -> float:
        """Height of the isocentre over the floor."""
        over_top = float(carm.isocenter_lps[1]) - self.skin_y_mm
        return self.height_mm + (over_top if self.prone else -over_top)

    def require_height(self, carm: CArm, reach: Reach | None = None) -> float:
        """Height of the isocentre over the floor, when the C-arm reaches it.

        Raises
        ------
        GeometryError
            ``table_out_of_reach``, with the heights of the table at which it does.
        """
        limit = Reach() if reach is None else reach
        height = self.isocenter_height_mm(carm)
        if limit.lowest_mm <= height <= limit.highest_mm:
            return height
        low, high = (self.height_mm + end - height for end in (limit.lowest_mm, limit.highest_mm))
        raise GeometryError(
            f"with the table at {self.height_mm:.0f} mm the isocentre is {height:.0f} mm over the floor, the C-arm "
            f"reaches {limit.lowest_mm:.0f} to {limit.highest_mm:.0f} mm; set the table to {low:.0f} to {high:.0f} mm",
            code="table_out_of_reach",
            numbers={"isocenter_height_mm": height, "lowest_table_mm": low, "highest_table_mm": high},
        )


def table_under(volume: Volume, isocenter_lps: ArrayLike, height_mm: float, *, prone: bool = True) -> Table:
    """The table whose top touches the patient's skin below the isocentre, in front of it when prone.

    The scan is taken as it is: a patient scanned supine lies flatter on the back than prone on the table, and in a
    supine scan the couch of the scanner counts as skin behind.

    Raises
    ------
    InputError
        There is no tissue below the isocentre.
    """
    grid, point = volume.grid, np.asarray(isocenter_lps, dtype=np.float64)
    index = np.rint(grid.world_to_index(point)).astype(int)
    reach = np.maximum(np.rint(_STRIP_MM / np.array(grid.spacing_zyx)).astype(int), 1)
    z, x = (slice(max(int(index[a] - reach[a]), 0), max(int(index[a] + reach[a] + 1), 0)) for a in (0, 2))
    tissue = volume.array[z, :, x] > _TISSUE_HU
    rows = np.flatnonzero(tissue.mean(axis=(0, 2)) > 0.5) if tissue.size else np.zeros(0, dtype=int)
    if not len(rows):
        raise InputError("there is no tissue in front of or behind the isocentre to lie on", code="table_no_patient")
    edge = rows[0] - 0.5 if prone else rows[-1] + 0.5
    return Table(height_mm, float(grid.origin_lps[1] + edge * grid.spacing_xyz[1]), prone)
