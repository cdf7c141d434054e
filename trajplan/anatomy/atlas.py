"""An atlas: a labelled vertebra with its neighbours that the classical route carries onto a patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Frame, Grid, LabelMap, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.resample import resample_labels, resample_volume
from trajplan.levels import LEVEL_NAMES
from trajplan.parts import Part

HALF_MM = np.array([56.0, 48.0, 46.0])
"""Room about the body's centre to the right, to the front and downward, LPS; to the left and upward the same."""

BACK_MM = 84.0
"""Room behind it, for the spinous process."""

_AXIS_MM = 4.0


@dataclass(frozen=True, eq=False)
class Atlas:
    """A labelled vertebra to be carried onto a patient.

    Parameters
    ----------
    name : str
        What provenance calls it.
    level : str
    ct : Volume
        1 mm box about the vertebra.
    labels : LabelMap
        VerSe ids of the vertebra and its neighbours on the same grid.
    label_id : int
        The vertebra's own id in `labels`.
    frame : Frame
        Its true (phantom) or measured frame.
    height_mm, depth_mm : float
        Body height on the posterior wall, and body depth.
    source_sha256 : str
        Hash of the scan it was made from: an atlas never serves the scan it came from. Empty for a phantom.
    """

    name: str
    level: str
    ct: Volume
    labels: LabelMap
    label_id: int
    frame: Frame
    height_mm: float
    depth_mm: float
    source_sha256: str = ""


def atlas_box(center_lps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lower and upper corner (LPS mm) of what an atlas holds about a body centre."""
    return center_lps - HALF_MM, center_lps + np.array([HALF_MM[0], BACK_MM, HALF_MM[2]])


def atlas_of(name: str, ct: Volume, labels: LabelMap, label_id: int, source_sha256: str) -> Atlas:
    """One labelled vertebra of a canonical CT as an atlas.

    Raises
    ------
    AnatomyError
        It cannot be measured, is cut by the scan (``truncated``), or its mask is doubtful (``low_confidence_mask``): an
        atlas carries its faults to every patient.
    """
    level = LEVEL_NAMES[label_id]
    vertebra = measure_vertebra(ct, labels, label_id, level=level, level_confirmed=True, source=name)
    if vertebra.touches_edge:
        raise AnatomyError(f"{level} reaches the border of the scan and may be cut", code="truncated")
    if vertebra.confidence.score < 0.5:
        raise AnatomyError(
            f"the mask of {level} is doubtful ({vertebra.confidence.score:.2f}): "
            f"{'; '.join(vertebra.confidence.check)}",
            code="low_confidence_mask",
            numbers={"score": vertebra.confidence.score},
        )
    grid = Grid.isotropic(*atlas_box(vertebra.frame.origin_lps), 1.0)
    return Atlas(
        name=name,
        level=level,
        ct=resample_volume(ct, grid),
        labels=resample_labels(labels, grid),
        label_id=label_id,
        frame=vertebra.frame,
        height_mm=vertebra.heights.hp_mm,
        depth_mm=_depth_mm(vertebra),
        source_sha256=source_sha256,
    )


def _depth_mm(vertebra: Vertebra) -> float:
    """Front to back of the body near its axis, half-way between the end plates."""
    grid = vertebra.parts.grid
    local = vertebra.frame.to_local(grid.index_to_world(np.argwhere(vertebra.parts.array == Part.BODY)))
    near = local[(np.abs(local[:, 0]) < _AXIS_MM) & (np.abs(local[:, 2]) < _AXIS_MM)]
    return float(np.ptp(near[:, 1]) + grid.spacing_zyx[1])
