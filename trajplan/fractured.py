"""A fracture of known size on a real scan, along the axes that the anatomy room measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trajplan.anatomy.measure import measure_vertebra
from trajplan.geometry import LabelMap, Volume
from trajplan.levels import level_id
from trajplan_phantoms.warp import FracturedScan, ScanHeights, check_request, fracture_scan


@dataclass(frozen=True, eq=False)
class MeasuredFracture:
    """A fractured scan, and the heights found on the labels that came out.

    Attributes
    ----------
    level : str
    made : FracturedScan
        CT, labels and exact truth.
    heights_on_labels : ScanHeights
        The same columns as the truth's, measured on the fractured labels: a check within a voxel, not truth.
    """

    level: str
    made: FracturedScan
    heights_on_labels: ScanHeights

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for truth.json; vectors are LPS mm."""
        return {**self.made.to_dict(), "level": self.level, "heights_on_labels": vars(self.heights_on_labels)}


def fracture_level(ct: Volume, labels: LabelMap, level: str, kind: str, height_loss_percent: float) -> MeasuredFracture:
    """Break one vertebra of a labelled scan along its measured axes.

    Parameters
    ----------
    ct : Volume
        Axis-aligned LPS, HU.
    labels : LabelMap
        VerSe ids in the same space.
    level : str
        Such as "L1".
    kind : {"wedge", "biconcave", "crush"}
    height_loss_percent : float
        Above 0, at most 80.

    Raises
    ------
    InputError
        As `trajplan_phantoms.fracture_scan`.
    AnatomyError
        The vertebra cannot be measured.
    """
    check_request(kind, height_loss_percent)
    target = level_id(level)
    frame = measure_vertebra(ct, labels, target, level=level, level_confirmed=True, source="labels").frame
    made = fracture_scan(ct, labels, target, kind, height_loss_percent, frame_hint=frame)
    return MeasuredFracture(level, made, made.measured_heights())
